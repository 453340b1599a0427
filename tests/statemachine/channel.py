"""The channel at random: anything that OBS, ingest servers, operators and crashes can do to it, in any order."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.handover.fixtures import fixtures
from statemachine.policy import Policy
from statemachine.settings import Value
from tests.statemachine.channel_modes import AT_A_START, CHANGES, MODES, changed
from tests.statemachine.channel_publishers import NAMES, Publishers
from tests.statemachine.channel_requests import REQUESTS, STREAMERS, request_of
from tests.statemachine.model_obs import OTHER_STATIC, SLATES, STATIC, Item
from tests.statemachine.model_program import SCENES
from tests.statemachine.world import World

PAUSES = st.sampled_from([0.0, 0.05, 0.25, 1.0, 2.5, 6.0, 9.0, 20.0])
OUTCOMES = st.sampled_from(["done", "done", "done", "refused", "lied", "timeout"])
GAPS = st.sampled_from([0.0, 0.5, 3.0, 30.0])


class Channel(Publishers):
    """Every rule is something that happens to a channel; ``Checks`` looks on."""

    taken = 0
    """Steps of all examples together."""

    @initialize(mode=st.sampled_from(sorted(MODES)), up=st.booleans(), fallback=st.booleans())
    def begin(self, mode: str, up: bool, fallback: bool) -> None:
        self.world = World(MODES[mode])
        self.world.fallback = fallback
        self.world.kept = deque(maxlen=4)
        self.hooks: list[ev.Event] = []
        self.lists: list[ev.Event] = []
        self.readings: list[ev.Event] = []
        if up:
            self.world.obs_ready()

    # --- operators -------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["skip", "skip", "hold", "release", "restart the turn"]))
    def operate(self, what: str) -> None:
        now = self.world.now
        turn = ev.TurnChanged(now, 60.0, restart=True)
        orders = {"skip": ev.SkipRequested(now), "hold": ev.Held(now), "release": ev.Released(now)}
        self.world.feed(orders.get(what, turn))

    @rule(
        acts=st.lists(
            st.tuples(st.sampled_from(["skip", "move", "kick", "remove", "hold", "release"]), NAMES), max_size=4
        )
    )
    def operators_at_once(self, acts: list[tuple[str, str]]) -> None:
        """Two people at the same page: what each does meets what the other has just done."""
        world = self.world
        for what, name in acts:
            if what == "move":
                self.move(name=name, position=0 if world.director.lineup.held else 1)
            elif what == "kick":
                self.kick(name=name, seconds=5.0)
            elif what == "remove":
                self.remove(name=name)
            else:
                self.operate(what=what)
        if world.obs.up:
            world.run(3.0, step=0.25)

    @rule(what=st.sampled_from(["show", "hide", "remove", "take out"]), index=st.integers(0, 3), seconds=PAUSES)
    def a_hand_while_held(self, what: str, index: int, seconds: float) -> None:
        """It is respected until the release, and mended then."""
        world = self.world
        world.feed(ev.Held(world.now))
        self.somebodys_hand(index=index, what=what)
        if world.obs.up:
            world.run(seconds, step=0.25)
        world.feed(ev.Released(world.now))
        if world.obs.up:
            world.run(5.0, step=0.25)

    @rule(kind=st.sampled_from(REQUESTS), names=st.permutations(STREAMERS), number=st.sampled_from([-1, 0, 1, 2, 5]))
    def request(self, kind: type[ev.OperatorEvent], names: list[str], number: int) -> None:
        self.world.feed(request_of(kind, self.world.now, names, number))

    @rule(name=NAMES, position=st.integers(-1, 4))
    def move(self, name: str, position: int) -> None:
        self.world.feed(ev.MoveRequested(self.world.now, name, position))

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        self.world.feed(ev.RemoveRequested(self.world.now, name))

    @rule(name=NAMES, seconds=st.sampled_from([0.0, 5.0, 30.0]))
    def kick(self, name: str, seconds: float) -> None:
        self.world.feed(ev.KickRequested(self.world.now, name, seconds))

    @rule(name=NAMES)
    def let_in(self, name: str) -> None:
        self.world.feed(ev.LetInRequested(self.world.now, name))

    @rule(name=NAMES, seconds=st.sampled_from([-1.0, 13.0, 100.0]))
    def set_turn(self, name: str, seconds: float) -> None:
        self.world.feed(ev.TurnChanged(self.world.now, seconds, name))

    @rule(name=NAMES, stream=NAMES, number=st.integers(1, 3))
    def test_request(self, name: str, stream: str, number: int) -> None:
        self.world.feed(ev.TestRequested(self.world.now, ev.Session(f"test:{number}", name, "live", stream)))

    @rule(mode=st.sampled_from(sorted(MODES)))
    def load_policy(self, mode: str) -> None:
        base = self.world.director.settings.base
        fresh = replace(MODES[mode], prefix=base.prefix, static_input=base.static_input)
        self.world.feed(ev.PolicyLoaded(self.world.now, fresh))

    @rule(change=st.sampled_from(CHANGES), live=st.booleans())
    def change_policy(self, change: tuple[str, Value], live: bool) -> None:
        world, (name, value) = self.world, change
        if live or world.director.policy.problem(name, value):
            world.feed(ev.SettingChanged(world.now, name, value))
        else:
            world.feed(ev.PolicyLoaded(world.now, changed(world.director.settings.base, name, value)))

    # --- OBS -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.lane and self.world.obs.up)
    @rule(outcome=OUTCOMES)
    def carry_out(self, outcome: str) -> None:
        self.world.carry_out(outcome)

    @precondition(lambda self: self.world.answers)
    @rule(index=st.integers(0, 3), twice=st.sampled_from([False, False, False, True]))
    def deliver_answer(self, index: int, twice: bool) -> None:
        self.world.deliver(index, twice=twice)

    @precondition(lambda self: self.world.late)
    @rule(index=st.integers(0, 3))
    def carry_out_late(self, index: int) -> None:
        self.world.carry_out_late(index)

    @rule()
    def look(self) -> None:
        if self.world.obs.up:
            self.world.look()

    def _watched(self, index: int) -> Item | None:
        watched = self.world.watches() if self.world.obs.up else []
        return watched[index % len(watched)] if watched else None

    @rule(
        kinds=st.sampled_from([(cmd.Cut,), (cmd.Cut,), (cmd.RestartInput, cmd.CreateInput), (cmd.RestoreOutgoing,)]),
        outcomes=st.lists(st.sampled_from(["refused", "refused", "lied", "timeout"]), max_size=4),
        errors=st.integers(0, 3),
        seconds=st.sampled_from([1.0, 3.0, 8.0, 20.0]),
    )
    def obs_fails_again_and_again(
        self, kinds: tuple[type[cmd.Command], ...], outcomes: list[str], errors: int, seconds: float
    ) -> None:
        """One kind of request several times in a row, while inputs report errors as soon as they are tried."""
        world = self.world
        world.failing = [(kinds, outcome) for outcome in outcomes]
        for _ in range(round(seconds / 0.25) if world.obs.up else 0):
            world.advance(0.25)
            world.settle()
            tried = [item for item in world.watches() if item.attempt and not item.proven]
            for item in tried[:errors]:
                errors -= 1
                world.feed(ev.MediaFailed(world.now, item.attempt, "the pipeline failed"))
            world.look()
            world.settle()
        world.failing.clear()

    @rule(index=st.integers(0, 1))
    def media_fails(self, index: int) -> None:
        if item := self._watched(index):
            self.world.feed(ev.MediaFailed(self.world.now, item.attempt, "the pipeline failed"))

    @rule(index=st.integers(0, 1), since=st.sampled_from([0.0, 1.0, 30.0, -5.0]))
    def media_stalls_for_a_moment(self, index: int, since: float) -> None:
        item = self._watched(index)
        if item and item.proven:
            item.stalled = True
            self.world.feed(ev.MediaStalled(self.world.now, item.name, self.world.now - since))

    @rule(index=st.integers(0, 1))
    def a_dead_stream_looks_alive(self, index: int) -> None:
        """A server's GOP cache plays on for a moment."""
        item = self._watched(index)
        if item and not item.proven:
            item.proven = True
            self.world.feed(ev.MediaReady(self.world.now, item.attempt))

    @precondition(lambda self: self.world.lane and self.world.obs.up)
    @rule()
    def carry_out_beside(self) -> None:
        self.world.carry_out_beside()

    @rule(name=st.sampled_from([*SLATES, STATIC, OTHER_STATIC]), shown=st.booleans())
    def somebodys_hand_on_what_people_have_made(self, name: str, shown: bool) -> None:
        obs, policy, switchover = self.world.obs, self.world.director.policy, self.world.director.switchover
        if name in (*fixtures(policy), *switchover.scene.fixtures.old) and name not in obs.absent:
            obs.hand_on_fixture(name, shown)

    @rule(name=st.sampled_from(SLATES))
    def somebodys_hand_takes_a_slate_out_or_puts_it_back(self, name: str) -> None:
        obs = self.world.obs
        obs.slates.discard(name)
        obs.absent ^= {name}

    @rule(ahead=st.integers(0, 3))
    def another_daemon_makes_an_input(self, ahead: int) -> None:
        obs, switchover = self.world.obs, self.world.director.switchover
        name = f"{obs.prefix}{switchover.next_input + ahead}"
        if name not in obs.items:
            obs.foreign.add(name)

    @rule()
    def another_daemon_clears_up(self) -> None:
        self.world.obs.foreign.clear()

    @rule(index=st.integers(0, 3), what=st.sampled_from(["show", "hide", "remove", "take out", "duplicate"]))
    def somebodys_hand(self, index: int, what: str) -> None:
        own = self.world.obs.own
        if own:
            item = own[index % len(own)]
            if what == "remove":
                self.world.obs.remove(item.name)
            elif what == "take out":
                # One that was hidden anyway changes nothing that viewers see.
                item.items, item.shown, item.astray = 0, False, item.astray or item.shown
            elif what == "duplicate":
                item.items = item.items and 2
                item.shown_items = 2 if item.shown else 1
            elif item.items and item.shown != (what == "show"):
                item.shown, item.astray = what == "show", True

    @rule(on=st.booleans(), duplicates=st.sampled_from([True, True, False]))
    def somebody_switches_studio_mode(self, on: bool, duplicates: bool) -> None:
        self.world.obs.program.duplicates = duplicates
        self.world.obs.program.switch_studio_mode(on)

    @rule(scene=st.sampled_from(SCENES))
    def somebody_takes_a_scene_into_program(self, scene: str) -> None:
        self.world.obs.program.transition(scene)

    @rule(late=st.sampled_from([0, 20, 150, 300]), seconds=st.sampled_from([2.0, 10.0, 40.0]))
    def obs_rendered(self, late: int, seconds: float) -> None:
        self.world.feed(ev.ObsRendered(self.world.now, seconds, 300, late))

    @rule(again=st.lists(st.sampled_from([0.0, 0.5, 2.0]), max_size=3))
    def read_inventory(self, again: Sequence[float] = ()) -> None:
        self.world.read_inventory()
        for seconds in again:
            self.world.advance(seconds, punctual=seconds < 2.0)
            self.world.read_inventory()

    @rule()
    def begin_a_reading(self) -> None:
        if self.world.obs.up:
            self.readings.append(ev.InventoryRead(self.world.now, self.world.obs.inventory()))

    @precondition(lambda self: self.readings)
    @rule(index=st.integers(0, 2))
    def deliver_a_reading(self, index: int) -> None:
        self.world.feed(self.readings.pop(index % len(self.readings)))

    @rule(done=st.integers(0, 2))
    def obs_lost(self, done: int) -> None:
        self.world.obs_lost(done=done)

    @rule(what=st.sampled_from(["back", "restarted empty", "with the scene as it was saved"]))
    def obs_ready(self, what: str) -> None:
        world = self.world
        if not world.obs.up:
            if what != "back":
                world.late.clear()
                world.obs.program.restart()
            if what == "restarted empty":
                for item in world.obs.own:
                    world.obs.remove(item.name)
            elif what == "with the scene as it was saved":
                for item in world.obs.own:
                    # It was saved before a hand took it out: nothing is shown that is not in the scene.
                    item.shown, item.astray, item.items = not item.shown, True, item.items or 1
            world.obs_ready()

    # --- the daemon and time ---------------------------------------------------------------------------------

    def _kill(self, gap: float, done: int, policy: Policy | None = None, forgotten: int = 0) -> None:
        for _ in range(min(done, len(self.world.lane)) if self.world.obs.up else 0):
            self.world.carry_out("lost")
        self.hooks.clear()
        self.lists.clear()
        self.readings.clear()
        self.world.crash(gap, policy, forgotten)

    @rule(gap=GAPS, done=st.integers(0, 2), forgotten=st.sampled_from([0, 0, 0, 1, 3]))
    def daemon_killed(self, gap: float, done: int, forgotten: int) -> None:
        self._kill(gap, done, forgotten=forgotten)

    @rule(gap=GAPS, done=st.integers(0, 2), change=st.sampled_from(AT_A_START))
    def restarted_with_another_file(self, gap: float, done: int, change: tuple[str, Value]) -> None:
        self._kill(gap, done, changed(self.world.director.settings.base, *change))

    @rule(seconds=PAUSES, punctual=st.sampled_from([True, True, True, False]))
    def time_passes(self, seconds: float, punctual: bool) -> None:
        self.world.advance(seconds, punctual=punctual)

    @rule(seconds=st.sampled_from([0.5, 3.0, 12.0]))
    def all_is_well_for_a_while(self, seconds: float) -> None:
        if self.world.obs.up:
            self.world.run(seconds, step=0.25)

    @invariant()
    def step_taken(self) -> None:
        type(self).taken += 1

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.calm()
