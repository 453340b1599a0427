"""The kinds of input and filter that the fake knows, with their defaults as real ones report them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

GSTREAMER = "gstreamer-source"
FFMPEG = "ffmpeg_source"

Settings = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of input: its versioned and plain name, defaults, whether it has audio, its output flags as libobs has
    them, and its size by settings."""

    name: str
    unversioned: str
    defaults: Settings
    audio: bool = False
    flags: int = 1
    measure: Callable[[Settings], tuple[int, int]] = lambda settings: (0, 0)


def _kind(name: str, defaults: Settings, **more: Any) -> Kind:
    unversioned = name.rsplit("_v", 1)[0] if name.rsplit("_v", 1)[-1].isdigit() else name
    return Kind(name, unversioned, defaults, **more)


# In the order in which OBS lists them; obs-gstreamer's comes last, as a plugin of one's own does.
_KINDS = (
    _kind(
        "image_source",
        {"linear_alpha": False, "unload": False},
        measure=lambda settings: (1920, 1080) if settings.get("file") else (0, 0),
    ),
    _kind(
        "color_source_v3",
        {"color": 4291940817, "height": 1080, "width": 1920},
        flags=32777,
        measure=lambda settings: (settings["width"], settings["height"]),
    ),
    _kind(
        "slideshow",
        {
            "loop": True,
            "playback_behavior": "always_play",
            "slide_mode": "mode_auto",
            "slide_time": 8000,
            "transition": "fade",
            "transition_speed": 700,
            "use_custom_size": "Automatic",
        },
    ),
    _kind(
        "xshm_input",
        {
            "advanced": False,
            "cut_bot": 0,
            "cut_left": 0,
            "cut_right": 0,
            "cut_top": 0,
            "screen": 0,
            "show_cursor": True,
        },
        measure=lambda settings: (1024, 768),
    ),
    _kind("pulse_input_capture", {"device_id": "default"}, audio=True),
    _kind("pulse_output_capture", {"device_id": "default"}, audio=True),
    _kind(
        "v4l2_input",
        {
            "auto_reset": False,
            "buffering": True,
            "color_range": 0,
            "dv_timing": -1,
            "framerate": -1,
            "input": -1,
            "pixelformat": -1,
            "resolution": -1,
            "standard": -1,
            "timeout_frames": 5,
        },
    ),
    _kind(
        FFMPEG,
        {
            "buffering_mb": 2,
            "clear_on_media_end": True,
            "is_local_file": True,
            "linear_alpha": False,
            "looping": False,
            "reconnect_delay_sec": 10,
            "restart_on_activate": True,
            "speed_percent": 100,
        },
        audio=True,
        flags=8327,
    ),
    _kind(
        "text_ft2_source_v2",
        {
            "antialiasing": True,
            "color1": 4294967295,
            "color2": 4294967295,
            "drop_shadow": False,
            "font": {"face": "Sans Serif", "flags": 0, "size": 256, "style": ""},
            "log_lines": 6,
            "outline": False,
            "word_wrap": False,
        },
        measure=lambda settings: (96 * len(str(settings["text"])), 256) if settings.get("text") else (0, 0),
    ),
    _kind(
        GSTREAMER,
        {
            "pipeline": (
                "videotestsrc is-live=true ! video/x-raw, framerate=30/1, width=960, height=540 ! video. "
                "audiotestsrc wave=ticks is-live=true ! audio/x-raw, channels=2, rate=44100 ! audio."
            ),
            "use_timestamps_video": True,
            "use_timestamps_audio": True,
            "sync_appsink_video": True,
            "sync_appsink_audio": True,
            "disable_async_appsink_video": False,
            "disable_async_appsink_audio": False,
            "restart_on_eos": True,
            "restart_on_error": False,
            "restart_timeout": 2000,
            "no_buffer": False,
            "latency": 0,
            "ntp_server": "",
            "ntp_port": 123,
            "stop_on_hide": True,
            "block_video": False,
            "block_audio": False,
            "drop_video": False,
            "drop_audio": False,
            "clear_on_end": True,
        },
        audio=True,
    ),
)

# Since which OBS a kind has another name, or other defaults; None: no more.
_CHANGES: tuple[tuple[int, str, str, Settings], ...] = (
    (30, "slideshow", "slideshow_v2", {"slide_time": 2000, "use_custom_size": "1920x1080"}),
    (30, FFMPEG, FFMPEG, {"log_changes": True}),
    (31, "slideshow_v2", "slideshow_v2", {"loop": None, "playback_mode": "loop"}),
    (31, "xshm_input", "xshm_input_v2", {"screen": -1}),
)

FILTERS: dict[str, Settings] = {
    "color_filter_v2": {
        "brightness": 0.0,
        "color_add": 0,
        "color_multiply": 16777215,
        "contrast": 0.0,
        "gamma": 0.0,
        "hue_shift": 0.0,
        "opacity": 1.0,
        "saturation": 0.0,
    },
    "color_filter": {
        "brightness": 0.0,
        "color": 16777215,
        "contrast": 0.0,
        "gamma": 0.0,
        "hue_shift": 0.0,
        "opacity": 100,
        "saturation": 0.0,
    },
    "crop_filter": {"relative": True},
    "gain_filter": {"db": 0.0},
    "mask_filter_v2": {"color": 16777215, "opacity": 1.0, "type": "mask_color_filter.effect"},
    "scale_filter": {"resolution": "None", "sampling": "bicubic", "undistort": False},
    "scroll_filter": {"cx": 100, "cy": 100, "limit_size": False, "loop": True},
}


def input_kinds(major: int, *, gstreamer: bool) -> dict[str, Kind]:
    """Every kind of that OBS by its name, obs-gstreamer's only where the plugin is loaded."""
    kinds = [kind for kind in _KINDS if gstreamer or kind.name != GSTREAMER]
    for since, old, new, changes in _CHANGES:
        if since <= major:
            kinds = [_changed(kind, new, changes) if kind.name == old else kind for kind in kinds]
    return {kind.name: kind for kind in kinds}


def _changed(kind: Kind, name: str, changes: Settings) -> Kind:
    defaults = {key: value for key, value in (kind.defaults | changes).items() if value is not None}
    return replace(kind, name=name, defaults=defaults)


def clean_settings(settings: Settings) -> Settings:
    """Settings as they come back from libobs: no nulls, and of an array only its objects."""
    cleaned: Settings = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            cleaned[key] = clean_settings(value)
        elif isinstance(value, list):
            cleaned[key] = [clean_settings(item) for item in value if isinstance(item, dict)]
        elif value is not None:
            cleaned[key] = value
    return cleaned
