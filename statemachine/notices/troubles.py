"""What counts as trouble, and how long it has to last before people are told.

What the rules tell as facts, and what the alerts tell of turns and OBS, is told by those. Here is what lasts: health,
the checks of ``/readyz``, OBS's output, pictures that stall again and again, and that nobody is able to follow.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from statemachine.monitors.output import OutputState
from statemachine.notices.lasting import Lasting
from statemachine.view import View

STALLS: Final = 3
STALLS_WITHIN: Final = 300.0
"""So many stalls in so many seconds are stalls in a row."""
ISSUE_LASTS: Final = 10.0
OUTPUT_LASTS: Final = 10.0
STOPPED_LASTS: Final = 5.0
FOLLOWER_LASTS: Final = 20.0
LOW_SCORE_LASTS: Final = 30.0
"""Seconds for which each has to last: an issue of which nothing more is known, an output that viewers get nothing of,
one that was stopped by hand, that nobody can follow, and a low score."""
MOST_NAMED: Final = 5
"""Of those who cannot follow."""
UNTOLD: Final = frozenset({"obs", "program"})
"""Checks that are told by the alerts, which wait longer, and by the rules' facts."""

Kind = Literal["check", "output_lost", "output_stopped", "output_down", "stalls", "no_follower", "issue", "low_score"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One that is there just now, whether it has lasted or not."""

    kind: Kind
    topic: str
    """A trouble's own: one of them is open at a time. The name of a check or an issue, where it is one."""
    lasts: float
    """Seconds that it has to last before it is told."""
    streamers: tuple[str, ...] = ()
    """Whose pictures stalled, once for each time, or the first of those who cannot follow."""
    on_air: str = ""
    """Whom nobody can follow; empty where nobody is on air."""


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """OBS's output, as it is known to be."""

    active: bool
    reconnecting: bool
    state: OutputState


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """What the last sample says of the show."""

    on_air: bool
    """Something was on air."""
    poor: bool
    """Its score is low."""
    issues: Mapping[str, float | None]
    """What is amiss, each with the seconds that it has to last; None for what is told in another way, or no trouble."""


@dataclass(frozen=True, slots=True)
class Looked:
    """All that a look sees. What is None is not known."""

    view: View
    failing: Collection[str] = ()
    """Checks of ``/readyz``."""
    health: HealthSeen | None = None
    output: OutputStatus | None = None


class TroubleRules:
    """``look`` is called every second or so; times are those of the views."""

    def __init__(self) -> None:
        self._lasting = Lasting()
        self._last: dict[str, Trouble] = {}
        """Each as it was seen last."""
        self._has_streamed = False
        self._stalled: set[str] = set()
        self._stalls: deque[tuple[float, str]] = deque(maxlen=64)

    def look(self, seen: Looked) -> tuple[tuple[Trouble, ...], tuple[Trouble, ...]]:
        """What has lasted, at each look as long as it does, and what of that is over."""
        found = [*_checks(seen), *self._output(seen.output), *self._stalls_in_a_row(seen), *_follower(seen.view)]
        found += _health(seen.health, {each.topic for each in found})
        self._last |= {each.topic: each for each in found}
        lasting, over = self._lasting.see(seen.view.at, {each.topic: each.lasts for each in found})
        return tuple(self._last[topic] for topic in lasting), tuple(self._last.pop(topic) for topic in over)

    def _output(self, output: OutputStatus | None) -> Iterator[Trouble]:
        if output is None:
            return
        self._has_streamed = self._has_streamed or (output.active and not output.reconnecting)
        if output.reconnecting:
            yield Trouble("output_lost", "output", OUTPUT_LASTS)
        elif not output.active and output.state is OutputState.BY_HAND:
            yield Trouble("output_stopped", "output", STOPPED_LASTS)
        elif not output.active and (self._has_streamed or output.state is not OutputState.UNWANTED):
            yield Trouble("output_down", "output", OUTPUT_LASTS)

    def _stalls_in_a_row(self, seen: Looked) -> Iterator[Trouble]:
        view = seen.view
        stalled = {place.streamer for place in view.queue if place.stalled}
        if view.on_air and seen.health and "stalled" in seen.health.issues:
            stalled.add(view.on_air.streamer)
        self._stalls.extend((view.at, streamer) for streamer in sorted(stalled - self._stalled))
        self._stalled = stalled
        while self._stalls and view.at - self._stalls[0][0] > STALLS_WITHIN:
            self._stalls.popleft()
        if len(self._stalls) >= STALLS:
            yield Trouble("stalls", "stalls", 0.0, tuple(name for _, name in self._stalls))


def _checks(seen: Looked) -> Iterator[Trouble]:
    for name in seen.failing:
        if name not in UNTOLD:
            yield Trouble("check", name, 0.0)


def _health(health: HealthSeen | None, told: Collection[str]) -> Iterator[Trouble]:
    """The issues that nothing else tells; the score where there is none, for something has to be said."""
    if health is None:
        return
    lasts = {name: lasts for name, lasts in health.issues.items() if lasts is not None and name not in told}
    for name, seconds in lasts.items():
        yield Trouble("issue", name, seconds)
    if health.poor and not lasts and health.on_air:
        yield Trouble("low_score", "low health", LOW_SCORE_LASTS)


def _follower(view: View) -> Iterator[Trouble]:
    """Whoever waits has no picture: a hand-over would have nobody to go to."""
    on_air = view.on_air.streamer if view.on_air else ""
    waiting = [place for place in view.queue if place.publishing and place.streamer != on_air]
    if not waiting or (view.standby and view.standby.ready) or any(not place.is_hopeless for place in waiting):
        return
    names = tuple(place.streamer for place in waiting[:MOST_NAMED])
    yield Trouble("no_follower", "follower", FOLLOWER_LASTS, names, on_air)
