"""The two kinds of input, one class each: what OBS is told when one is made for a stream."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from daemon.config.model import Sources
from daemon.obs import pipeline
from statemachine.ways import Way

GSTREAMER = "gstreamer-source"
FFMPEG = "ffmpeg_source"
ENHANCED = ("hevc", "av1", "vp9")
"""Video codecs that RTMP carries in its enhanced form alone."""


class Source(Protocol):
    """One kind of input."""

    @property
    def kind(self) -> str:
        """OBS's name for it."""

    def settings(self, url: str, sources: Sources, way: Way = "aac") -> dict[str, Any]:
        """The input's settings for playing ``url``. Raises ValueError on a URL outside the allow-list."""

    def url(self, settings: Mapping[str, Any]) -> str | None:
        """What an input with these settings plays."""


class GstreamerSource:
    """obs-gstreamer's source."""

    kind = GSTREAMER

    def settings(self, url: str, sources: Sources, way: Way = "aac") -> dict[str, Any]:
        """The pipeline, the seed's properties, and the names that obs-gstreamer reads in their place."""
        own = sources.properties
        return {
            # Names that builds of the plugin may know and a936d45 does not.
            **own.model_dump(),
            "pipeline": pipeline.build(url, sources.pipeline, width=sources.width, height=sources.height, way=way),
            "use_timestamps_video": own.use_timestamps_video,
            "use_timestamps_audio": own.use_timestamps_audio,
            "sync_appsink_video": own.sync_appsinks,
            "sync_appsink_audio": own.sync_appsinks,
            "disable_async_appsink_video": False,
            # Waiting for a first sound, the sink would keep a silent stream from playing.
            "disable_async_appsink_audio": pipeline.way_by(sources.pipeline, way) == "aac",
            "restart_on_eos": own.restart_on_eos,
            "restart_on_error": own.restart_on_error,
            "restart_timeout": own.restart_timeout,
            # The plugin's default is true: a hidden input would never start.
            "stop_on_hide": False,
            "clear_on_end": True,
            "block_video": False,
            "block_audio": False,
            "drop_video": own.drop_on_latency,
            "drop_audio": own.drop_on_latency,
            "no_buffer": False,
            "latency": 0,
            "ntp_server": "",
            "ntp_port": 123,
        }

    def url(self, settings: Mapping[str, Any]) -> str | None:
        """The location in its pipeline."""
        text = settings.get("pipeline")
        return pipeline.location(text) if isinstance(text, str) else None


class FfmpegSource:
    """OBS's own media source."""

    kind = FFMPEG

    def settings(self, url: str, sources: Sources, way: Way = "aac") -> dict[str, Any]:
        """A network stream that neither restarts nor closes when it is shown or hidden."""
        own = sources.ffmpeg
        return {
            "input": pipeline.checked_url(url),
            "input_format": own.input_format,
            "ffmpeg_options": own.ffmpeg_options,
            "buffering_mb": own.buffering_mb,
            "reconnect_delay_sec": own.reconnect_delay_sec,
            "is_local_file": False,
            # The defaults of these two restart it at the very moment of the swap.
            "restart_on_activate": False,
            "close_when_inactive": False,
            "hw_decode": False,
            "clear_on_media_end": True,
            "seekable": False,
            # OBS would write the URL, and the key in it, into its own log.
            "log_changes": False,
        }

    def url(self, settings: Mapping[str, Any]) -> str | None:
        """Its input, where it does not play a local file, which it does unless it is told otherwise."""
        text = settings.get("input")
        return text if isinstance(text, str) and text and settings.get("is_local_file") is False else None


def unplayable(kind: str, version: str) -> tuple[str, ...]:
    """The video codecs in RTMP that OBS of that version cannot play with inputs of ``sources.kind``.

    FFmpeg reads enhanced RTMP from 6.1 on, which OBS brings along from 30.2 on; what a GStreamer pipeline reads, OBS
    does not tell.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if kind == "gstreamer" or numbers is None or (int(numbers[1]), int(numbers[2])) >= (30, 2):
        return ()
    return ENHANCED


SOURCES: Mapping[str, Source] = {GSTREAMER: GstreamerSource(), FFMPEG: FfmpegSource()}


def choose(kind: str, there: Collection[str]) -> Source:
    """The source for ``sources.kind``; ``auto`` takes gstreamer where it is among the kinds that OBS has."""
    gstreamer = kind == "gstreamer" or (kind == "auto" and GSTREAMER in there)
    return SOURCES[GSTREAMER if gstreamer else FFMPEG]
