"""What OBS shows, as far as it is known: read on connecting, after somebody's hand, and by our own cuts."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.handover.attempt import Attempt
from statemachine.handover.fixtures import Fixtures
from statemachine.handover.names import Names
from statemachine.handover.program import Program, adopt
from statemachine.handover.results import Results
from statemachine.policy import Policy


class Scene:
    """The program and its inputs' names. What it is told of changes the program by a method that says why."""

    def __init__(self, policy: Policy, identify: Callable[[str], ev.Session | None], results: Results) -> None:
        self.policy = policy
        self.program: Program | None = None
        """What is on air; None where nothing is."""
        self.changed_at = 0.0
        """When the scene was last changed by us, or read whole."""
        self.held = False
        self.barred = False
        """Studio mode is on, and the operator wants it left alone."""
        self.foreign_owners: tuple[str, ...] = ()
        """Other daemons that were told of."""
        self.names = Names()
        self.fixtures = Fixtures(policy, results)
        self._identify = identify
        self._results = results

    def restore(self, program: Program | None, changed_at: float, foreign_owners: tuple[str, ...]) -> None:
        """Stand where the snapshot was taken."""
        self.program, self.changed_at, self.foreign_owners = program, changed_at, foreign_owners

    def use(self, policy: Policy, *, connected: bool) -> None:
        """The policy from now on. What it no longer shows is hidden, now and whenever OBS comes back."""
        before, self.policy = self.policy, policy
        if policy.prefix != before.prefix:
            # Inventories no longer list what bears the old one.
            self.names.empty_pool()
        if self.fixtures.use(policy, self.on_air_input) and connected:
            self.fixtures.set_slates(self.program)

    def hold(self, held: bool) -> None:
        """Whether somebody's hand on the scene is respected."""
        self.held = held

    def bar(self, barred: bool) -> None:
        """Whether the one on air may not change."""
        self.barred = barred

    @property
    def on_air_streamer(self) -> str:
        """Whose picture is shown; empty where it is nobody's."""
        return self.program.session.streamer if self.program and self.program.session else ""

    @property
    def on_air_input(self) -> str:
        """The input that is shown; empty where none is."""
        return self.program.input if self.program else ""

    @property
    def in_use(self) -> set[str]:
        """Inputs that are shown, or kept for that."""
        return {self.policy.static_input, self.on_air_input, *(self.names.pool if self.policy.mode == "pooled" else ())}

    # --- our own cuts ----------------------------------------------------------------------------------------

    def cut(self, at: float, program: Program | None) -> None:
        """OBS has changed the picture as it was asked to."""
        self.program, self.changed_at = program, at
        self._results.facts.append(self._on_air(at))

    def put_right(self, at: float) -> None:
        """OBS has put the scene right after a cut that failed."""
        self.changed_at = at

    def doubt_program(self, at: float, attempt: Attempt) -> None:
        """Mode static: the attempt may have restarted what was on air, so that nobody can be named for it.

        Whether it moves is known where the attempt has a picture; one without says nothing of it.
        """
        program = self.program
        if program is None or program.input != attempt.input:
            return
        moves = attempt.is_proven and attempt.outcome != "media_failed"
        if moves:
            program = replace(program, still_since=None, stalled_since=None, moves_since=None, proven=attempt.target)
        # Nobody watches it any more, unlike one that was found on air.
        since = at if program.session is not None or program.moves else program.since
        self.program = replace(program, session=None, since=since, attempt=attempt.number)

    def open_program(self, at: float, attempt: Attempt) -> None:
        """Mode static: what is on air opens another stream by now: whoever was shown is seen no more.

        It counts as still until the attempt has a picture, one opened after the other all the time.
        """
        program = self.program
        if program is None or program.input != attempt.input or program.session == attempt.target:
            return
        self.doubt_program(at, attempt)
        still = None if program.stalled_since is not None else program.still_since or at
        self.program = replace(self.program or program, still_since=still, moves_since=None, proven=None)

    def play_program(self, at: float, attempt: Attempt) -> None:
        """Mode static: the attempt has a picture, and viewers see it already."""
        if self.program is not None and self.program.session is None:
            self.doubt_program(at, attempt)

    # --- OBS was read ----------------------------------------------------------------------------------------

    def adopt(self, event: ev.ObsReady, attempt: Attempt | None) -> None:
        """OBS is back: what it shows is on air. The cut of ``attempt`` may have happened."""
        self._note(event.inventory, event.at)
        before = self.program
        incoming = Program(attempt.input, attempt.target, event.at) if attempt else None
        result = adopt(self._as_seen(event.inventory), before, incoming, self._identify, event.at)
        found = result.program
        if found is None and self.policy.static_input not in (*result.names, *self.fixtures.missing):
            found = self._found_static(event, [program for program in (incoming, before) if program])
        # Its new watch belongs to no attempt, and tells of a stall afresh.
        self.program = (
            replace(found, attempt=0, still_since=None, stalled_since=None, blank=False, moves_since=None, proven=None)
            if found
            else None
        )
        self.changed_at = event.at
        if self.program:
            self.names.keep_beside(self.program.input)
        self._results.orphans += [name for name in result.orphans if name not in self.in_use]
        self._show_alone(event.inventory, hidden=result.hidden)
        if before or self.program:
            self._results.facts.append(self._on_air(event.at, adopted=True))

    def _found_static(self, event: ev.ObsReady, known: list[Program]) -> Program | None:
        """The one input of mode static, whom its restart has shown before any cut.

        It is asked whom it plays: a try may have come to nothing, or a crash have forgotten one, or whom it plays may
        have been sent away. Then nobody is on air until somebody's picture is seen to move.
        """
        static, read = self.policy.static_input, event.inventory.static
        known = [program for program in known if program.input == static]
        if read is None or read.name != static or read.stream is None:
            return next(iter(known), None)
        publishes = self._identify(read.stream) is not None
        told = (program for program in known if _is_told(program, read.stream, publishes=publishes))
        return next(told, None)

    def _show_alone(self, inventory: ev.Inventory, *, hidden: bool) -> None:
        """Watch what was found on air, show it where it is ``hidden``, and hide all else."""
        on_air = self.program.input if self.program else None
        if on_air is not None:
            self._results.do(cmd.WatchOnAir(on_air))
            if hidden and not self.held:
                self._results.do(cmd.ShowInput(on_air))
        for item in inventory.inputs:
            if item.shown and item.name != on_air:
                self._results.do(cmd.HideInput(item.name))
        if self.policy.mode == "static" and on_air is None:
            self._results.do(cmd.HideInput(self.policy.static_input))
        self.fixtures.set_slates(self.program)

    def _as_seen(self, inventory: ev.Inventory) -> ev.Inventory:
        """Where studio mode's copy stays on air, what it shows is what is on air."""
        program = inventory.program
        if self.policy.studio_mode != "hold" or program is None or not program.copied:
            return inventory
        inputs = (replace(item, shown=item.name in program.inputs) for item in inventory.inputs)
        return replace(inventory, inputs=tuple(inputs))

    def reread(
        self, event: ev.InventoryRead, now: float, attempt: Attempt | None, in_use: Collection[str], *, changing: bool
    ) -> bool:
        """Somebody may have touched the scene; True if the program is gone. While held their hand is respected.

        What was read before the scene was last changed says nothing about it, nor does it while we are ``changing`` it.
        """
        self._note(event.inventory, now)
        self._results.orphans += [item.name for item in event.inventory.inputs if item.name not in in_use]
        if self.held or event.at <= self.changed_at:
            return False
        lost = self.program is not None and self.is_gone(self.program.input, event.inventory)
        if lost:
            self._lose_program(now)
        if not changing:
            others = event.inventory.others
            if others is not None:
                self.fixtures.set_slates(self.program, others)
                self.fixtures.put_static_right(others, self.program, attempt.input if attempt else "")
            self._put_items_right(event.inventory.inputs)
        return lost

    def is_gone(self, name: str, inventory: ev.Inventory) -> bool:
        """That input was removed, or was taken out of the scene, which is as good: it is seen no more."""
        if name == self.policy.static_input:
            return name in inventory.missing
        item = next((item for item in inventory.inputs if item.name == name), None)
        return inventory.whole and (item is None or item.items == 0)

    def _lose_program(self, now: float) -> None:
        # Nothing of that name is there to be used again.
        self.names.distrust(self.on_air_input)
        self.program = None
        self._results.facts.append(self._on_air(now))
        self.fixtures.set_slates(None)

    def _put_items_right(self, inputs: Iterable[ev.OwnInput]) -> None:
        """Of the inputs that bear numbers the one on air is shown, once, and no other."""
        for item in inputs:
            wanted = self.program is not None and item.name == self.program.input
            if wanted and item.shown and item.shown_items > 1:
                self._results.do(cmd.HideDuplicates(item.name))
            if item.shown != wanted and (wanted or item.shown) and item.name != self.policy.static_input:
                self._results.do(cmd.ShowInput(item.name) if wanted else cmd.HideInput(item.name))

    def _note(self, inventory: ev.Inventory, at: float) -> None:
        """Take what a reading says of names: those that are taken, and those that nobody bears."""
        taken = (*(own.name for own in inventory.inputs), *(other.name for other in inventory.foreign))
        self.names.pass_over(taken, self.policy.prefix)
        if inventory.whole:
            self.fixtures.note(at, inventory.missing)
        owners: dict[str, list[str]] = {}
        for other in inventory.foreign:
            owners.setdefault(other.owner, []).append(other.name)
        for owner, inputs in owners.items():
            if owner not in self.foreign_owners:
                self._results.facts.append(facts.ForeignInputsSeen(at, owner, ", ".join(inputs)))
        self.foreign_owners = tuple(owners)

    # --- what is told of the picture on air ------------------------------------------------------------------

    def stands_still(self, at: float, name: str, since: float, *, blank: bool) -> None:
        """The picture of that input does, which is no stall yet."""
        program = self.program
        if program and program.input == name:
            self.program = replace(program, still_since=since, moves_since=None)
            if blank:
                self._set_blank(at, blank=True)

    def moves(self, at: float, name: str) -> None:
        """The picture of that input moves (again); where it had stalled it has to go on."""
        program = self.program
        if program and program.input == name:
            moves = at if program.stalled_since is not None else None
            self.program = replace(program, still_since=None, moves_since=moves)
            self._set_blank(at, blank=False)

    def mark_stalled(self, since: float) -> None:
        """The picture on air has stood still for too long, or will not play any more."""
        if self.program is not None:
            self.program = replace(self.program, still_since=None, stalled_since=since, moves_since=None)

    def mark_recovered(self) -> None:
        """The picture on air had stalled, and has moved for long enough since."""
        if self.program is not None:
            self.program = replace(self.program, stalled_since=None, moves_since=None)

    def inherit(self, at: float, heir: ev.Session) -> None:
        """What is shown plays another publisher of the same path by now."""
        if self.program is not None:
            self.program = replace(self.program, session=heir, since=at, proven=None)
            self._results.facts.append(facts.OnAirChanged(at, heir.streamer, self.program.input, adopted=True))

    def name_program(self, at: float, session: ev.Session) -> None:
        """It is known by now whose picture is shown."""
        if self.program is not None:
            self.program = replace(self.program, session=session, stream="")
            self._results.facts.append(facts.OnAirChanged(at, session.streamer, self.program.input, adopted=True))

    def _set_blank(self, at: float, *, blank: bool) -> None:
        """The input on air shows nothing any more, or shows a picture again."""
        if self.program is not None and self.program.blank is not blank:
            self.program = replace(self.program, blank=blank)
            self._results.facts.append(replace(self._on_air(at), same_input=True))

    def _on_air(self, at: float, *, adopted: bool = False) -> facts.OnAirChanged:
        seen = self.program is not None and not self.program.blank
        name = self.on_air_input if seen else ""
        return facts.OnAirChanged(at, self.on_air_streamer if seen else "", name, adopted)


def _is_told(program: Program, stream: str, *, publishes: bool) -> bool:
    return publishes if program.session is None else program.session.is_played_at(stream)
