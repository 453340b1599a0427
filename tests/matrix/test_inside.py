"""A program in a root: it reads what is shared with it, changes nothing of it, and is gone with whoever started it."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.matrix import inside
from tests.matrix.inside import run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and mounts take root")

SYSTEM = Path("/")
"""This system's own root stands in for one that is made."""


@pytest.fixture
def ours() -> Iterator[Path]:
    """Not in /tmp, of which a root has its own."""
    with TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def said(command: tuple[str, ...], within: float = 30.0) -> tuple[int, list[str]]:
    lines: list[str] = []
    return run(command, lines.append, within=within), lines


def test_what_is_shared_with_a_root_can_be_read_there_and_not_changed(ours: Path) -> None:
    (ours / "file").write_text("before\n")
    script = f"cat {ours}/file; echo changed >{ours}/file; touch {ours}/new; rm -f {ours}/file; id -u"
    code, lines = said(inside.inside(SYSTEM, ("sh", "-c", script), shared=(ours,)))
    assert code == 0
    assert (lines[0], lines[-1]) == ("before", "0")
    assert sum("Read-only file system" in line for line in lines) == 3
    assert (ours / "file").read_text() == "before\n"
    assert [path.name for path in ours.iterdir()] == ["file"]


def test_its_exit_code_is_handed_on_and_one_that_takes_too_long_is_killed() -> None:
    assert said(inside.inside(SYSTEM, ("sh", "-c", "exit 3")))[0] == 3
    assert said(inside.inside(SYSTEM, ("sleep", "600")), within=0.5)[0] == -9


def test_it_sees_its_own_processes_alone_and_of_the_environment_what_fetching_needs() -> None:
    environ = {"PIP_DEFAULT_TIMEOUT": "9", "SECRET": "s3cret"}
    code, lines = said(inside.inside(SYSTEM, ("sh", "-c", "echo $$; env"), folder="/usr", environ=environ))
    assert code == 0
    assert lines[0] == "1"
    assert "PIP_DEFAULT_TIMEOUT=9" in lines
    assert "PWD=/usr" in lines
    assert not any("s3cret" in line for line in lines)
