"""OBS's output is to stream: when to start it, when to restart it, and when to leave it alone.

A machine of its own beside the switchover: the show goes on whether anybody watches it or not. Pure, like all rules:
observations in, commands out, time as an input.

A stop by hand is respected until the output is started by hand again, OBS or the daemon is started anew, or the wish
to stream is taken back and given again. OBS tells such a stop from a failure: it says STOPPING before STOPPED
only where somebody asked for it (libobs signals "stopping" in obs_output_stop and obs_output_force_stop, and in no
failure; measured with OBS 29.0.2, also while it reconnects). Where OBS's events were not heard, a stop counts as one
by hand.
"""

from dataclasses import dataclass
from enum import StrEnum

from statemachine.backoff import backoff

STUCK_AFTER = 30.0
"""Seconds of reconnecting after which OBS is helped."""
START_PATIENCE = 15.0
"""Seconds that OBS may take to start, and to stop."""
STEADY_AFTER = 60.0
"""Seconds of streaming after which earlier failures are forgotten."""
PAUSE_FIRST = 5.0
PAUSE_MOST = 300.0
"""Seconds between two tries, doubling; the first try again comes at once. OBS may show a dialogue for each failure."""
LAST_TRY = "the last try failed"


class OutputState(StrEnum):
    """What is known of the output, and what is being done about it."""

    UNWANTED = "unwanted"
    """Nobody asked to keep it streaming."""
    UNKNOWN = "unknown"
    """Not looked at since OBS came."""
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    STARTING = "starting"
    """Asked to start."""
    STOPPING = "stopping"
    """Asked to stop, to be started again."""
    STOPPED = "stopped"
    """It has stopped, and it is not clear yet why: OBS's events come unordered, and after its answers at times."""
    WAITING = "waiting"
    """Failed: the next try has its time."""
    BY_HAND = "by_hand"
    """Somebody stopped it: left alone."""


@dataclass(frozen=True, slots=True)
class OutputEvent:
    """The base of what happened."""

    at: float


@dataclass(frozen=True, slots=True)
class OutputWanted(OutputEvent):
    """Whether the output is to be kept streaming. Told again and again, or once: it is all the same."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class OutputSeen(OutputEvent):
    """OBS answered how its output is."""

    active: bool
    reconnecting: bool
    gap: bool = False
    """The connection was lost since it was seen last: events may have been missed."""
    fresh: bool = False
    """OBS was started anew since it was seen last."""


@dataclass(frozen=True, slots=True)
class OutputHeard(OutputEvent):
    """OBS said that its output changes: STARTING, STARTED, STOPPING, STOPPED, RECONNECTING or RECONNECTED."""

    word: str


@dataclass(frozen=True, slots=True)
class OutputFailed(OutputEvent):
    """A command was refused, or nobody knows what became of it. A stop is tried again all the same."""


@dataclass(frozen=True, slots=True)
class OutputCommand:
    """The base of what is to be done, and why, in words for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class StartOutput(OutputCommand):
    """Have OBS stream."""


@dataclass(frozen=True, slots=True)
class StopOutput(OutputCommand):
    """Have OBS end its stream; a start follows."""


class OutputRules:
    """``handle`` takes what happened and gives what is to be done."""

    def __init__(self) -> None:
        self.state = OutputState.UNWANTED
        self.failures = 0
        """In a row."""
        self._since = 0.0
        self._why = ""
        """Why it has to be started, in words for the log."""
        self._hears = False
        """OBS's events have come since the last gap."""
        self._stop_heard = False
        """Somebody else's stop was heard since the last start."""
        self._own_stop = False
        """The next STOPPING is ours."""

    def handle(self, event: OutputEvent) -> tuple[OutputCommand, ...]:
        """One step."""
        match event:
            case OutputWanted(at, wanted):
                self._want(at, wanted)
            case OutputHeard(at, word):
                self._on_output_state(at, word)
            case OutputFailed(at) if self.state is OutputState.STARTING:
                self._fail(at, LAST_TRY)
            case OutputSeen():
                return self._see(event)
        return ()

    # --- steps -----------------------------------------------------------------------------------------------

    def _want(self, at: float, wanted: bool) -> None:
        if wanted and self.state is OutputState.UNWANTED:
            self.failures, self._stop_heard = 0, False
            self._enter(OutputState.UNKNOWN, at)
        elif not wanted:
            self._enter(OutputState.UNWANTED, at)

    def _on_output_state(self, at: float, word: str) -> None:
        self._hears = True
        if word in ("STARTING", "STARTED"):
            self._stop_heard = False
        elif word == "STOPPING":
            self._stop_heard, self._own_stop = not self._own_stop, False
        elif word == "STOPPED" and self.state is OutputState.STARTING and not self._stop_heard:
            self._fail(at, LAST_TRY)

    def _see(self, seen: OutputSeen) -> tuple[OutputCommand, ...]:
        if seen.gap or seen.fresh:
            self._hears = self._stop_heard = self._own_stop = False
        if self.state is OutputState.UNWANTED:
            return ()
        if seen.fresh:
            self.failures = 0
            self._enter(OutputState.UNKNOWN, seen.at)
        if seen.active or seen.reconnecting:
            return self._see_active(seen)
        return self._see_inactive(seen.at)

    def _see_active(self, seen: OutputSeen) -> tuple[OutputCommand, ...]:
        if self.state is OutputState.STOPPING:
            if seen.at - self._since < START_PATIENCE:
                return ()
            if seen.reconnecting:
                return self._stop(seen.at, "it has not stopped yet")
        if not seen.reconnecting:
            self._own_stop = False
            self._enter_once(OutputState.RUNNING, seen.at)
            if seen.at - self._since >= STEADY_AFTER:
                self.failures = 0
            return ()
        self._enter_once(OutputState.RECONNECTING, seen.at)
        if self._stop_heard or seen.at - self._since < STUCK_AFTER:
            return ()
        self.failures += 1
        return self._stop(seen.at, f"it has been reconnecting for {seen.at - self._since:.0f} s")

    def _see_inactive(self, at: float) -> tuple[OutputCommand, ...]:
        match self.state:
            case OutputState.RUNNING | OutputState.RECONNECTING:
                self._enter(OutputState.STOPPED, at)
            case OutputState.STOPPED if self._stop_heard or not self._hears:
                self._enter(OutputState.BY_HAND, at)
            case OutputState.STOPPED:
                self._fail(at, "it has stopped by itself")
            case OutputState.STARTING | OutputState.WAITING if self._stop_heard:
                self._enter(OutputState.BY_HAND, at)
            case OutputState.STARTING if at - self._since >= START_PATIENCE:
                self._fail(at, LAST_TRY)
            case OutputState.STOPPING:
                self._why = "it was stuck"
                self._enter(OutputState.WAITING, at)
            case OutputState.UNKNOWN:
                return self._start(at, "it does not stream")
        if self.state is OutputState.WAITING and at - self._since >= self._pause():
            return self._start(at, self._why)
        return ()

    # --- helpers ---------------------------------------------------------------------------------------------

    def _start(self, at: float, reason: str) -> tuple[OutputCommand, ...]:
        self._stop_heard = False
        self._enter(OutputState.STARTING, at)
        return (StartOutput(reason),)

    def _stop(self, at: float, reason: str) -> tuple[OutputCommand, ...]:
        self._own_stop = True
        self._enter(OutputState.STOPPING, at)
        return (StopOutput(reason),)

    def _fail(self, at: float, why: str) -> None:
        self.failures += 1
        self._why = why
        self._enter(OutputState.WAITING, at)

    def _pause(self) -> float:
        return 0.0 if self.failures <= 1 else backoff(PAUSE_FIRST, PAUSE_MOST, self.failures - 1)

    def _enter(self, state: OutputState, at: float) -> None:
        self.state, self._since = state, at

    def _enter_once(self, state: OutputState, at: float) -> None:
        if self.state is not state:
            self._enter(state, at)
