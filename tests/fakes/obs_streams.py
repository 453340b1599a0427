"""What the network delivers: a table from stream URL to behaviour, which a test steers while inputs play."""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

_LOCATION = re.compile(r'\blocation\s*=\s*(?:"([^"]*)"|(\S+))')

# Fields whose change a running input feels; the rest is read when an input connects.
_STEERED = frozenset({"first_frame_after", "frozen", "refused"})


class Stream:
    """One stream as an ingest server would serve it. Every attribute may be set while inputs play it.

    first_frame_after: seconds from connecting to the first picture; None: connected, and never a frame.
    frozen: the publisher has stopped (SIGSTOP, SIGKILL or a clean end all look so): an input that plays runs its
      buffer dry and stands still, PLAYING; a newcomer gets only what `cached` holds.
    buffer: seconds of picture still to come when the stream freezes.
    cached: seconds of picture that a newcomer to a frozen stream gets (a server's GOP cache); 0: none.
    refused: connecting fails.
    buffering: seconds for which a gstreamer input says BUFFERING once it could say PLAYING.
    still: the picture does not change while it plays, so two screenshots are alike.
    cursor: the media cursor at the first frame, in milliseconds (ffmpeg_source shows the stream's own timestamps).
    fps: frames a second; None: one for every frame of OBS's.
    sound: whether it has any; a pipeline that waits for a first sound gets no picture without one.
    """

    def __init__(
        self,
        first_frame_after: float | None = 0.2,
        *,
        frozen: bool = False,
        buffer: float = 0.5,
        cached: float = 0.0,
        refused: bool = False,
        buffering: float = 0.0,
        still: bool = False,
        width: int = 1280,
        height: int = 720,
        cursor: int = 0,
        fps: float | None = None,
        sound: bool = True,
    ) -> None:
        self._table: Streams | None = None
        self.first_frame_after = first_frame_after
        self.frozen = frozen
        self.buffer = buffer
        self.cached = cached
        self.refused = refused
        self.buffering = buffering
        self.still = still
        self.width = width
        self.height = height
        self.cursor = cursor
        self.fps = fps
        self.sound = sound

    def __setattr__(self, name: str, value: Any) -> None:
        table = self.__dict__.get("_table")
        if table is None or name not in _STEERED:
            super().__setattr__(name, value)
            return
        table.before_change()
        super().__setattr__(name, value)
        table.after_change()

    @property
    def delivering(self) -> bool:
        """Whoever plays it gets a steady picture."""
        return not self.frozen and self.first_frame_after is not None

    @property
    def greets(self) -> bool:
        """A newcomer gets a first frame, if only out of the server's cache."""
        return self.first_frame_after is not None and (not self.frozen or self.cached > 0)

    def end(self) -> None:
        """The server closes the connection of everyone who plays it: gstreamer says end of stream, ffmpeg ENDED."""
        if self._table is not None:
            self._table.on_end(self)

    def fail(self) -> None:
        """Whoever plays it cannot decode it any more: gstreamer says ERROR, ffmpeg ENDED."""
        if self._table is not None:
            self._table.on_fail(self)


class Streams(MutableMapping[str, Stream]):
    """URL to Stream. A URL that is not there connects and delivers nothing, as ingest servers do before a publish.

    A lookup tries the whole URL, then the URL without its query. `default` serves every URL not in the table.
    """

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}
        self._default: Stream | None = None
        self.missing_elements: set[str] = set()
        """GStreamer's elements that are not installed."""
        self.before_change: Callable[[], None] = lambda: None
        self.after_change: Callable[[], None] = lambda: None
        self.on_end: Callable[[Stream], None] = lambda stream: None
        self.on_fail: Callable[[Stream], None] = lambda stream: None

    def find(self, url: str) -> Stream | None:
        return self._streams.get(url) or self._streams.get(url.partition("?")[0]) or self._default

    @property
    def default(self) -> Stream | None:
        return self._default

    @default.setter
    def default(self, stream: Stream | None) -> None:
        self.before_change()
        self._default = stream
        if stream is not None:
            stream._table = self
        self.after_change()

    def __getitem__(self, url: str) -> Stream:
        return self._streams[url]

    def __setitem__(self, url: str, stream: Stream) -> None:
        self.before_change()
        stream._table = self
        self._streams[url] = stream
        self.after_change()

    def __delitem__(self, url: str) -> None:
        self.before_change()
        del self._streams[url]
        self.after_change()

    def __iter__(self) -> Iterator[str]:
        return iter(self._streams)

    def __len__(self) -> int:
        return len(self._streams)


def waits_for_sound(settings: Mapping[str, Any]) -> bool:
    """Whether a gstreamer input with these settings starts with a first sound only: its sink or a decodebin asks it."""
    pipeline = str(settings["pipeline"])
    sounding = next((branch for branch in pipeline.split(" d.") if " ! audio." in branch), None)
    if sounding is None:
        return False
    sought = "decodebin" in sounding.split() or "decodebin name=d" in pipeline
    return sought or not settings["disable_async_appsink_audio"]


def location_of(pipeline: str) -> str | None:
    """The URL that a GStreamer pipeline reads: the value of its first `location=`, quoted or not."""
    found = _LOCATION.search(pipeline)
    if found is None:
        return None
    return found.group(1) if found.group(1) is not None else found.group(2)
