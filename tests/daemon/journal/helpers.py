"""A journal that is opened for a while, and what is fed to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.journal.journal import Journal
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy


def fresh() -> Director:
    return Director(Policy())


def session(name: str) -> ev.Session:
    return ev.Session(f"srs:1/{name}", name, "live", name)


@asynccontextmanager
async def opened(path: Path, clock: list[float] | None = None) -> AsyncIterator[Journal]:
    journal = Journal(path, clock=(lambda: clock[0])) if clock else Journal(path)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def feed(journal: Journal, director: Director, *events: ev.Event) -> None:
    for event in events:
        director.handle(event)
    if late := await journal.append(events, director.snapshot):
        await late
