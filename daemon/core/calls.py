"""Command to port call; its result comes back as an event. Nothing is decided here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from daemon.core.clock import Clock
from daemon.core.failures import Failure, failure_event
from daemon.core.ports import (
    NOT_FOUND,
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


@dataclass(frozen=True, slots=True)
class Calls:
    """Whom commands are for, and one call for each kind of them (``CALLS``)."""

    obs: ObsPort
    kicker: KickPort
    urls: UrlPort
    clock: Clock
    submit: Callable[[ev.Event], None]
    """Told what came of each command."""
    clean: Callable[[str], str] = redact
    """Takes the secrets out of what OBS says of a failure: that goes into events, and is kept."""

    async def carry_out(self, command: cmd.Command) -> None:
        """Do what the command says. Whatever happens is told, nothing is raised."""
        try:
            answer = await self._call(command)
        except PortError as error:
            status = error.code if isinstance(error, ObsRefused) else 0
            untouched = isinstance(error, NothingToAim)
            answer = self._failed(command, self.clean(str(error)), status, untouched=untouched)
        except ValueError as error:
            answer = self._failed(command, str(error), untouched=True)
        except Exception as error:
            log.exception("a command failed unexpectedly", command=type(command).__name__)
            answer = self._failed(command, f"unexpected: {type(error).__name__}")
        if answer is not None:
            self.submit(answer)

    async def _call(self, command: cmd.Command) -> Answer:
        call = CALLS.get(type(command))
        if call is None:
            raise TypeError(f"unknown command {command!r}")
        return await call(self, command)

    def _failed(self, command: cmd.Command, reason: str, status: int = 0, *, untouched: bool = False) -> Answer:
        event = failure_event(command, Failure(self.clock.now(), reason, status, untouched))
        if event is None:
            log.warning("a command failed", command=type(command).__name__, reason=reason)
        return event

    # --- an input's life ---------------------------------------------------------------------------------------

    async def _create(self, command: cmd.CreateInput) -> Answer:
        url = self.urls.play_url(command.session)
        shown = redact_url(url)
        _dispatched("prepare", command.input, command.attempt, command.session.streamer)
        log.info(f"Creating new GStreamer source '{command.input}' with URL: {shown}", input=command.input, url=shown)
        session = command.session
        how = Making(command.way, command.plain, session.id, session.streamer)
        await self.obs.create_input(command.input, url, reuse=command.reuse, how=how)
        return ev.InputCreated(self.clock.now(), command.attempt)

    async def _restart(self, command: cmd.RestartInput) -> Answer:
        _dispatched("prepare", command.input, command.attempt, command.session.streamer, mode="static")
        await self.obs.restart_input(command.input, self.urls.play_url(command.session))
        await self.obs.toggle_input(command.input)
        return ev.InputCreated(self.clock.now(), command.attempt)

    async def _place(self, command: cmd.PlaceInput) -> None:
        await self.obs.place_input(command.input, command.z_offset, command.like)

    async def _watch(self, command: cmd.WatchInput) -> None:
        text = f"Waiting for source '{command.input}' to become ready (timeout: {command.timeout:g}s)"
        log.info(text, input=command.input, timeout=command.timeout)
        self.obs.watch(command.input, self._callbacks(command.input, command.attempt))

    async def _watch_on_air(self, command: cmd.WatchOnAir) -> None:
        self.obs.watch(command.input, self._callbacks(command.input, 0), proven=True)

    async def _remove(self, command: cmd.RemoveInput) -> Answer:
        await self.obs.remove_input(command.input)
        return self._removed(command)

    async def _park(self, command: cmd.ParkInput) -> Answer:
        await self.obs.park_input(command.input)
        return self._removed(command)

    def _removed(self, command: cmd.RemoveInput | cmd.ParkInput) -> Answer:
        which = "old" if command.outgoing else "abandoned"
        log.info(f"Cleaned up {which} source '{command.input}'", input=command.input)
        return ev.InputRemoved(self.clock.now(), command.attempt)

    async def _remove_orphan(self, command: cmd.RemoveOrphan) -> Answer:
        await self.obs.remove_input(command.input)
        what = "Cleaned up abandoned" if command.abandoned else "Swept orphaned"
        log.info(f"{what} source '{command.input}'", input=command.input)
        return ev.OrphanRemoved(self.clock.now(), command.input)

    def _callbacks(self, name: str, attempt: int) -> WatchCallbacks:
        now = self.clock.now
        return WatchCallbacks(
            ready=lambda seconds: self.submit(ev.MediaReady(now(), attempt)),
            failed=lambda reason, code: self.submit(ev.MediaFailed(now(), attempt, self.clean(reason), code)),
            stalled=lambda seconds, blank: self.submit(ev.MediaStalled(now(), name, now() - seconds, blank)),
            resumed=lambda: self.submit(ev.MediaResumed(now(), name)),
        )

    # --- what viewers see --------------------------------------------------------------------------------------

    async def _cut(self, command: cmd.Cut) -> Answer:
        if command.incoming:
            _dispatched("cut", command.incoming, command.attempt)
            log.info(f"Switching to new source '{command.incoming}'", input=command.incoming)
        hide = [command.outgoing] if command.outgoing else []
        if command.slate and command.incoming:
            hide.append(command.slate)
        also = command.slate if command.slate and not command.incoming else None
        shown = await self.obs.cut(
            show=command.incoming,
            hide=tuple(hide),
            also_show=also,
            fade=command.fade,
            studio_mode=command.studio_mode,
        )
        return ev.CutDone(self.clock.now(), command.attempt, shown)

    async def _restore(self, command: cmd.RestoreOutgoing) -> Answer:
        slate = (command.slate,) if command.slate and command.outgoing else ()
        hide = (*((command.incoming,) if command.incoming else ()), *slate)
        also = command.slate if command.slate and not command.outgoing else None
        await self.obs.restore(show=command.outgoing, hide=hide, also_show=also)
        return ev.OutgoingRestored(self.clock.now(), command.attempt)

    async def _leave_studio_mode(self, _command: cmd.LeaveStudioMode) -> None:
        await self.obs.leave_studio_mode()

    async def _bring_to_program(self, _command: cmd.BringToProgram) -> None:
        await self.obs.bring_to_program()

    async def _set_slate(self, command: cmd.SetSlate) -> None:
        try:
            await self.obs.set_shown(command.slate, command.shown)
        except ObsRefused as error:
            # What the configuration named before may be gone by now, and is as hidden as can be.
            if command.shown or error.code != NOT_FOUND:
                raise

    async def _set_level(self, command: cmd.SetLevel) -> None:
        await self.obs.set_level(command.input, command.gain)
        log.info(f"Levelled source '{command.input}': {command.gain:+.1f} dB", input=command.input, gain=command.gain)

    async def _show(self, command: cmd.ShowInput) -> None:
        log.warning("the input on air was hidden by hand: showing it again", input=command.input)
        await self.obs.set_shown(command.input, True)

    async def _hide(self, command: cmd.HideInput) -> None:
        log.info("an input that is not on air was shown: hiding it", input=command.input)
        await self.obs.set_shown(command.input, False)

    async def _hide_duplicates(self, command: cmd.HideDuplicates) -> None:
        log.info("the input on air is shown more than once: hiding the others", input=command.input)
        await self.obs.hide_duplicates(command.input)

    # --- the ingest server -------------------------------------------------------------------------------------

    async def _kick(self, command: cmd.KickSession) -> None:
        who = {"streamer": command.session.streamer, "session": command.session.id, "reason": command.reason}
        if await self.kicker.kick(command.session):
            log.info("publisher kicked", **who)
        else:
            log.warning("the ingest server cannot kick: the publisher stays connected, outside the line-up", **who)


CALLS: Final[Mapping[type[cmd.Command], Callable[[Calls, Any], Awaitable[Answer]]]] = {
    cmd.CreateInput: Calls._create,
    cmd.RestartInput: Calls._restart,
    cmd.PlaceInput: Calls._place,
    cmd.WatchInput: Calls._watch,
    cmd.WatchOnAir: Calls._watch_on_air,
    cmd.RemoveInput: Calls._remove,
    cmd.ParkInput: Calls._park,
    cmd.RemoveOrphan: Calls._remove_orphan,
    cmd.Cut: Calls._cut,
    cmd.RestoreOutgoing: Calls._restore,
    cmd.LeaveStudioMode: Calls._leave_studio_mode,
    cmd.BringToProgram: Calls._bring_to_program,
    cmd.SetSlate: Calls._set_slate,
    cmd.SetLevel: Calls._set_level,
    cmd.ShowInput: Calls._show,
    cmd.HideInput: Calls._hide,
    cmd.HideDuplicates: Calls._hide_duplicates,
    cmd.KickSession: Calls._kick,
}
"""Each command but ``AbandonPending``, which is about the calls themselves."""


def _dispatched(phase: str, name: str, attempt: int, streamer: str = "", **more: str) -> None:
    """A hand-over begins to be prepared (``prepare``), or is carried out (``cut``)."""
    known = {"streamer": streamer} if streamer else {}
    log.info("SWITCH_GSTREAMER_SOURCE", phase=phase, input=name, attempt=attempt, **known, **more)
