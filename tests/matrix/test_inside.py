"""A program in a root: it reads what is shared with it, changes nothing of it, and is gone with whoever started it."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.matrix import inside
from tests.matrix.inside import run
from tests.support.mounts import mounted

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and mounts take root")

SHARED = (Path("/usr"), Path("/etc"))


@pytest.fixture
def ours() -> Iterator[Path]:
    """Not in /tmp, of which a root has its own."""
    with TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def root(ours: Path) -> Path:
    """An almost empty one, to which this system lends its programs."""
    root = ours / "root"
    for name in ("proc", "sys", "dev", "tmp"):
        (root / name).mkdir(parents=True)
    for link in Path("/").iterdir():
        # bin, lib, sbin and their like are in /usr nowadays.
        if link.is_symlink() and str(link.readlink()).startswith("usr/"):
            (root / link.name).symlink_to(link.readlink())
    return root


def said(command: tuple[str, ...], within: float = 30.0) -> tuple[int, list[str]]:
    lines: list[str] = []
    return run(command, lines.append, within=within), lines


def test_what_is_shared_with_a_root_can_be_read_there_and_not_changed(root: Path, ours: Path) -> None:
    shared = ours / "shared"
    shared.mkdir()
    (shared / "file").write_text("before\n")
    script = f"cat {shared}/file; echo changed >{shared}/file; touch {shared}/new; rm -f {shared}/file; id -u"
    code, lines = said(inside.inside(root, ("sh", "-c", script), shared=(*SHARED, shared)))
    assert code == 0
    assert (lines[0], lines[-1]) == ("before", "0")
    assert sum("Read-only file system" in line for line in lines) == 3
    assert (shared / "file").read_text() == "before\n"
    assert [path.name for path in shared.iterdir()] == ["file"]


def test_its_exit_code_is_handed_on_and_one_that_takes_too_long_is_killed(root: Path) -> None:
    assert said(inside.inside(root, ("sh", "-c", "exit 3"), shared=SHARED))[0] == 3
    assert said(inside.inside(root, ("sleep", "600"), shared=SHARED), within=0.5)[0] == -9


def test_it_sees_its_own_files_and_no_way_leads_out_of_them(root: Path, ours: Path) -> None:
    (root / "own").touch()
    (ours / "not-its-own").touch()
    # nsenter(1) goes to the root of the mounts, which chroot(8) alone leaves as it was.
    look = f"test -e /own && ! test -e {ours}/not-its-own && echo here"
    code, lines = said(
        inside.inside(root, ("sh", "-c", f"{look}; nsenter --target 1 --mount sh -c '{look}'"), shared=SHARED)
    )
    assert (code, lines) == (0, ["here", "here"])


def test_it_sees_its_own_processes_alone_and_of_the_environment_what_fetching_needs(root: Path) -> None:
    environ = {"PIP_DEFAULT_TIMEOUT": "9", "SECRET": "s3cret"}
    command = ("sh", "-c", "echo $$; env")
    code, lines = said(inside.inside(root, command, folder="/usr", shared=SHARED, environ=environ))
    assert code == 0
    assert lines[0] == "1"
    assert "PIP_DEFAULT_TIMEOUT=9" in lines
    assert "PWD=/usr" in lines
    assert not any("s3cret" in line for line in lines)


def test_where_roots_may_be_made_nothing_is_refused_and_nothing_stays_mounted(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    others = tmp_path_factory.getbasetemp().parent
    before = mounted(others)
    assert inside.refusal() is None
    assert mounted(others) == before


@pytest.mark.parametrize("lacking", ["sys_admin", "mknod", "sys_chroot"])
def test_who_lacks_a_permission_is_told_what_was_refused(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = ("setpriv", f"--bounding-set=-{lacking}", f"--inh-caps=-{lacking}", "--")
    monkeypatch.setattr(inside, "NAMESPACES", (*without, *inside.NAMESPACES))
    refusal = inside.refusal()
    assert refusal is not None
    assert "not permitted" in refusal
