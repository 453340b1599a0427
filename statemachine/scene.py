"""What OBS shows and holds, as far as it is known: read on connecting, after somebody's hand, and by our own cuts."""

from collections.abc import Callable, Collection
from dataclasses import replace

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.attempt import Attempt
from statemachine.policy import Policy
from statemachine.program import Program, adopt, highest
from statemachine.states import State

SLATES_MOST = 4
"""Former slates (and static inputs) that are remembered, because the command that hid one may have been lost."""


def fixtures(policy: Policy) -> set[str]:
    """What people have put into the scene for the daemon to show and to hide."""
    return {name for name in (policy.slate, policy.static_input if policy.mode == "static" else "") if name}


class Scene:
    """The program, the incoming, and the names; appends to ``commands``, ``facts`` and ``orphans_found``."""

    state: State

    def __init__(self, policy: Policy, identify: Callable[[str], ev.Session | None]) -> None:
        self.policy = policy
        self.program: Program | None = None
        self.attempt: Attempt | None = None
        self.last_number = 0
        self.next_input = 1
        self.pool: tuple[str, ...] = ()
        self.scene_at = 0.0
        self.old_slates: tuple[str, ...] = ()
        self.held = False
        """Somebody's hand on the scene is respected."""
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []
        self.orphans_found: list[str] = []
        self._identify = identify

    def use(self, policy: Policy) -> None:
        """The policy from now on. What it no longer shows is hidden, now and whenever OBS comes back."""
        before, self.policy = self.policy, policy
        old = dict.fromkeys([*self.old_slates, *(name for name in fixtures(before) if name not in fixtures(policy))])
        if policy.prefix != before.prefix:
            # Inventories no longer list what bears the old one.
            self.pool = ()
            if self.program:
                old[self.program.input] = None
        self.old_slates = tuple(name for name in old if name not in fixtures(policy))[-SLATES_MOST:]
        if fixtures(policy) != fixtures(before) and self.state is not State.RECOVERING:
            self._set_slates()

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
            names |= {self.attempt.input, self.attempt.outgoing, self.attempt.victim}
        return names

    def adopt(self, event: ev.ObsReady) -> None:
        a, before = self.attempt, self.program
        incoming = Program(a.input, a.target, event.at) if a else None
        result = adopt(event.inventory, before, incoming, self._identify, event.at)
        found = result.program
        static = self.policy.static_input
        if found is None and static not in result.names:
            # It bears no number, so inventories do not list it; its restart has shown it before any cut.
            found = next((p for p in (incoming, before) if p and p.input == static), None)
        # Its new watch belongs to no attempt, and tells of a stall afresh.
        self.program = (
            replace(found, attempt=0, still_since=None, stalled_since=None, moves_since=None) if found else None
        )
        self.attempt, self.scene_at = None, event.at
        if self.program and self.program.input not in self.pool:
            self.pool = self.pool[:1]  # one beside what is on air
        self.orphans_found += [name for name in result.orphans if name not in self.in_use]
        self.next_input = max(self.next_input, highest(result.names, self.policy.prefix) + 1)
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

    # --- OBS was re-read -------------------------------------------------------------------------------------

    def reread(self, event: ev.InventoryRead, now: float) -> bool:
        """Somebody may have touched the scene; True if the program is gone. While held their hand is respected.

        What was read before the scene was last changed says nothing about it.
        """
        if self.state is State.RECOVERING:
            return False
        known = {item.name: item for item in event.inventory.inputs}
        self.next_input = max(self.next_input, highest(tuple(known), self.policy.prefix) + 1)
        self.orphans_found += [name for name in known if name not in self.in_use]
        program = self.program
        if self.held or event.at <= self.scene_at:
            return False
        lost = program is not None and program.input not in known and program.input != self.policy.static_input
        if lost:
            self.program = None
            self.facts.append(self._on_air(now))
            self._set_slates()
        if self.state is not State.SWAPPING and not (self.attempt and self.attempt.restore):
            others, static = event.inventory.others, self.policy.static_input
            if others is not None:
                self._set_slates(others)
                on_air = self.program is not None and self.program.input == static
                if on_air and static not in others:
                    self._do(cmd.ShowInput(static))
                # Its restart shows it ahead of its cut.
                restarted = self.attempt is not None and self.attempt.input == static
                if self.policy.mode == "static" and static in others and not on_air and not restarted:
                    self._do(cmd.HideInput(static))
            for item in event.inventory.inputs:
                wanted = self.program is not None and item.name == self.program.input
                if item.shown != wanted and (wanted or item.shown) and item.name != self.policy.static_input:
                    self._do(cmd.ShowInput(item.name) if wanted else cmd.HideInput(item.name))
        return lost

    # --- helpers ---------------------------------------------------------------------------------------------

    def _set_slates(self, shown: Collection[str] | None = None) -> None:
        """Show or hide each as it ought to be; where it is known what is ``shown``, only what is not."""
        slates = dict.fromkeys(self.old_slates, False)
        if self.policy.slate:
            slates[self.policy.slate] = self.program is None
        if self.program:
            slates.pop(self.program.input, None)
        for name, wanted in slates.items():
            if shown is None or wanted != (name in shown):
                self._do(cmd.SetSlate(name, wanted))

    def _on_air(self, at: float, *, adopted: bool = False) -> facts.OnAirChanged:
        return facts.OnAirChanged(at, self.on_air_streamer, self.program.input if self.program else "", adopted)

    def _do(self, command: cmd.Command) -> None:
        self.commands.append(command)

    def _next_name(self) -> str:
        on_air = self.program.input if self.program else ""
        if self.policy.mode == "static":
            return self.policy.static_input
        if self.policy.mode == "pooled" and (spare := [name for name in self.pool if name != on_air]):
            return spare[0]
        name = f"{self.policy.prefix}{self.next_input}"
        self.next_input += 1
        if self.policy.mode == "pooled":
            self.pool = (*self.pool, name)
        return name
