"""Hooks lie: lost, twice, delayed, in any order, replayed, false, of two servers at once. The lists put it right.

Two periods of reconciliation after the last hook, whatever it was, the line-up holds whom the servers hold, and the
picture is of one of them. Where a server has no list, its hooks are all that there is: what they can and cannot tell
then is written down in the tests at the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

import pytest

from statemachine import events as ev
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import on_air
from tests.statemachine.world import World

pytestmark = pytest.mark.slow  # thousands of orders

PERIOD = 5.0
"""Seconds: the default of ``ingest.reconcile``."""
SRS, NGINX = "srs:1/", "nginx:"


@dataclass(frozen=True)
class Hook:
    """What a server says of one publish: its begin or its end."""

    session: ev.Session
    ends: bool = False

    def event(self, at: float) -> ev.Event:
        return ev.Unpublished(at, self.session.id) if self.ends else ev.Published(at, self.session)


def session(server: str, client: str, streamer: str) -> ev.Session:
    return ev.Session(server + client, streamer, "live", streamer)


ALICE, ALICE_ANEW = session(SRS, "a", "alice"), session(SRS, "b", "alice")
BOB, CAROL = session(NGINX, "x", "bob"), session(NGINX, "y", "carol")
SIX = (Hook(ALICE), Hook(ALICE, ends=True), Hook(ALICE_ANEW), Hook(BOB), Hook(BOB, ends=True), Hook(CAROL))
"""In the order in which it happened, at two servers."""
TRUTH = (ALICE_ANEW, CAROL)


class Channel(World):
    """Two servers; ``truth`` is whom they hold in the end, for OBS to play and for the lists to tell."""

    def __init__(self, truth: Iterable[ev.Session], *, known: Iterable[ev.Session] = ()) -> None:
        super().__init__(Policy(reconnect_grace=3.0, cleanup_grace=0.0, job_delay=0.0))
        self.ingest.live = {each.id: each for each in truth}
        self.obs_ready()
        for each in known:
            self.feed(ev.Published(self.now, each))
        self.now += 60.0 if known else 0.0

    def hear(self, hooks: Sequence[Hook], apart: float = 0.05) -> None:
        for hook in hooks:
            self.feed(hook.event(self.now))
            self.settle()
            self.advance(apart)

    def list_publishers(self) -> None:
        """Asked for by hand here."""

    def lists(self, *servers: str) -> None:
        """Each server is asked once."""
        for server in servers:
            sessions = tuple(each for each in self.ingest.live.values() if each.id.startswith(server))
            self.feed(ev.PublishersListed(self.now, server, self.now, sessions))
        self.settle()

    def two_periods(self, phase: float, *servers: str) -> None:
        """The lists come ``phase`` seconds after the last hook, and one period after that."""
        self.run(phase, step=0.5)
        self.lists(*servers)
        self.run(PERIOD, step=0.5)
        self.lists(*servers)
        self.run(PERIOD - phase, step=0.5)

    @property
    def held(self) -> set[str]:
        return {each.id for entry in self.director.lineup for each in entry.sessions}

    def ends_well(self) -> None:
        """The line-up holds the truth, and one of it is on air, by one input."""
        live = {each.id: each.streamer for each in self.ingest.live.values()}
        assert self.held == set(live)
        present = [entry.streamer for entry in self.director.lineup if entry.sessions]
        assert sorted(present) == sorted(live.values())
        program = self.director.switchover.program
        assert program is not None
        assert program.session in self.ingest.live.values()
        assert [(item.name, item.session) for item in self.obs.shown] == [(program.input, program.session)]


@pytest.mark.parametrize("phase", [0.1, 2.5, PERIOD])
def test_every_order_of_six_hooks_of_two_servers_ends_in_the_truth(phase: float) -> None:
    orders = list(permutations(SIX))
    assert len(orders) == 720
    for order in orders:
        world = Channel(TRUTH)
        world.hear(order)
        world.two_periods(phase, SRS, NGINX)
        world.ends_well()


@pytest.mark.parametrize("lost", range(6))
def test_every_order_with_any_one_of_them_lost_ends_in_the_truth(lost: int) -> None:
    for order in permutations(SIX[:lost] + SIX[lost + 1 :]):
        world = Channel(TRUTH)
        world.hear(order)
        world.two_periods(0.1, SRS, NGINX)
        world.ends_well()


@pytest.mark.parametrize("twice", range(6))
def test_every_order_with_any_one_of_them_replayed_at_the_end_ends_in_the_truth(twice: int) -> None:
    for order in permutations(SIX):
        if order[-1] != SIX[twice]:  # one that came last anyway would only be doubled: the next test
            world = Channel(TRUTH)
            world.hear([*order, SIX[twice]])
            world.two_periods(0.1, SRS, NGINX)
            world.ends_well()


def test_every_order_with_each_hook_doubled_ends_in_the_truth() -> None:
    for order in permutations(SIX):
        world = Channel(TRUTH)
        world.hear([hook for each in order for hook in (each, each)])
        world.two_periods(0.1, SRS, NGINX)
        world.ends_well()


def test_any_set_of_them_lost_ends_in_the_truth() -> None:
    for kept in range(2 ** len(SIX)):
        world = Channel(TRUTH)
        world.hear([hook for index, hook in enumerate(SIX) if kept >> index & 1])
        world.two_periods(0.1, SRS, NGINX)
        world.ends_well()


def test_every_hook_delayed_by_a_minute_or_an_hour_ends_in_the_truth() -> None:
    for hook in SIX:
        for delay in (10.0, 61.0, 3600.0):
            world = Channel(TRUTH)
            world.hear([each for each in SIX if each != hook])
            world.run(delay, step=delay / 20)
            world.hear([hook])
            world.two_periods(0.1, SRS, NGINX)
            world.ends_well()


def test_a_replayed_evening_an_hour_later_ends_in_the_truth() -> None:
    for order in permutations(SIX, 3):
        world = Channel(TRUTH)
        world.hear(SIX)
        world.two_periods(0.1, SRS, NGINX)
        world.advance(3600.0)
        world.hear(order)
        world.two_periods(0.1, SRS, NGINX)
        world.ends_well()


def test_a_false_end_of_anybody_costs_two_periods_at_most() -> None:
    for victim in TRUTH:
        world = Channel(TRUTH, known=TRUTH)
        world.two_periods(0.1, SRS, NGINX)
        world.hear([Hook(victim, ends=True)])
        world.two_periods(0.1, SRS, NGINX)
        world.ends_well()


def test_a_publish_told_again_changes_nothing_at_all() -> None:
    world = Channel(TRUTH, known=TRUTH)
    world.two_periods(0.1, SRS, NGINX)
    before, world.told = world.director.lineup.state, []
    for hook in (Hook(ALICE_ANEW), Hook(CAROL)):
        assert world.feed(hook.event(world.now)) == ()
    assert (world.director.lineup.state, world.told) == (before, [])


def test_the_list_of_one_server_says_nothing_about_the_other() -> None:
    world = Channel((ALICE_ANEW,), known=(ALICE_ANEW, CAROL))
    for _ in range(4):
        world.two_periods(0.1, SRS)
    assert world.held == {ALICE_ANEW.id, CAROL.id}
    world.two_periods(0.1, NGINX)
    world.ends_well()


def test_a_list_that_was_asked_for_before_a_publish_does_not_end_it() -> None:
    world = Channel((ALICE,))
    asked_at = world.now
    world.advance(0.5)
    world.hear([Hook(ALICE)])
    world.advance(30.0)
    for late in (0.0, 0.25):
        world.feed(ev.PublishersListed(world.now, SRS, asked_at + late, ()))
    assert world.held == {ALICE.id}


# --- a server without a list ----------------------------------------------------------------------------------------


def told(order: Sequence[Hook]) -> set[str]:
    """Whom hooks alone can tell: who has published, and whose end was not told before or after."""
    ended = {hook.session.id for hook in order if hook.ends}
    return {hook.session.id for hook in order if not hook.ends} - ended


def test_without_a_list_every_order_of_all_hooks_ends_in_the_truth_too() -> None:
    for order in permutations(SIX):
        world = Channel(TRUTH)
        world.hear(order)
        world.run(PERIOD)
        world.ends_well()


def test_without_a_list_a_publish_whose_hook_was_lost_is_not_known_before_it_publishes_anew() -> None:
    for order in permutations([hook for hook in SIX if hook != Hook(CAROL)]):
        world = Channel(TRUTH)
        world.hear(order)
        world.run(2 * PERIOD)
        assert world.held == told(order) == {ALICE_ANEW.id}


def test_without_a_list_an_end_whose_hook_was_lost_keeps_the_place_and_never_the_picture() -> None:
    for order in permutations([hook for hook in SIX if hook != Hook(BOB, ends=True)]):
        world = Channel(TRUTH)
        world.hear(order)
        world.run(20.0, step=0.5)
        assert world.held == told(order) == {ALICE_ANEW.id, BOB.id, CAROL.id}
        assert on_air(world) in ("alice", "carol"), "nothing of bob's moves"
