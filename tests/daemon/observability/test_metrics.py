"""What Prometheus reads of the rules."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from daemon.observability.metrics import Metrics
from statemachine import facts
from statemachine.handover.states import State
from statemachine.view import StandbyOff, View
from tests.daemon.health.figures import AT, view


class Desk:
    """The metrics, over a view that a test sets."""

    def __init__(self) -> None:
        self.view: View = view("alice")
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, lambda: self.view, lambda: True)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"motherstream_{name}", labels)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_hand_overs_are_counted_by_outcome_and_reason(desk: Desk) -> None:
    ended = facts.HandoverEnded(AT, 1, "GMOTHERSTREAM_1", "", "", "alice", "first", "completed", 0.2)
    desk.metrics.observe([ended, ended, replace(ended, outcome="not_ready")])
    assert desk.value("handovers_total", outcome="completed", reason="first") == 2
    assert desk.value("handovers_total", outcome="not_ready", reason="first") == 1
    assert desk.value("handover_seconds_count") == 2


def test_the_time_in_a_state_is_counted_when_it_is_left(desk: Desk) -> None:
    desk.metrics.observe([facts.StateChanged(AT, State.IDLE, "TargetChosen", State.CREATING, 1)])
    desk.metrics.observe([facts.StateChanged(AT + 0.25, State.CREATING, "InputCreated", State.BUFFERING, 1)])
    assert desk.value("phase_seconds_sum", state="CREATING") == 0.25


def test_each_step_about_a_poor_bitrate_is_counted_and_its_end_is_none(desk: Desk) -> None:
    desk.metrics.observe([facts.LowBitrate(AT, "alice", step, 100.0) for step in ("warn", "slate", "over", "warn")])
    assert desk.value("low_bitrate_total", step="warn") == 2
    assert desk.value("low_bitrate_total", step="slate") == 1
    assert desk.value("low_bitrate_total", step="over") is None


@pytest.mark.parametrize(
    ("off", "given_up"),
    [(None, 0.0), (StandbyOff("configured"), 0.0), (StandbyOff("render_lag", AT, 0.3), 1.0)],
)
def test_standby_is_given_up_only_where_obs_is_the_reason(desk: Desk, off: StandbyOff | None, given_up: float) -> None:
    desk.view = replace(desk.view, standby_off=off)
    assert desk.value("standby_given_up") == given_up
