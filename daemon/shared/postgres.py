"""One connection to PostgreSQL: made when it is needed, given up at the first doubt, and never waited for for long.

A daemon holds one connection for all it does there, so that a server with its default of 100 serves a good many; each
statement is one transaction, because one that its client leaves open, frozen say, would lock the others out. Nothing
is prepared or set for a session, so that a pooler may stand in between; what comes by LISTEN only saves time.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from daemon.core.ports import PortError
from daemon.shared.portions import Conflict
from daemon.shared.schema import StoreRefused, bring_up_to_date

WITHIN: Final = 1.5
"""Seconds for one statement, and for connecting: with both, a lease can still be renewed in time."""
TOPIC: Final = "motherstream"
"""What daemons tell each other by."""

T = TypeVar("T")
Row = Mapping[str, Any]


class StoreGone(PortError):
    """The shared store cannot be reached, or has not answered in time."""

    def __init__(self, what: str, *, asked: bool = False) -> None:
        """``asked``: what was asked may have been done."""
        super().__init__(what)
        self.asked = asked


def addresses(url: str) -> tuple[str, ...]:
    """The same URL for each of the servers that it names: asyncpg would wait for the first one each time."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return tuple(urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(","))


class MissingDriver(PortError):
    """The package for PostgreSQL is not installed."""

    def __init__(self) -> None:
        super().__init__("needs the package asyncpg: pip install 'motherstream[postgres]'")


def driver() -> Any:
    """asyncpg, which is not even looked for without a shared store. Raises MissingDriver."""
    try:
        import asyncpg  # noqa: PLC0415  # it takes 5 MB, and most channels have no use for it
    except ImportError as error:
        raise MissingDriver from error
    return asyncpg


class Postgres:
    """The connection. Methods raise StoreGone, StoreRefused and Conflict."""

    def __init__(self, url: str, *, heard: Callable[[str], None] | None = None, within: float = WITHIN) -> None:
        """``heard`` is called on the event loop with what other daemons tell (see ``TOPIC``)."""
        self._urls = addresses(url)
        self._at = 0
        """Which of them is tried next, or was reached last."""
        self._heard = heard
        self._within = within
        self._asyncpg = driver()
        self._turn = asyncio.Lock()
        self._connection: Any = None
        self.store_id = ""
        """The store's own name, known once it was reached."""
        self.problem = "it has not been reached yet"
        """Why it cannot be used; empty while it can."""

    async def rows(self, sql: str, *values: object) -> Sequence[Row]:
        """What a statement returns."""
        found: Sequence[Row] = await self._run(lambda connection: connection.fetch(sql, *values))
        return found

    async def row(self, sql: str, *values: object) -> Row | None:
        """The first of it."""
        found: Row | None = await self._run(lambda connection: connection.fetchrow(sql, *values))
        return found

    async def close(self) -> None:
        """Let the connection go. May be repeated."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.close(timeout=self._within)

    async def _run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        async with self._turn:
            connection = None
            try:
                async with asyncio.timeout(self._within):
                    connection = await self._connected()
                    result = await work(connection)
            except Exception as error:
                if connection is None:
                    self._at = (self._at + 1) % len(self._urls)
                raise self._failed(error, asked=connection is not None) from error
            except BaseException:
                self._drop()  # cancelled, with an answer on its way that nobody waits for
                raise
        self.problem = ""
        return result

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            # Waiting is bounded outside; statements are cached by nobody: a pooler may give the next to another server.
            connection = await self._asyncpg.connect(self._urls[self._at], statement_cache_size=0, timeout=self._within)
            try:
                self.store_id = await bring_up_to_date(connection)
                if self._heard is not None:
                    await connection.add_listener(TOPIC, self._on_notice)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        return self._connection

    def _on_notice(self, _connection: object, _pid: int, _topic: str, payload: object) -> None:
        if self._heard is not None:
            self._heard(str(payload))

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _failed(self, error: Exception, *, asked: bool) -> PortError:
        """The error as ours. Whatever is not plainly a refusal leaves the connection in doubt."""
        pg = self._asyncpg
        if isinstance(error, pg.UniqueViolationError):
            return Conflict(str(error))
        self._drop()
        passing = (pg.OperatorInterventionError, pg.InsufficientResourcesError, pg.ReadOnlySQLTransactionError)
        if isinstance(error, StoreRefused):
            gone: PortError = error
        elif isinstance(error, pg.PostgresError) and not isinstance(error, (*passing, pg.PostgresConnectionError)):
            gone = StoreRefused(f"PostgreSQL refuses: {_line(error)}")
        elif isinstance(error, TimeoutError):
            gone = StoreGone(f"no answer within {self._within:g} s", asked=asked)
        else:
            gone = StoreGone(_line(error) or type(error).__name__, asked=asked)
        self.problem = str(gone)
        return gone


def _line(error: Exception) -> str:
    return " ".join((getattr(error, "strerror", None) or str(error)).split())
