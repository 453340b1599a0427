"""Two daemons, a store and an OBS as parts that fail: never two that act, and soon one where one can."""

import math

import pytest

from statemachine.tenure import (
    BLIND,
    MARGIN,
    OVERDUE,
    PROOF,
    REST,
    SETTLE,
    TTL,
    Claim,
    Found,
    Heir,
    Sight,
    Standing,
    Tenure,
)

OWN, LATER, EARLIER = Claim(5, "a1", "a"), Claim(6, "b1", "b"), Claim(4, "b0", "b")


def tenure(at: float = 0.0) -> Tenure:
    return Tenure(OWN, at)


def test_the_lease_is_sure_for_less_than_the_store_keeps_it() -> None:
    own = tenure(10.0)
    assert own.is_sure(10.0 + TTL * (1 - MARGIN) - 0.01)
    assert not own.is_sure(10.0 + TTL * (1 - MARGIN))
    assert own.may_act(12.0)
    assert not own.may_act(10.0 + TTL)


def test_each_renewal_counts_from_when_it_was_asked_for_and_an_old_answer_takes_nothing_back() -> None:
    own = tenure(0.0)
    own.renewed(3.0)
    own.renewed(1.0)
    assert own.is_sure(3.0 + TTL * (1 - MARGIN) - 0.01)


def test_without_the_lease_what_stands_in_obs_is_relied_on_for_a_moment() -> None:
    own = tenure(-100.0)
    assert not own.may_act(0.0)
    assert own.judge(OWN, 0.0) is Standing.HELD
    assert own.may_act(PROOF)
    assert not own.may_act(PROOF + 0.01)
    assert not own.may_act(-1.0), "a clock that went back proves nothing"
    assert SETTLE > PROOF


@pytest.mark.parametrize("found", [None, EARLIER, Claim(5, "a0", "a")])
def test_what_is_older_or_ones_own_from_before_is_to_be_overwritten(found: Claim | None) -> None:
    own = tenure()
    assert own.judge(found, 0.0) is Standing.UNWRITTEN
    assert not own.ended


@pytest.mark.parametrize("found", [None, EARLIER])
def test_without_the_lease_what_is_older_is_not_overwritten(found: Claim | None) -> None:
    own = tenure(-100.0)
    assert own.judge(found, 0.0) is Standing.UNKNOWN
    assert not own.may_act(0.0)
    assert not own.ended
    assert own.judge(Claim(5, "a0", "a"), 0.0) is Standing.UNWRITTEN, "one's own from before a restart"


@pytest.mark.parametrize("found", [LATER, Claim(5, "b1", "b"), Claim(5, "a2", "a")])
def test_a_later_claim_ends_the_tenure_of_one_that_has_acted(found: Claim) -> None:
    own = tenure()
    own.judge(OWN, 0.0)
    assert own.judge(found, 0.1) is Standing.REPLACED
    assert own.ended
    assert not own.may_act(0.1)
    own.renewed(0.1)
    assert own.judge(OWN, 0.2) is Standing.HELD
    assert not own.may_act(0.2), "what is over is over"


def test_one_that_has_yet_to_begin_and_is_sure_of_its_lease_outdoes_a_later_claim() -> None:
    own = tenure()
    assert own.judge(LATER, 0.0) is Standing.REPLACED
    assert not own.ended
    own.raised(7)
    assert own.claim == Claim(7, "a1", "a")
    assert own.judge(LATER, 0.0) is Standing.UNWRITTEN
    unsure = tenure(-100.0)
    unsure.judge(LATER, 0.0)
    assert unsure.ended


def test_whose_claim_was_overwritten_is_waited_for_unless_it_is_ones_own() -> None:
    own = tenure()
    assert own.waits_for(EARLIER) == SETTLE
    assert own.waits_for(None) == 0.0
    assert own.waits_for(Claim(4, "a0", "a")) == 0.0


def test_an_heir_waits_for_the_end_of_the_lease() -> None:
    assert Heir().wait(Found(2.5), 0.0) == 2.5
    assert Heir().wait(Found(-0.1), 0.0) == 0.0


def test_an_heir_does_not_trust_a_store_that_it_has_just_met() -> None:
    assert Heir(ttl=4.0).wait(Found(-0.5, known_for=1.0), 0.0) == 3.0
    assert Heir(ttl=4.0).wait(Found(3.5, known_for=1.0), 0.0) == 3.5


def test_who_sees_obs_goes_first_and_who_has_just_stepped_down_last() -> None:
    blind = Found(-0.5, sees_obs=False, others=True)
    assert Heir().wait(blind, 0.0) == OVERDUE - 0.5
    assert Heir().wait(Found(-OVERDUE, sees_obs=False, others=True), 0.0) == 0.0
    assert Heir().wait(Found(-0.5, sees_obs=False), 0.0) == 0.0, "better one that does not see OBS than none"
    assert Heir(rests_until=REST).wait(Found(-0.5, others=True), 1.0) == REST - 1.0
    assert Heir(rests_until=REST).wait(Found(-0.5), 1.0) == 0.0, "nobody else is there"


def test_an_owner_that_has_lost_obs_yields_to_an_heir_that_sees_it() -> None:
    sight = Sight()
    assert not sight.yields(sees_obs=False, heir_sees_obs=True, at=0.0)
    assert not sight.yields(sees_obs=False, heir_sees_obs=True, at=BLIND - 0.1)
    assert not sight.yields(sees_obs=False, heir_sees_obs=False, at=BLIND + 1)
    assert sight.yields(sees_obs=False, heir_sees_obs=True, at=BLIND + 2)
    assert not sight.yields(sees_obs=True, heir_sees_obs=True, at=BLIND + 3)
    assert not sight.yields(sees_obs=False, heir_sees_obs=True, at=BLIND + 4)
    assert math.isfinite(BLIND)
