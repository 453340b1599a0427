"""Who may publish, and as whom."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from daemon.config.model import Queue
from daemon.core.ports import KeyLookup, Streamer
from daemon.ingest.auth_url import AskUrl
from daemon.ingest.hook import JSON, Verdict, refused
from daemon.ingest.stream import TYPE, StreamRef
from daemon.streamers.names import fold
from statemachine.events import Session
from statemachine.facts import Refused

KEY_LENGTH: Final = 32
"""Characters of a streamer's key, see ``daemon.streamers``."""

MOST_SPELLINGS: Final = 4096

NO_STREAMERS: Final = (
    "there are no streamers yet, so nobody may publish: make a key with `motherstream streamer add NAME`, "
    'or admit anybody with auth = "open"'
)


UNREADABLE: Final = (
    "the streamers' keys cannot be read, so nobody can be admitted: this is not the publisher's fault; "
    "/readyz and the log say what is wrong with the database"
)


@dataclass(frozen=True, slots=True)
class RulesAsked:
    """What the rules know of whoever would publish."""

    admits: Callable[[str, float], Refused | None]
    """The director's."""
    present: Callable[[str], bool] = lambda streamer: False
    """Whether a streamer is in the line-up."""


class Admission:
    """Decides by ``queue.auth``: keys, open or http; then asks the rules about blocks."""

    def __init__(
        self,
        config: Callable[[], Queue],
        keys: KeyLookup,
        rules: RulesAsked,
        ask_url: AskUrl,
        learn: Callable[[str], None],
    ) -> None:
        """``learn`` is told each key that was let in, so that it is never shown."""
        self._config = config
        self._keys = keys
        self._rules = rules
        self._ask_url = ask_url
        self._learn = learn
        self._spellings: OrderedDict[str, str] = OrderedDict()
        """How each name was written first: where no list of streamers says it, "Alice" may come for "alice"."""

    async def check(self, ref: StreamRef, at: float, body: bytes = b"", content_type: str = JSON) -> Verdict:
        """The verdict on a publisher.

        Waits for the operator's answer with ``auth = "http"``; else for nothing, unless the streamers' list refuses it.
        """
        config = self._config()
        if config.auth == "http":
            answer = await self._ask_url(config.auth_url, body, content_type, config.auth_timeout)
            if not answer.accepted:
                return refused("auth_url", answer.why)
            if ref.key:
                self._learn(ref.key)
            name = answer.streamer or ref.stream
            # The service knows whom it lets in: however it writes the name, it is the same one.
            found: Streamer | Verdict = Streamer(self._spelt(name), answer.turn)
            if answer.streamer and answer.streamer != ref.stream:
                # Named otherwise, the stream's name may be the key.
                self._learn(ref.stream)
        else:
            found = self._look_up(ref)
            if isinstance(found, Verdict) and config.auth == "keys":
                # The key may have been made a moment ago: many encoders do not come again after a refusal.
                await self._keys.catch_up()
                found = self._look_up(ref)
        if isinstance(found, Verdict):
            return found
        return self._by_rules(found, at)

    def identify(self, ref: StreamRef, at: float) -> Streamer | None:
        """Who publishes a stream that was found live without its hook; None where that cannot be told, or may not be.

        A server's lists may hold no arguments: then a key is found only where it is the stream's name.
        """
        if self._config().auth == "http":
            return None
        found = self._look_up(ref)
        if isinstance(found, Verdict) or self._rules.admits(found.name, at) is not None:
            return None
        return found

    def vouched(self, name: str, at: float) -> Streamer | None:
        """A streamer of whom it is known from elsewhere that it is who publishes; None where it may not, or is none."""
        found = Streamer(name) if self._config().auth == "http" else self._keys.named(name)
        if not name or found is None or not found.enabled or self._rules.admits(found.name, at) is not None:
            return None
        return found

    @property
    def can_name(self) -> bool:
        """Whether a hook could tell who publishes what nobody can be named for now."""
        return self._config().auth == "http" or not self._keys.is_empty()

    def recall(self, session: Session, key: str = "") -> None:
        """A session that outlived a restart, and the key that it is played with: what may be a key is learnt anew."""
        self.remember(session.streamer)
        if key:
            self._learn(key)
        stream, auth = session.stream, self._config().auth
        if auth == "open" or stream == session.streamer:
            return
        # The keys may have been voided since, or may be out of reach: what is as long as one counts as one.
        if auth == "http" or len(stream) >= KEY_LENGTH or self._keys.find(stream) is not None:
            self._learn(stream)

    def _look_up(self, ref: StreamRef) -> Streamer | Verdict:
        if self._config().auth == "open":
            if ref.key:
                self._learn(ref.key)
            return self._open_to(ref.stream)
        if self._keys.is_empty():
            return refused("no_streamers", NO_STREAMERS)
        key = ref.key or ref.stream
        streamer = self._keys.find(key)
        if streamer is None:
            return self._nobodys(ref)
        self._learn(key)
        if not streamer.enabled:
            return refused("disabled", f"{streamer.name} is disabled", streamer=streamer.name)
        owner = self._keys.named(ref.stream) or self._keys.find(ref.stream)
        if owner is not None and owner.name != streamer.name:
            # Whose name or key the stream bears is shown and kicked by it: nobody else may be there.
            why = f"the stream's name is another streamer's: {streamer.name} needs a name of its own; {TYPE}"
            return refused("path_taken", why, streamer=streamer.name)
        return streamer

    def _nobodys(self, ref: StreamRef) -> Verdict:
        if self._keys.unreadable:
            return refused("keys_unreadable", UNREADABLE, 503)
        if ref.key:
            return refused("unknown_key", f"the key in the publish URL is unknown, or was rotated; {TYPE}")
        return refused("no_key", f"the publish URL has no key (?key=…), and the stream's name is not one; {TYPE}")

    def meant(self, name: str, here: Collection[str]) -> str:
        """The streamer of that name, however it is written: one of those who are ``here``, or else who is known."""
        same = [other for other in here if fold(other) == fold(name)]
        if name in here or len(same) > 1:
            return name
        known = self._keys.named(name)
        return same[0] if same else known.name if known else self._spellings.get(fold(name), name)

    def remember(self, streamer: str) -> None:
        """A name that is known from before a restart."""
        self._spelt(streamer)

    def _open_to(self, name: str) -> Streamer | Verdict:
        other = self._spellings.get(fold(name), name)
        if other == name or not self._rules.present(other):
            return Streamer(name)
        why = f"the stream's name could be mistaken for {other}'s, who is in the line-up: publish under another name"
        return refused("name_taken", why)

    def _spelt(self, name: str) -> str:
        spelt = self._spellings.setdefault(fold(name), name)
        if len(self._spellings) > MOST_SPELLINGS:
            self._spellings.popitem(last=False)
        return spelt

    def _by_rules(self, streamer: Streamer, at: float) -> Verdict:
        fact = self._rules.admits(streamer.name, at)
        if fact is None and self._config().auth == "open":
            # Whoever was kicked does not come back in capitals.
            first = self._spelt(streamer.name)
            fact = None if first == streamer.name else self._rules.admits(first, at)
            if fact is None and first != streamer.name:
                self._spellings[fold(streamer.name)] = streamer.name
        if fact is not None:
            return refused(fact.code, fact.message, streamer=streamer.name)
        return Verdict(True, streamer=streamer.name, turn=streamer.turn)
