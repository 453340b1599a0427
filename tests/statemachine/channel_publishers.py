"""What publishers, their servers and their encoders do to a channel, at random."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from statemachine import events as ev
from statemachine.monitors.quantities import QUANTITIES
from tests.statemachine.channel_requests import STREAMERS
from tests.statemachine.model_ingest import SERVER, UNLISTED
from tests.statemachine.world import World

NAMES = st.sampled_from(STREAMERS)
HOOKS = st.sampled_from(["told", "told", "told", "twice", "late", "lost"])


class Publishers(RuleBasedStateMachine):
    """The rules of one side of ``Channel``."""

    world: World
    hooks: list[ev.Event]
    """Those that are still on their way."""
    lists: list[ev.Event]

    def _hook(self, event: ev.Event, fate: str) -> None:
        if fate in ("told", "twice"):
            self.world.feed(event)
        if fate in ("late", "twice"):
            self.hooks.append(event)

    @rule(name=NAMES, fate=HOOKS, picture=st.sampled_from([True, True, True, False]))
    def publish(self, name: str, fate: str, picture: bool) -> None:
        world = self.world
        if world.ingest.of(name) is None and world.director.admits(name, world.now) is None:
            session = world.ingest.new_session(name)
            world.ingest.live[session.id] = session
            if not picture:
                world.ingest.pictureless.add(session.id)
            self._hook(ev.Published(world.now, session), fate)

    @rule(name=NAMES)
    def publish_and_be_lost(self, name: str) -> None:
        """Listed as ever, and played by nobody until it publishes anew."""
        _ = self.world.ingest.of(name) or self.world.publish(name, lost=True)

    @rule(name=NAMES, fate=st.sampled_from(["told", "told", "late", "lost", "refused"]))
    def publish_where_no_list_tells(self, name: str, fate: str) -> None:
        """To a server that has no list, or that finds the path busy once it has asked, and tells of no end."""
        world = self.world
        if fate == "refused":
            self._hook(ev.Published(world.now, world.ingest.new_session(name, server=UNLISTED)), "told")
        elif world.ingest.of(name) is None and world.director.admits(name, world.now) is None:
            session = world.ingest.new_session(name, server=UNLISTED)
            world.ingest.live[session.id] = session
            self._hook(ev.Published(world.now, session), fate)

    @rule(name=NAMES, named=st.sampled_from([True, True, False]))
    def sneak_in(self, name: str, named: bool) -> None:
        """A publisher whom nobody asked about: the server let it in by itself, and may not know its name either."""
        ingest = self.world.ingest
        if ingest.of(name) is None:
            session = ingest.new_session(name)
            ingest.live[session.id] = session
            ingest.unnamed |= set() if named else {session.id}

    @rule(name=NAMES, fate=HOOKS)
    def refused_as_busy(self, name: str, fate: str) -> None:
        """A second publisher's hook comes before the server refuses it, and no end is told."""
        self._hook(ev.Published(self.world.now, self.world.ingest.new_session(name)), fate)

    @rule(name=NAMES, fate=HOOKS)
    def unpublish(self, name: str, fate: str) -> None:
        if session := self.world.ingest.of(name):
            self.world.ingest.end(session.id)
            self._hook(ev.Unpublished(self.world.now, session.id), fate)

    @rule(name=NAMES, fate=HOOKS)
    def publish_anew(self, name: str, fate: str) -> None:
        """publish(A) publish(B) unpublish(A), with B live."""
        world = self.world
        if (old := world.ingest.of(name)) and world.director.admits(name, world.now) is None:
            new = world.ingest.new_session(name)
            world.ingest.end(old.id)
            world.ingest.live[new.id] = new
            self._hook(ev.Published(world.now, new), "told")
            self._hook(ev.Unpublished(world.now, old.id), fate)

    @rule(number=st.integers(1, 6), known=st.booleans())
    def spoofed_end(self, number: int, known: bool) -> None:
        self.world.feed(ev.Unpublished(self.world.now, f"{SERVER}{number}" if known else "x"))

    @precondition(lambda self: self.hooks)
    @rule(index=st.integers(0, 5))
    def deliver_hook(self, index: int) -> None:
        event = self.hooks.pop(index % len(self.hooks))
        self.world.feed(replace(event, at=self.world.now))

    @rule()
    def ask_for_publishers(self) -> None:
        self.lists.append(self.world.ingest.listing(self.world.now, self.world.now))

    @precondition(lambda self: self.lists)
    @rule(index=st.integers(0, 3))
    def deliver_list(self, index: int) -> None:
        self.world.feed(replace(self.lists.pop(index % len(self.lists)), at=self.world.now))

    @rule(name=NAMES, audio=st.sampled_from([None, "", "aac"]), told=st.booleans())
    def described(self, name: str, audio: str | None, told: bool) -> None:
        """A server's list tells what a stream is made of, or that it does not know yet."""
        if session := self.world.ingest.of(name):
            video = "" if session.id in self.world.ingest.pictureless else "h264"
            tracks = ev.Tracks(video if told else None, audio)
            self.world.feed(ev.StreamDescribed(self.world.now, session.id, tracks))

    @rule(name=NAMES, level=st.sampled_from([-90.0, -55.0, -20.0]))
    def sound_is_measured(self, name: str, level: float) -> None:
        self.world.feed(ev.Measured(self.world.now, name, "sound", level))

    @rule(
        name=NAMES,
        quantity=st.sampled_from(["sound", "sound", "light", "balance"]),
        well=st.booleans(),
        held=st.sampled_from([0.0, 4.0, 30.0]),
        level=st.sampled_from([None, (-30.0, -12.0), (-9.0, 1.0)]),
        times=st.sampled_from([1, 1, 4, 12]),
    )
    def stream_is_measured(
        self, name: str, quantity: str, well: bool, held: float, level: tuple[float, float] | None, times: int
    ) -> None:
        """By a probe that looks at everybody in line, and goes on saying so: what it said once nobody acts upon."""
        row = QUANTITIES[quantity]
        found = (ev.Measurement(quantity, row.well if well else row.amiss, held),)
        for number in range(times):
            if session := self.world.ingest.of(name):
                self.world.feed(ev.StreamMeasured(self.world.now, session.id, found, *(level or (None, None))))
            if number + 1 < times:
                self.world.run(2.0)

    @rule(name=NAMES, seconds=st.sampled_from([0.0, 20.0, 100.0]))
    def nothing_comes_of_a_stream(self, name: str, seconds: float) -> None:
        session = self.world.ingest.of(name)
        if session is not None and not self.world.ingest.moves(session):
            self.world.feed(ev.StreamStopped(self.world.now, session.id, self.world.now - seconds))

    @rule(name=NAMES, breaks=st.booleans())
    def freeze_or_thaw(self, name: str, breaks: bool) -> None:
        """It stands still; one that ``breaks`` is cleared by its player, and nothing of it is shown."""
        if session := self.world.ingest.of(name):
            self.world.ingest.frozen ^= {session.id}
            self.world.ingest.broken.discard(session.id)
            if breaks and session.id in self.world.ingest.frozen:
                self.world.ingest.broken.add(session.id)

    @rule(name=NAMES, seconds=st.sampled_from([0.5, 3.0]), times=st.integers(2, 5))
    def encoder_reconnects(self, name: str, seconds: float, times: int) -> None:
        """An encoder that gives up and tries again every few seconds, and is told all along."""
        for _ in range(times):
            self.world.unpublish(name)
            if self.world.obs.up:
                self.world.run(0.25, step=0.25)
            self.world.publish(name)
            if self.world.obs.up:
                self.world.run(seconds, step=0.25)
            else:
                self.world.advance(seconds)

    @rule(seconds=st.sampled_from([0.5, 2.0, 4.0]), times=st.integers(1, 4))
    def the_holder_flaps(self, seconds: float, times: int) -> None:
        """A bad line: the one who has the turn goes and comes again and again, for the grace is for once."""
        world, holder = self.world, self.world.director.lineup.holder
        for _ in range(times if holder is not None else 0):
            assert holder is not None
            world.unpublish(holder.streamer)
            world.advance(seconds)
            world.publish(holder.streamer)
            if world.obs.up:
                world.settle()
                world.advance(0.25)
                world.look()
                world.settle()

    @rule(
        name=NAMES, kbps=st.sampled_from([None, 0.0, 100.0, 100.0, 3000.0]), told=st.sampled_from([True, True, False])
    )
    def bitrate_changes(self, name: str, kbps: float | None, told: bool) -> None:
        if session := self.world.ingest.of(name):
            if kbps is None:
                self.world.ingest.kbps.pop(session.id, None)
            else:
                self.world.ingest.kbps[session.id] = kbps
        if told:
            self.world.measure()

    @rule(number=st.integers(1, 6), kbps=st.sampled_from([None, 0.0, 100.0, 3000.0]))
    def a_late_measurement(self, number: int, kbps: float | None) -> None:
        self.world.feed(ev.BitrateMeasured(self.world.now, f"{SERVER}{number}", kbps))
