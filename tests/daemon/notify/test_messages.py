"""What people are told, in which words, and how often."""

import math

import pytest

from daemon.notify.alerts import Alerts
from daemon.notify.messages import Deduplicator, Message, of_fact, of_refusal
from daemon.observability.wording import span
from statemachine import facts
from statemachine.handover.states import State
from statemachine.view import OnAir, Place, View


def ended(outcome: str, to: str = "bob", detail: str = "") -> facts.HandoverEnded:
    return facts.HandoverEnded(1.0, 7, "GMOTHERSTREAM_7", "GMOTHERSTREAM_6", "alice", to, "turn", outcome, 0.1, detail)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (facts.OnAirChanged(1.0, "alice", "GMOTHERSTREAM_1"), "alice is on air"),
        (facts.OnAirChanged(1.0, "", ""), "nobody is on air"),
        (
            facts.ProblemFound(1.0, "bob", "codec", "hevc"),
            "bob cannot come on air: this OBS cannot play HEVC (H.265): set the encoder to H.264 (x264, NVENC "
            "H.264), or use OBS 30.2 or later here",
        ),
        (facts.ProblemOver(1.0, "bob", "codec"), "bob has a picture now"),
        (
            facts.PluginFailed(1.0, "its media state is OBS_MEDIA_STATE_ERROR"),
            "obs-gstreamer shows no picture: OBS's own media source takes its place",
        ),
        (facts.PluginWorks(1.0), "obs-gstreamer shows pictures again"),
        (facts.SilenceOnAir(1.0, "bob", "warn", 31.0, -90.0), "bob has had no sound for 31 seconds"),
        (facts.SilenceOnAir(1.0, "bob", "over", 40.0, -20.0), "bob's sound is back"),
        (ended("cut_failed", to=""), "the show could not go on: OBS did not change the picture"),
        (
            facts.ProgramElsewhere(1.0, "BREAK", "alice", False, True),
            "viewers do not see alice: OBS's Program shows the scene 'BREAK'; the turn clock is paused",
        ),
        (facts.ProgramBack(1.0, "MAIN", "alice", 60.0), "viewers see alice again"),
        (
            facts.StudioModeChanged(1.0, True, "hold"),
            "OBS's studio mode is on: no hand-over until it is switched off",
        ),
        (facts.StudioModeChanged(1.0, False, "hold"), "OBS's studio mode is off"),
        (facts.LineupChanged(1.0, "kicked", "bob"), "bob was kicked"),
        (facts.LowBitrate(1.0, "bob", "warn", 120.4), "bob sends only 120 kbit/s"),
        (
            facts.LowBitrate(1.0, "bob", "slate", 120.4),
            "bob sends only 120 kbit/s: the slate is shown until it recovers",
        ),
        (facts.LowBitrate(1.0, "bob", "skip", 120.4), "bob sends only 120 kbit/s: the next one follows"),
        (facts.LowBitrate(1.0, "bob", "kick", 120.4), "bob sends only 120 kbit/s: kicked"),
        (facts.LowBitrate(1.0, "bob", "over", 900.0), "bob's bitrate has recovered"),
        (
            facts.StandbyGivenUp(1.0, 0.314, 30.2),
            "standby is suspended: OBS renders 31% of its frames late",
        ),
        (facts.StandbyTakenUp(1.0), "standby has resumed: the next streamer is made ready ahead of time again"),
        (
            facts.OrphanReported(1.0, "GMOTHERSTREAM_3", "603"),
            "OBS did not remove the input 'GMOTHERSTREAM_3': retrying later",
        ),
        (
            facts.FixtureMissing(1.0, "slate", "SLATE"),
            "the slate 'SLATE' is not in OBS: the show goes on without it",
        ),
        (facts.FixtureFound(1.0, "template", "MODEL"), "the template 'MODEL' is in OBS again"),
        (
            facts.ForeignInputsSeen(1.0, "a1b2, scene 2", "GMOTHERSTREAM_1"),
            "another Motherstream (a1b2, scene 2) uses this prefix or scene in this OBS: stop it, or give each its own",
        ),
    ],
)
def test_what_people_care_for_is_told_in_one_short_line(fact: facts.Fact, text: str) -> None:
    message = of_fact(fact)
    assert message is not None
    assert message.text == text


@pytest.mark.parametrize(
    "fact",
    [
        facts.OnAirChanged(1.0, "alice", "GMOTHERSTREAM_1", adopted=True),
        facts.OnAirChanged(1.0, "", "", same_input=True),  # one that lasts is told as nobody who can be put on air
        facts.LineupChanged(1.0, "joined", "bob"),
        facts.Refused(1.0, "nobody_waits", "nobody is waiting: alice stays on air"),
        facts.StateChanged(1.0, State.IDLE, "target", State.CREATING, 1),
        ended("completed"),
        ended("superseded"),
        ended("not_ready"),  # the problem that it has is told, once
        facts.SilenceOnAir(1.0, "bob", "seen", 5.0, -90.0),
        ended("stream_ended"),
    ],
)
def test_what_is_the_logs_business_alone_is_not_told(fact: facts.Fact) -> None:
    assert of_fact(fact) is None


@pytest.mark.parametrize("name", ["@everyone", "<!channel>", "<@123>", "a\nb", "\x1b[31m"])
def test_a_name_calls_nobody_and_breaks_no_line(name: str) -> None:
    message = of_fact(facts.OnAirChanged(1.0, name, "GMOTHERSTREAM_1"))
    assert message is not None
    for call in ("@everyone", "<!", "<@1", "\n", "\x1b"):
        assert call not in message.text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (30, "30 seconds"),
        (60, "1 minute"),
        (299.7, "5 minutes"),
        (300, "5 minutes"),
        (3600, "1 hour"),
        (7201, "2 hours"),
    ],
)
def test_a_length_of_time_is_told_as_people_say_it(seconds: float, text: str) -> None:
    assert span(seconds) == text


# --- once is enough


def test_the_same_trouble_is_told_once_and_then_counted() -> None:
    deduplicator = Deduplicator()
    refusal = of_refusal("unknown_key", "the key in the publish URL is nobody's")
    assert deduplicator.filter(refusal, 0.0) == refusal
    assert [deduplicator.filter(refusal, float(at)) for at in range(5, 600, 5)] == [None] * 119
    again = deduplicator.filter(refusal, 601.0)
    assert again is not None
    assert again.text == (
        "a publisher was refused: the key in the publish URL is nobody's (119 more like it in 10 minutes)"
    )
    assert deduplicator.filter(refusal, 602.0) is None


def test_a_refusal_that_counts_seconds_down_is_one_refusal() -> None:
    deduplicator = Deduplicator()
    first = deduplicator.filter(of_refusal("blocked", "bob is blocked for another 300 s"), 0.0)
    assert first is not None
    assert first.text == "a publisher was refused: bob is blocked"
    assert deduplicator.filter(of_refusal("blocked", "bob is blocked for another 295 s"), 5.0) is None
    assert deduplicator.filter(of_refusal("blocked", "carol is blocked for another 9 s"), 5.0) is not None


def test_who_is_on_air_is_told_whenever_it_is_somebody_else() -> None:
    deduplicator = Deduplicator()
    told = []
    for at, streamer in enumerate(["alice", "alice", "bob", "alice", "", "", "alice"]):
        message = of_fact(facts.OnAirChanged(float(at), streamer, "GMOTHERSTREAM_1"))
        assert message is not None
        told.append(deduplicator.filter(message, float(at)) is not None)
    assert told == [True, False, True, True, True, False, True]


def test_topics_without_end_are_forgotten_the_oldest_first() -> None:
    deduplicator = Deduplicator()
    for number in range(10_000):
        deduplicator.filter(Message("x", f"topic {number}", quiet=math.inf), 0.0)
    assert deduplicator.filter(Message("x", "topic 9999", quiet=math.inf), 0.0) is None
    assert deduplicator.filter(Message("x", "topic 0", quiet=math.inf), 0.0) is not None


# --- what is found by looking


def view(
    remaining: float | None = 100.0,
    *,
    at: float = 0.0,
    waiting: tuple[str, ...] = ("bob",),
    streamer: str = "alice",
    length: float = 3600.0,
    held: bool = False,
    state: State = State.IDLE,
) -> View:
    def place(name: str, position: int) -> Place:
        return Place(name, position, 0.0, True, position == 0, length, None, False, 0)

    return View(
        at=at,
        state=state,
        attempt=1,
        held=held,
        on_air=OnAir(streamer, "GMOTHERSTREAM_1", 0.0, at, remaining, True),
        standby=None,
        queue=tuple(place(name, position) for position, name in enumerate((streamer, *waiting))),
        last_switch=None,
        blocks={},
        orphans=(),
    )


def texts(watch: Alerts, *views: View) -> list[str]:
    return [message.text for each in views for message in watch.look(each)]


def test_the_end_of_a_turn_is_told_once_before_it_comes() -> None:
    told = texts(Alerts(), view(301), view(300), view(299), view(1))
    assert told == ["alice's turn ends in 5 minutes; bob follows"]


def test_of_a_short_turn_the_last_quarter_is_told() -> None:
    assert texts(Alerts(), view(31, length=120), view(30, length=120)) == [
        "alice's turn ends in 30 seconds; bob follows"
    ]


def test_a_turn_that_ends_for_nobody_is_not_told_until_somebody_waits() -> None:
    watch = Alerts()
    assert texts(watch, view(301, waiting=()), view(299, waiting=())) == []
    assert texts(watch, view(180)) == ["alice's turn ends in 3 minutes; bob follows"]


def test_where_turns_end_although_nobody_waits_that_is_told() -> None:
    watch = Alerts(turn_when_alone=lambda: True)
    told = texts(watch, view(301, waiting=()), view(299, waiting=()))
    assert told == ["alice's turn ends in 5 minutes; nobody follows"]


def test_a_held_turn_is_told_when_it_is_let_go() -> None:
    watch = Alerts()
    assert texts(watch, view(301), view(300, held=True)) == []
    assert texts(watch, view(240)) == ["alice's turn ends in 4 minutes; bob follows"]


def test_a_turn_that_was_extended_is_told_again() -> None:
    told = texts(Alerts(), view(301), view(300), view(900), view(300))
    assert told == ["alice's turn ends in 5 minutes; bob follows"] * 2


def test_a_restart_in_the_last_minutes_does_not_tell_again() -> None:
    assert texts(Alerts(), view(200), view(100)) == []


def test_one_who_fills_in_is_told_nothing_of_a_turn() -> None:
    assert texts(Alerts(), view(301), view(None, streamer="carol"), view(0.5)) == []


def test_an_obs_that_is_away_for_long_is_told_and_so_is_its_return() -> None:
    watch = Alerts()
    lost = [view(None, at=float(at), state=State.RECOVERING) for at in range(100, 220)]
    assert texts(watch, *lost) == ["OBS has been unreachable for 30 seconds"]
    assert texts(watch, view(None, at=220.0), view(None, at=221.0)) == ["OBS is back after 2 minutes"]


def test_a_short_absence_of_obs_is_not_told() -> None:
    watch = Alerts()
    for begin in (100.0, 200.0):
        away = [view(None, at=begin + at, state=State.RECOVERING) for at in range(29)]
        assert texts(watch, *away, view(None, at=begin + 30)) == []
