"""A snapshot that was taken by a clock that was wrong: the show goes on in the right time as it was."""

import typing
from dataclasses import is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.snapshot import Snapshot
from statemachine.timeline import LENGTHS, is_moment, shifted

YEARS = 73 * 365.25 * 86_400
BEGAN = 1_800_000_000.0


def session(name: str) -> ev.Session:
    return ev.Session(f"srs:1/{name}", name, "live", name)


def a_show() -> Director:
    """Alice on air, bob on standby, carol kept out, dave away within his grace."""
    director = Director(Policy(turn=600.0))
    director.handle(ev.ObsReady(BEGAN, ev.Inventory()))
    director.handle(ev.Published(BEGAN + 1, session("alice")))
    director.handle(ev.InputCreated(BEGAN + 1.1, 1))
    director.handle(ev.MediaReady(BEGAN + 1.2, 1))
    director.handle(ev.CutDone(BEGAN + 1.3, 1))
    for name in ("bob", "dave"):
        director.handle(ev.Published(BEGAN + 2, session(name)))
    director.handle(ev.KickRequested(BEGAN + 8, "carol", 300.0))
    director.handle(ev.Unpublished(BEGAN + 9, "srs:1/dave"))
    return director


@pytest.mark.parametrize("by", [-YEARS / 2, YEARS])
def test_turns_blocks_and_graces_have_as_much_left_as_before(by: float) -> None:
    before = a_show()
    after = Director.restore(shifted(before.snapshot(), by))
    assert after.now == before.now + by
    assert before.deadline is not None
    assert after.deadline == pytest.approx(before.deadline + by)
    one, other = before.view(before.now), after.view(after.now)
    assert one.on_air is not None
    assert other.on_air is not None
    assert other.on_air.streamer == one.on_air.streamer
    assert other.on_air.remaining == pytest.approx(one.on_air.remaining)
    for at, streamer, held in ((290.0, "carol", True), (310.0, "carol", False)):
        assert (after.admits(streamer, after.now + at) is not None) == held
    assert shifted(after.snapshot(), -by)["lineup"]["entries"][0]["streamer"] == "alice"


@given(seconds=st.floats(0.0, 2000.0), by=st.sampled_from([-YEARS / 2, YEARS]))
def test_what_follows_is_the_same_in_either_time(seconds: float, by: float) -> None:
    before = a_show()
    after = Director.restore(shifted(before.snapshot(), by))
    at = before.now + seconds
    before.handle(ev.TimePassed(at))
    after.handle(ev.TimePassed(at + by))
    assert [entry.streamer for entry in after.lineup] == [entry.streamer for entry in before.lineup]
    assert after.switchover.state is before.switchover.state


def test_of_each_number_that_the_rules_remember_it_is_known_whether_it_is_a_moment() -> None:
    """A new field is named like those that are (…_at, …_since, …_until), or stands among the lengths of time."""
    unknown: list[str] = []
    seen: set[Any] = {Policy}

    def walk(kind: Any, name: str, owner: str) -> None:
        if is_dataclass(kind):
            if kind not in seen:
                seen.add(kind)
                for field, hint in typing.get_type_hints(kind).items():
                    walk(hint, field, str(kind))
        elif typing.get_origin(kind) is dict:
            walk(typing.get_args(kind)[1], "since" if typing.get_args(kind)[1] is float else name, owner)
        elif args := typing.get_args(kind):
            for arg in args:
                walk(arg, name, owner)
        elif kind is float and is_moment(name) == (name in LENGTHS):
            unknown.append(f"{owner}.{name}")

    walk(Snapshot, "", "")
    assert unknown == []
