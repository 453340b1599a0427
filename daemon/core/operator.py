"""What a person may ask, whoever passes it on: HTTP today; a chat command or a timer would call the same.

One function a use case, with who asks. Each has the rules take one event, and returns what was done, in words for
people and in values for programs. Those that are marked as a ``use_case`` have their route, its description and the
terminal's command made of what stands here: the types of the arguments are what is checked, the first line of the
docstring is the help.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Annotated, Final, Protocol

from pydantic import Field

from daemon.core.ports import RulesPort
from daemon.core.shapes import LONGEST_TURN, Done, HeldOrNot, Kicked, Moved, Name, Named
from daemon.core.use_case import use_case, use_cases_of
from statemachine import events as ev
from statemachine.events import Actor, Session
from statemachine.view import View

ASK_SECONDS: Final = 5.0
"""Seconds that somebody waits for the rules' answer."""

Position = Annotated[int, Field(ge=0, le=1_000_000, description="1 is next after the one on air.")]
BlockedFor = Annotated[float, Field(ge=0, le=LONGEST_TURN, description="Seconds to block it.")]


class RequestRefused(Exception):
    """The rules will not do it. ``str()`` is for people, ``code`` for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RulesBusy(Exception):
    """No answer in time. What was asked is queued, and may still be carried out."""

    def __init__(self) -> None:
        super().__init__("the daemon is busy; the request may still be carried out")


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
        meant: Callable[[str, Collection[str]], str],
        streams: ManualStreamsPort,
    ) -> None:
        """``now`` is the events' clock.

        ``meant`` finds out who is meant, however a name is written, first among those who are given.
        """
        self._rules = rules
        self._now = now
        self._view = view
        self._meant = meant
        self._streams = streams

    # --- the line-up -----------------------------------------------------------------------------------------

    @use_case("handover_pending", "nobody_on_air", "nobody_waits", told={"skipped": "{streamer} was skipped"})
    async def skip(self, actor: Actor) -> Done:
        """End the current turn."""
        on_air = self._view().on_air
        await self._ask(ev.SkipRequested(self._now(), actor=actor))
        return {"status": "success", "message": f"the turn of {on_air.streamer} is over" if on_air else "skipped"}

    @use_case(told={"held": "held: no turn ends by the clock"})
    async def hold(self, actor: Actor) -> HeldOrNot:
        """Stop turns from ending by the clock, until they are released."""
        await self._ask(ev.Held(self._now(), actor=actor))
        return {"status": "success", "message": "held: no turn ends by the clock", "held": True}

    @use_case(told={"released": "released: turns end by the clock"})
    async def release(self, actor: Actor) -> HeldOrNot:
        """Let turns end by the clock again."""
        await self._ask(ev.Released(self._now(), actor=actor))
        return {"status": "success", "message": "released: turns end by the clock", "held": False}

    @use_case("bad_position", "not_found", "on_air", told={"moved": "{streamer} was moved"})
    async def move(self, actor: Actor, name: Name, position: Position) -> Moved:
        """Move a waiting streamer to another position."""
        streamer = self._find(name)
        await self._ask(ev.MoveRequested(self._now(), streamer, position, actor=actor))
        message = f"{streamer} is at position {position}"
        return {"status": "success", "message": message, "streamer": streamer, "position": position}

    @use_case(told={"kicked": "{streamer} was kicked", "blocked": "{streamer} is blocked"})
    async def kick(self, actor: Actor, name: Name, seconds: BlockedFor = 300.0) -> Kicked:
        """Disconnect a streamer and block it for a while."""
        streamer = self._find(name)
        # Whoever mistypes a name has to see that nobody was kicked.
        is_there = any(place.streamer == streamer for place in self._view().queue)
        await self._ask(ev.KickRequested(self._now(), streamer, seconds, actor=actor))
        what = "is kicked" if is_there else "is not in the line-up"
        message = f"{streamer} {what}, and blocked for {seconds:g} s"
        return {"status": "success", "message": message, "streamer": streamer, "seconds": seconds}

    @use_case(
        *("handover_pending", "nobody_on_air", "nobody_waits", "not_found", "not_publishing", "on_air"),
        told={"taken": "{streamer} was taken on air by hand"},
    )
    async def take(self, actor: Actor, name: Name = "") -> Done:
        """Show a streamer now, whatever is measured of the stream; without a name, the covered one, or the next."""
        streamer = self._find(name) if name else ""
        await self._ask(ev.TakeRequested(self._now(), streamer, actor=actor))
        return {"status": "success", "message": f"{streamer or 'that one'} is shown as soon as there is a picture"}

    @use_case("not_blocked", former="let_in", told={"let_in": "{streamer} is unblocked"})
    async def unblock(self, actor: Actor, name: Name) -> Named:
        """Let a blocked streamer publish again."""
        streamer = self._find(name)
        await self._ask(ev.LetInRequested(self._now(), streamer, actor=actor))
        return {"status": "success", "message": f"{streamer} may publish again", "streamer": streamer}

    @use_case("not_found", told={"removed": "{streamer} was removed from the line-up"})
    async def remove(self, actor: Actor, name: Name) -> Named:
        """Take a streamer out of the line-up, until the next publish."""
        streamer = self._find(name)
        await self._ask(ev.RemoveRequested(self._now(), streamer, actor=actor))
        return {"status": "success", "message": f"{streamer} is out of the line-up", "streamer": streamer}

    # --- settings --------------------------------------------------------------------------------------------

    async def set_turn(
        self, actor: Actor, seconds: float, name: str | None = None, *, restart: bool = False
    ) -> str | None:
        """Change how long a turn takes, everybody's or one streamer's, and return who that is.

        With ``restart`` the present one begins anew.
        """
        streamer = self._find(name) if name is not None else None
        await self._ask(ev.TurnChanged(self._now(), seconds, streamer, restart, actor=actor))
        return streamer

    async def set(self, actor: Actor, name: str, value: bool | int | float | str) -> None:
        """Change one field of the policy; it outlives a restart."""
        await self._ask(ev.SettingChanged(self._now(), name, value, actor=actor))

    async def toggle_block_last(self, actor: Actor) -> bool:
        """Keep the last one on air from coming straight back, or let it; whether it is kept now."""
        blocks = not self._view().policy.block_last
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

    async def measured(self, streamer: str, quantity: str, value: float) -> None:
        """Judge what a program has measured of the one on air."""
        await self._ask(ev.Measured(self._now(), streamer, quantity, value))

    # --- helpers ---------------------------------------------------------------------------------------------

    def _find(self, name: str) -> str:
        """Who is meant, however the name is written: "ALICE" for alice. Whoever bears the very name comes first."""
        view = self._view()
        known = dict.fromkeys((*(place.streamer for place in view.queue), *view.blocks))
        return self._meant(name, known)

    async def _ask(self, event: ev.Event) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                step = await self._rules.ask(event)
        except TimeoutError:
            raise RulesBusy from None
        if refusal := step.refusal:
            raise RequestRefused(refusal.code, refusal.message)


USE_CASES: Final = tuple(use_cases_of(Operator))
"""What a person may ask of the line-up, in the order in which it is listed."""
