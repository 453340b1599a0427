"""What a person may ask, whoever passes it on: HTTP today; a chat command or a timer would call the same.

One function a use case, with who asks. Each has the rules take one event and returns what they answered; the words for
it are the caller's, and so is what a request may look like.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from daemon.core.ports import RulesPort
from statemachine import events as ev
from statemachine.events import Actor, Session
from statemachine.facts import Fact, LineupChanged
from statemachine.policy import Policy
from statemachine.view import View

ASK_SECONDS: Final = 5.0
"""Seconds that somebody waits for the rules' answer."""


class RequestRefused(Exception):
    """The rules will not do it. ``str()`` is for people, ``code`` for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RulesBusy(Exception):
    """No answer in time. What was asked is queued, and may still be carried out."""

    def __init__(self) -> None:
        super().__init__("the daemon is busy; the request may still be carried out")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules answered."""

    facts: tuple[Fact, ...]
    streamer: str | None = None
    """Whom it concerned, as the line-up writes the name; None where it was nobody in particular."""

    def changed(self, what: str) -> bool:
        """Whether the line-up has changed in this way."""
        return any(isinstance(fact, LineupChanged) and fact.what == what for fact in self.facts)


class ManualStreamsPort(Protocol):
    """Where a stream that an operator shows by hand has its session."""

    def open(self, url: str, app: str, stream: str) -> tuple[Session, bool]:
        """The session that publishes it already, or one of its own, and True."""

    def drop(self, session: Session) -> None:
        """The rules refused it."""


class Operator:
    """The use cases. All raise RequestRefused and RulesBusy."""

    def __init__(
        self,
        rules: RulesPort,
        now: Callable[[], float],
        view: Callable[[], View],
        policy: Callable[[], Policy],
        meant: Callable[[str, Collection[str]], str],
        streams: ManualStreamsPort,
    ) -> None:
        """``now`` is the events' clock; ``policy`` the rules' settings with what was set live.

        ``meant`` finds out who is meant, however a name is written, first among those who are given.
        """
        self._rules = rules
        self._now = now
        self._view = view
        self._policy = policy
        self._meant = meant
        self._streams = streams

    # --- the line-up -----------------------------------------------------------------------------------------

    async def skip(self, actor: Actor) -> Answer:
        """End the turn of the one on air."""
        on_air = self._view().on_air
        return await self._ask(ev.SkipRequested(self._now(), actor=actor), on_air.streamer if on_air else None)

    async def hold(self, actor: Actor) -> Answer:
        """Let no turn end by the clock."""
        return await self._ask(ev.Held(self._now(), actor=actor))

    async def release(self, actor: Actor) -> Answer:
        """Let turns end by the clock again."""
        return await self._ask(ev.Released(self._now(), actor=actor))

    async def move(self, actor: Actor, name: str, position: int) -> Answer:
        """Give one who waits another place."""
        streamer = self._find(name)
        return await self._ask(ev.MoveRequested(self._now(), streamer, position, actor=actor), streamer)

    async def remove(self, actor: Actor, name: str) -> Answer:
        """Take somebody out of the line-up; a new publish joins again."""
        streamer = self._find(name)
        return await self._ask(ev.RemoveRequested(self._now(), streamer, actor=actor), streamer)

    async def kick(self, actor: Actor, name: str, seconds: float) -> Answer:
        """Cut somebody off, and block it for a while: also one who is not there yet."""
        streamer = self._find(name)
        return await self._ask(ev.KickRequested(self._now(), streamer, seconds, actor=actor), streamer)

    async def unblock(self, actor: Actor, name: str) -> Answer:
        """Let one who is blocked publish again."""
        streamer = self._find(name)
        return await self._ask(ev.LetInRequested(self._now(), streamer, actor=actor), streamer)

    # --- settings --------------------------------------------------------------------------------------------

    async def set_turn(self, actor: Actor, seconds: float, name: str | None = None, *, restart: bool = False) -> Answer:
        """Change how long a turn takes, everybody's or one streamer's; with ``restart`` the present one begins anew."""
        streamer = self._find(name) if name is not None else None
        return await self._ask(ev.TurnChanged(self._now(), seconds, streamer, restart, actor=actor), streamer)

    async def set(self, actor: Actor, name: str, value: bool | int | float | str) -> Answer:
        """Change one field of the policy; it outlives a restart."""
        return await self._ask(ev.SettingChanged(self._now(), name, value, actor=actor))

    async def toggle_block_last(self, actor: Actor) -> bool:
        """Keep the last one on air from coming straight back, or let it; whether it is kept now."""
        blocks = not self._policy().block_last
        await self.set(actor, "block_last", blocks)
        return blocks

    # --- what is shown ---------------------------------------------------------------------------------------

    async def show_manual_stream(self, actor: Actor, url: str, app: str, stream: str) -> Session:
        """Hand over to a stream now, whether a hook has told of it or not; the session that it is shown as."""
        session, is_new = self._streams.open(url, app, stream)
        try:
            await self._ask(ev.TestRequested(self._now(), session, actor=actor))
        except RequestRefused:
            if is_new:
                self._streams.drop(session)
            raise
        return session

    async def measured(self, streamer: str, quantity: str, value: float) -> Answer:
        """Judge what a program has measured of the one on air."""
        return await self._ask(ev.Measured(self._now(), streamer, quantity, value), streamer)

    # --- helpers ---------------------------------------------------------------------------------------------

    def _find(self, name: str) -> str:
        """Who is meant, however the name is written: "ALICE" for alice. Whoever bears the very name comes first."""
        view = self._view()
        known = dict.fromkeys((*(place.streamer for place in view.queue), *view.blocks))
        return self._meant(name, known)

    async def _ask(self, event: ev.Event, streamer: str | None = None) -> Answer:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                step = await self._rules.ask(event)
        except TimeoutError:
            raise RulesBusy from None
        if refusal := step.refusal:
            raise RequestRefused(refusal.code, refusal.message)
        return Answer(step.facts, streamer)
