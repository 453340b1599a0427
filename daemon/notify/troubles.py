"""Trouble that reaches a person: looked for once a second, and put into words.

statemachine/notices/troubles.py decides what counts as trouble, how long it has to last, and when it is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from daemon.core.ports import Check
from daemon.health.history import HealthReading
from daemon.health.issues import BY_NAME
from daemon.notify.messages import shown
from daemon.observability.checks import CHECKS
from daemon.observability.wording import TROUBLE_BELOW
from statemachine.monitors.output import OutputState
from statemachine.notices.troubles import (
    ISSUE_LASTS,
    STALLS_WITHIN,
    HealthSeen,
    Kind,
    Looked,
    OutputStatus,
    Trouble,
    TroubleRules,
)
from statemachine.view import View

WORDS: Final[Mapping[Kind, tuple[str, str]]] = {
    "check": ("{what}: {detail}", "{what} works again"),
    "output_lost": ("OBS's output lost its server: viewers see nothing", "OBS's output streams again"),
    "output_stopped": (
        "OBS's output was stopped by hand, and stays stopped until somebody starts it",
        "OBS's output streams again",
    ),
    "output_down": ("OBS's output is down: viewers see nothing", "OBS's output streams again"),
    "stalls": (
        "pictures keep stalling: {times} times in {minutes} minutes ({names})",
        "pictures have not kept stalling for {minutes} minutes",
    ),
    "no_follower": ("{goal}: no picture from {names}", "somebody can follow again"),
    "issue": ("{began}", "{ended}"),
    "low_score": ("stream health is poor: {score}", "stream health has recovered"),
}
"""How each is told, and how it is told to be over."""


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


class Troubles:
    """``look`` is called every second or so; times are those of the views."""

    def __init__(self, listener: TroubleListener) -> None:
        self._listener = listener
        self._rules = TroubleRules()

    def look(self, view: View, checks: Sequence[Check], health: HealthReading | None, output: Output) -> None:
        """Tell what there is to tell now."""
        failing = {check.name: check.detail for check in checks if not check.ok}
        lasting, over = self._rules.look(Looked(view, tuple(failing), _health_seen(health), _output_seen(output)))
        for trouble in lasting:
            values = {**_values(trouble), "detail": failing.get(trouble.topic, ""), "score": _score(health)}
            self._listener.trouble(trouble.topic, WORDS[trouble.kind][0].format_map(values))
        for trouble in over:
            self._listener.recovered(trouble.topic, WORDS[trouble.kind][1].format_map(_values(trouble)))


def _health_seen(health: HealthReading | None) -> HealthSeen | None:
    if health is None:
        return None
    issues = {name: _seconds(name) for name in health.assessment.issues}
    return HealthSeen(bool(health.sample.input), health.assessment.score < TROUBLE_BELOW, issues)


def _seconds(issue: str) -> float | None:
    if issue not in BY_NAME:
        return ISSUE_LASTS
    told = BY_NAME[issue].told
    return told.patience if told else None


def _output_seen(output: Output) -> OutputStatus | None:
    if not output.status:
        return None
    active, reconnecting = (output.status.get(name) is True for name in ("outputActive", "outputReconnecting"))
    return OutputStatus(active, reconnecting, output.state)


def _values(trouble: Trouble) -> dict[str, str]:
    """What the words of any kind may name; a trouble that is over has no more."""
    began, ended = _issue(trouble.topic)
    names = dict.fromkeys(shown(name) for name in trouble.streamers)
    return {
        "what": CHECKS[trouble.topic].what if trouble.topic in CHECKS else trouble.topic,
        "began": began,
        "ended": ended,
        "times": str(len(trouble.streamers)),
        "minutes": f"{STALLS_WITHIN / 60:.0f}",
        "names": ", ".join(names),
        "goal": f"nobody can follow {shown(trouble.on_air)}" if trouble.on_air else "nobody can be put on air",
    }


def _issue(name: str) -> tuple[str, str]:
    told = BY_NAME[name].told if name in BY_NAME else None
    if told:
        return told.text, told.over
    plain = name.replace("_", " ")
    return f"health: {plain}", f"health: no longer {plain}"


def _score(health: HealthReading | None) -> str:
    if health is None:
        return "not known"
    named = ", ".join(name.replace("_", " ") for name in health.assessment.issues)
    return f"{health.assessment.score:.0f} of 100" + (f" ({named})" if named else "")
