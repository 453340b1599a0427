"""A channel's daemons, their store and their OBS as parts that fail, in steps of time. The rules are the real ones.

What the shell does in between is here in steps as small as its own: what is asked and what is answered are two, and
anything may happen between them. A daemon may be frozen, killed, cut off from the store or from OBS; the store may be
away, forget its last commits or be put back; clocks run at different speeds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from statemachine.tenure import BEATS, TTL, Claim, Found, Heir, Standing, Tenure
from tests.statemachine.pair_parts import Obs, Row, Store

STEP: Final = 0.05
"""Seconds."""
BEAT: Final = TTL / BEATS
LOOK: Final = 2.0
"""Seconds between two looks of an owner at its claim, besides those before an act."""
TIMEOUT: Final = 1.5
"""Seconds after which an answer that has not come does not count."""


@dataclass
class Waiting:
    """A question under way: it is worked off at ``at``, and answered at ``back``."""

    at: float
    back: float
    work: Callable[[], object]
    then: Callable[[object], None]
    value: object = None
    done: bool = False


class Daemon:
    """One daemon of the channel, through all its starts."""

    def __init__(self, world: "World", name: str, rate: float) -> None:
        self.world = world
        self.name = name
        self.rate = rate
        """Of its clock."""
        self.runs = self.tenures = 0
        self.alive = False
        self.frozen_until = 0.0
        self.sees_store = self.sees_obs = True
        self.epoch_kept = 0
        """In its own database: the epoch in which it was written last."""
        self.last_number = 0
        self.start()

    # --- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.runs += 1
        self.run = f"{self.name}{self.runs}"
        self.alive = True
        self.tenure: Tenure | None = None
        self.heir = Heir()
        self.questions: list[Waiting] = []
        self.in_obs = False
        """Its claim stands there, and it has waited for long enough."""
        self.entering = False
        self.free_at = 0.0
        self.next_beat = self.next_look = self.now
        self.asking = False
        self.lease_left: tuple[float, float] | None = None
        self.highest = 0
        self.server: tuple[int, float] | None = None
        self.log: list[tuple[int, str]] = []
        self.began_at = self.now
        self.is_first = True

    def start_again(self) -> None:
        if not self.alive:
            self.start()

    def kill(self) -> None:
        self.alive = False
        self.questions.clear()

    @property
    def now(self) -> float:
        return self.world.now * self.rate

    @property
    def runs_now(self) -> bool:
        return self.alive and self.world.now >= self.frozen_until

    # --- asking ----------------------------------------------------------------------------------------------

    def ask(self, there: bool, work: Callable[[], object], then: Callable[[object], None]) -> None:
        """``then`` is called with the answer; None where none came in time."""
        delay, back = self.world.delays()
        at = self.world.now + delay
        self.questions.append(Waiting(at, at + back, work if there else (lambda: None), then))

    def step(self) -> None:
        """What its part of the world and itself come to in this step."""
        world = self.world
        for question in self.questions:
            # Done there, whether this one runs or not.
            if not question.done and world.now >= question.at:
                question.value, question.done = question.work(), True
        if not self.runs_now:
            return
        for question in [each for each in self.questions if each.done and world.now >= each.back]:
            self.questions.remove(question)
            question.then(question.value)
            if not self.alive:
                return
        if self.now >= self.next_beat and not self.asking:
            self.beat()
        if self.tenure is not None and self.tenure.has_ended:
            self.step_aside()
        if self.tenure is None:
            self.wait()
        elif not self.in_obs and not self.entering:
            self.enter()
        elif self.in_obs and self.now >= self.next_look:
            self.next_look = self.now + LOOK * self.rate
            self.prove(lambda: None)

    # --- the store -------------------------------------------------------------------------------------------

    def beat(self) -> None:
        self.next_beat = self.now + BEAT
        tenure, asked_at, store = self.tenure, self.now, self.world.store
        self.asking = True

        def work() -> object:
            if not store.up:
                return None
            lease = store.lease
            renewed = tenure is not None and (lease.epoch, lease.run) == (tenure.claim.epoch, self.run)
            if renewed:
                lease.expires_at = self.world.now + TTL
            return renewed, Row(**vars(lease)), lease.expires_at - self.world.now, store.server

        def then(answer: object) -> None:
            self.asking = False
            if not isinstance(answer, tuple) or self.now - asked_at > TIMEOUT:
                self.lease_left = self.server = None
                return
            renewed, row, left, server = answer
            if self.server is None or self.server[0] != server:
                self.server = server, asked_at
            self.lease_left = (left, self.now)
            self.highest = max(self.highest, row.epoch)
            if tenure is None or tenure is not self.tenure:
                return
            if renewed:
                tenure.renewed(asked_at)
                self.ship()
            elif row.epoch < tenure.claim.epoch:
                self.ask(self.sees_store, lambda: self.put_back(tenure), lambda _: None)
            elif row.epoch == tenure.claim.epoch and row.daemon == self.name and row.run != self.run:
                self.take(own=True)
            elif row.run != self.run:
                tenure.end("another has it")

        self.ask(self.sees_store, work, then)

    def put_back(self, tenure: Tenure) -> None:
        lease = self.world.store.lease
        if self.world.store.up and lease.epoch < tenure.claim.epoch:
            self.world.store.lease = Row(tenure.claim.epoch, self.run, self.name, self.world.now + TTL)

    def wait(self) -> None:
        if self.is_first:
            self.is_first = False
            self.take(own=True)
            return
        if self.lease_left is None or self.asking:
            # Without the store, by what stands in OBS: where it was the owner before its restart.
            if self.epoch_kept and self.now - self.began_at > TTL and self.lease_left is None and self.runs > 1:
                self.tenure = Tenure(Claim(self.epoch_kept, self.run, self.name), float("-inf"))
                self.epoch_kept = 0
            return
        left, at = self.lease_left
        known_for = self.now - self.server[1] if self.server else 0.0
        if self.heir.wait(Found(left - (self.now - at), known_for=known_for), self.now) == 0.0:
            self.take(own=False)

    def take(self, *, own: bool) -> None:
        asked_at, store, highest = self.now, self.world.store, self.highest
        self.asking = True

        def work() -> object:
            lease = store.lease
            free = lease.daemon == self.name or not lease.epoch if own else lease.expires_at < self.world.now
            if not store.up or not free:
                return None
            store.lease = Row(max(lease.epoch, highest) + 1, self.run, self.name, self.world.now + TTL)
            self.tenures = store.lease.epoch
            return store.lease.epoch, list(store.log)

        def then(answer: object) -> None:
            self.asking = False
            if not isinstance(answer, tuple) or self.now - asked_at > TIMEOUT:
                return
            epoch, log = answer
            if self.tenure is not None and not self.tenure.has_ended:
                self.tenure.raised(epoch)
                self.tenure.renewed(asked_at)
            else:
                self.tenure = Tenure(Claim(epoch, self.run, self.name), asked_at)
                self.in_obs = self.entering = False
            self.epoch_kept = epoch
            self.last_number = log[-1][0] if log else 0
            self.log = []

        self.ask(self.sees_store, work, then)

    def ship(self) -> None:
        """Something has happened, and goes into the shared log: in one statement with the look at the lease."""
        tenure, store = self.tenure, self.world.store
        if tenure is None:
            return
        number, what = self.last_number + 1, f"{self.run}:{self.world.random.random()}"
        epoch = tenure.claim.epoch

        def work() -> object:
            lease = store.lease
            held = store.up and (lease.epoch, lease.run) == (epoch, self.run) and lease.expires_at > self.world.now
            last = store.log[-1][0] if store.log else 0
            if held and number == last + 1:
                store.log.append((number, epoch, what))
                return number
            return last if held else None

        def then(answer: object) -> None:
            if isinstance(answer, int):
                self.last_number = answer

        self.ask(self.sees_store, work, then)

    def step_aside(self) -> None:
        self.tenure = None
        self.in_obs = self.entering = False
        self.heir = Heir(self.now)
        self.epoch_kept = 0

    # --- OBS -------------------------------------------------------------------------------------------------

    def read(self, then: Callable[[Claim | None, float], None], failed: Callable[[], None]) -> None:
        asked_at, obs = self.now, self.world.obs
        self.ask(
            self.sees_obs,
            lambda: (obs.claim,) if obs.up else None,
            lambda answer: then(answer[0], asked_at) if isinstance(answer, tuple) else failed(),
        )

    def write(self, then: Callable[[], None], asked_at: float) -> None:
        tenure, obs = self.tenure, self.world.obs
        if tenure is None or self.now - asked_at > self.world.proof:
            then()
            return
        claim = tenure.claim

        def work() -> object:
            if obs.up:
                obs.claim = claim
            return None

        self.ask(self.sees_obs, work, lambda _: then())

    def enter(self) -> None:
        self.entering = True
        tenure = self.tenure

        def again() -> None:
            self.entering = False

        def on_read(found: Claim | None, asked_at: float) -> None:
            if tenure is None or tenure is not self.tenure:
                return
            standing = tenure.judge(found, asked_at)
            if standing is Standing.REPLACED and not tenure.has_ended and found is not None:
                self.raise_epoch(found.epoch)
                again()
                return
            if standing is Standing.UNKNOWN or tenure.has_ended:
                again()
            elif standing is Standing.UNWRITTEN:
                self.write(lambda: self.settle(found), asked_at)
            else:
                self.settle(found)

        self.read(on_read, again)

    def raise_epoch(self, above: int) -> None:
        tenure, store = self.tenure, self.world.store

        def work() -> object:
            lease = store.lease
            if tenure is None or not store.up or (lease.epoch, lease.run) != (tenure.claim.epoch, self.run):
                return None
            lease.epoch = self.tenures = max(lease.epoch, above) + 1
            return lease.epoch

        def then(answer: object) -> None:
            if isinstance(answer, int) and tenure is not None:
                tenure.raised(answer)

        self.ask(self.sees_store, work, then)

    def settle(self, found: Claim | None) -> None:
        tenure = self.tenure
        if tenure is None:
            return
        self.free_at = self.now + tenure.waits_for(found)
        self.world.later(self, self.free_at, self.settled)

    def settled(self) -> None:
        def proven() -> None:
            self.in_obs, self.entering = True, False

        def failed() -> None:
            self.entering = False

        self.prove(proven, failed)

    def prove(self, then: Callable[[], None], failed: Callable[[], None] = lambda: None) -> None:
        tenure = self.tenure

        def on_read(found: Claim | None, asked_at: float) -> None:
            if tenure is None or tenure is not self.tenure:
                return
            standing = tenure.judge(found, asked_at)
            if standing is Standing.HELD:
                then()
            elif standing is Standing.UNWRITTEN:
                # To be written again, and waited for again.
                self.in_obs = False
                self.entering = True
                self.write(lambda: self.settle(found), asked_at)
            else:
                failed()

        self.read(on_read, failed)

    def act(self) -> None:
        """Its rules want something of OBS."""
        tenure = self.tenure
        if not self.runs_now or tenure is None or not self.in_obs:
            return

        def send() -> None:
            # The last look, in the moment in which it is sent.
            if not self.runs_now or tenure is not self.tenure or not tenure.may_act(self.now):
                return
            if self.sees_obs and self.world.obs.up:
                self.world.obs.acts.append((self.world.now, tenure.claim.epoch, self.name, self.run))

        if tenure.may_act(self.now) and self.world.random.random() < 0.5:
            send()
        else:
            self.prove(send)


class World:
    """All of it. ``random`` decides what happens."""

    def __init__(self, random: Random, proof: float) -> None:
        self.random = random
        self.proof = proof
        self.now = 0.0
        self.store = Store()
        self.obs = Obs()
        self.timers: list[tuple[float, Daemon, int, Callable[[], None]]] = []
        self.mends: list[tuple[float, Callable[[], object]]] = []
        self.daemons = [Daemon(self, "a", 1.0), Daemon(self, "b", random.uniform(0.95, 1.05))]

    def delays(self) -> tuple[float, float]:
        slow = self.random.random() < 0.03
        return (self.random.uniform(0, 1.0), self.random.uniform(0, 1.0)) if slow else (0.0, STEP)

    def later(self, daemon: Daemon, at: float, what: Callable[[], None]) -> None:
        self.timers.append((at, daemon, daemon.runs, what))

    @property
    def highest(self) -> int:
        """The last epoch that anybody was given."""
        return max(daemon.tenures for daemon in self.daemons)

    def mend(self, after: float, what: Callable[[], object]) -> None:
        """Something is well again after so many seconds."""
        self.mends.append((self.now + after, what))

    def step(self) -> None:
        self.now += STEP
        for mend in [each for each in self.mends if self.now >= each[0]]:
            self.mends.remove(mend)
            mend[1]()
        for timer in [each for each in self.timers if each[1].runs_now and each[1].now >= each[0]]:
            self.timers.remove(timer)
            if timer[1].runs == timer[2]:
                timer[3]()
        for daemon in self.daemons:
            daemon.step()

    def check(self) -> None:
        """What holds at any time."""
        epochs: dict[int, str] = {}
        last = 0
        for at, epoch, daemon, run in self.obs.acts:
            # A daemon may go on in its epoch after a restart: its own database sees to it that there is one run of it.
            assert epochs.setdefault(epoch, daemon) == daemon, f"two acted in epoch {epoch}, the second at {at:.2f}"
            assert epoch >= last, f"{run} acted at {at:.2f} in epoch {epoch}, after {last}"
            last = epoch
        numbers = [number for number, _, _ in self.store.log]
        assert numbers == sorted(set(numbers)), "the history has a fork"
        of = [epoch for _, epoch, _ in self.store.log]
        assert of == sorted(of), "one who was replaced wrote into the history"
