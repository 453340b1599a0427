"""One scene, any number of daemons: never two that act, and soon one where one lives."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from statemachine.ownership import ANSWER, FRESH, PATIENCE, Claim, Ownership, Standing

STEP = 0.1
LONG = PATIENCE * (ANSWER + 1.0) + 1.0
"""Seconds after which one that does not answer is gone for everybody."""
LOOK = 1.0
"""Seconds between two looks of one that waits."""


def test_what_nobody_claims_is_free() -> None:
    own = Ownership("a", "a1")
    assert own.judge(None, 0.0) is Standing.FREE
    claim = own.take(None, 0.0)
    assert claim == Claim("a", "a1", 1)
    assert own.judge(claim, 5.0) is Standing.HELD


def test_another_is_asked_before_it_counts_as_gone() -> None:
    own, found = Ownership("a", "a1"), Claim("b", "b1", 7)
    assert own.judge(found, 0.0) is Standing.TAKEN
    own.heard("b1")
    for _ in range(PATIENCE):
        assert own.judge(found, 1.0) is Standing.TAKEN
        own.gave_no_answer("b1", ANSWER)
    assert own.judge(found, 2.0) is Standing.FREE
    assert own.take(found, 7.0).epoch == 8


def test_one_who_never_answers_is_gone_at_once_and_a_late_answer_counts() -> None:
    own, found = Ownership("a", "a1"), Claim("b", "b1", 7)
    own.gave_no_answer("b1", ANSWER)
    assert own.judge(found, 0.0) is Standing.FREE
    own.heard("b1")
    assert own.judge(found, 1.0) is Standing.TAKEN


def test_who_was_held_up_while_it_asked_has_no_answer_to_miss() -> None:
    own, found = Ownership("a", "a1"), Claim("b", "b1", 7)
    own.gave_no_answer("b1", 60.0)
    assert own.judge(found, 60.0) is Standing.TAKEN


def test_ones_own_earlier_run_is_waited_for_at_the_start_alone() -> None:
    own = Ownership("a", "a2")
    assert own.judge(Claim("a", "a1", 3), 0.0) is Standing.FREE
    own.take(Claim("a", "a1", 3), 0.0)
    # Another run of the same database comes later: it is no earlier one.
    assert own.judge(Claim("a", "a3", 5), 1.0) is Standing.TAKEN


def test_a_claim_is_relied_on_for_a_moment() -> None:
    own = Ownership("a", "a1")
    claim = own.take(None, 10.0)
    assert own.is_fresh(10.0 + FRESH - 0.1)
    assert not own.is_fresh(10.0 + FRESH)
    own.judge(claim, 12.0)
    assert own.is_fresh(12.0)
    assert not own.is_fresh(11.0), "a clock that went back is not relied on"
    own.judge(Claim("b", "b1", 2), 12.1)
    assert not own.is_fresh(12.1)


@dataclass
class Daemon:
    """One run, as the adapter drives it."""

    name: str
    ownership: Ownership
    alive: bool = True
    frozen_until: float = 0.0
    looks_at: float = 0.0
    asking: tuple[str, float] | None = None
    """Whom, and since when."""
    cuts: list[int] = field(default_factory=list)
    """The epochs that it cut in."""


class Scene(RuleBasedStateMachine):
    """One value in OBS, and daemons that look at it, ask each other over OBS, are frozen, killed and started again.

    The adapter's steps: each look reads the value and acts on it within one step, except that the answer to a question
    comes with a later step. Only reading and writing are apart by what OBS does in between, as in reality.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.kept: Claim | None = None
        self.epochs: list[int] = []
        self.runs = 0
        self.daemons: list[Daemon] = []

    @rule(owner=st.sampled_from("abc"))
    @precondition(lambda self: len([each for each in self.daemons if each.alive]) < 4)
    def start(self, owner: str) -> None:
        if any(each.alive and each.ownership.claim.owner == owner for each in self.daemons):
            return  # one database, one daemon: its lock sees to that
        self.runs += 1
        run = f"{owner}{self.runs}"
        self.daemons.append(Daemon(run, Ownership(owner, run), looks_at=self.now))

    @rule(number=st.integers(0, 9))
    def kill(self, number: int) -> None:
        if self.daemons:
            self.daemons[number % len(self.daemons)].alive = False

    @rule(number=st.integers(0, 9), seconds=st.floats(0.5, 90.0))
    def freeze(self, number: int, seconds: float) -> None:
        if self.daemons:
            each = self.daemons[number % len(self.daemons)]
            each.frozen_until = max(each.frozen_until, self.now + seconds)

    @rule(seconds=st.floats(0.1, 3.0))
    def pass_time(self, seconds: float) -> None:
        self._pass(seconds)

    @rule()
    def lose_the_value(self) -> None:
        """The count begins anew for those who never saw it."""
        self.kept = None
        self.epochs.clear()
        for each in self.daemons:
            each.cuts.clear()

    @rule(number=st.integers(0, 9))
    def cut(self, number: int) -> None:
        """One of them wants to: its turn has come. It looks first, and cuts in the same moment."""
        if not self.daemons:
            return
        each = self.daemons[number % len(self.daemons)]
        if self._works(each) and each.ownership.judge(self.kept, self.now) is Standing.HELD:
            each.cuts.append(each.ownership.claim.epoch)

    def _pass(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            for each in self.daemons:
                self._step(each)

    def _works(self, each: Daemon) -> bool:
        return each.alive and each.frozen_until <= self.now

    def _step(self, each: Daemon) -> None:
        if not self._works(each):
            return
        own = each.ownership
        if each.asking is not None:
            run, since = each.asking
            other = next((one for one in self.daemons if one.name == run), None)
            waited = self.now - since
            # One that was frozen finds that its time is over, before it reads what has come meanwhile.
            if waited >= ANSWER:
                own.gave_no_answer(run, waited)
            elif other is not None and self._works(other):
                own.heard(run)
            else:
                return
            each.asking = None
        elif self.now < each.looks_at:
            return
        each.looks_at = self.now + LOOK
        found, standing = self.kept, own.judge(self.kept, self.now)
        if standing is Standing.TAKEN and found is not None:
            each.asking = (found.run, self.now)
        elif standing is Standing.FREE:
            if found is not None and found.owner != own.claim.owner:
                holder = next((one for one in self.daemons if one.name == found.run), None)
                assert holder is None or not holder.alive or holder.frozen_until > self.now - LONG, (
                    "a daemon that lives and answers is never displaced"
                )
            self.kept = own.take(found, self.now)
            self.epochs.append(self.kept.epoch)

    @invariant()
    def one_holds_it(self) -> None:
        holders = [
            each for each in self.daemons if each.alive and self.kept is not None and each.ownership.claim == self.kept
        ]
        assert len(holders) <= 1

    @invariant()
    def no_epoch_is_two_daemons(self) -> None:
        assert self.epochs == sorted(set(self.epochs))
        acted: dict[int, set[str]] = {}
        for each in self.daemons:
            for epoch in each.cuts:
                acted.setdefault(epoch, set()).add(each.name)
        assert all(len(names) == 1 for names in acted.values())

    def teardown(self) -> None:
        """Left alone, one of those who live holds it before long."""
        for each in self.daemons:
            each.frozen_until = min(each.frozen_until, self.now)
        self._pass(LONG + 3 * LOOK)
        if any(each.alive for each in self.daemons):
            assert any(each.alive and each.ownership.claim == self.kept for each in self.daemons)


TestScene = Scene.TestCase
TestScene.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
