"""What people have put into the scene for the daemon to show and to hide: slates, and the one input of mode static."""

from collections.abc import Collection

from statemachine import commands as cmd
from statemachine import facts
from statemachine.handover.program import Program
from statemachine.handover.results import Results
from statemachine.policy import Policy

SLATES_MOST = 4
"""Former slates (and static inputs) that are remembered, because the command that hid one may have been lost."""


def fixtures(policy: Policy) -> set[str]:
    """The names of those that are shown and hidden."""
    return {name for name in (policy.slate, policy.static_input if policy.mode == "static" else "") if name}


class Fixtures:
    """Knows which are there, and shows the slate where nobody is on air."""

    def __init__(self, policy: Policy, results: Results) -> None:
        self._policy = policy
        self._results = results
        self.old: tuple[str, ...] = ()
        """Slates, and static inputs, that a policy named before."""
        self.missing: tuple[str, ...] = ()
        """What OBS does not have of that which the configuration names."""

    def restore(self, old: tuple[str, ...], missing: tuple[str, ...]) -> None:
        """Stand where the snapshot was taken."""
        self.old, self.missing = old, missing

    def use(self, policy: Policy, on_air: str) -> bool:
        """The policy from now on; True if it names others than before. What it no longer names is hidden."""
        before, self._policy = self._policy, policy
        old = dict.fromkeys([*self.old, *(name for name in fixtures(before) if name not in fixtures(policy))])
        if on_air and (policy.prefix != before.prefix or on_air in old):
            # The last of them, for it is shown: what was changed since does not push it out.
            old.pop(on_air, None)
            old[on_air] = None
        self.old = tuple(name for name in old if name not in fixtures(policy))[-SLATES_MOST:]
        return fixtures(policy) != fixtures(before)

    def note(self, at: float, missing: tuple[str, ...]) -> None:
        """OBS was read whole, and lacks these of what the configuration names."""
        before, self.missing = self.missing, missing
        for name, what in self._named().items():
            if (name in before) is not (name in missing):
                kind = facts.FixtureMissing if name in missing else facts.FixtureFound
                self._results.facts.append(kind(at, what, name))

    def set_slates(self, program: Program | None, shown: Collection[str] | None = None) -> None:
        """Show or hide each as it ought to be; where it is known what is ``shown``, only what is not."""
        slates = dict.fromkeys(self.old, False)
        if self._policy.slate:
            slates[self._policy.slate] = program is None
        if program:
            slates.pop(program.input, None)
        for name, wanted in slates.items():
            # One that is not there is told of once, and not asked for again and again.
            if name not in self.missing and (shown is None or wanted != (name in shown)):
                self._results.do(cmd.SetSlate(name, wanted))

    def put_static_right(self, shown: Collection[str], program: Program | None, incoming: str) -> None:
        """Show the one static input, or hide it, where somebody's hand has done the contrary."""
        static = self._policy.static_input
        on_air = program is not None and program.input == static
        if on_air and static not in shown and static not in self.missing:
            self._results.do(cmd.ShowInput(static))
        # Its restart shows it ahead of its cut.
        if self._policy.mode == "static" and static in shown and not on_air and incoming != static:
            self._results.do(cmd.HideInput(static))

    def _named(self) -> dict[str, str]:
        """What the configuration names, and as what."""
        policy = self._policy
        named = {policy.template: "template", policy.slate: "slate"}
        if policy.mode == "static":
            named[policy.static_input] = "input"
        return {name: what for name, what in named.items() if name}
