"""What may be amiss with the show: one row an issue, with its weight, how grave it is, and all that is said of it.

The score, the metrics, the notifications, the page and docs/stream-health.md go by these rows. They describe the show
to people. What is done about it is decided in statemachine/monitors, by measurements of its own, and when an issue
counts as trouble in statemachine/notices, by the seconds that stand here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from daemon.core.readings import DEAD
from daemon.health.samples import Sample
from statemachine.monitors.quantities import QUANTITIES

STALL_SPAN: Final = 4.0
"""Seconds from a stall to one that nobody overlooks."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The configuration's share in it."""

    stall: float = 1.0
    """Seconds that a picture may stand still."""
    low_bitrate: float = 250.0
    """kbit/s below which a stream counts as poor; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class Told:
    """How an issue is told to people, how it is told to be over, and after how many seconds."""

    text: str
    over: str
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that may be amiss."""

    name: str
    weight: float
    """What it takes off the score where it is as grave as can be."""
    over: Literal["now", "mean", "any"]
    """What it is judged by: the last sample, the mean of the last seconds, or the worst of them."""
    bounds: str
    """None up to, in full from: as the documentation has it."""
    gravity: Callable[[Sample, Thresholds], float]
    """From 0 to 1."""
    advice: str
    """What it means for the show, and what to look at; empty where a check of ``/readyz`` says so."""
    told: Told | None = None
    """None where it is told in another way, or is no trouble."""


def ramp(value: float | None, none: float, full: float) -> float:
    """0 up to ``none``, 1 from ``full``, even in between; 0 for a value that is not known."""
    return 0.0 if value is None else min(1.0, max(0.0, (value - none) / (full - none)))


def is_stalled(sample: Sample, limits: Thresholds) -> bool:
    """Somebody is on air, and the picture has stood still for longer than it may."""
    return sample.connected and bool(sample.input) and (sample.state in DEAD or sample.still >= limits.stall)


def is_blank(sample: Sample) -> bool:
    """Nobody is on air, although somebody publishes."""
    return not sample.input and sample.waiting > 0


def _stalled(sample: Sample, limits: Thresholds) -> float:
    if not is_stalled(sample, limits):
        return 0.0
    if sample.state in DEAD:
        return 1.0
    return 0.5 + 0.5 * ramp(sample.still, limits.stall, limits.stall + STALL_SPAN)


def _stuttering(sample: Sample, _: Thresholds) -> float:
    off = None if sample.progress is None else abs(1.0 - sample.progress)
    return max(ramp(off, 0.15, 0.6), ramp(sample.jitter, 150.0, 600.0))


def _low_bitrate(sample: Sample, limits: Thresholds) -> float:
    if sample.bitrate is None or limits.low_bitrate <= 0:
        return 0.0
    return ramp(limits.low_bitrate - sample.bitrate, 0.0, limits.low_bitrate)


def _is_amiss(quantity: str) -> Callable[[Sample, Thresholds], float]:
    return lambda sample, _: float(quantity in sample.amiss)


QUALITY: Final = {
    "sound": "no sound for 4.5 s",
    "light": "a black picture for 2.5 s",
    "motion": "nothing moves for 2.5 s, where `quality.frozen…` has something done about it",
    "loudness": "below -29 LUFS for 5 s",
    "clipping": "30 % of the last 5 s are cut off at the top",
    "balance": "20 dB between the channels for 10 s",
    "phase": "the channels are each other's inverse for 10 s",
    "drift": "sound and picture are 0.5 s apart for 10 s",
    "rate": "32,000 samples a second or fewer for 5 s",
}
"""From where on each quantity is an issue."""
ADVICE: Final = {
    "sound": "The stream has no sound. Tell the streamer.",
    "light": "The picture is black. Tell the streamer.",
    "motion": "Nothing moves in the picture. Tell the streamer.",
    "loudness": "The sound is too quiet. Tell the streamer, or set sources.target_loudness.",
    "clipping": "The sound is distorted: its peaks are cut off. Tell the streamer.",
    "balance": "One channel of the sound is all but silent. Tell the streamer.",
    "phase": "One channel of the sound is inverted. Tell the streamer.",
    "drift": "Sound and picture have drifted apart. Tell the streamer.",
    "rate": "The sound has too few samples a second. Tell the streamer.",
}

ISSUES: Final = (
    Issue(
        "obs_unreachable",
        100,
        "now",
        "OBS is not connected",
        lambda sample, _: float(not sample.connected),
        "",
    ),
    Issue(
        "nobody_on_air",
        100,
        "now",
        "somebody publishes, but nobody is on air; named without a penalty if nobody publishes",
        lambda sample, _: float(is_blank(sample)),
        "Somebody is publishing, but there is no picture. The line-up shows who.",
    ),
    Issue(
        "program_elsewhere",
        100,
        "now",
        "somebody is on air, and viewers are shown another scene",
        lambda sample, _: float(sample.hidden),
        "Viewers are shown another scene. Hand-overs go on behind it.",
    ),
    Issue(
        "stalled",
        100,
        "now",
        "half from `health.stall` seconds without a new picture, in full 4 s later",
        _stalled,
        "The picture has stalled. The next streamer follows automatically, if there is one.",
        Told("the picture on air has stalled", "the picture on air has resumed", 10.0),
    ),
    Issue(
        "no_bitrate",
        60,
        "now",
        "the ingest server receives nothing",
        lambda sample, _: float(sample.bitrate is not None and sample.bitrate <= 0),
        "The RTMP server receives nothing. The streamer's connection or encoder has stopped.",
        Told("the RTMP server receives nothing from the streamer on air", "the RTMP server receives data again", 15.0),
    ),
    Issue(
        "studio_mode",
        40,
        "now",
        "it is on, and `obs.studio_mode` is hold: no hand-over",
        lambda sample, _: float(sample.held),
        "No hand-over until OBS's studio mode is switched off.",
    ),
    Issue(
        "input_stuck",
        10,
        "now",
        "data arrives, but the picture stands still: OBS's input is stuck, not the stream",
        lambda sample, _: float(sample.stuck),
        "The stream arrives, but OBS does not play it. Skip to create a fresh input.",
        Told("OBS's input is stuck, though the stream arrives", "OBS's input plays again", 15.0),
    ),
    Issue(
        "stuttering",
        40,
        "mean",
        "the picture's pace is 15 % off, 60 %; or strays by 150 ms, 600 ms",
        _stuttering,
        "The picture plays unevenly. Check the streamer's connection.",
        Told("the picture on air stutters", "the picture on air plays evenly again"),
    ),
    Issue(
        "low_bitrate",
        40,
        "mean",
        "`health.low_bitrate`, 0 kbit/s",
        _low_bitrate,
        "The bitrate is too low. Check the streamer's connection and encoder.",
    ),
    Issue(
        "render_lag",
        40,
        "mean",
        "1 % of the frames, 20 %",
        lambda sample, _: ramp(sample.render_lag, 0.01, 0.2),
        "OBS renders too slowly. Simplify its scenes, or use a smaller canvas.",
        Told("OBS renders too slowly: frames come late", "OBS renders on time again"),
    ),
    Issue(
        "encoder_lag",
        40,
        "mean",
        "1 % of the frames, 20 %",
        lambda sample, _: ramp(sample.encoder_lag, 0.01, 0.2),
        "OBS encodes too slowly. Use a faster preset or a lower frame rate.",
        Told("OBS encodes too slowly: frames are skipped", "OBS encodes on time again"),
    ),
    Issue(
        "dropped_frames",
        40,
        "mean",
        "1 % of the frames, 20 %",
        lambda sample, _: ramp(sample.dropped, 0.01, 0.2),
        "The network cannot keep up with OBS's output. Lower its bitrate.",
        Told(
            "the network cannot keep up with OBS's output: frames are dropped",
            "the network keeps up with OBS's output again",
        ),
    ),
    *(
        Issue(
            row.reason or name,
            30,
            "now",
            f"{QUALITY[name]}, if something measures it",
            _is_amiss(name),
            ADVICE[name],
        )
        for name, row in QUANTITIES.items()
    ),
    Issue(
        "picture_size_changed",
        10,
        "any",
        "it has changed at all",
        lambda sample, _: float(sample.resized),
        "The picture size has changed. It is fitted to the canvas.",
    ),
)
"""All of them. Of two that are as grave, the first is named first."""

BY_NAME: Final[Mapping[str, Issue]] = {issue.name: issue for issue in ISSUES}
