"""How an input plays: the media of one input as a function of the clock, its stream and what OBS does to it.

A medium is advanced by `settle(now)` up to a time; between two settlings its stream does not change, so every moment in
between (PLAYING said, first frame, buffer dry, a reconnect) comes out exact however seldom it is settled.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.obs_streams import Stream, Streams, location_of, waits_for_sound

NONE = "OBS_MEDIA_STATE_NONE"
OPENING = "OBS_MEDIA_STATE_OPENING"
BUFFERING = "OBS_MEDIA_STATE_BUFFERING"
PLAYING = "OBS_MEDIA_STATE_PLAYING"
PAUSED = "OBS_MEDIA_STATE_PAUSED"
STOPPED = "OBS_MEDIA_STATE_STOPPED"
ENDED = "OBS_MEDIA_STATE_ENDED"
ERROR = "OBS_MEDIA_STATE_ERROR"

_BUFFER = 0.5  # seconds still to play when the whole stream is taken out of the table
_TEST_PICTURE = Stream(0.05)


@dataclass
class Timing:
    """Delays of the players themselves, in seconds, as measured on OBS 29.0.2.

    playing_after: a gstreamer pipeline's start to the state PLAYING, which is before any frame.
    restart_blank: ffmpeg_source, restarted by being shown while connected, to its next picture.
    restart_again: the same, restarted while it plays.
    end_after: ffmpeg_source, told to stop, to ENDED.
    """

    playing_after: float = 0.08
    restart_blank: float = 0.3
    restart_again: float = 0.07
    end_after: float = 0.07


class Medium:
    """What an input shows and how it plays. This one has no media: its size follows from its settings alone.

    settings: the effective ones, defaults included.
    state: an ObsMediaState; cursor: milliseconds; picture: there is one to show; frozen: it is a stream's, and stands
    still; still: two screenshots of it are alike; lost_pipelines: leaked by showing an input that had failed to start.
    """

    controllable = False

    def __init__(self, settings: dict[str, Any], measure: Callable[[dict[str, Any]], tuple[int, int]]) -> None:
        self._measure = measure
        self.settings = settings
        self.state = NONE
        self.size = measure(settings)
        self.picture = self.size != (0, 0)
        self.cursor = 0.0
        self.frozen = False
        self.still = True
        self.lost_pipelines = 0

    @property
    def drawn(self) -> bool:
        """OBS has something to draw of it. A stream's picture is only there once it was rendered while it was due."""
        return True

    @property
    def stale(self) -> bool:
        """What OBS would draw is not the newest picture: that came and went while nobody rendered it."""
        return False

    @property
    def due(self) -> bool:
        """A picture was due in OBS's last frame, and was not rendered yet."""
        return False

    @property
    def image(self) -> int:
        """A number of what OBS would draw: two alike are the same picture."""
        return 0

    def settle(self, now: float) -> None:
        """Bring it up to the time `now`."""

    def tick(self, *, rendered: bool, behind: float = 0.0) -> None:
        """A frame of OBS's: a picture that is due is taken, and dropped in the next one unless it was rendered.

        behind: seconds since the frame was due; what has come in meanwhile is the next one's.
        """

    def render(self) -> None:
        """It is rendered: as part of the program, or for a screenshot."""

    def replan(self) -> None:
        """The stream table has changed since it was last settled."""

    def update(self, now: float, settings: dict[str, Any], showing: bool) -> None:
        self.settings = settings
        self.size = self._measure(settings)
        self.picture = self.size != (0, 0)

    def shown(self, now: float) -> None:
        """It has come into the program."""

    def hidden(self, now: float) -> None:
        """It has left the program."""

    def removed(self, now: float) -> None:
        """Its input is destroyed."""

    def ended(self, now: float, stream: Stream, error: bool) -> None:
        """The stream has ended or broken for everyone who plays it."""

    def act(self, now: float, action: str) -> None:
        """PLAY, PAUSE, STOP or RESTART."""


class StreamMedium(Medium, ABC):
    """What both stream players share: connecting, the first frame, a cursor that moves while frames arrive."""

    controllable = True

    def __init__(
        self,
        now: float,
        settings: dict[str, Any],
        streams: Streams,
        timing: Timing,
        emit: Callable[[str, dict[str, Any]], None],
    ) -> None:
        super().__init__(settings, lambda _: (0, 0))
        self._at = now
        self._streams = streams
        self._timing = timing
        self._emit = emit
        self._due: dict[str, float] = {}  # what happens when: playing, frame, failure, restart, end
        self._connected_at: float | None = None
        self._flowing = False  # frames come in, or would if the stream delivered
        self._left = math.inf  # seconds of picture left while the stream does not deliver
        self._number = -1  # of the stream's frame that was due last
        self._taken = 0  # pictures that were due so far
        self._due_now = False
        self._texture = 0  # the picture in OBS's texture; 0: none yet

    # What OBS draws of it (async_tick and obs_source_update_async_video in libobs's obs-source.c)

    @property
    def _moving(self) -> bool:
        return self.picture and not self.frozen

    @property
    def _steady(self) -> bool:
        """A picture is due in every frame of OBS's."""
        stream = self.stream()
        return self._moving and (stream is None or stream.fps is None)

    @property
    def drawn(self) -> bool:
        return self._texture > 0 or self._steady

    @property
    def stale(self) -> bool:
        return self._texture != self._taken and not self._steady

    @property
    def due(self) -> bool:
        return self._due_now

    @property
    def image(self) -> int:
        return 0 if self.still else self._texture

    def tick(self, *, rendered: bool, behind: float = 0.0) -> None:
        stream = self.stream()
        fps = stream.fps if stream is not None else None
        number = self._number if fps is None else math.floor((self.cursor / 1000 - behind) * fps)
        self._due_now = self._moving and (fps is None or number != self._number)
        self._number = number
        self._taken += self._due_now
        if rendered:
            self.render()

    def render(self) -> None:
        if self._due_now:
            self._due_now = False
            self._texture = self._taken

    # What a player looks at

    @property
    @abstractmethod
    def url(self) -> str:
        """Where its stream comes from, by its settings."""

    def stream(self) -> Stream | None:
        return self._streams.find(self.url)

    def _delivering(self) -> bool:
        stream = self.stream()
        return stream is not None and stream.delivering

    # Time

    def hasten(self, name: str) -> None:
        """Let happen at the next look what is due later: playing, buffered, frame."""
        assert name in self._due, f"{name} is not due"
        self._due[name] = self._at

    def settle(self, now: float) -> None:
        while self._due:
            name = min(self._due, key=lambda key: self._due[key])
            at = self._due[name]
            if at > now:
                break
            self._flow(max(at, self._at))
            self._due.pop(name, None)
            self._happen(name, max(at, self._at))
        self._flow(now)

    def _flow(self, now: float) -> None:
        elapsed = max(now - self._at, 0.0)
        self._at = max(now, self._at)
        moving = self._flowing and self.state in {PLAYING, BUFFERING}
        if moving:
            if not self._delivering():
                elapsed = min(elapsed, self._left)
                self._left -= elapsed
                moving = self._left > 0
            self.cursor += elapsed * 1000
        self.frozen = self.picture and not moving

    def replan(self) -> None:
        """The stream table has changed: frames may start to come, or have a buffer's length to go."""
        now = self._at
        stream = self.stream()
        if self._flowing:
            if self._delivering():
                self._left = math.inf
            elif self._left == math.inf:
                self._left = stream.buffer if stream is not None else _BUFFER
        elif self._connected_at is not None:
            if stream is None or not stream.greets:
                self._due.pop("frame", None)
            elif "frame" not in self._due:
                self._plan_frame(now)

    def _connect(self, now: float) -> None:
        """Open the connection. No frame comes before `_plan_frame` says so."""
        self._flowing = False
        self._left = math.inf
        self._connected_at = now
        stream = self.stream()
        if stream is not None and stream.refused:
            self._due["failure"] = now + 0.01
        else:
            self._plan_frame(now)

    def _plan_frame(self, now: float) -> None:
        stream = self.stream()
        if stream is not None and stream.first_frame_after is not None and stream.greets:
            self._due["frame"] = now + stream.first_frame_after

    def _first_frame(self) -> None:
        stream = self.stream()
        assert stream is not None
        self._flowing = True
        self._left = stream.cached if stream.frozen else math.inf
        self.picture = True
        self.still = stream.still
        if self.size != (stream.width, stream.height):
            self._texture = 0
        self.size = (stream.width, stream.height)
        if self.cursor == 0:
            self.cursor = float(stream.cursor)

    def _close(self) -> None:
        self._connected_at = None
        self._flowing = False
        self.frozen = False
        for name in ("playing", "buffered", "frame", "failure", "end"):
            self._due.pop(name, None)

    def _blank(self) -> None:
        self.picture = False
        self.size = (0, 0)

    @abstractmethod
    def _happen(self, name: str, now: float) -> None:
        """What was due at that time, by its name."""


class GStreamerMedium(StreamMedium):
    """obs-gstreamer's source, read from its gstreamer-source.c. It emits no media events at all."""

    def __init__(self, now: float, settings: dict[str, Any], *rest: Any) -> None:
        super().__init__(now, settings, *rest)
        self._started = False  # its thread runs
        self._pipe = False  # and has a pipeline, which may have failed since
        if not settings["stop_on_hide"]:
            self._start(now)

    @property
    def url(self) -> str:
        return location_of(str(self.settings["pipeline"])) or ""

    def stream(self) -> Stream | None:
        if not self.url and "videotestsrc" in str(self.settings["pipeline"]):
            return _TEST_PICTURE
        return super().stream()

    def _plan_frame(self, now: float) -> None:
        stream = self.stream()
        if stream is not None and (stream.sound or not waits_for_sound(self.settings)):
            super()._plan_frame(now)

    def _start(self, now: float) -> None:
        self._started = True
        self.state = OPENING
        self.cursor = 0.0
        lacks = any(element in self.settings["pipeline"].split() for element in self._streams.missing_elements)
        if lacks or (not self.url and self.stream() is None):  # gst_parse_launch would refuse it
            self.state = ERROR
            self._blank()
            return
        self._pipe = True
        self._connect(now)
        if "failure" not in self._due:
            self._due["playing"] = now + self._timing.playing_after

    def _stop(self) -> None:
        if self._started:
            self._started = self._pipe = False
            self._close()
            self._due.clear()
            self.state = STOPPED
            self._blank()

    def _happen(self, name: str, now: float) -> None:
        stream = self.stream()
        if name == "playing":
            self.state = PLAYING
            if stream is not None and stream.buffering > 0:
                self.state = BUFFERING
                self._due["buffered"] = now + stream.buffering
        elif name == "buffered":
            self.state = PLAYING
        elif name == "frame":
            self._first_frame()
            if self.state == OPENING:
                self._due.pop("playing", None)
                self.state = PLAYING
        elif name == "failure":
            self._over(now, ERROR, "restart_on_error")
        elif name == "restart":
            self._start(now)

    def _over(self, now: float, state: str, restart: str) -> None:
        self._close()
        self.state = state
        if self.settings["clear_on_end"]:
            self._blank()
        if self.settings[restart]:
            self._due["restart"] = now + self.settings["restart_timeout"] / 1000

    def ended(self, now: float, stream: Stream, error: bool) -> None:
        if self._connected_at is not None and self.stream() is stream:
            self._over(now, ERROR if error else ENDED, "restart_on_error" if error else "restart_on_eos")

    def update(self, now: float, settings: dict[str, Any], showing: bool) -> None:
        self.settings = settings
        self._stop()
        if not settings["stop_on_hide"] or showing:
            self._start(now)

    def shown(self, now: float) -> None:
        if not self._pipe:
            if self._started:
                self.lost_pipelines += 1  # gstreamer_source_show starts a second thread and forgets the first
            self._start(now)

    def hidden(self, now: float) -> None:
        if self.settings["stop_on_hide"]:
            self._stop()

    def removed(self, now: float) -> None:
        self._stop()

    def act(self, now: float, action: str) -> None:
        if not self._started:
            return
        if action == "RESTART":
            self._due.pop("restart", None)
            self._close()
            self._start(now)
        elif action == "STOP":  # the last picture stays: the plugin clears it only on hide, end and error
            self._pipe = False
            self._close()
            self.state = STOPPED
        elif self._pipe:
            self.state = PLAYING if action == "PLAY" else PAUSED
