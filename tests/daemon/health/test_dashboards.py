"""The Grafana dashboard and the alert rules ask for nothing that the daemon does not tell."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from daemon.config.model import Config
from daemon.health import HealthMetrics, HealthMonitor
from daemon.health.history import HealthReading
from daemon.health.issues import Thresholds
from daemon.health.samples import SampleSources
from daemon.health.score import judge
from daemon.http.routes.hooks import HookMetrics
from daemon.observability.metrics import ChannelRegistry, Metrics
from statemachine import facts
from statemachine.handover.states import State
from tests.daemon.health.figures import AT, sample, view

DEPLOY = Path(__file__).parents[3] / "deploy"
DASHBOARD = DEPLOY / "grafana-dashboard.json"
ALERTS = DEPLOY / "prometheus-alerts.yml"
OUTCOMES = {"completed", "creation_failed", "not_ready", "media_failed", "stream_ended", "superseded", "cut_failed"}
FROM_PROMETHEUS = {"instance", "job"}


class NoObs:
    """Nothing is asked of it here."""

    info: Any = None
    stats: Any = None

    def last_look(self, name: str) -> None:
        return None

    async def where_is(self, name: str) -> tuple[str, int]:
        raise AssertionError(name)

    async def call(self, request: str, data: Any = None) -> dict[str, Any]:
        raise AssertionError(request)


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """The labels of every series that ``/metrics`` may have, by its name."""
    registry = ChannelRegistry("main")
    metrics = Metrics(registry, lambda: view("alice"), lambda: True)
    metrics.observe(
        [
            facts.StateChanged(AT, State.IDLE, "TargetChosen", State.CREATING, 1),
            facts.StateChanged(AT, State.CREATING, "ObsLost", State.RECOVERING, 1),
            facts.HandoverEnded(AT, 1, "GMOTHERSTREAM_1", "", "", "alice", "first", "completed", 0.2),
            facts.Refused(AT, "not_found", "there is no bob"),
            facts.OrphanReported(AT, "GMOTHERSTREAM_1", "it is still there"),
            facts.LowBitrate(AT, "alice", "warn", 120.0),
            facts.SilenceOnAir(AT, "alice", "warn", 10.0, -200.0),
        ]
    )
    HookMetrics(registry).count("srs", "ok", 0.001)
    monitor = HealthMonitor(SampleSources(NoObs(), lambda: view("alice"), lambda session: None, lambda: AT), Config)
    HealthMetrics(registry, monitor)
    monitor.kept.add(HealthReading(sample(), judge([sample()], Thresholds())), Thresholds(), most=5)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for series in family.samples:
            found.setdefault(series.name, set()).update(series.labels)
    return found


def panels() -> list[dict[str, Any]]:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    rows: list[dict[str, Any]] = board["panels"]
    return [panel for panel in rows if panel["type"] != "row"]


def alerts() -> list[dict[str, str]]:
    """Each rule's own lines: they are written one key a line, so that this needs no YAML."""
    rules = ALERTS.read_text("utf-8").split("- alert: ")[1:]
    return [
        {"alert": rule.splitlines()[0], **dict(re.findall(r"^ +(\w+): (.+)$", rule, re.MULTILINE))} for rule in rules
    ]


EXPRESSIONS = [target["expr"] for panel in panels() for target in panel["targets"]] + [
    rule["expr"] for rule in alerts()
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_whatever_is_asked_for_is_told(expression: str, told: dict[str, set[str]]) -> None:
    asked = re.findall(r"(motherstream_\w+)(\{[^}]*\})?", expression)
    assert asked
    for name, matchers in asked:
        assert name in told, name
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        assert labels <= told[name] | FROM_PROMETHEUS, (name, labels)
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        known = set().union(*(told[name] for name, _ in asked)) | FROM_PROMETHEUS
        assert {label.strip() for label in grouped.split(",")} <= known


def test_outcomes_that_are_asked_for_are_outcomes() -> None:
    asked = {
        one for each in EXPRESSIONS for value in re.findall(r'outcome=~"([^"]*)"', each) for one in value.split("|")
    }
    assert asked
    assert asked <= OUTCOMES


def test_counters_are_asked_for_their_growth_and_gauges_for_themselves() -> None:
    for expression in EXPRESSIONS:
        for name in re.findall(r"motherstream_\w+_(?:total|bucket)\b", expression):
            assert re.search(rf"(?:rate|increase)\({name}", expression), expression


def test_every_gauge_and_counter_is_on_the_dashboard(told: dict[str, set[str]]) -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    left_out = {
        name
        for name in told
        if name.startswith("motherstream_")
        and not name.endswith(("_created", "_sum", "_count"))
        and not re.search(rf"{name}\b", shown)
    }
    assert left_out == {"motherstream_off_air_since_seconds", "motherstream_health_samples_total"}


def test_the_panels_have_titles_and_do_not_overlap() -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    every = board["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    assert all(panel["title"] for panel in every)
    for one, other in itertools.combinations([panel["gridPos"] for panel in every], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in every)


def test_each_alert_says_what_is_wrong_what_to_do_and_how_bad_it_is() -> None:
    rules = alerts()
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert re.fullmatch(r"Motherstream[A-Z]\w+", rule["alert"])
        assert rule["labels"] in ("{ severity: critical }", "{ severity: warning }")
        assert rule["summary"].startswith('"')
        assert len(rule["description"]) > 20
