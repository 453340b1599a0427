"""An ingest server's truth about its publishers, which its hooks tell of more or less."""

from statemachine import events as ev

SERVER = "srs:1/"


class ModelIngest:
    """``live`` is what really publishes; at most one session a stream."""

    def __init__(self) -> None:
        self.live: dict[str, ev.Session] = {}
        self.frozen: set[str] = set()
        self.broken: set[str] = set()
        """Those of the frozen whose players report an error: OBS shows nothing of them."""
        self.pictureless: set[str] = set()
        """Sessions without a picture that could be shown: sound alone, or a codec that nobody knows."""
        self.kbps: dict[str, float] = {}
        """What each session sends, where the server tells it."""
        self.last: dict[str, str] = {}
        """Who published to each path last."""
        self._count = 0

    def new_session(self, streamer: str, turn: float | None = None) -> ev.Session:
        """A client that asks to publish; not live yet."""
        self._count += 1
        return ev.Session(f"{SERVER}{self._count}", streamer, "live", streamer, turn)

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
        self.kbps.pop(session_id, None)

    def moves(self, session: ev.Session | None) -> bool:
        """Pictures of it come in."""
        return session is not None and session.id in self.live and session.id not in self.frozen | self.pictureless

    def listing(self, at: float, asked_at: float) -> ev.PublishersListed:
        """Its own list."""
        mine = tuple(session for session in self.live.values() if session.id.startswith(SERVER))
        return ev.PublishersListed(at, SERVER, asked_at, mine)
