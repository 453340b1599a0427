"""What the ingest tests share."""

from collections.abc import Callable

from daemon.config.model import Queue
from daemon.core.ports import Streamer
from daemon.ingest.admission import Admission, RulesAsked
from daemon.ingest.auth_url import UrlAnswer
from daemon.ingest.hook import Verdict
from daemon.ingest.stream import StreamRef, make_ref
from daemon.streamers.names import fold
from statemachine.facts import Refused


class Keys:
    """The streamers' keys, in a dict."""

    def __init__(self, **streamers: Streamer) -> None:
        self.streamers = streamers
        self.unreadable = False
        self.made_since: dict[str, Streamer] = {}
        """What a look at the file would find."""
        self.looks = 0

    def find(self, key: str) -> Streamer | None:
        return self.streamers.get(key)

    def is_empty(self) -> bool:
        return not self.streamers

    def named(self, name: str) -> Streamer | None:
        return next((each for each in self.streamers.values() if fold(each.name) == fold(name)), None)

    async def catch_up(self) -> None:
        self.looks += 1
        self.streamers.update(self.made_since)


class Ask:
    """The operator's service: answers as it is told and remembers what it was asked."""

    def __init__(self, answer: UrlAnswer | None = None) -> None:
        self.answer = answer or UrlAnswer(True)
        self.asked: list[tuple[str, bytes, str, float]] = []

    async def __call__(self, url: str, body: bytes, content_type: str, seconds: float) -> UrlAnswer:
        self.asked.append((url, body, content_type, seconds))
        return self.answer


def admission(
    queue: Queue | None = None,
    keys: Keys | None = None,
    admits: Callable[[str, float], Refused | None] = lambda streamer, at: None,
    ask: Ask | None = None,
    learnt: list[str] | None = None,
    present: Callable[[str], bool] = lambda streamer: False,
) -> Admission:
    """One that lets anybody in unless told otherwise."""
    config = queue or Queue(auth="open")
    told = [] if learnt is None else learnt
    return Admission(lambda: config, keys or Keys(), RulesAsked(admits, present), ask or Ask(), told.append)


def ref(
    stream: str = "alice", client: str = "c1", *, server: str = "srs", key: str = "", app: str = "live"
) -> StreamRef:
    """A stream of one client."""
    arguments = [("key", key)] if key else []
    return make_ref(server, app, stream, arguments, client_id=client, instance="vid-1" if server == "srs" else "")


def yes(streamer: str = "alice") -> Verdict:
    """An accepting verdict."""
    return Verdict(True, streamer=streamer)
