"""The history tells of hand-overs, and of nothing that only looks like one."""

from dataclasses import replace

import pytest

from daemon.journal.history import handovers
from statemachine.events import Actor
from statemachine.facts import Fact, HandoverEnded, OnAirChanged


def ended(reason: str, outcome: str) -> HandoverEnded:
    return HandoverEnded(1.0, 7, "GMOTHERSTREAM_7", "GMOTHERSTREAM_6", "alice", "bob", reason, outcome, 0.03)


@pytest.mark.parametrize(
    ("reason", "outcome", "told"),
    [
        ("skip", "completed", True),
        ("turn", "not_ready", True),
        ("skip", "obs_lost", True),
        ("standby", "media_failed", True),
        ("standby", "superseded", False),
        ("turn", "stream_ended", False),
        # After a restart of the daemon, say: nothing was to change, and it is made ready anew.
        ("standby", "obs_lost", False),
    ],
)
def test_what_is_told(reason: str, outcome: str, told: bool) -> None:
    found: list[Fact] = [OnAirChanged(1.0, "bob", "GMOTHERSTREAM_7"), ended(reason, outcome)]
    assert [row["outcome"] for _, row in handovers(found)] == ([outcome] if told else [])


def test_who_asked_for_a_hand_over_is_told_with_it() -> None:
    asked, unasked = ended("skip", "completed"), ended("turn", "completed")
    rows = [row for _, row in handovers([replace(asked, actor=Actor("token", "nadia")), unasked])]
    assert [row["actor"] for row in rows] == [{"kind": "token", "name": "nadia"}, None]
