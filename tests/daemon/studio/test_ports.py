"""Studios that start beside each other, as the workers of one test run do, never choose the same port."""

import subprocess
import sys

import pytest

from daemon.studio.ports import first_free, free_port

OTHER = """
import sys
from daemon.studio.ports import first_free
print(first_free([int(sys.argv[1])]), flush=True)
sys.stdin.readline()
"""


def test_a_port_is_given_once_in_the_life_of_a_process() -> None:
    port, next_port = free_port(), free_port()
    assert port != next_port
    with pytest.raises(OSError, match="no free port"):
        first_free([port, next_port])


def test_a_port_that_another_process_was_given_is_free_again_when_that_has_ended() -> None:
    # One that this process has not reserved: below those that `free_port` chooses from.
    port = 9_871
    argv = [sys.executable, "-c", OTHER, str(port)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == f"{port}\n"
        with pytest.raises(OSError, match="no free port"):
            first_free([port])
        other.communicate("\n")
    assert first_free([port]) == port
