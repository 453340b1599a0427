"""The log lines that users grep for, to the letter."""

import pytest
from structlog.testing import capture_logs

from daemon.observability.event_log import narrate
from statemachine import facts
from statemachine.events import Actor
from statemachine.handover.states import State


def ended(outcome: str, **changes: object) -> facts.HandoverEnded:
    values: dict[str, object] = {
        "at": 1.0,
        "attempt": 3,
        "input": "GMOTHERSTREAM_3",
        "outgoing": "GMOTHERSTREAM_2",
        "from_streamer": "alice",
        "to_streamer": "bob",
        "reason": "skip",
        "outcome": outcome,
        "seconds": 0.0312,
    }
    return facts.HandoverEnded(**{**values, **changes})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("fact", "level", "text"),
    [
        (ended("completed"), "info", "Successfully switched to new source 'GMOTHERSTREAM_3'"),
        (
            ended("creation_failed", detail="Input kind not found"),
            "error",
            "Failed to create GStreamer source 'GMOTHERSTREAM_3': Input kind not found",
        ),
        (
            ended("completed", to_streamer="", input=""),
            "info",
            "Took source 'GMOTHERSTREAM_2' off air: nobody follows",
        ),
        (facts.OnAirChanged(1.0, "", ""), "warning", "nobody is on air"),
        (
            facts.OnAirChanged(1.0, "", "", same_input=True),
            "warning",
            "nobody is on air: the picture was lost",
        ),
        (facts.OnAirChanged(1.0, "bob", "GMOTHERSTREAM_3", adopted=True), "info", "bob is still on air"),
        (facts.LineupChanged(1.0, "turn_ended", "bob"), "info", "bob's turn has ended"),
        (facts.LineupChanged(1.0, "kicked", "bob"), "info", "bob was kicked"),
        (facts.LineupChanged(1.0, "kicked", "bob", Actor("token", "nadia")), "info", "bob was kicked, by nadia"),
        (facts.LineupChanged(1.0, "moved", "bob", Actor("sign-in")), "info", "bob was moved, from the dashboard"),
        (
            facts.LineupChanged(1.0, "held", "", Actor("local")),
            "info",
            "held: no turn ends by the clock, on this machine",
        ),
        (facts.SettingMade(1.0, "turn", 900.0, Actor("token")), "info", "turn is now 900, with the token"),
        (
            ended("completed", to_streamer="", input="", reason="low_bitrate"),
            "info",
            "Took source 'GMOTHERSTREAM_2' off air: its bitrate is too low",
        ),
        (facts.LowBitrate(1.0, "bob", "warn", 120.4), "warning", "bob sends only 120 kbit/s"),
        (
            facts.LowBitrate(1.0, "bob", "slate", 120.4),
            "warning",
            "bob sends only 120 kbit/s: the slate is shown until it recovers",
        ),
        (facts.LowBitrate(1.0, "bob", "skip", 120.4), "warning", "bob sends only 120 kbit/s: the next one follows"),
        (facts.LowBitrate(1.0, "bob", "kick", 120.4), "warning", "bob sends only 120 kbit/s: kicked"),
        (facts.LowBitrate(1.0, "bob", "over", 900.0), "info", "bob's bitrate has recovered"),
        (
            facts.StandbyGivenUp(1.0, 0.314, 30.2),
            "warning",
            "standby is suspended: OBS renders 31% of its frames late",
        ),
        (facts.StandbyTakenUp(1.0), "info", "standby has resumed: the next streamer is made ready ahead of time again"),
        (
            facts.ProgramElsewhere(1.0, "BREAK", "alice", False, True),
            "warning",
            "viewers do not see alice: OBS's Program shows the scene 'BREAK'; the turn clock is paused",
        ),
        (facts.ProgramBack(1.0, "MAIN", "alice", 3.0), "info", "viewers see alice again"),
        (
            facts.StudioModeChanged(1.0, True, "leave"),
            "warning",
            "OBS's studio mode is on: the daemon switches it off (obs.studio_mode)",
        ),
        (
            facts.StudioModeChanged(1.0, True, "drive"),
            "warning",
            "OBS's studio mode is on: hand-overs use its transition (obs.studio_mode)",
        ),
        (
            facts.StudioModeChanged(1.0, True, "hold"),
            "error",
            "OBS's studio mode is on: no hand-over until it is switched off (obs.studio_mode)",
        ),
        (facts.StudioModeChanged(1.0, False, "hold"), "info", "OBS's studio mode is off"),
        (facts.StateChanged(1.0, State.IDLE, "TargetChosen", State.CREATING, 3), "debug", "IDLE -> CREATING"),
    ],
)
def test_each_fact_is_one_line(fact: facts.Fact, level: str, text: str) -> None:
    with capture_logs() as lines:
        narrate([fact])
    assert [(line["log_level"], line["event"]) for line in lines] == [(level, text)]


def test_the_values_are_fields_beside_the_text() -> None:
    with capture_logs() as lines:
        narrate([ended("completed")])
    [line] = lines
    assert line["input"] == "GMOTHERSTREAM_3"
    assert line["from_streamer"] == "alice"
    assert line["to_streamer"] == "bob"
    assert line["seconds"] == 0.031


@pytest.mark.parametrize(
    ("outcome", "detail", "text"),
    [
        (
            "not_ready",
            "did not become ready within 15.0s",
            "New source 'GMOTHERSTREAM_3' did not become ready within 15.0s",
        ),
        ("media_failed", "the pipeline failed", "New source 'GMOTHERSTREAM_3' was given up: the pipeline failed"),
    ],
)
def test_one_that_never_shows_a_picture_is_told_in_the_two_lines_that_users_know(
    outcome: str, detail: str, text: str
) -> None:
    with capture_logs() as lines:
        narrate([ended(outcome, detail=detail)])
    assert [line["event"] for line in lines] == [text, "Failed to create new source"]
    assert {line["log_level"] for line in lines} == {"warning"}


def test_every_kind_of_fact_has_a_line() -> None:
    told: list[facts.Fact] = [
        facts.Refused(1.0, "code", "why"),
        facts.OrphanReported(1.0, "GMOTHERSTREAM_1", "still listed"),
        facts.FixtureMissing(1.0, "slate", "SLATE"),
        facts.FixtureFound(1.0, "slate", "SLATE"),
        facts.ForeignInputsSeen(1.0, "a1b2, scene TWO", "GMOTHERSTREAM_1"),
        facts.EventIgnored(1.0, "CutDone", State.IDLE, "late"),
        *(ended(o, detail="x") for o in ("cut_failed", "superseded", "media_failed", "stream_ended", "obs_lost")),
    ]
    with capture_logs() as lines:
        narrate(told)
    # That one never showed a picture takes two.
    assert len(lines) == len(told) + 1
    with pytest.raises(TypeError):
        narrate([facts.Fact(1.0)])


@pytest.mark.parametrize(
    ("actor", "shown"), [(Actor("token", "nadia"), "token nadia"), (Actor("local"), "local"), (None, None)]
)
def test_each_line_of_a_request_says_who_asked(actor: Actor | None, shown: str | None) -> None:
    asked = [
        facts.LineupChanged(1.0, "skipped", "bob", actor),
        facts.SettingMade(1.0, "turn", 900.0, actor),
        facts.Refused(1.0, "nobody_waits", "nobody waits", actor),
        ended("completed", actor=actor),
    ]
    with capture_logs() as lines:
        narrate(asked)
    assert [line["actor"] for line in lines] == [shown] * len(asked)
