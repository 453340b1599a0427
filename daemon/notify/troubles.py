"""Trouble that reaches a person: found by looking once a second, told once it has lasted, and told when it is over.

What the rules tell as facts, and what the watch over turns and OBS sees, is told by those. Here is what lasts: health,
the checks of ``/readyz``, OBS's output, pictures that stall again and again, and that nobody is able to follow.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from daemon.core.ports import Check
from daemon.health.history import HealthReading
from daemon.health.issues import BY_NAME, Told
from daemon.notify.messages import shown
from daemon.observability.checks import CHECKS
from daemon.observability.wording import TROUBLE_BELOW
from statemachine.monitors.output import OutputState
from statemachine.view import View

CALM: Final = 10.0
"""Seconds without it after which a trouble is over: what flickers is told once."""
STALLS: Final = 3
STALLS_WITHIN: Final = 300.0
"""So many stalls in so many seconds are stalls in a row."""


PATIENCE: Final = 10.0
"""Of a check, and of an issue that is not known here."""
UNTOLD: Final = frozenset({"obs", "program"})
"""Checks that are told by the watch, with patience, and by the rules."""


class TroubleListener(Protocol):
    """The notifier, as much of it as is needed here."""

    def trouble(self, topic: str, text: str) -> None:
        """Called as long as it lasts, and told once."""

    def recovered(self, topic: str, text: str) -> None:
        """Told if the trouble was."""


@dataclass(frozen=True, slots=True)
class Output:
    """OBS's output: its last status, empty where it is not known, and what the rules make of it."""

    status: Mapping[str, Any]
    state: OutputState


@dataclass(frozen=True, slots=True)
class _Trouble:
    topic: str
    text: str
    over: str
    patience: float = PATIENCE


class Troubles:
    """``look`` is called every second or so; times are those of the views."""

    def __init__(self, listener: TroubleListener) -> None:
        self._listener = listener
        self._since: dict[str, float] = {}
        self._seen: dict[str, tuple[float, _Trouble]] = {}
        self._told: set[str] = set()
        self._has_streamed = False
        self._stalled: set[str] = set()
        self._stalls: deque[tuple[float, str]] = deque(maxlen=64)

    def look(self, view: View, checks: Sequence[Check], health: HealthReading | None, output: Output) -> None:
        """Tell what there is to tell now."""
        at = view.at
        found = [*_checks(checks), *self._output(output), *self._stalls_in_a_row(view, health), *_follower(view)]
        found += _health(health, {each.topic for each in found})
        for trouble in found:
            since = self._since.setdefault(trouble.topic, at)
            self._seen[trouble.topic] = (at, trouble)
            if at - since >= trouble.patience:
                self._told.add(trouble.topic)
                self._listener.trouble(trouble.topic, trouble.text)
        for topic, (last, trouble) in tuple(self._seen.items()):
            # One that was not told has to last anew; one that was is over once it stays away.
            if last < at and (topic not in self._told or at - last >= CALM):
                del self._seen[topic], self._since[topic]
                if topic in self._told:
                    self._told.discard(topic)
                    self._listener.recovered(topic, trouble.over)

    def _output(self, output: Output) -> Iterator[_Trouble]:
        if not output.status:
            return
        active, reconnecting = (output.status.get(name) is True for name in ("outputActive", "outputReconnecting"))
        self._has_streamed = self._has_streamed or (active and not reconnecting)
        over = "OBS's output streams again"
        if reconnecting:
            yield _Trouble("output", "OBS's output lost its server: viewers see nothing", over)
        elif not active and output.state is OutputState.BY_HAND:
            stopped = "OBS's output was stopped by hand, and stays stopped until somebody starts it"
            yield _Trouble("output", stopped, over, 5.0)
        elif not active and (self._has_streamed or output.state is not OutputState.UNWANTED):
            yield _Trouble("output", "OBS's output is down: viewers see nothing", over)

    def _stalls_in_a_row(self, view: View, health: HealthReading | None) -> Iterator[_Trouble]:
        stalled = {place.streamer for place in view.queue if place.stalled}
        if view.on_air and health and "stalled" in health.assessment.issues:
            stalled.add(view.on_air.streamer)
        self._stalls.extend((view.at, streamer) for streamer in sorted(stalled - self._stalled))
        self._stalled = stalled
        while self._stalls and view.at - self._stalls[0][0] > STALLS_WITHIN:
            self._stalls.popleft()
        if len(self._stalls) >= STALLS:
            names = ", ".join(dict.fromkeys(shown(name) for _, name in self._stalls))
            text = f"pictures keep stalling: {len(self._stalls)} times in 5 minutes ({names})"
            yield _Trouble("stalls", text, "pictures have not kept stalling for 5 minutes", 0.0)


def _checks(checks: Sequence[Check]) -> Iterator[_Trouble]:
    for check in checks:
        if not check.ok and check.name not in UNTOLD:
            what = CHECKS[check.name].what if check.name in CHECKS else check.name
            yield _Trouble(check.name, f"{what}: {check.detail}", f"{what} works again", 0.0)


def _health(health: HealthReading | None, told: Collection[str]) -> Iterator[_Trouble]:
    if health is None:
        return
    score, issues = health.assessment.score, []
    for name in health.assessment.issues:
        told_as = _told_as(name)
        if told_as is not None and name not in told:
            issues.append(name)
            yield _Trouble(name, told_as.text, told_as.over, told_as.patience)
    if score < TROUBLE_BELOW and not issues and health.sample.input:
        named = ", ".join(name.replace("_", " ") for name in health.assessment.issues)
        text = f"stream health is poor: {score:.0f} of 100" + (f" ({named})" if named else "")
        yield _Trouble("low health", text, "stream health has recovered", 30.0)


def _told_as(issue: str) -> Told | None:
    if issue in BY_NAME:
        return BY_NAME[issue].told
    plain = issue.replace("_", " ")
    return Told(f"health: {plain}", f"health: no longer {plain}", PATIENCE)


def _follower(view: View) -> Iterator[_Trouble]:
    """Whoever waits has no picture: a hand-over would have nobody to go to."""
    on_air = view.on_air.streamer if view.on_air else ""
    waiting = [place for place in view.queue if place.publishing and place.streamer != on_air]
    if not waiting or (view.standby and view.standby.ready) or any(not place.is_hopeless for place in waiting):
        return
    names = ", ".join(shown(place.streamer) for place in waiting[:5])
    what = f"nobody can follow {shown(on_air)}" if on_air else "nobody can be put on air"
    yield _Trouble("follower", f"{what}: no picture from {names}", "somebody can follow again", 20.0)
