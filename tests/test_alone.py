"""Tests in parallel: none of them beside one that has to be alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import alone
from tests.alone import is_alone

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
TOGETHER = """
from help import begin, there, wait_for

def test_one():
    begin("one")
    assert wait_for(lambda: any(path.name == "two" for path in there()), 20)

def test_two():
    begin("two")
    assert wait_for(lambda: any(path.name == "one" for path in there()), 20)
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
ALONE = """
import pytest
from help import begin, there, wait_for

@pytest.mark.real
@pytest.mark.parametrize("number", range(2))
def test_alone(number):
    begin(f"alone {number}")
    before = there()
    assert not wait_for(lambda: there() - before, 0.3)
"""


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


def test_tests_run_two_at_a_time_and_those_on_the_studio_after_them_with_nothing_beside_them(tmp_path: Path) -> None:
    said = suite(tmp_path, e2e__test_alone=ALONE, e2e__test_more=ALONE, test_together=TOGETHER, test_many=MANY)
    assert "12 passed" in said.splitlines()[-1], said
    ended = [line for line in said.splitlines() if "PASSED" in line]
    # One process runs all of them.
    assert len({line.split("]")[0] for line in ended if "e2e" in line}) == 1, said
    assert "e2e" in ended[-1]
    assert "e2e" not in "".join(ended[:6])


def test_one_on_the_studio_that_would_run_beside_others_fails_and_says_why(tmp_path: Path) -> None:
    said = suite(tmp_path, test_elsewhere=ALONE)
    why = "it is marked as one on the studio, so tests/alone.py has to know it"
    # The summary at the end has it once more where nothing is cut short, as in CI.
    assert said.splitlines().count(why) == 2
    assert "2 errors" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/e2e/test_fades.py::test_a_fade", True),
        ("tests/conformance/test_obs.py::test_an_input[real-cut]", True),
        ("tests/conformance/test_obs.py::test_an_input[fake-cut]", False),
        ("tests/daemon/test_app.py::test_a_real_thing", False),
    ],
)
def test_what_runs_alone_is_known_by_its_name(nodeid: str, expected: bool) -> None:
    assert is_alone(nodeid) is expected
