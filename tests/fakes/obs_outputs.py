"""The stream and the recording: states, their events, and how long they have run."""

from collections.abc import Callable
from typing import Any

from tests.fakes.obs_clock import Clock
from tests.fakes.obs_events import Intent

_SWITCHING = 0.1  # seconds from STARTING to STARTED and from STOPPING to STOPPED


class Output:
    """`fails`: the next start comes to nothing (an unreachable server). `path`: the recording's file, else None."""

    def __init__(
        self,
        clock: Clock,
        emit: Callable[[Intent, str, dict[str, Any]], None],
        event: str,
        path: str | None = None,
    ) -> None:
        self._clock = clock
        self._emit = emit
        self._event = event
        self._since = 0.0
        self.path = path
        self.fails = False
        self.state = "STOPPED"
        self.frames = 0
        self.bytes = 0

    @property
    def active(self) -> bool:
        """As GetStreamStatus has it: also while it reconnects, though the event then says otherwise."""
        return self.state in {"STARTED", "RECONNECTING"}

    @property
    def reconnecting(self) -> bool:
        return self.state == "RECONNECTING"

    def duration(self, fps: int) -> int:
        """Milliseconds; 0 while it does not run."""
        return self.frames * 1000 // fps if self.active else 0

    def start(self) -> None:
        self.frames = self.bytes = 0
        self._enter("STARTING")

    def stop(self) -> None:
        """As asked for."""
        self._enter("STOPPING")

    def break_off(self) -> None:
        """It ends by itself: no STOPPING is told, as measured with OBS 29.0.2."""
        self._enter("STOPPED")

    def lose(self) -> None:
        """The far end is gone, and it reconnects until `recover`, `break_off` or `stop`."""
        self._enter("RECONNECTING")

    def recover(self) -> None:
        self._tell("RECONNECTED")
        self.state = "STARTED"

    def frame(self) -> None:
        if self.state == "STARTED":
            self.frames += 1
            self.bytes += 8000

    def settle(self, now: float) -> None:
        if now >= self._since + _SWITCHING:
            if self.state == "STARTING":
                self._enter("STOPPED" if self.fails else "STARTED")
            elif self.state == "STOPPING":
                self._enter("STOPPED")

    def _enter(self, state: str) -> None:
        self.state = state
        self._since = self._clock.now()
        self._tell(state)

    def _tell(self, state: str) -> None:
        active = state in {"STARTED", "RECONNECTED"}
        data: dict[str, Any] = {"outputActive": active, "outputState": f"OBS_WEBSOCKET_OUTPUT_{state}"}
        if self.path is not None:
            data["outputPath"] = self.path if state in {"STARTED", "STOPPED"} else None
        self._emit(Intent.OUTPUTS, self._event, data)
