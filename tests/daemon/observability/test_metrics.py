"""What Prometheus reads of the rules."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from daemon.observability.metrics import ChannelRegistry, Metrics
from statemachine import facts
from statemachine.handover.states import State
from statemachine.view import StandbyOff, View
from tests.daemon.health.figures import AT, view


class Rig:
    """The metrics, over a view that a test sets."""

    def __init__(self) -> None:
        self.view: View = view("alice")
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, lambda: self.view, lambda: True)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"motherstream_{name}", labels)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_hand_overs_are_counted_by_outcome_and_reason(rig: Rig) -> None:
    ended = facts.HandoverEnded(AT, 1, "GMOTHERSTREAM_1", "", "", "alice", "first", "completed", 0.2)
    rig.metrics.observe([ended, ended, replace(ended, outcome="not_ready")])
    assert rig.value("handovers_total", outcome="completed", reason="first") == 2
    assert rig.value("handovers_total", outcome="not_ready", reason="first") == 1
    assert rig.value("handover_seconds_count") == 2


def test_the_time_in_a_state_is_counted_when_it_is_left(rig: Rig) -> None:
    rig.metrics.observe([facts.StateChanged(AT, State.IDLE, "TargetChosen", State.CREATING, 1)])
    rig.metrics.observe([facts.StateChanged(AT + 0.25, State.CREATING, "InputCreated", State.BUFFERING, 1)])
    assert rig.value("phase_seconds_sum", state="CREATING") == 0.25


def test_each_step_about_a_poor_bitrate_is_counted_and_its_end_is_none(rig: Rig) -> None:
    rig.metrics.observe([facts.LowBitrate(AT, "alice", step, 100.0) for step in ("warn", "slate", "over", "warn")])
    assert rig.value("low_bitrate_total", step="warn") == 2
    assert rig.value("low_bitrate_total", step="slate") == 1
    assert rig.value("low_bitrate_total", step="over") is None


@pytest.mark.parametrize(
    ("off", "given_up"),
    [(None, 0.0), (StandbyOff("configured"), 0.0), (StandbyOff("render_lag", AT, 0.3), 1.0)],
)
def test_standby_is_given_up_only_where_obs_is_the_reason(rig: Rig, off: StandbyOff | None, given_up: float) -> None:
    rig.view = replace(rig.view, standby_off=off)
    assert rig.value("standby_given_up") == given_up


def test_all_that_is_collected_bears_the_channel(rig: Rig) -> None:
    registry = ChannelRegistry("gold")
    metrics = Metrics(registry, lambda: rig.view, lambda: True)
    metrics.observe([facts.Refused(AT, "blocked", "blocked")])
    told = [sample for metric in registry.collect() for sample in metric.samples]
    assert len(told) > 10
    assert {sample.labels["channel"] for sample in told} == {"gold"}
    assert registry.get_sample_value("motherstream_refused_total", {"code": "blocked", "channel": "gold"}) == 1
