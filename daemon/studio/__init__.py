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
from daemon.studio.obs import Obs, RenderStats
from daemon.studio.process import free_port
from daemon.studio.publisher import Delivers, Look, Publisher
from daemon.studio.recording import analyse
from daemon.studio.scene import Canvas, Item, colour_box, default_overlays, text
from daemon.studio.studio import Studio
from daemon.studio.verdict import BLANK, SILENT, UNKNOWN, Frozen, Silence, Span, Verdict

__all__ = [
    "BLANK",
    "SILENT",
    "UNKNOWN",
    "Canvas",
    "Delivers",
    "Frozen",
    "Item",
    "Look",
    "MissingProgramsError",
    "Nginx",
    "Obs",
    "ObsCallError",
    "PublishError",
    "Publisher",
    "RecordingError",
    "RenderStats",
    "Silence",
    "Span",
    "StartError",
    "Studio",
    "StudioError",
    "Verdict",
    "analyse",
    "colour_box",
    "default_overlays",
    "free_port",
    "text",
]
