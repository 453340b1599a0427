"""Whose an input is: each daemon writes its mark into the settings of the inputs that it makes.

OBS keeps settings that a kind of input does not know. Two daemons in one OBS must not take each other's inputs away,
whatever their prefixes; and what a daemon has left behind that is no more is to be cleared away. So a daemon that meets
another's mark asks over OBS whether that one lives: obs-websocket hands a custom event on to all its clients.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.obs.connection import ObsEvent, Request
from daemon.obs.supervisor import CUSTOM

OWNER, OWNER_SCENE = "motherstream_owner", "motherstream_scene"
SESSION, STREAMER = "motherstream_session", "motherstream_streamer"
"""Keys of an input's settings. The last two say whose stream it was made for: a daemon that has lost its database reads
its name off the picture."""
MADE_AS = "motherstream_input"
"""Key of the name that it was made with: people rename inputs, and copy them with their settings."""
_ASKS, _LIVES = "motherstream_asks", "motherstream_lives"
"""Keys of a custom event: whom it asks for, and who answers."""
SILENT = 6.0
"""Seconds without an answer, asked every two, after which an owner counts as gone."""
ANSWER = 1.0
"""Seconds that one who was never heard has to answer when OBS was just connected: what it left may be on air."""
NEVER = float("-inf")
MOST_SESSIONS = 64
"""Sessions whose streamers are remembered."""
LONGEST = 64
"""Characters of an owner's or a scene's name that are read out of OBS."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an input says of its owner."""

    owner: str
    scene: str
    session: str = ""
    streamer: str = ""
    made_as: str = ""
    """Its name when it was made."""

    @property
    def text(self) -> str:
        """The owner as people are told of it."""
        return f"{self.owner}, scene {self.scene}" if self.scene else self.owner


class Owners:
    """``own`` is this daemon's id, empty where it has none: then nothing is marked and nothing is foreign."""

    def __init__(self, own: str, scene: str, now: Callable[[], float]) -> None:
        self.own = own
        self.scene = scene
        """Where this daemon's inputs are from now on."""
        self._now = now
        self._marks: dict[str, Mark] = {}
        self._made_for: dict[str, str] = {}
        self._since: dict[str, float] = {}
        """When each other owner was heard last, or met first."""
        self._heard: set[str] = set()
        """Those who have ever answered."""
        self.copies: set[str] = set()
        """Copies of this daemon's inputs that were told of."""

    def marked(
        self, settings: Mapping[str, Any], session: str = "", streamer: str = "", name: str = ""
    ) -> dict[str, Any]:
        """An input's settings with this daemon's mark, its name, and whose stream it is made for."""
        if not self.own:
            return dict(settings)
        made_for = {SESSION: session, STREAMER: streamer} if session else {}
        return {**settings, OWNER: self.own, OWNER_SCENE: self.scene, MADE_AS: name, **made_for}

    def streamer_of(self, session_id: str) -> str:
        """Whom an input of this daemon was made for, there still or not; empty where none was for that session."""
        return self._made_for.get(session_id, "")

    def mark(self, name: str, settings: Mapping[str, Any] | None) -> Mark | None:
        """Whose that input is, by its settings; by what they said before where they cannot be read now."""
        if settings is None:
            return self._marks.get(name)
        mark = read_mark(settings)
        if mark is None:
            self._marks.pop(name, None)
            return None
        self._marks[name] = mark
        return mark

    def taken(self, name: str) -> None:
        """That input is this daemon's, by its mark or left behind by one that is gone: whose stream it says it is.

        A daemon whose database was lost bears a new id: what it left under its old one is all that names who is on air.
        """
        mark = self._marks.get(name)
        if mark is None or not self.own or not mark.session:
            return
        self._made_for[mark.session.partition("~")[0]] = mark.streamer
        if len(self._made_for) > MOST_SESSIONS:
            del self._made_for[next(iter(self._made_for))]

    def foreign(self, name: str, *, in_scene: bool) -> bool:
        """Another daemon's, and not to be touched.

        Whoever is gone has left what lies in this daemon's own scene to it; nothing elsewhere.
        """
        mark = self._marks.get(name)
        if mark is None or not self.own or mark.owner == self.own:
            return False
        return not in_scene or self._lives(mark.owner)

    def _lives(self, owner: str) -> bool:
        return self._now() - self._since.setdefault(owner, self._now()) < SILENT

    @property
    def strangers(self) -> set[str]:
        """Other owners whose inputs lie in this daemon's scene, and of whom nothing was ever heard."""
        return {owner for owner, at in self._since.items() if owner not in self._heard and at > NEVER}

    def connected(self) -> None:
        """Nobody could be heard until now."""
        known = self._heard & self._since.keys()
        self._since = {owner: self._now() for owner in known}

    async def await_answers(self) -> bool:
        """Give strangers, who have been asked, their time to answer; False where there are none."""
        if not self.strangers:
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER):
                while self.strangers:  # noqa: ASYNC110  # rare, and not worth an event of its own
                    await asyncio.sleep(ANSWER / 20)
        self._since.update(dict.fromkeys(self.strangers, NEVER))
        return True

    def keep_only(self, names: Mapping[str, Mark]) -> None:
        """OBS was read: what bears no mark any more is forgotten."""
        self._marks = dict(names)
        owners = {mark.owner for mark in names.values()}
        self._since = {owner: at for owner, at in self._since.items() if owner in owners}

    def questions(self) -> list[Request]:
        """Ask for each other owner that was met."""
        return [_event(_ASKS, owner) for owner in self._since]

    def on_event(self, event: ObsEvent) -> Request | None:
        """Note an answer; the answer to a question for this one."""
        if event.kind != CUSTOM or not self.own:
            return None
        lives = event.data.get(_LIVES)
        if isinstance(lives, str) and lives in self._since:
            self._since[lives] = self._now()
            self._heard.add(lives)
        return _event(_LIVES, self.own) if event.data.get(_ASKS) == self.own else None


def read_mark(settings: Mapping[str, Any]) -> Mark | None:
    """What an input's settings say of its owner; None where they say nothing."""
    owner, scene, made_as = settings.get(OWNER), settings.get(OWNER_SCENE), settings.get(MADE_AS)
    if not isinstance(owner, str) or not owner:
        return None
    session, streamer = settings.get(SESSION), settings.get(STREAMER)
    named = isinstance(session, str) and isinstance(streamer, str) and len(streamer) <= LONGEST
    return Mark(
        owner[:LONGEST],
        scene[:LONGEST] if isinstance(scene, str) else "",
        str(session) if named else "",
        str(streamer) if named else "",
        made_as if isinstance(made_as, str) else "",
    )


def _event(key: str, owner: str) -> Request:
    return Request("BroadcastCustomEvent", {"eventData": {key: owner}})
