import grp
import gzip
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.support import DEPLOY, ROOT, done, rewritten, run

# Standard error gets each line after the file has got it.
PROGRAM = """
import sys
from pathlib import Path
import structlog
from daemon.config.model import Log
from daemon.observability.logging import setup
from daemon.core.redaction import Redactor
handle = setup(Log(file=Path(sys.argv[1])), Redactor())
for line in sys.stdin:
    structlog.get_logger("test").info(line.strip())
handle.close()
"""


class Writer:
    """A process that writes the daemon's log."""

    def __init__(self, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(file)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )

    def write(self, line: str) -> None:
        assert self.process.stdin
        assert self.process.stderr
        self.process.stdin.write(f"{line}\n")
        assert line in self.process.stderr.readline()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    tmp_path.chmod(0o750)
    return tmp_path / "motherstream.log"


@pytest.fixture
def writer(log: Path) -> Iterator[Writer]:
    writer = Writer(log)
    with writer.process:
        yield writer


def rotate(folder: Path) -> None:
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    config = rewritten(
        DEPLOY / "logrotate.conf",
        folder / "logrotate.conf",
        {
            "/var/log/motherstream/": f"{folder}/",
            "su motherstream motherstream": f"su {user} {group}",
            "0640 motherstream motherstream": f"0640 {user} {group}",
        },
    )
    config.chmod(0o644)
    done(run("logrotate", "--force", "--state", folder / "state", config))


def test_the_daemon_goes_on_in_the_new_file_without_being_told(log: Path, writer: Writer) -> None:
    writer.write("one")
    rotate(log.parent)
    writer.write("two")
    rotate(log.parent)
    writer.write("three")
    assert '"three"' in log.read_text()
    assert '"two"' in (log.parent / "motherstream.log.1").read_text()
    assert '"one"' in gzip.decompress((log.parent / "motherstream.log.2.gz").read_bytes()).decode()
    assert log.stat().st_mode & 0o777 == 0o640


def test_a_line_written_while_it_is_rotated_is_kept(log: Path, writer: Writer) -> None:
    writer.write("before")
    # What logrotate does first: the daemon has the old file open until its next line.
    log.rename(log.parent / "motherstream.log.1")
    writer.write("meanwhile")
    assert '"meanwhile"' in log.read_text()
