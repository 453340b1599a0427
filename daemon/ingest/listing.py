"""What every ingest server's own list of publishers comes down to."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

from daemon.core.ports import IngestError
from daemon.ingest.stream import NAME, StreamRef
from statemachine.events import Session, Tracks

PAGE: Final = 1000
MOST_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """One stream that is published now."""

    ref: StreamRef | None
    """None where its name is outside the allow-list: it cannot be one of ours."""
    session_ids: tuple[str, ...]
    """The ids that a hook may have given it, the likeliest first."""
    received: int
    """Bytes received from its publisher so far, as far as the server has added them up."""
    tracks: Tracks | None = None
    """What it is made of; None where the server does not tell."""


class IngestServer(Protocol):
    """The API of one ingest server."""

    prefix: str
    """What the ids of its sessions begin with."""
    where: str
    """Its name, host and port, fit for a log."""

    @property
    def can_kick(self) -> bool:
        """It offers a way to end a publisher's connection."""

    async def publishers(self) -> list[Listed]:
        """All that is published now. Raises IngestError: a list that cannot be read whole is none."""

    async def kick(self, session: Session) -> bool:
        """End the publisher's connection; True also if it was gone already. Raises IngestError."""

    async def arguments(self, listed: Listed) -> tuple[tuple[str, str], ...]:
        """The arguments that its publisher gave, as far as the server remembers them. Raises IngestError."""

    @property
    def others(self) -> tuple[str, ...]:
        """Prefixes of the ids of sessions that are another server's of its kind."""


def rows(answer: dict[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    """A list of objects out of an answer. Raises IngestError."""
    found = answer.get(name)
    if found is None and name in answer:
        return []  # an empty list, as Go writes it
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise IngestError(f"{where} answered without a list of {name}")
    return found


def amount(row: dict[str, Any], *names: str) -> int:
    """The first of these fields that is a number, else 0."""
    values = (row.get(name) for name in names)
    return next((v for v in values if isinstance(v, int) and not isinstance(v, bool)), 0)


def named(app: object, stream: object) -> bool:
    """Whether both pass the allow-list."""
    return all(isinstance(part, str) and NAME.fullmatch(part) for part in (app, stream))


CODECS: Final = {"h265": "hevc", "mpeg-4 audio": "aac", "mpeg-4 audio latm": "aac", "mpeg-1/2 audio": "mp3"}
"""What some servers call what others call by another name."""


def codec(name: object) -> str:
    """A codec's name as all servers have it here; empty where there is none, or it is none."""
    text = name.strip().lower()[:32] if isinstance(name, str) else ""
    return CODECS.get(text, text) if text.isprintable() else ""


def pixels(value: object) -> int:
    """A width or height, 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 65_536 else 0
