"""An ingest server's truth about its publishers, which its hooks tell of more or less."""

from dataclasses import replace

from statemachine import events as ev

SERVER = "srs:1/"
UNLISTED = "rtmp:"
"""A server that tells by hooks alone: what they do not tell is never known."""


class ModelIngest:
    """``live`` is what really publishes; at most one session a stream."""

    def __init__(self) -> None:
        self.live: dict[str, ev.Session] = {}
        self.frozen: set[str] = set()
        self.broken: set[str] = set()
        """Those of the frozen whose players report an error: OBS shows nothing of them."""
        self.pictureless: set[str] = set()
        """Sessions without a picture that could be shown: sound alone, or a codec that nobody knows."""
        self.lost: set[str] = set()
        """Sessions that are listed, and of which nobody gets a picture until their encoder publishes anew."""
        self.can_kick = True
        self.outlives_kicks = False
        """Its server says yes to a kick, and its publishers stay."""
        self.kbps: dict[str, float] = {}
        """What each session sends, where the server tells it."""
        self.unnamed: set[str] = set()
        """Listed sessions that nobody can be named for before a hook tells of them."""
        self.last: dict[str, str] = {}
        """Who published to each path last."""
        self._count = 0

    def new_session(self, streamer: str, turn: float | None = None, server: str = SERVER) -> ev.Session:
        """A client that asks to publish; not live yet."""
        self._count += 1
        return ev.Session(f"{server}{self._count}", streamer, "live", streamer, turn)

    def of(self, streamer: str) -> ev.Session | None:
        """The live session of a streamer."""
        return next((session for session in self.live.values() if session.streamer == streamer), None)

    def end(self, session_id: str) -> None:
        """A publisher is gone."""
        if session := self.live.pop(session_id, None):
            self.last[session.path] = session.streamer
        self.frozen.discard(session_id)
        self.broken.discard(session_id)
        self.pictureless.discard(session_id)
        self.lost.discard(session_id)
        self.unnamed.discard(session_id)
        self.kbps.pop(session_id, None)

    def moves(self, session: ev.Session | None) -> bool:
        """Pictures of it come in."""
        if session is None or session.id not in self.live:
            return False
        return session.id not in self.frozen | self.pictureless | self.lost

    def lists(self, session_id: str) -> bool:
        """Its server tells of it, with its name, whatever its hooks do."""
        return session_id.startswith(SERVER) and session_id not in self.unnamed

    def listing(self, at: float, asked_at: float) -> ev.PublishersListed:
        """Its own list."""
        mine = tuple(session for session in self.live.values() if self.lists(session.id))
        nameless = tuple(replace(self.live[i], streamer="") for i in sorted(self.unnamed))
        return ev.PublishersListed(at, SERVER, asked_at, mine, nameless=nameless, can_kick=self.can_kick)
