"""What the matrix counts, and what it runs."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.e2e.lent import PLUGIN, SERVER
from tests.matrix import __main__ as command
from tests.matrix import cells, inside
from tests.matrix.cells import CELLS, Count
from tests.matrix.roots import HinderedError, Made, RootError, Roots
from tests.matrix.systems import PACKAGES, SYSTEMS, System

REPORT = '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>'


def made(tmp_path: Path, system: System = SYSTEMS[0]) -> Made:
    return Made(system, tmp_path, "30.2.3", "3.13.5", 0)


def test_passed_failed_and_skipped_are_counted_from_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert cells.counted(report, 1) == Count(5, 2, 2)


def test_a_run_that_ends_badly_is_a_failure_also_without_a_report(tmp_path: Path) -> None:
    assert cells.counted(tmp_path / "none.xml", 2) == Count(0, 1, 0)
    (tmp_path / "good.xml").write_text('<testsuites><testsuite tests="3" failures="0" errors="0"/></testsuites>')
    assert cells.counted(tmp_path / "good.xml", -9) == Count(3, 1, 0)


def test_the_checkout_replaces_the_one_before_and_leaves_its_virtual_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, root = tmp_path / "checkout", tmp_path / "root"
    (checkout / "daemon" / "__pycache__").mkdir(parents=True)
    (checkout / "daemon" / "new.py").touch()
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "ours").touch()
    place = root / cells.PLACE
    (place / "daemon").mkdir(parents=True)
    (place / "daemon" / "gone.py").touch()
    (place / ".venv").mkdir()
    (place / ".venv" / "its").touch()
    monkeypatch.setattr(cells, "CHECKOUT", checkout)
    cells.lay(root)
    found = {str(path.relative_to(place)) for path in place.rglob("*")}
    assert found == {"daemon", "daemon/new.py", ".venv", ".venv/its"}


def test_a_plugin_is_lent_to_the_system_that_it_was_built_for_and_to_no_other(tmp_path: Path) -> None:
    (tmp_path / "trixie.so").touch()
    environ = {PLUGIN: str(tmp_path / "{suite}.so")}
    told: list[str] = []
    trixie, sid = SYSTEMS
    assert cells.lent(made(tmp_path, trixie), told.append, environ) == {PLUGIN: f"{tmp_path}/trixie.so", SERVER: ""}
    assert told == []
    assert cells.lent(made(tmp_path, sid), told.append, environ) == {PLUGIN: "", SERVER: ""}
    assert told == [f"Debian sid: not with obs-gstreamer, for {tmp_path / 'sid.so'} is not there"]


def test_the_tests_that_are_run_on_another_obs_or_python_are_there() -> None:
    for place in (*cells.ON_ITS_OBS, *cells.ON_WHAT_IS_LENT, *cells.BRIEFLY_ON_ITS_OBS, *cells.BRIEFLY_IN_IT):
        file, _, test = place.removeprefix("--deselect=").partition("::")
        assert (cells.CHECKOUT / file).exists(), place
        assert not test or f"def {test}(" in (cells.CHECKOUT / file).read_text(), place


def test_what_is_run_briefly_is_a_part_of_the_whole() -> None:
    assert {place.partition("::")[0] for place in cells.BRIEFLY_ON_ITS_OBS} <= set(cells.ON_ITS_OBS)


def test_a_root_has_all_that_the_demo_and_the_tests_would_install_but_for_the_browser() -> None:
    script = (cells.CHECKOUT / "deploy" / "prepare.sh").read_text()
    missing = script.partition("missing() {")[2].partition("\n}")[0]
    wanted = {line.partition("echo ")[2] for line in missing.splitlines() if "|| echo " in line}
    assert len(wanted) >= 12
    # What rests on PostgreSQL, and on an address that moves, is tried on one system.
    assert wanted - set(PACKAGES) == {"chromium", "chromium-driver", "debootstrap", "keepalived", "postgresql"}


class Unmakeable(Roots):
    """No root can be made."""

    def __init__(self, cache: Path, error: RootError) -> None:
        super().__init__(cache, lambda line: None)
        self._error = error

    def _make(self, *about: object) -> None:
        raise self._error


BROKEN = RootError("the archive is broken\nand more of it")
HINDERED = HinderedError("no room\nand more of it")


@pytest.mark.parametrize(
    ("system", "error", "count", "says"),
    [
        (SYSTEMS[0], BROKEN, Count(failed=1), "Debian 13: its root could not be made"),
        (SYSTEMS[0], HINDERED, Count(skipped=1), "Debian 13: not run, for its root cannot be made: no room"),
        (
            SYSTEMS[1],
            BROKEN,
            Count(skipped=1),
            "Debian sid: not run, for its root cannot be made: the archive is broken",
        ),
        (SYSTEMS[1], HINDERED, Count(skipped=1), "Debian sid: not run, for its root cannot be made: no room"),
    ],
    ids=["Debian 13, broken", "Debian 13, by this machine", "sid, broken", "sid, by this machine"],
)
def test_a_root_that_cannot_be_made_is_a_failure_where_it_is_required_and_one_line_where_not(
    system: System, error: RootError, count: Count, says: str, tmp_path: Path
) -> None:
    asked = command.parser().parse_args([])
    assert command.run_system(system, Unmakeable(tmp_path, error), asked) == (count, says)


def test_where_no_time_is_left_no_cell_is_begun_but_on_the_system_that_is_always_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = [0.0]

    class Makes(Roots):
        @contextmanager
        def held(self, system: System, *, fresh: bool = False) -> Iterator[Made]:
            yield made(tmp_path, system)

    def slow(*_: object, **__: object) -> Count:
        clock[0] += 60.0
        return Count(passed=1)

    monkeypatch.setattr("tests.matrix.__main__.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(command, "CELLS", {"obs": slow, "demo": slow})
    asked, roots = command.parser().parse_args(["--cells", "obs,demo"]), Makes(tmp_path, lambda line: None)
    required, optional = SYSTEMS
    assert command.run_system(optional, roots, asked, 30.0)[0] == Count(passed=1, skipped=1)
    assert command.run_system(required, roots, asked, 30.0)[0] == Count(passed=2)
    nothing = (Count(skipped=1), "Debian sid: not run, for there was no time left")
    assert command.run_system(optional, roots, asked, 30.0) == nothing


def test_where_roots_may_not_be_made_that_is_said_in_one_line_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(inside, "refusal", lambda: "unshare: unshare failed: Operation not permitted")
    assert command.main(["--cache", str(tmp_path / "cache")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    assert said[0].startswith("matrix: not run, ")
    assert "Operation not permitted" in said[0]
    assert not (tmp_path / "cache").exists()


def test_cells_are_asked_for_by_name() -> None:
    assert command.cells("demo,obs") == ["demo", "obs"]
    with pytest.raises(argparse.ArgumentTypeError, match=f"'demos' is none of {', '.join(CELLS)}"):
        command.cells("demos")


def test_roots_are_kept_in_the_users_cache() -> None:
    assert command.cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/motherstream/roots")
    assert command.cache_folder({}) == Path.home() / ".cache/motherstream/roots"
