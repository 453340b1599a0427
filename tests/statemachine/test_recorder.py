"""What is left out of the record is not missed: a replay comes to the same, to the last field."""

import json

from hypothesis import given

from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.recorder import READINGS, Recorder
from tests.statemachine import strategies


@given(strategies.policies, strategies.scripts(30))
def test_a_replay_of_what_was_recorded_comes_to_the_same(policy: Policy, script: list[ev.Event]) -> None:
    live, again = Director(policy), Director(policy)
    recorder = Recorder(live)
    for event in script:
        _, recorded = recorder.handle(event, live.handle)
        for each in recorded:
            again.handle(each)
        one, other = live.snapshot(), again.snapshot()
        if not recorded:
            assert isinstance(event, READINGS)
            one["now"] = other["now"] = 0.0  # it comes with the next event that is recorded
        assert json.dumps(other) == json.dumps(one)


def test_a_reading_that_says_what_is_known_is_not_recorded_and_one_that_says_more_is() -> None:
    director = Director(Policy())
    recorder = Recorder(director)
    director.handle(ev.ObsReady(1.0, ev.Inventory()))
    names = tuple(f"Overlay {number}" for number in range(1000))
    for at in range(2, 100, 2):
        assert recorder.handle(ev.InventoryRead(float(at), ev.Inventory((), names)), director.handle)[1] == ()
    stray = ev.InventoryRead(100.0, ev.Inventory((ev.OwnInput("GMOTHERSTREAM_7", False),), names))
    assert recorder.handle(stray, director.handle)[1] == (stray,)


def test_a_list_that_says_what_is_known_is_not_recorded_and_one_that_says_more_is() -> None:
    director = Director(Policy())
    recorder = Recorder(director)
    director.handle(ev.ObsReady(1.0, ev.Inventory()))
    live = tuple(ev.Session(f"srs:1/{number}", f"streamer {number}", "live", f"s{number}") for number in range(50))

    def listed(at: float, *sessions: ev.Session) -> int:
        return len(recorder.handle(ev.PublishersListed(at, "srs:", at, sessions), director.handle)[1])

    assert listed(2.0, *live) == 1
    assert sum(listed(float(at), *live) for at in range(7, 607, 5)) <= 10
    assert listed(607.0, *live, ev.Session("srs:1/new", "newcomer", "live", "new")) == 1
    assert listed(613.0, *live) == 1, "one is missing for the first time"
