"""What the parts of the daemon need of each other and of the outside world, and the errors they may meet there.

Each adapter translates its library's errors into these once, at its edge, and keeps the cause.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from statemachine.events import Event, Inventory, Session
from statemachine.step import Step
from statemachine.ways import Way

NOT_FOUND: Final = 600
"""obs-websocket's status for what is not there."""
NAME_TAKEN: Final = 601
"""For an input whose name exists already."""
UNKNOWN_KIND: Final = 605
"""For a kind of input that OBS lacks."""


class PortError(Exception):
    """Something outside did not do what it was asked. ``str()`` is one line, fit for a log, without secrets."""


class ObsError(PortError):
    """The base of what OBS can answer."""


class ObsGone(ObsError):
    """There is no identified connection, or it was lost while the request was under way."""


class ObsTimeout(ObsError):
    """No answer in time. The request may still be executed: re-read, never blindly repeat."""

    def __init__(self, request: str, seconds: float) -> None:
        super().__init__(f"{request}: no answer within {seconds:g}s")
        self.request = request


class ObsRefused(ObsError):
    """OBS answered with an error. ``code`` is obs-websocket's request status."""

    def __init__(self, request: str, code: int, comment: str) -> None:
        super().__init__(comment or f"{request} was refused with status {code}")
        self.request = request
        self.code = code
        self.comment = comment


class NothingToAim(ObsError):
    """Mode static: no stream can be put into the one input, and nothing of it was changed."""


class IngestError(PortError):
    """An ingest server's API refused, or could not be reached."""

    def __init__(self, what: str, mend: str = "check that its URL in [ingest] is that of its API") -> None:
        """``mend`` is what somebody may do about it."""
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class WatchCallbacks:
    """Where a watch tells what it sees. Each is called on the event loop, in order, and must not block."""

    ready: Callable[[float], None]
    """Once: the picture is proven, so many seconds after the watch began."""
    failed: Callable[[str, str], None]
    """At most once: it will not play any more (the reason is one line, and one word where that is known)."""
    stalled: Callable[[float, bool], None]
    """After ready: no new picture for so many seconds. Told soon, for a hiccup too; and again, with True, where nothing
    is shown any more."""
    resumed: Callable[[], None]
    """After stalled: it moves again."""


@dataclass(frozen=True, slots=True)
class Making:
    """How an input is made, and for whom."""

    way: Way = "aac"
    """How the plugin plays its stream."""
    plain: bool = False
    """OBS's own media source is wanted."""
    session: str = ""
    """The id of the session that it is made for."""
    streamer: str = ""


class ObsPort(Protocol):
    """OBS as the executor uses it. Every method raises ObsError."""

    async def create_input(self, name: str, url: str, *, reuse: bool = False, how: "Making | None" = None) -> None:
        """Create the input hidden in the scene; with ``reuse`` re-aim one that exists already.

        ObsRefused NAME_TAKEN where it exists and is not to be re-aimed: it is somebody else's.
        """

    async def restart_input(self, name: str, url: str) -> None:
        """Let an input that people have made play ``url`` from its beginning, and keep its other settings.

        Raises NothingToAim where its kind plays no stream, or its settings hold none.
        """

    async def place_input(self, name: str, z_offset: int, like: str = "") -> int:
        """Put it ``z_offset`` below the top and fit it to the canvas; returns the offset after clamping.

        Its sound and filters become the template's, or, where there is none, those of ``like``.
        """

    async def cut(
        self, *, show: str | None, hide: tuple[str, ...], also_show: str | None, fade: float, studio_mode: str = "leave"
    ) -> bool:
        """Change the scene items in one frame, ``show`` before ``hide``; ``also_show`` is the slate.

        Returns after OBS has rendered it and viewers get it; False where they are shown another scene meanwhile. With
        ``fade`` > 0 picture and sound cross within that many seconds. ``studio_mode`` (leave, drive, hold) says what is
        done where that stands in between; with hold nothing is changed, and it is an error. What is to be hidden and is
        gone counts as hidden; a slate that is not there is done without.
        """

    async def leave_studio_mode(self) -> None:
        """Switch studio mode off. Program keeps its scene, and shows it as it is."""

    async def bring_to_program(self) -> None:
        """Take the scene as it is into Program, where studio mode shows a copy of it."""

    async def toggle_input(self, name: str) -> None:
        """Hide it and show it again, as the single-source way of working does."""

    async def restore(self, *, show: str | None, hide: tuple[str, ...], also_show: str | None = None) -> None:
        """Re-read the scene and put it right; verified by a second reading. Items that are gone count as hidden, and a
        slate (``also_show``) that is not there is done without."""

    async def hide_duplicates(self, name: str) -> None:
        """Hide all of its items but one."""

    async def remove_input(self, name: str) -> None:
        """Stop watching it, remove it, and see it gone from OBS's list. An error where viewers see it."""

    async def park_input(self, name: str) -> None:
        """Hide it, stop watching it and let it idle for reuse."""

    async def set_shown(self, name: str, shown: bool) -> None:
        """Show or hide one scene item (the slate)."""

    async def set_level(self, name: str, gain: float) -> None:
        """Make what that input plays louder by so many dB, whatever its volume."""

    async def inventory(self) -> Inventory:
        """Read the own inputs afresh."""

    def watch(self, name: str, callbacks: WatchCallbacks, *, proven: bool = False) -> None:
        """Watch it from now on until it is removed or parked; ``proven`` skips the proof (an adopted input)."""


class KickPort(Protocol):
    """Ends publishers' connections."""

    async def kick(self, session: Session) -> bool:
        """End it; False where its server offers no way. Raises IngestError."""


class UrlPort(Protocol):
    """Knows where a session is to be played from."""

    def play_url(self, session: Session) -> str:
        """The RTMP URL for OBS. Raises ValueError on values outside the allow-list."""


HandoverRow = tuple[float, dict[str, Any]]
"""One line of the history: when, and what is told of it."""


class JournalPort(Protocol):
    """Where the dispatcher keeps what has happened."""

    async def append(
        self,
        events: Sequence[Event],
        snapshot: Callable[[], dict[str, Any]],
        handovers: Sequence[HandoverRow] = (),
    ) -> asyncio.Future[None] | None:
        """Write the events of one step, and what the history tells of it. Never raises.

        None once it is written (or cannot be); where the disk is late, the write that is under way.
        """


class PortClaim(Protocol):
    """A TCP port that is taken before it is served."""

    address: tuple[str, int]

    async def take(self) -> None:
        """Raises OSError where somebody else has it, or it cannot be had."""

    def release(self) -> None:
        """Let it go. May be repeated."""


class Connection(Protocol):
    """What is known of the connection to OBS without asking."""

    @property
    def connected(self) -> bool:
        """OBS can be used."""


@dataclass(frozen=True, slots=True)
class ObsInfo:
    """OBS at a glance, known without asking; None where it is not known yet."""

    connected: bool = False
    version: str | None = None
    websocket: str | None = None
    source_kind: str | None = None
    reason: str = ""
    """Why it is not connected."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be well for the daemon to do its work."""

    name: str
    ok: bool
    detail: str = ""
    """What is wrong, in a few words without secrets."""


@dataclass(frozen=True, slots=True)
class Streamer:
    """Somebody who may publish."""

    name: str
    turn: float | None = None
    """Seconds of the own turn; None takes the policy's."""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Letter:
    """A hook as its server sent it, on its way from one daemon of a channel to another."""

    server: str
    """The kind of the server, as its hooks' path names it."""
    content_type: str
    body: bytes
    age: float = 0.0
    """Seconds since it came."""


class KeyLookup(Protocol):
    """The streamers' keys. All but ``catch_up`` are look-ups in memory: a publisher waits for them."""

    def find(self, key: str) -> Streamer | None:
        """Whose key it is, compared in constant time; None where it is nobody's."""

    @property
    def unreadable(self) -> bool:
        """Nobody can tell for now whose key is whose."""

    def is_empty(self) -> bool:
        """There is no streamer at all."""

    def named(self, name: str) -> Streamer | None:
        """The streamer of that name, however it is written; None where there is none."""

    async def catch_up(self) -> None:
        """Take in what was changed before this call, if that takes no longer than a publisher may wait."""


class RulesPort(Protocol):
    """The rules, for who asks them something; the dispatcher stands before them."""

    async def ask(self, event: Event) -> Step:
        """Queue an event; what the rules answer, after it was journaled."""

    def asked(self, event: Event) -> asyncio.Future[Step]:
        """The same for who will not wait for ever: the future may be given a result, or be cancelled."""
