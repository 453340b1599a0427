"""OBS's own ffmpeg_source as of 29.0.2, read from obs-ffmpeg-source.c and watched through obs-websocket."""

from typing import Any

from tests.fakes.obs_media import ENDED, PAUSED, PLAYING, STOPPED, StreamMedium
from tests.fakes.obs_streams import Stream

TICK = 1 / 30


class FfmpegMedium(StreamMedium):
    """Says PLAYING when it starts, before the network opens; restarts itself when shown unless told not to."""

    def __init__(self, now: float, settings: dict[str, Any], *rest: Any) -> None:
        super().__init__(now, settings, *rest)
        self._playing = False  # told to play; connected is another matter
        self._showing = False
        self._configure(now)

    @property
    def url(self) -> str:
        return str(self.settings.get("local_file" if self.settings["is_local_file"] else "input", ""))

    @property
    def _reconnect_delay(self) -> float:
        return float(self.settings.get("reconnect_delay_sec") or 10)

    def _configure(self, now: float) -> None:
        if not self.settings.get("close_when_inactive") or self._showing:
            self._open(now)
        if not self.settings["restart_on_activate"] or self._showing:
            self._start(now)

    def _open(self, now: float) -> None:
        if self.url and self._connected_at is None:
            self.cursor = 0.0
            self._connect(now)

    def _start(self, now: float) -> None:
        """The picture goes and PLAYING is said at once; the next frame is a while away even when connected."""
        self._open(now)
        if self._connected_at is None:
            return
        self._playing = True
        self._blank()
        self._due.pop("frame", None)
        stream = self.stream()
        if "failure" not in self._due and stream is not None and stream.greets:
            again = self._timing.restart_again if self._flowing else self._timing.restart_blank
            ready = self._connected_at + (stream.first_frame_after or 0.0)
            self._due["frame"] = ready if self._connected_at == now else max(ready, now + again)
        self._flowing = False
        self.state = PLAYING
        self._emit("MediaInputPlaybackStarted", {})

    def _happen(self, name: str, now: float) -> None:
        if name == "frame":
            self._first_frame()
        elif name in {"failure", "end"}:
            self._over(now)
        elif name == "restart" and self._connected_at is None:
            if not self.settings.get("close_when_inactive") or self._showing:
                self._open(now)
            if not self.settings["restart_on_activate"] or self._showing:
                self._start(now)

    def _over(self, now: float) -> None:
        self._close()
        self._playing = False
        if self.settings["clear_on_media_end"]:
            self._blank()
        self.state = ENDED
        self._emit("MediaInputPlaybackEnded", {})
        if not self.settings["is_local_file"]:
            self._due["restart"] = now + self._reconnect_delay

    def _plan_frame(self, now: float) -> None:
        if self._playing:  # else it is connected and waits to be shown
            super()._plan_frame(now)

    def ended(self, now: float, stream: Stream, error: bool) -> None:
        if self._connected_at is not None and self.stream() is stream:
            self._over(now)

    def update(self, now: float, settings: dict[str, Any], showing: bool) -> None:
        reads = self._connected_at is not None and self._playing and not self.settings["is_local_file"]
        self.settings = settings
        self._close()
        self._due.clear()
        self._playing = False
        self._showing = showing
        self._configure(now)
        if reads and not settings["is_local_file"] and self._connected_at is not None:
            # The old one ends meanwhile, and the next tick takes the new one down for it.
            self._due["end"] = now + TICK

    def shown(self, now: float) -> None:
        self._showing = True
        if self.settings["restart_on_activate"]:
            self._restart(now)

    def _restart(self, now: float) -> None:
        if self._showing:
            self._start(now)
        self.state = PLAYING
        self._emit("MediaInputActionTriggered", {"mediaAction": "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_RESTART"})

    def hidden(self, now: float) -> None:
        self._showing = False
        if self.settings["restart_on_activate"] and self._connected_at is not None:
            self._flowing = False
            self._due.pop("frame", None)
            if self.settings["clear_on_media_end"]:
                self._blank()
            self._due["end"] = now + self._timing.end_after

    def removed(self, now: float) -> None:
        playing = self._showing and self.settings["restart_on_activate"] and self._connected_at is not None
        self._close()
        self._due.clear()
        if playing:
            self._emit("MediaInputPlaybackEnded", {})

    def act(self, now: float, action: str) -> None:
        if action == "RESTART":
            self._restart(now)
            return
        if action == "STOP":
            self._stop(now)
        else:
            self._open(now)
            if self._connected_at is not None:
                self._resume(now, paused=action == "PAUSE")
        self._emit("MediaInputActionTriggered", {"mediaAction": f"OBS_WEBSOCKET_MEDIA_INPUT_ACTION_{action}"})

    def _resume(self, now: float, *, paused: bool) -> None:
        self._playing = True
        if not self._flowing and "frame" not in self._due and "failure" not in self._due:
            self._plan_frame(now)
        self.state = PAUSED if paused else PLAYING
        if not paused:
            self._emit("MediaInputPlaybackStarted", {})

    def _stop(self, now: float) -> None:
        if self._connected_at is not None:
            self._flowing = False
            self._due.pop("frame", None)
            self._blank()
            self.state = STOPPED
            self._due["end"] = now + self._timing.end_after
