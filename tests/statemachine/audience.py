"""What viewers see of the model world, and what docs/faults.md promises them, looked at over time.

The search lets answers wait for as long as it likes, so seconds are counted only while everything is done and answered
at once (``World.run``). What is decided is looked at always.
"""

from typing import TYPE_CHECKING

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.handover.states import State
from statemachine.lineup.sessions import YOUNG
from statemachine.monitors.stalls import MOVING_FOR
from tests.statemachine.model_obs import Item

if TYPE_CHECKING:
    from tests.statemachine.world import World

ENDED = 1.0
"""Seconds for which the last picture of a stream that has ended may stand, where a slate or somebody proven could
follow."""
ALONE_MOST = 4.0
STILL = 0.25
"""Seconds without motion until a watch tells of it."""
WRONG_STEPS = 2
"""Looks after which what is shown has to be what is reported: a reading may be under way at the first."""


class Audience:
    """Watches one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._dead: dict[str, float] = {}
        """Since when each promise waits for its picture."""
        self._ended: set[str] = set()
        """Sessions of whom the rules were told, rightly or not, that they are over."""
        self._told_of_end: dict[str, float] = {}
        """When a hook told of an end: a list that was asked for just after it may be older than it looks."""
        self._announced: dict[str, str] = {}
        """Who was the last in line of whom a hook told, by path."""
        self._still: set[str] = set()
        """Inputs of whom they were told, rightly or not, that they stand still or fail."""
        self._resumed: dict[str, float] = {}
        """When each input was last told to move again."""
        self._wrong = 0

    # --- what is decided -------------------------------------------------------------------------------------

    def heard(self, event: ev.Event) -> None:
        """Just before the rules take it."""
        world = self._world
        match event:
            case ev.Unpublished():
                self._ended.add(event.session_id)
                self._told_of_end[event.session_id] = world.now
            case ev.Published():
                self._ended.discard(event.session.id)
            case ev.PublishersListed():
                there = {session.id for session in event.sessions}
                self._ended -= {
                    i for i in there if self._told_of_end.get(i, event.asked_at - YOUNG) <= event.asked_at - YOUNG
                }
                self._ended |= {
                    each.id for each in world.ingest.live.values() if each.id.startswith(event.server)
                } - there
            case ev.MediaStalled():
                self._still.add(event.input)
            case ev.MediaResumed():
                self._still.discard(event.input)
                self._resumed[event.input] = world.now
            case ev.MediaFailed():
                self._still |= {item.name for item in world.obs.items.values() if item.attempt == event.attempt}
                program = world.director.switchover.program
                if program and program.attempt == event.attempt:
                    self._still.add(program.input)
            case _:
                pass

    def decided(self, commands: tuple[cmd.Command, ...]) -> None:
        """Just after it: a moving picture stays, but for an operator's act or the end of its turn."""
        for command in commands:
            if isinstance(command, cmd.Cut) and command.incoming is None and command.outgoing is not None:
                item = self._world.obs.items.get(command.outgoing)
                assert item is None or not self._keeps(item), f"{item} moves and is taken off"
            elif isinstance(command, cmd.Cut) and command.incoming is not None and command.outgoing is not None:
                self._cut_has_a_reason(command.incoming, command.outgoing)
        self._named()

    def _cut_has_a_reason(self, incoming: str, outgoing: str) -> None:
        """Who has the turn and moves is not cut away from; who fills in is, for the turn's holder alone."""
        world, lineup = self._world, self._world.director.lineup
        item, other = world.obs.items.get(outgoing), world.obs.items.get(incoming)
        if item is None or other is None or item.session is None or other.session is None or not self._keeps(item):
            return
        if outgoing in self._resumed and world.now < self._resumed[outgoing] + MOVING_FOR:
            return  # it stood still, and has not shown yet that it goes on moving
        entry, holder = lineup.by_session(item.session.id), lineup.holder
        if entry is None or entry.session != item.session or holder is None or other.session == item.session:
            return
        has_turn = entry is holder and entry.turn_began is not None
        assert not has_turn, f"{entry.streamer} has the turn, moves, and is cut away from"
        fills_in = holder.turn_began is not None and entry.showable(world.now)
        fitter = lineup.unfit(item.session.id) and not lineup.unfit(other.session.id)
        assert not fills_in or fitter or other.session in holder.sessions, (
            f"{entry.streamer} fills in, and is relieved by {other}"
        )

    def _keeps(self, item: Item) -> bool:
        """Its picture moves, for all that was told, and nobody wants it away."""
        world, session = self._world, item.session
        director = world.director
        if session is None or not item.shown or item.astray or not world.ingest.moves(session):
            return False
        if session.id in self._ended or item.name in self._still or self._fills_in(session):
            return False
        return not (world.is_out(session) or director.covers.covered or session.id.startswith("test:"))

    def _fills_in(self, session: ev.Session) -> bool:
        """For one who is away in its turn, of whom the operator wants the slate."""
        holder = self._world.director.lineup.holder
        return self._wants_slate() and holder is not None and holder.streamer != session.streamer

    def _named(self) -> None:
        """Nobody is shown under another's name."""
        world = self._world
        on_air = world.director.view(world.now).on_air
        item = world.obs.items.get(on_air.input) if on_air else None
        if on_air is None or item is None or item.session is None or item.name in world.obs.fixtures:
            return
        if world.director.switchover.state is State.RECOVERING and not item.shown:
            return  # OBS was not read since; a record that ended short of the end does not know what it shows
        # What is played is a path: who publishes there, or did so last, is shown, whosever name it was made for.
        path = item.session.path
        known = {each.streamer for each in world.ingest.live.values() if each.path == path}
        if item.session.id not in world.ingest.live:
            if told := world.director.lineup.announced(path):
                self._announced[path] = told.streamer
            # Where nobody publishes, one whom the server refused after it had asked is as good a name as any.
            known |= set() if known else {self._announced.get(path, "")}
            known |= {item.session.streamer, world.ingest.last.get(path, "")}
        assert on_air.streamer in known, f"{item} is said to be {on_air.streamer}'s"

    # --- what is seen ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """From now on everything is done and answered at once."""
        self._dead.clear()
        self._wrong = 0

    def look(self, step: float) -> None:
        """Once a step."""
        world = self._world
        obs, director = world.obs, world.director
        if (
            not obs.up
            or director.switchover.state is State.RECOVERING
            or any(item.astray for item in obs.items.values())
            # Nothing is to change then, whatever viewers see.
            or (obs.program.studio_mode and director.policy.studio_mode == "hold")
            # Somebody's hand took the picture away, which is respected while held.
            or (director.lineup.held and not obs.shown)
        ):
            self.begin()
            return
        self._is_as_reported()
        moving = [item for item in obs.shown if world.ingest.moves(item.session)]
        dead = not moving and not director.covers.covered
        program = director.switchover.program
        hiccups = director.lineup.standing.hiccups(program.session.id, world.now) if program and program.session else 0
        stall = director.policy.stall
        frozen = dead and bool(obs.shown) and director.policy.slate != ""
        gone = program is not None and program.session is not None and program.session.id in self._ended
        known = bool(director.lineup.first_showable(world.now, but=director.switchover.on_air_streamer))
        margin = STILL + 2 * step
        self._within(
            "a proven one stands by", dead and self._somebody_is_ready(), self._covered(stall, hiccups) + margin
        )
        self._within("it has ended and there is a slate", frozen and gone, ENDED + step)
        self._within("there is a slate", frozen, stall * (1.0 if known else ALONE_MOST) + margin)

    def _covered(self, stall: float, hiccups: int) -> float:
        return stall * min(1.0, 0.5 * 2.0 ** min(max(0, hiccups - 1), 8))

    def _within(self, what: str, waits: bool, seconds: float) -> None:
        now = self._world.now
        if not waits:
            self._dead.pop(what, None)
            return
        since = self._dead.setdefault(what, now)
        assert now - since <= seconds, f"{what}, and nothing moves for {now - since:g} s: {self._world.amiss()}"

    def _somebody_is_ready(self) -> bool:
        world = self._world
        director = world.director
        attempt = director.switchover.attempt
        if attempt is None or attempt.target is None or director.switchover.state is not State.STANDBY:
            return False
        if self._wants_slate():
            return False
        item, entry = world.obs.items.get(attempt.input), director.lineup.by_session(attempt.target.id)
        if item is None or entry is None or not item.proven or not entry.showable(world.now):
            return False
        return world.ingest.moves(item.session) and item.name not in self._still

    def _wants_slate(self) -> bool:
        """The operator does: nobody fills in for one who is away, or stands still, in its turn."""
        director = self._world.director
        policy, holder = director.policy, director.lineup.holder
        has_turn = holder is not None and holder.turn_began is not None and not holder.failures
        return has_turn and policy.slate != "" and policy.during_grace == "slate"

    def _is_as_reported(self) -> None:
        """While nothing is under way, what is shown is what is told."""
        world = self._world
        on_air = world.director.view(world.now).on_air
        program = world.director.switchover.program
        if world.director.lineup.held:
            return  # somebody's hand is respected
        quiet = world.director.switchover.state in (State.IDLE, State.STANDBY) and not world.lane and not world.answers
        told = {program.input} if program else set()
        shown = {item.name for item in world.obs.shown}
        self._wrong = self._wrong + 1 if quiet and shown != told else 0
        assert self._wrong <= WRONG_STEPS, f"OBS shows {shown}, told is {on_air}"
