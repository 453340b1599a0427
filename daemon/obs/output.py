"""Watches whether OBS's output streams, and does what the rules say. In a task of its own: it delays nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import structlog

from daemon.core.ports import Connection, ObsError, ObsRefused
from daemon.core.readings import count
from statemachine.monitors.output import (
    OutputCommand,
    OutputEvent,
    OutputFailed,
    OutputHeard,
    OutputRules,
    OutputSeen,
    OutputState,
    OutputWanted,
    StartOutput,
)

LOOK_EVERY: Final = 2.0
"""Seconds between two looks."""
EVENT: Final = "StreamStateChanged"
"""obs-websocket's event of the category Outputs (1 << 6)."""
_PREFIX: Final = "OBS_WEBSOCKET_OUTPUT_"
_RUNNING_ALREADY: Final = 500
_STOPPED_ALREADY: Final = 501

log = structlog.get_logger(__name__)


class OutputPort(Protocol):
    """OBS, as much of it as is needed here."""

    @property
    def info(self) -> Connection:
        """As last heard."""

    @property
    def losses(self) -> int:
        """How often OBS was lost since the start."""

    @property
    def stats(self) -> Mapping[str, Any]:
        """GetStats as of the last heartbeat."""

    async def call(self, request: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any request. Raises ObsError."""


class OutputKeeper:
    """``run`` is its task. ``wanted`` is ``obs.keep_streaming``; the output is looked at in any case."""

    def __init__(
        self,
        obs: OutputPort,
        wanted: Callable[[], bool],
        now: Callable[[], float],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.rules = OutputRules()
        self._obs = obs
        self._wanted = wanted
        self._now = now
        self._sleep = sleep
        self._status: Mapping[str, Any] = {}
        self._losses: int | None = None
        self._frames = 0
        self._failing = False

    @property
    def status(self) -> Mapping[str, Any]:
        """The last answer to GetStreamStatus, a new mapping each time; empty while OBS cannot be reached."""
        return self._status if self._obs.info.connected else {}

    def on_event(self, data: Mapping[str, Any]) -> None:
        """A StreamStateChanged event of OBS's."""
        self._handle(OutputHeard(self._now(), str(data.get("outputState", "")).removeprefix(_PREFIX)))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.once()
                self._failing = False
            except ObsError as error:
                if not self._failing and self._obs.info.connected:
                    self._failing = True
                    log.warning("OBS does not say whether it is streaming; asking again", reason=str(error))
            except Exception:
                if not self._failing:
                    self._failing = True
                    log.exception("OBS's output cannot be watched; retrying")
            await self._sleep(LOOK_EVERY)

    async def once(self) -> None:
        """Look, and do what follows. Raises ObsError where OBS does not answer."""
        self._handle(OutputWanted(self._now(), self._wanted()))
        if not self._obs.info.connected:
            return
        gap, fresh = await self._since_last()
        status = await self._obs.call("GetStreamStatus")
        self._status = status
        active, reconnecting = status.get("outputActive") is True, status.get("outputReconnecting") is True
        for command in self._handle(OutputSeen(self._now(), active, reconnecting, gap, fresh)):
            await self._carry_out(command)

    async def _since_last(self) -> tuple[bool, bool]:
        """Whether OBS was lost since the last look, and whether it is another: it counts its frames from its start."""
        losses = self._obs.losses
        if losses == self._losses:
            self._frames = _frames(self._obs.stats) or self._frames
            return False, False
        # The heartbeat's figures may still be the last OBS's.
        frames = _frames(await self._obs.call("GetStats"))
        fresh = self._losses is None or frames < self._frames
        self._losses, self._frames = losses, frames
        return True, fresh

    async def _carry_out(self, command: OutputCommand) -> None:
        start = isinstance(command, StartOutput)
        kind, already = ("StartStream", _RUNNING_ALREADY) if start else ("StopStream", _STOPPED_ALREADY)
        log.warning(f"{'Starting' if start else 'Stopping'} OBS's output: {command.reason}", reason=command.reason)
        try:
            await self._obs.call(kind)
        except ObsError as error:
            if isinstance(error, ObsRefused) and error.code == already:
                return
            log.warning("OBS's output could not be changed", request=kind, reason=str(error))
            self._handle(OutputFailed(self._now()))

    def _handle(self, event: OutputEvent) -> tuple[OutputCommand, ...]:
        before = self.rules.state
        commands = self.rules.handle(event)
        after = self.rules.state
        if after is not before:
            _log_change(before, after, self.rules)
        return commands


def _frames(stats: Mapping[str, Any]) -> int:
    return count(stats.get("renderTotalFrames")) or 0


def _log_change(before: OutputState, after: OutputState, rules: OutputRules) -> None:
    match after:
        case OutputState.RUNNING if before is OutputState.STARTING or before is OutputState.RECONNECTING:
            log.info("OBS's output is streaming")
        case OutputState.RECONNECTING:
            log.warning("OBS's output lost its server and is reconnecting")
        case OutputState.BY_HAND:
            log.warning("OBS's output was stopped by hand: it is left alone until it is started again")
        case OutputState.WAITING if rules.failures > 1:
            log.warning("OBS's output is not streaming; retrying", failures=rules.failures)
        case _:
            pass
