"""A real PostgreSQL for tests: one server for each process that runs them, and a database of its own for each test."""

import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.studio.postgres import Postgres
from tests.support.waiting import blocking_until


class Server:
    """As the studio's, without an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._studio = Postgres(folder, {"fsync": "off", "synchronous_commit": "off"})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._studio.give(self._studio.folder)
        self._run(self._studio.make_command())
        with (self._studio.folder / "postgres.log").open("ab") as log:
            argv = ["setpriv", "--pdeathsig", "KILL", "--", *self._studio.command]
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=self._studio.folder)
        blocking_until(self._answers, every=0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def database(self) -> str:
        """The URL of a new one."""
        name = f"t{secrets.token_hex(6)}"
        self.query(f"CREATE DATABASE {name}")
        return self._studio.url().rpartition("/")[0] + f"/{name}"

    def drop(self, url: str) -> None:
        self.query(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def query(self, sql: str, database: str = "postgres") -> str:
        """What it returns, a line each."""
        return self._run(self._studio.psql(sql, database)).strip()

    def _answers(self) -> bool:
        try:
            self.query("SELECT 1")
        except AssertionError:
            return False
        return True

    def _run(self, argv: list[str]) -> str:
        done = subprocess.run(argv, cwd=self._studio.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    base = Path(tempfile.mkdtemp(prefix="motherstream-test-postgres-"))
    server = Server(base / "postgres")
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def store_url(postgres: Server) -> Iterator[str]:
    url = postgres.database()
    yield url
    postgres.drop(url)
