"""Samples to a score from 0 to 100 with named issues. Pure; a worse sample never scores higher.

100 less a penalty for each issue, and never below 0. A penalty is the issue's weight times how grave it is, from 0 to
1. What can be told at once is taken from the last sample; what is a rate is the mean of the last WINDOW seconds.

daemon/health/issues.py has the issues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from daemon.health.issues import BY_NAME, ISSUES, Issue, Thresholds
from daemon.health.samples import Sample

WINDOW: Final = 10.0
"""Seconds."""
NAMED_FROM: Final = 0.1
"""How grave a rate has to be on the average to be named: a blip of one sample is part of the score alone."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """How the show plays."""

    score: float
    issues: tuple[str, ...] = ()
    """The gravest first."""
    penalties: tuple[tuple[str, float], ...] = ()
    """What each takes off the score, of all that take anything."""


_IMPLIED: Final = {
    "obs_unreachable": set(BY_NAME) - {"obs_unreachable"},
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
    graver = [(_gravity(issue, window, limits), issue) for issue in ISSUES]
    found = sorted(((g * issue.weight, issue, g) for g, issue in graver if g > 0), key=lambda each: -each[0])
    named = [issue.name for _, issue, g in found if g >= NAMED_FROM or issue.over != "mean"]
    if last.connected and not last.input and "nobody_on_air" not in named:
        named.append("nobody_on_air")
    unsaid = {name for cause in named for name in _IMPLIED.get(cause, ())}
    return Assessment(
        score=max(0.0, 100.0 - sum(penalty for penalty, _, _ in found)),
        issues=tuple(name for name in named if name not in unsaid),
        penalties=tuple((issue.name, penalty) for penalty, issue, _ in found),
    )


def _window(samples: Sequence[Sample]) -> list[Sample]:
    last = samples[-1]
    alike = takewhile(
        lambda s: last.at - s.at <= WINDOW and (s.input, s.connected) == (last.input, last.connected), reversed(samples)
    )
    return list(alike)[::-1]


def _gravity(issue: Issue, window: Sequence[Sample], limits: Thresholds) -> float:
    if issue.over == "now":
        return issue.gravity(window[-1], limits)
    each = [issue.gravity(sample, limits) for sample in window]
    return max(each) if issue.over == "any" else sum(each) / len(each)
