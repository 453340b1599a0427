"""A throw-away real studio for `motherstream demo`, the end-to-end tests and the benchmarks."""

from daemon.studio.errors import (
    MissingProgramsError,
    ObsCallError,
    PublishError,
    RecordingError,
    StartError,
    StudioError,
)
from daemon.studio.nginx import Nginx
from daemon.studio.obs import RenderStats, StudioObs
from daemon.studio.ports import free_port
from daemon.studio.publisher import Appearance, Delivers, Publisher
from daemon.studio.recording import analyse
from daemon.studio.scene import Box, Canvas, Item, colour_box, default_overlays, text
from daemon.studio.spoiling import Spoilt
from daemon.studio.studio import Studio
from daemon.studio.verdict import BLANK, SILENT, UNKNOWN, Frozen, RecordingVerdict, SilentSpan, Span

__all__ = [
    "BLANK",
    "SILENT",
    "UNKNOWN",
    "Appearance",
    "Box",
    "Canvas",
    "Delivers",
    "Frozen",
    "Item",
    "MissingProgramsError",
    "Nginx",
    "ObsCallError",
    "PublishError",
    "Publisher",
    "RecordingError",
    "RecordingVerdict",
    "RenderStats",
    "SilentSpan",
    "Span",
    "Spoilt",
    "StartError",
    "Studio",
    "StudioError",
    "StudioObs",
    "analyse",
    "colour_box",
    "default_overlays",
    "free_port",
    "text",
]
