"""Command to port call; its result comes back as an event. Nothing is decided here."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog

from daemon.core.clock import Clock
from daemon.core.ports import (
    NAME_TAKEN,
    UNKNOWN_KIND,
    KickPort,
    Making,
    NothingToAim,
    ObsPort,
    ObsRefused,
    PortError,
    UrlPort,
    WatchCallbacks,
)
from daemon.core.redaction import redact, redact_url
from statemachine import commands as cmd
from statemachine import events as ev

log = structlog.get_logger(__name__)

Answer = ev.Event | None


class Executor:
    """Works OBS commands off in their order, in a task of its own: a slow call never delays the dispatcher.

    Orphans and kicks go beside the main lane, because neither may hold up a cut.
    """

    def __init__(
        self,
        obs: ObsPort,
        kicker: KickPort,
        urls: UrlPort,
        clock: Clock,
        submit: Callable[[ev.Event], None],
        clean: Callable[[str], str] = redact,
    ) -> None:
        """``submit`` is told what came of each command. ``clean`` takes the secrets out of what OBS says of a failure:
        that goes into events, and is kept.
        """
        self._clean = clean
        self._obs = obs
        self._kicker = kicker
        self._urls = urls
        self._clock = clock
        self._submit = submit
        self._lane: asyncio.Queue[cmd.Command] = asyncio.Queue()
        self._current: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()

    def execute(self, commands: Sequence[cmd.Command]) -> None:
        """Take commands over."""
        for command in commands:
            match command:
                case cmd.AbandonPending():
                    self._abandon()
                case cmd.RemoveOrphan() | cmd.KickSession():
                    self._start_beside(self._carry_out(command))
                case _:
                    self._lane.put_nowait(command)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                command = await self._lane.get()
                self._current = asyncio.create_task(self._carry_out(command), name=type(command).__name__)
                await asyncio.wait({self._current})
                self._current = None
        finally:
            for task in (*self._beside, *([self._current] if self._current else [])):
                task.cancel()

    def _abandon(self) -> None:
        """Drop what has not been carried out, and the call under way."""
        while not self._lane.empty():
            self._lane.get_nowait()
        if self._current is not None:
            self._current.cancel()

    def _start_beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _carry_out(self, command: cmd.Command) -> None:
        try:
            answer = await self._call(command)
        except PortError as error:
            status = error.code if isinstance(error, ObsRefused) else 0
            untouched = isinstance(error, NothingToAim)
            answer = self._failure(command, self._clean(str(error)), status, untouched=untouched)
        except ValueError as error:
            answer = self._failure(command, str(error), untouched=True)
        except Exception as error:
            log.exception("a command failed unexpectedly", command=type(command).__name__)
            answer = self._failure(command, f"unexpected: {type(error).__name__}")
        if answer is not None:
            self._submit(answer)

    async def _call(self, command: cmd.Command) -> Answer:
        match command:
            case cmd.CreateInput():
                return await self._create(command)
            case cmd.RestartInput():
                _dispatched("prepare", command.input, command.attempt, command.session.streamer, mode="static")
                await self._obs.restart_input(command.input, self._urls.play_url(command.session))
                await self._obs.toggle_input(command.input)
                return ev.InputCreated(self._clock.now(), command.attempt)
            case cmd.PlaceInput():
                await self._obs.place_input(command.input, command.z_offset, command.like)
                return None
            case cmd.WatchInput():
                text = f"Waiting for source '{command.input}' to become ready (timeout: {command.timeout:g}s)"
                log.info(text, input=command.input, timeout=command.timeout)
                self._obs.watch(command.input, self._callbacks(command.input, command.attempt))
                return None
            case cmd.WatchOnAir():
                self._obs.watch(command.input, self._callbacks(command.input, 0), proven=True)
                return None
            case cmd.Cut():
                return await self._cut(command)
            case cmd.RestoreOutgoing():
                slate = (command.slate,) if command.slate and command.outgoing else ()
                hide = (*((command.incoming,) if command.incoming else ()), *slate)
                also = command.slate if command.slate and not command.outgoing else None
                await self._obs.restore(show=command.outgoing, hide=hide, also_show=also)
                return ev.OutgoingRestored(self._clock.now(), command.attempt)
            case cmd.RemoveInput():
                await self._remove(command, self._obs.remove_input)
                return ev.InputRemoved(self._clock.now(), command.attempt)
            case cmd.ParkInput():
                await self._remove(command, self._obs.park_input)
                return ev.InputRemoved(self._clock.now(), command.attempt)
            case cmd.RemoveOrphan():
                await self._obs.remove_input(command.input)
                what = "Cleaned up abandoned" if command.abandoned else "Swept orphaned"
                log.info(f"{what} source '{command.input}'", input=command.input)
                return ev.OrphanRemoved(self._clock.now(), command.input)
            case cmd.LeaveStudioMode():
                await self._obs.leave_studio_mode()
                return None
            case cmd.BringToProgram():
                await self._obs.bring_to_program()
                return None
            case cmd.SetSlate():
                await self._obs.set_shown(command.slate, command.shown)
                return None
            case cmd.ShowInput():
                log.warning("the input on air was hidden by hand: showing it again", input=command.input)
                await self._obs.set_shown(command.input, True)
                return None
            case cmd.HideInput():
                log.info("an input that is not on air was shown: hiding it", input=command.input)
                await self._obs.set_shown(command.input, False)
                return None
            case cmd.HideDuplicates():
                log.info("the input on air is shown more than once: hiding the others", input=command.input)
                await self._obs.hide_duplicates(command.input)
                return None
            case cmd.KickSession():
                return await self._kick(command)
            case _:
                raise TypeError(f"unknown command {command!r}")

    async def _create(self, command: cmd.CreateInput) -> Answer:
        url = self._urls.play_url(command.session)
        shown = redact_url(url)
        _dispatched("prepare", command.input, command.attempt, command.session.streamer)
        log.info(f"Creating new GStreamer source '{command.input}' with URL: {shown}", input=command.input, url=shown)
        session = command.session
        how = Making(command.tracks, command.tries, command.plain, session.id, session.streamer)
        await self._obs.create_input(command.input, url, reuse=command.reuse, how=how)
        return ev.InputCreated(self._clock.now(), command.attempt)

    async def _cut(self, command: cmd.Cut) -> Answer:
        if command.incoming:
            _dispatched("cut", command.incoming, command.attempt)
            log.info(f"Switching to new source '{command.incoming}'", input=command.incoming)
        hide = [command.outgoing] if command.outgoing else []
        if command.slate and command.incoming:
            hide.append(command.slate)
        also = command.slate if command.slate and not command.incoming else None
        shown = await self._obs.cut(
            show=command.incoming,
            hide=tuple(hide),
            also_show=also,
            fade=command.fade,
            studio_mode=command.studio_mode,
        )
        return ev.CutDone(self._clock.now(), command.attempt, shown)

    async def _remove(self, command: cmd.RemoveInput | cmd.ParkInput, remove: Callable[[str], Awaitable[None]]) -> None:
        await remove(command.input)
        which = "old" if command.outgoing else "abandoned"
        log.info(f"Cleaned up {which} source '{command.input}'", input=command.input)

    async def _kick(self, command: cmd.KickSession) -> Answer:
        who = {"streamer": command.session.streamer, "session": command.session.id, "reason": command.reason}
        if await self._kicker.kick(command.session):
            log.info("publisher kicked", **who)
        else:
            log.warning("the ingest server cannot kick: the publisher stays connected, outside the line-up", **who)
        return None

    def _callbacks(self, name: str, attempt: int) -> WatchCallbacks:
        now = self._clock.now
        return WatchCallbacks(
            ready=lambda seconds: self._submit(ev.MediaReady(now(), attempt)),
            failed=lambda reason, code: self._submit(ev.MediaFailed(now(), attempt, self._clean(reason), code)),
            stalled=lambda seconds, blank: self._submit(ev.MediaStalled(now(), name, now() - seconds, blank)),
            resumed=lambda: self._submit(ev.MediaResumed(now(), name)),
        )

    def _failure(self, command: cmd.Command, reason: str, status: int = 0, *, untouched: bool = False) -> Answer:
        """The event that says so; where the rules wait for none, the log does. ``status`` is obs-websocket's."""
        now = self._clock.now()
        code = "plugin" if status == UNKNOWN_KIND else ""
        match command:
            case cmd.CreateInput():
                return ev.CreationFailed(now, command.attempt, reason, status == NAME_TAKEN, code)
            case cmd.RestartInput():
                code = "static_input" if untouched else code
                return ev.CreationFailed(now, command.attempt, reason, code=code, untouched=untouched)
            case cmd.Cut():
                return ev.CutFailed(now, command.attempt, reason)
            case cmd.RestoreOutgoing():
                return ev.RestoreFailed(now, command.attempt, reason)
            case cmd.RemoveInput() | cmd.ParkInput():
                return ev.RemovalFailed(now, command.attempt, reason)
            case cmd.WatchInput():
                # Nobody looks at its picture: that it plays is not known, and will not be.
                return ev.MediaFailed(now, command.attempt, reason)
            case cmd.WatchOnAir():
                return ev.MediaFailed(now, 0, reason)
            case cmd.RemoveOrphan():
                return ev.OrphanRemovalFailed(now, command.input, reason)
            case _:
                log.warning("a command failed", command=type(command).__name__, reason=reason)
                return None


def _dispatched(phase: str, name: str, attempt: int, streamer: str = "", **more: str) -> None:
    """A hand-over begins to be prepared (``prepare``), or is carried out (``cut``)."""
    known = {"streamer": streamer} if streamer else {}
    log.info("SWITCH_GSTREAMER_SOURCE", phase=phase, input=name, attempt=attempt, **known, **more)
