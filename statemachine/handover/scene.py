"""What OBS shows and holds, as far as it is known: read on connecting, after somebody's hand, and by our own cuts."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.handover.attempt import Aftermath, Attempt, Brief, Ended
from statemachine.handover.program import Program, adopt, highest
from statemachine.handover.reserves import Reserves
from statemachine.handover.states import State
from statemachine.policy import Policy

SLATES_MOST = 4
"""Former slates (and static inputs) that are remembered, because the command that hid one may have been lost."""


def fixtures(policy: Policy) -> set[str]:
    """What people have put into the scene for the daemon to show and to hide."""
    return {name for name in (policy.slate, policy.static_input if policy.mode == "static" else "") if name}


class Scene:
    """The program, the incoming, and the names; appends to ``commands``, and to what ``aftermath`` returns."""

    state: State

    def __init__(
        self,
        policy: Policy,
        identify: Callable[[str], ev.Session | None],
        brief: Callable[[ev.Session], Brief] = lambda session: Brief(),
    ) -> None:
        self.policy = policy
        self.program: Program | None = None
        self.attempt: Attempt | None = None
        self.last_number = 0
        self.next_input = 1
        self.pool: tuple[str, ...] = ()
        self.scene_at = 0.0
        self.old_slates: tuple[str, ...] = ()
        self.missing: tuple[str, ...] = ()
        """What OBS does not have of that which the configuration names."""
        self.foreign_owners: tuple[str, ...] = ()
        """Other daemons that were told of."""
        self.names_taken = 0
        """Names in a row that were somebody else's."""
        self.held = False
        """Somebody's hand on the scene is respected."""
        self.barred = False
        """The one on air may not change: studio mode is on, and the operator wants it left alone."""
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []
        self._orphans_found: list[str] = []
        self._abandoned: list[Attempt] = []
        self._ended: list[Ended] = []
        self.reserves = Reserves(self)
        self._identify = identify
        self._brief = brief

    def use(self, policy: Policy) -> None:
        """The policy from now on. What it no longer shows is hidden, now and whenever OBS comes back."""
        before, self.policy = self.policy, policy
        old = dict.fromkeys([*self.old_slates, *(name for name in fixtures(before) if name not in fixtures(policy))])
        if policy.prefix != before.prefix:
            # Inventories no longer list what bears the old one.
            self.pool = ()
        if self.program and (policy.prefix != before.prefix or self.program.input in old):
            # The last of them, for it is shown: what was changed since does not push it out.
            old.pop(self.program.input, None)
            old[self.program.input] = None
        self.old_slates = tuple(name for name in old if name not in fixtures(policy))[-SLATES_MOST:]
        if fixtures(policy) != fixtures(before) and self.state is not State.RECOVERING:
            self._set_slates()

    def aftermath(self) -> Aftermath:
        """What attempts came to, and what they left, since the last call: each is returned once."""
        came = Aftermath(tuple(self._ended), tuple(self._orphans_found), tuple(self._abandoned), tuple(self.facts))
        self._ended, self._orphans_found, self._abandoned, self.facts = [], [], [], []
        return came

    @property
    def on_air_streamer(self) -> str:
        """Whose picture is shown; empty where it is nobody's."""
        return self.program.session.streamer if self.program and self.program.session else ""

    @property
    def in_use(self) -> Collection[str]:
        """Inputs that something refers to."""
        names = {self.policy.static_input, *(self.pool if self.policy.mode == "pooled" else ())}
        if self.program:
            names.add(self.program.input)
        if self.attempt:
            names |= {self.attempt.input, self.attempt.outgoing}
        return names | {attempt.input for attempt in self.reserves}

    def adopt(self, event: ev.ObsReady) -> None:
        self._note(event.inventory, event.at)
        a, before = self.attempt, self.program
        incoming = Program(a.input, a.target, event.at) if a else None
        result = adopt(self._as_seen(event.inventory), before, incoming, self._identify, event.at)
        found = result.program
        static = self.policy.static_input
        if found is None and static not in result.names and static not in self.missing:
            # It bears no number, so inventories do not list it; its restart has shown it before any cut.
            found = next((p for p in (incoming, before) if p and p.input == static), None)
        # Its new watch belongs to no attempt, and tells of a stall afresh.
        self.program = (
            replace(found, attempt=0, still_since=None, stalled_since=None, blank=False, moves_since=None)
            if found
            else None
        )
        self.attempt, self.scene_at = None, event.at
        if self.program and self.program.input not in self.pool:
            self.pool = self.pool[:1]  # one beside what is on air
        self._orphans_found += [name for name in result.orphans if name not in self.in_use]
        if self.program:
            self._do(cmd.WatchOnAir(self.program.input))
            if result.hidden and not self.held:
                self._do(cmd.ShowInput(self.program.input))
        strays = (item.name for item in event.inventory.inputs if item.shown)
        self.commands += [cmd.HideInput(name) for name in strays if not self.program or name != self.program.input]
        if self.policy.mode == "static" and self.program is None:
            self._do(cmd.HideInput(static))
        self._set_slates()
        if before or self.program:
            self.facts.append(self._on_air(event.at, adopted=True))

    def _as_seen(self, inventory: ev.Inventory) -> ev.Inventory:
        """Where studio mode's copy stays on air, what it shows is what is on air."""
        program = inventory.program
        if self.policy.studio_mode != "hold" or program is None or not program.copied:
            return inventory
        inputs = (replace(item, shown=item.name in program.inputs) for item in inventory.inputs)
        return replace(inventory, inputs=tuple(inputs))

    # --- OBS was re-read -------------------------------------------------------------------------------------

    def reread(self, event: ev.InventoryRead, now: float) -> bool:
        """Somebody may have touched the scene; True if the program is gone. While held their hand is respected.

        What was read before the scene was last changed says nothing about it.
        """
        if self.state is State.RECOVERING:
            return False
        self._note(event.inventory, now)
        known = {item.name: item for item in event.inventory.inputs}
        self._orphans_found += [name for name in known if name not in self.in_use]
        if self.held or event.at <= self.scene_at:
            return False
        lost = self.program is not None and self.is_gone(self.program.input, event.inventory)
        if lost and self.program is not None:
            # Nothing of that name is there to be used again.
            self.pool = tuple(name for name in self.pool if name != self.program.input)
            self.program = None
            self.facts.append(self._on_air(now))
            self._set_slates()
        if self.state is not State.SWAPPING and not (self.attempt and self.attempt.is_restoring):
            if event.inventory.others is not None:
                self._set_slates(event.inventory.others)
                self._put_static_right(event.inventory.others)
            self._put_items_right(event.inventory.inputs)
        return lost

    def _put_static_right(self, shown: Collection[str]) -> None:
        """Show the one static input, or hide it, where somebody's hand has done the contrary."""
        static = self.policy.static_input
        on_air = self.program is not None and self.program.input == static
        if on_air and static not in shown and static not in self.missing:
            self._do(cmd.ShowInput(static))
        # Its restart shows it ahead of its cut.
        restarted = self.attempt is not None and self.attempt.input == static
        if self.policy.mode == "static" and static in shown and not on_air and not restarted:
            self._do(cmd.HideInput(static))

    def _put_items_right(self, inputs: Iterable[ev.OwnInput]) -> None:
        """The same of the inputs that bear numbers: the one on air is shown, once, and no other."""
        for item in inputs:
            wanted = self.program is not None and item.name == self.program.input
            if wanted and item.shown and item.shown_items > 1:
                self._do(cmd.HideDuplicates(item.name))
            if item.shown != wanted and (wanted or item.shown) and item.name != self.policy.static_input:
                self._do(cmd.ShowInput(item.name) if wanted else cmd.HideInput(item.name))

    def is_gone(self, name: str, inventory: ev.Inventory) -> bool:
        """That input was removed, or was taken out of the scene, which is as good: it is seen no more."""
        if name == self.policy.static_input:
            return name in inventory.missing
        item = next((item for item in inventory.inputs if item.name == name), None)
        return inventory.whole and (item is None or item.items == 0)

    # --- what is told of pictures ----------------------------------------------------------------------------

    def stands_still(self, at: float, name: str, since: float, *, blank: bool) -> None:
        """The picture of that input does, which is no stall yet. Mode static: one input is on air and incoming."""
        program, attempt = self.program, self.attempt
        if program and program.input == name:
            self.program = replace(program, still_since=since, moves_since=None)
            if blank:
                self._set_blank(at, blank=True)
        if attempt and attempt.input == name and self.state in (State.STANDBY, State.SWAPPING):
            self.attempt = replace(attempt, still_since=since, blank=attempt.blank or blank)
        reserve = self.reserves.by_input(name)
        if reserve is not None and reserve.ready_at is not None:
            self.reserves.put(replace(reserve, still_since=since, blank=reserve.blank or blank))

    def moves(self, at: float, name: str) -> None:
        """The picture of that input moves (again); the one on air, where it had stalled, has to go on."""
        program, attempt = self.program, self.attempt
        if program and program.input == name:
            moves = at if program.stalled_since is not None else None
            self.program = replace(program, still_since=None, moves_since=moves)
            self._set_blank(at, blank=False)
        if attempt and attempt.input == name:
            self.attempt = replace(attempt, still_since=None, stalled_since=None, blank=False)
        elif reserve := self.reserves.by_input(name):
            self.reserves.put(replace(reserve, still_since=None, blank=False))

    def mark_stalled(self, since: float) -> None:
        """The picture on air has stood still for too long, or will not play any more."""
        if self.program is not None:
            self.program = replace(self.program, still_since=None, stalled_since=since, moves_since=None)

    def mark_recovered(self) -> None:
        """The picture on air had stalled, and has moved for long enough since."""
        if self.program is not None:
            self.program = replace(self.program, stalled_since=None, moves_since=None)

    def mark_stalled_in_cut(self, at: float) -> None:
        """The incoming failed while it was cut to: once on air, it has stalled."""
        if self.attempt is not None:
            self.attempt = replace(self.attempt, stalled_since=at)

    def inherit(self, at: float, heir: ev.Session) -> None:
        """What is shown plays another publisher of the same path by now."""
        if self.program is not None:
            self.program = replace(self.program, session=heir, since=at)
            self.facts.append(facts.OnAirChanged(at, heir.streamer, self.program.input, adopted=True))

    def name_program(self, at: float, session: ev.Session) -> None:
        """It is known by now whose picture is shown."""
        if self.program is not None:
            self.program = replace(self.program, session=session, stream="")
            self.facts.append(facts.OnAirChanged(at, session.streamer, self.program.input, adopted=True))

    def _set_blank(self, at: float, *, blank: bool) -> None:
        """The input on air shows nothing any more, or shows a picture again."""
        if self.program is not None and self.program.blank is not blank:
            self.program = replace(self.program, blank=blank)
            self.facts.append(replace(self._on_air(at), same_input=True))

    # --- helpers ---------------------------------------------------------------------------------------------

    def _note(self, inventory: ev.Inventory, at: float) -> None:
        """Take what a reading says of names: those that are taken, and those that nobody bears."""
        taken = (*(own.name for own in inventory.inputs), *(other.name for other in inventory.foreign))
        self.next_input = max(self.next_input, highest(taken, self.policy.prefix) + 1)
        if inventory.whole:
            before, self.missing = self.missing, inventory.missing
            for name, what in self._fixture_names().items():
                if (name in before) is not (name in self.missing):
                    kind = facts.FixtureMissing if name in self.missing else facts.FixtureFound
                    self.facts.append(kind(at, what, name))
        owners: dict[str, list[str]] = {}
        for other in inventory.foreign:
            owners.setdefault(other.owner, []).append(other.name)
        for owner, inputs in owners.items():
            if owner not in self.foreign_owners:
                self.facts.append(facts.ForeignInputsSeen(at, owner, ", ".join(inputs)))
        self.foreign_owners = tuple(owners)

    def _fixture_names(self) -> dict[str, str]:
        """What the configuration names, and as what."""
        policy = self.policy
        named = {policy.template: "template", policy.slate: "slate"}
        if policy.mode == "static":
            named[policy.static_input] = "input"
        return {name: what for name, what in named.items() if name}

    def _set_slates(self, shown: Collection[str] | None = None) -> None:
        """Show or hide each as it ought to be; where it is known what is ``shown``, only what is not."""
        slates = dict.fromkeys(self.old_slates, False)
        if self.policy.slate:
            slates[self.policy.slate] = self.program is None
        if self.program:
            slates.pop(self.program.input, None)
        for name, wanted in slates.items():
            # One that is not there is told of once, and not asked for again and again.
            if name not in self.missing and (shown is None or wanted != (name in shown)):
                self._do(cmd.SetSlate(name, wanted))

    def _on_air(self, at: float, *, adopted: bool = False) -> facts.OnAirChanged:
        seen = self.program is not None and not self.program.blank
        name = self.program.input if self.program and seen else ""
        return facts.OnAirChanged(at, self.on_air_streamer if seen else "", name, adopted)

    def conclude_reserve(self, at: float, attempt: Attempt, outcome: str, detail: str, code: str = "") -> None:
        """A reserve came to its end: its input is left to the sweep, so that nothing waits for its removal."""
        attempt = replace(attempt, outcome=outcome, detail=detail, code=code)
        self._report(at, attempt)
        self._let_go(at, attempt)

    def _let_go(self, at: float, attempt: Attempt) -> None:
        """Its input goes: by the sweep, and not while it still opens."""
        self._distrust(attempt.input)
        self._abandoned.append(attempt)

    def _distrust(self, name: str) -> None:
        """Mode pooled: a request for it failed and may yet come true, so that it is removed and not used again."""
        self.pool = tuple(pooled for pooled in self.pool if pooled != name)

    def _report(self, at: float, a: Attempt) -> None:
        """Tell of an attempt that has come to its end."""
        ended = Ended(at, a)
        self._ended.append(ended)
        self.facts.append(ended.fact)

    def _do(self, command: cmd.Command) -> None:
        self.commands.append(command)

    def _next_name(self) -> str:
        on_air = self.program.input if self.program else ""
        if self.policy.mode == "static":
            return self.policy.static_input
        taken = {on_air, *(attempt.input for attempt in self.reserves)}
        if self.policy.mode == "pooled" and (spare := [name for name in self.pool if name not in taken]):
            return spare[0]
        name = f"{self.policy.prefix}{self.next_input}"
        self.next_input += 1
        if self.policy.mode == "pooled":
            self.pool = (*self.pool, name)
        return name
