"""Samples to a score from 0 to 100 with named issues. Pure; a worse sample never scores higher.

100 less a penalty for each issue, and never below 0. A penalty is the issue's weight times how grave it is, from 0 to
1. What can be told at once is taken from the last sample; what is a rate is the mean of the last WINDOW seconds.

======================  ======  ======  ===================================================================
issue                   weight  of      none up to, in full from
======================  ======  ======  ===================================================================
obs_unreachable            100  now     OBS is not connected
nobody_on_air              100  now     somebody publishes and nobody is on air; named, but free, where nobody does
program_elsewhere          100  now     somebody is on air, and viewers are shown another scene
stalled                    100  now     half from ``stall`` seconds without a new picture, in full 4 s later
no_bitrate                  60  now     the ingest server receives nothing
studio_mode                 40  now     it is on, and ``obs.studio_mode`` is hold: no hand-over is made
input_stuck                 10  now     it receives, and the picture stands still: OBS's input is stuck, not the stream
stuttering                  40  window  the picture's pace is 15 % off, 60 %; or strays by 150 ms, 600 ms
low_bitrate                 40  window  ``low_bitrate``, 0 kbit/s
render_lag                  40  window  1 % of the frames, 20 %
encoder_lag                 40  window  1 % of the frames, 20 %
dropped_frames              40  window  1 % of the frames, 20 %
silent                      30  now     no sound for 5 s, where somebody measures it
picture_size_changed        10  window  it has changed at all
======================  ======  ======  ===================================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Literal

from daemon.core.readings import DEAD
from daemon.health.samples import Sample

WINDOW: Final = 10.0
"""Seconds."""
NAMED_FROM: Final = 0.1
"""How grave a rate has to be on the average to be named: a blip of one sample is part of the score alone."""
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
class Assessment:
    """How the show plays."""

    score: float
    issues: tuple[str, ...] = ()
    """The gravest first."""
    penalties: tuple[tuple[str, float], ...] = ()
    """What each takes off the score, of all that take anything."""


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    weight: float
    over: Literal["now", "mean", "any"]
    gravity: Callable[[Sample, Thresholds], float]


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


_RULES: Final = (
    _Rule("obs_unreachable", 100, "now", lambda sample, _: float(not sample.connected)),
    _Rule("nobody_on_air", 100, "now", lambda sample, _: float(is_blank(sample))),
    _Rule("program_elsewhere", 100, "now", lambda sample, _: float(sample.hidden)),
    _Rule("stalled", 100, "now", _stalled),
    _Rule("no_bitrate", 60, "now", lambda sample, _: float(sample.bitrate is not None and sample.bitrate <= 0)),
    _Rule("studio_mode", 40, "now", lambda sample, _: float(sample.held)),
    _Rule("input_stuck", 10, "now", lambda sample, _: float(sample.stuck)),
    _Rule("stuttering", 40, "mean", _stuttering),
    _Rule("low_bitrate", 40, "mean", _low_bitrate),
    _Rule("render_lag", 40, "mean", lambda sample, _: ramp(sample.render_lag, 0.01, 0.2)),
    _Rule("encoder_lag", 40, "mean", lambda sample, _: ramp(sample.encoder_lag, 0.01, 0.2)),
    _Rule("dropped_frames", 40, "mean", lambda sample, _: ramp(sample.dropped, 0.01, 0.2)),
    _Rule("silent", 30, "now", lambda sample, _: float(sample.silent)),
    _Rule("picture_size_changed", 10, "any", lambda sample, _: float(sample.resized)),
)
ISSUES: Final = tuple(rule.name for rule in _RULES)
"""Every name that an issue may have."""
_IMPLIED: Final = {
    "obs_unreachable": set(ISSUES) - {"obs_unreachable"},
    "stalled": {"stuttering"},
    "no_bitrate": {"low_bitrate"},
}
"""What goes without saying once the graver one is named. It is part of the score all the same."""


def judge(samples: Sequence[Sample], limits: Thresholds) -> Assessment:
    """The verdict at the last of the samples, which are in order. Of an empty show nothing bad can be said.

    What came before the last hand-over, or before OBS was lost or found, says nothing of now and is left out.
    """
    if not samples:
        return Assessment(100.0)
    last, window = samples[-1], _window(samples)
    graver = [(_gravity(rule, window, limits), rule) for rule in _RULES]
    found = sorted(((g * rule.weight, rule, g) for g, rule in graver if g > 0), key=lambda each: -each[0])
    named = [rule.name for _, rule, g in found if g >= NAMED_FROM or rule.over != "mean"]
    if last.connected and not last.input and "nobody_on_air" not in named:
        named.append("nobody_on_air")
    unsaid = {name for cause in named for name in _IMPLIED.get(cause, ())}
    return Assessment(
        score=max(0.0, 100.0 - sum(penalty for penalty, _, _ in found)),
        issues=tuple(name for name in named if name not in unsaid),
        penalties=tuple((rule.name, penalty) for penalty, rule, _ in found),
    )


def _window(samples: Sequence[Sample]) -> list[Sample]:
    last = samples[-1]
    alike = takewhile(
        lambda s: last.at - s.at <= WINDOW and (s.input, s.connected) == (last.input, last.connected), reversed(samples)
    )
    return list(alike)[::-1]


def _gravity(rule: _Rule, window: Sequence[Sample], limits: Thresholds) -> float:
    if rule.over == "now":
        return rule.gravity(window[-1], limits)
    each = [rule.gravity(sample, limits) for sample in window]
    return max(each) if rule.over == "any" else sum(each) / len(each)
