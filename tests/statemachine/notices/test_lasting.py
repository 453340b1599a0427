"""What lasts is told, and what flickers neither floods nor is lost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from statemachine.notices.lasting import CALM, SETTLED, Lasting, Settled

LASTS = {"at once": 0.0, "soon": 3.0, "late": 30.0}
PHASES = st.lists(st.tuples(st.integers(1, 45), st.sets(st.sampled_from(sorted(LASTS)))), max_size=12)
"""For so many seconds, these are there."""


def test_what_lasts_is_told_as_long_as_it_does_and_what_was_told_is_over_once() -> None:
    rule = Lasting()
    told = [rule.see(float(at), {"soon": 3.0}) for at in range(5)]
    assert told == [((), ())] * 3 + [(("soon",), ())] * 2
    after = [rule.see(4.0 + at, {}) for at in range(1, 30)]
    assert after[int(CALM) - 1] == ((), ("soon",))
    assert [over for _, over in after if over] == [("soon",)]


def test_what_flickers_before_it_is_told_has_to_last_anew() -> None:
    rule = Lasting()
    for at in range(100):
        assert rule.see(float(at), {"soon": 3.0} if at % 3 else {}) == ((), ())


@given(PHASES)
def test_whatever_comes_and_goes_each_trouble_that_is_told_has_lasted_and_has_one_end(
    phases: list[tuple[int, set[str]]],
) -> None:
    rule, at = Lasting(), 0.0
    there: dict[str, float] = {}
    missed: dict[str, float] = {}
    open_ones: set[str] = set()
    for seconds, topics in [*phases, (int(CALM) + 1, set())]:
        for _ in range(seconds):
            at += 1.0
            told, over = rule.see(at, {topic: LASTS[topic] for topic in sorted(topics)})
            for topic, seconds_needed in LASTS.items():
                if topic in topics:
                    since = there.setdefault(topic, at)
                    missed.pop(topic, None)
                    # What has lasted is told at each look; what was told is told on while it is there.
                    assert (topic in told) == (topic in open_ones or at - since >= seconds_needed)
                else:
                    there.pop(topic, None)
                    gone = at - missed.setdefault(topic, at - 1.0)
                    assert topic not in told
                    assert (topic in over) == (topic in open_ones and gone >= CALM)
            open_ones = (open_ones | set(told)) - set(over)
    assert open_ones == set()


def test_an_issue_that_flickers_is_not_told() -> None:
    settled = Settled(SETTLED)
    for _ in range(20):
        assert not settled.see(["stalled"])
        assert not settled.see(["stalled"])
        assert not settled.see([])
    assert settled.issues == ()


def test_an_issue_that_lasts_is_told_once_when_it_begins_and_once_when_it_is_over() -> None:
    settled = Settled(2)
    changes = [settled.see(["a"]), settled.see(["a", "b"]), settled.see(["a", "b"]), settled.see(["a", "b"])]
    assert changes == [False, True, True, False]
    assert settled.issues == ("a", "b")
    assert [settled.see(["b"]), settled.see(["b"])] == [False, True]
    assert list(settled.issues) == ["b"]
    assert list(settled.began) == []
    assert list(settled.over) == ["a"]


@given(st.lists(st.sets(st.sampled_from("abc")), max_size=40))
def test_an_issue_is_settled_only_by_samples_in_a_row(samples: list[set[str]]) -> None:
    settled = Settled(SETTLED)
    history = [settled.issues]
    for number, sample in enumerate(samples, 1):
        changed = settled.see(sorted(sample))
        history.append(settled.issues)
        last = samples[max(0, number - SETTLED) : number]
        for name in set(history[-1]) ^ set(history[-2]):
            assert len(last) == SETTLED
            assert all((name in each) == (name in history[-1]) for each in last)
        assert changed == (set(history[-1]) != set(history[-2]))
        assert set(settled.began) == set(history[-1]) - set(history[-2])
        assert set(settled.over) == set(history[-2]) - set(history[-1])
    # Nothing that has been there, or away, for so long is still unsettled.
    for name in "abc":
        for earlier, later in pairwise(range(len(samples) + 1)):
            run = samples[max(0, later - SETTLED) : later]
            if len(run) == SETTLED and len({name in each for each in run}) == 1:
                assert (name in history[later]) == (name in samples[earlier])
