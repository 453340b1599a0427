"""What has to pass on each system: its OBS driven from here, and the product itself in it."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from daemon.studio.root import VARIABLE
from tests.e2e.lent import PLUGIN, SERVER
from tests.matrix import inside, machine
from tests.matrix.roots import Made

CHECKOUT = Path(__file__).parents[2]

PLACE = "srv/motherstream"
"""Where the checkout is in a root. It has its own virtual environment there, which stays from run to run."""

ON_ITS_OBS = (
    "tests/conformance",
    "tests/e2e/test_headless.py",
    "tests/e2e/test_channel.py",
    "tests/e2e/test_modes.py",
    "tests/e2e/test_program.py",
)
"""Tests that need a studio: those that say what OBS does, and the hand-overs."""

BRIEFLY_ON_ITS_OBS = (
    "tests/conformance",
    "tests/e2e/test_headless.py",
    "tests/e2e/test_channel.py::test_six_skips_leave_no_blank_no_freeze_and_no_silence",
    "tests/e2e/test_channel.py::test_the_end_of_a_stream_moves_on_to_the_next",
    "tests/e2e/test_channel.py::test_obs_that_is_killed_on_air_comes_back_on_air_without_orphans",
)
"""The part of these that CI has time for."""

BRIEFLY_IN_IT = (
    "tests/daemon/core",
    "tests/daemon/journal",
    "tests/daemon/obs",
    "tests/deploy/test_service.py",
    "tests/e2e/test_measuring.py",
    "tests/machine",
)
"""The part of the tests without a studio that CI has time for: what rests on Python's asyncio, SQLite and signals, on
the system's service manager and on its FFmpeg."""

NOT_IN_IT = ("tests", "--ignore=tests/daemon/shared", "--ignore=tests/deploy/test_haproxy_pair.py")
"""All of them, but for those that rest on PostgreSQL, which speaks the same everywhere, and on none of the above."""

ON_WHAT_IS_LENT = (
    "tests/e2e/test_channel.py",
    "tests/e2e/test_odd_streams.py::test_a_stream_without_a_sound_track_is_on_air_as_soon_as_another",
    # It is about a plugin that is not there.
    "--deselect=tests/e2e/test_channel.py::test_a_kind_that_obs_does_not_have_is_told_and_nothing_is_created",
    # SRS's API tells that the stream has no picture before it is given up.
    "--deselect=tests/e2e/test_channel.py::test_an_input_that_never_shows_a_frame_is_given_up_and_the_next_one_tried",
)
"""Tests that use obs-gstreamer and SRS where these are lent (tests/e2e/lent.py). A plugin is built against one OBS:
{suite} in its path stands for the system's name in Debian's archive."""

LONGEST = 1500.0
"""Seconds that a cell may take."""

NOT_COPIED = (".git", ".venv", "build", "dist", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")

Line = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Count:
    """Of tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def on_its_obs(made: Made, line: Line, keep: Sequence[int], *, brief: bool) -> Count:
    """This system's tests on that system's OBS."""
    chosen = BRIEFLY_ON_ITS_OBS if brief else ON_ITS_OBS
    count = _here(made, "obs", chosen, {PLUGIN: "", SERVER: ""}, line, keep)
    given = {} if brief else lent(made, line)
    return count + _here(made, "lent", ON_WHAT_IS_LENT, given, line, keep) if any(given.values()) else count


def lent(made: Made, line: Line, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The plugin and the server that are lent to this system, by their variables; "" where one is not."""
    plugin = environ.get(PLUGIN, "").replace("{suite}", made.system.suite)
    if plugin and not Path(plugin).is_file():
        line(f"{made.system.name}: not with obs-gstreamer, for {plugin} is not there")
        plugin = ""
    return {PLUGIN: plugin, SERVER: environ.get(SERVER, "")}


def _here(
    made: Made, name: str, tests: Sequence[str], variables: Mapping[str, str], line: Line, keep: Sequence[int]
) -> Count:
    report = _report(CHECKOUT / "build" / f"matrix-{made.system.suite}-{name}.xml")
    # A line each: one takes seconds, and somebody may be waiting.
    pytest = (sys.executable, "-m", "pytest", "-v", "-m", "real", f"--junit-xml={report}", *tests)
    set_ = [f"{key}={value}" for key, value in {VARIABLE: str(made.folder), **variables}.items()]
    command = ("setpriv", "--pdeathsig", "KILL", "--", "env", "-C", str(CHECKOUT), *set_, *pytest)
    return counted(report, inside.run(command, line, within=LONGEST, keep=keep))


def demo(made: Made, line: Line, keep: Sequence[int], *, brief: bool) -> Count:
    """What the README promises first, as its reader types it. It is brief as it is."""
    del brief
    lay(made.folder)
    # PORT=0: any; 8000 may be somebody's.
    code = _in(made, ("make", "demo", "DURATION=20", "PORT=0"), line, keep)
    return Count(passed=1) if code == 0 else Count(failed=1)


def tests(made: Made, line: Line, keep: Sequence[int], *, brief: bool) -> Count:
    """The tests that need neither studio nor browser, on that system's Python."""
    lay(made.folder)
    report = _report(made.folder / PLACE / "build" / "matrix-tests.xml")
    chosen = (
        *(BRIEFLY_IN_IT if brief else NOT_IN_IT),
        "-q",
        "-n",
        "2",
        "-m",
        "not real and not browser",
        f"--junit-xml=/{report.relative_to(made.folder)}",
    )
    command = ("sh", "-c", 'deploy/prepare.sh python && exec .venv/bin/python -m pytest "$@"', "sh", *chosen)
    return counted(report, _in(made, command, line, keep))


CELLS = {"obs": on_its_obs, "demo": demo, "tests": tests}
"""By the names that the command line has for them."""


def lay(root: Path) -> None:
    """This checkout into a root, in place of the one before, whose virtual environment stays."""
    place = root / PLACE
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        if old.is_dir() and not old.is_symlink():
            if old.name not in (".venv", "build"):
                shutil.rmtree(old)
        else:
            old.unlink()
    shutil.copytree(CHECKOUT, place, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_COPIED))


def counted(report: Path, code: int) -> Count:
    """Of a run of pytest, by its report and its exit code. One that tells of no failure and did not end well is one."""
    count = Count()
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
            skipped = int(suite.get("skipped", "0"))
            count += Count(int(suite.get("tests", "0")) - bad - skipped, bad, skipped)
    return count + Count(failed=1) if code and not count.failed else count


def _in(made: Made, command: Sequence[str], line: Line, keep: Sequence[int]) -> int:
    entered = inside.inside(made.folder, command, folder=f"/{PLACE}", shared=machine.shared())
    return inside.run(entered, line, within=LONGEST, keep=keep)


def _report(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path
