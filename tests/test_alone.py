"""Tests in parallel: what runs beside what."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import alone, conftest
from tests.alone import BACKGROUND, is_on_studio

pytestmark = pytest.mark.slow

UNUSED = [f"-pno:{name}" for name in ("asyncio", "anyio", "hypothesispytest", "schemathesis")]
CONFTEST = "from alone import *"
HELP = """
import time
from pathlib import Path

def wait_for(condition, within):
    ends = time.monotonic() + within
    while not (met := condition()) and time.monotonic() < ends:
        time.sleep(0.01)
    return met

def there():
    return set(Path(LOG).iterdir())

def begin(name):
    (Path(LOG) / name).touch()
"""
# Each waits for the other: one after the other they would fail.
PAIR = """
import os, pytest
from help import begin, there, wait_for

{mark}
def test_of_a_pair():
    begin("{mine}")
    assert wait_for(lambda: any(path.name == "{other}" for path in there()), 20)
    assert (os.nice(0), os.getsid(0) == os.getpid()) == ({niceness}, {background})
"""
MANY = """
import pytest
from help import begin, wait_for

@pytest.mark.parametrize("number", range(6))
def test_many(number):
    begin(f"many {number}")
    wait_for(lambda: False, 0.1)
    begin(f"many {number} done")
"""
# Long enough that whoever is free would take one of its tests.
BESIDE = """
@pytest.mark.parametrize("number", range(3))
def test_more(number):
    wait_for(lambda: False, 0.2)
"""
ALONE = """
import pytest
from help import begin, there, wait_for

@pytest.mark.parametrize("number", range(2))
def test_alone(number):
    begin(f"alone {number}")
    before = there()
    assert not wait_for(lambda: there() - before, 0.3)
"""


def pair(mine: str, other: str, mark: str = "", *, background: bool = False) -> str:
    """Niceness is as it is now: this test's own worker may be in the background."""
    niceness = min(19, os.nice(0) + BACKGROUND * background)
    return PAIR.format(mark=mark, mine=mine, other=other, niceness=niceness, background=background)


def on_studio() -> str:
    return pair("studio", "beside", "@pytest.mark.real")


def suite(folder: Path, **files: str) -> str:
    """What pytest says of these files below tests/, two at a time."""
    log = folder / "log"
    log.mkdir()
    hooks = Path(alone.__file__).read_text()
    for name, text in {"conftest": CONFTEST, "alone": hooks, "help": f"LOG = {str(log)!r}\n{HELP}", **files}.items():
        path = folder.joinpath("suite", "tests", *name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "suite" / "pytest.ini").write_text("[pytest]\ntimeout = 60\nmarkers =\n    real: needs the studio\n")
    # One that runs in parallel itself says so to what it starts.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(folder / "suite" / "tests")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-v", "--import-mode=importlib", "-p", "no:cacheprovider", *UNUSED],
        cwd=folder / "suite",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return run.stdout


def by_worker(said: str) -> dict[str, set[str]]:
    """The files whose tests each process has run."""
    found: dict[str, set[str]] = {}
    for worker, file in re.findall(r"^\[(gw\d)\].* PASSED tests/(\S+)::", said, flags=re.MULTILINE):
        found.setdefault(file, set()).add(worker)
    return found


def test_one_worker_has_the_studio_and_the_other_runs_the_rest_beside_it_in_the_background(tmp_path: Path) -> None:
    said = suite(
        tmp_path,
        e2e__test_studio=on_studio(),
        e2e__test_more=MANY,
        test_beside=pair("beside", "studio", background=True),
    )
    assert "8 passed" in said.splitlines()[-1], said
    assert by_worker(said) == {"e2e/test_studio.py": {"gw0"}, "e2e/test_more.py": {"gw0"}, "test_beside.py": {"gw1"}}


def test_without_the_studio_both_run_whatever_comes_next(tmp_path: Path) -> None:
    said = suite(tmp_path, test_one=pair("one", "two"), test_two=pair("two", "one"))
    assert "2 passed" in said.splitlines()[-1], said


def test_what_takes_long_to_make_is_made_by_one_worker(tmp_path: Path) -> None:
    said = suite(tmp_path, deploy__test_install=MANY, test_more=MANY)
    assert "12 passed" in said.splitlines()[-1], said
    assert len(by_worker(said)["deploy/test_install.py"]) == 1, said


def test_a_file_that_may_run_beside_the_studio_is_one_workers_and_comes_first(tmp_path: Path) -> None:
    said = suite(
        tmp_path,
        attacks__test_many=MANY,
        e2e__test_studio=on_studio(),
        e2e__test_recording=pair("beside", "studio", "@pytest.mark.real", background=True) + BESIDE,
    )
    assert "11 passed" in said.splitlines()[-1], said
    assert by_worker(said)["e2e/test_studio.py"] == {"gw0"}, said
    assert by_worker(said)["e2e/test_recording.py"] == {"gw1"}, said


def test_several_tests_with_one_id_are_an_error_as_xdist_would_leave_out_all_but_one(
    request: pytest.FixtureRequest,
) -> None:
    assert isinstance(request.node, pytest.Item)
    alone.pytest_collection_modifyitems([request.node])
    with pytest.raises(pytest.UsageError, match=r"several tests have the same id.*test_alone\.py"):
        alone.pytest_collection_modifyitems([request.node, request.node])


def test_nothing_runs_beside_those_that_measure_the_machine(tmp_path: Path) -> None:
    said = suite(tmp_path, attacks__test_crowds=ALONE, test_many=MANY, test_more=MANY)
    assert "14 passed" in said.splitlines()[-1], said
    assert by_worker(said)["attacks/test_crowds.py"] == {"gw0"}


def test_one_on_the_studio_that_would_run_beside_others_fails_and_says_why(tmp_path: Path) -> None:
    said = suite(tmp_path, test_elsewhere=on_studio())
    why = "it is marked as one on the studio, so tests/alone.py has to know it"
    # The summary at the end has it once more where nothing is cut short, as in CI.
    assert said.splitlines().count(why) == 1
    assert "1 error" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/e2e/test_fades.py::test_a_fade", True),
        ("tests/e2e/test_recording.py::test_a_part", False),
        ("tests/conformance/test_obs.py::test_an_input[real-cut]", True),
        ("tests/conformance/test_obs.py::test_an_input[fake-cut]", False),
        ("tests/daemon/test_app.py::test_a_real_thing", False),
    ],
)
def test_what_runs_on_the_studio_is_known_by_its_name(nodeid: str, expected: bool) -> None:
    assert is_on_studio(nodeid) is expected


def test_every_hook_is_taken_from_here() -> None:
    hooks = {name for name in vars(alone) if name.startswith("pytest_")}
    assert hooks == {name for name in vars(conftest) if name.startswith("pytest_")}
