"""The policy in force: what the file says, and over it what was set live."""

from dataclasses import fields, replace

from statemachine.policy import Policy

Value = bool | int | float | str


class Settings:
    """``base`` is the file's; ``overrides`` were set live and outlive a restart."""

    def __init__(self, base: Policy, overrides: dict[str, Value] | None = None) -> None:
        self.base = base
        self.overrides = overrides or {}

    @property
    def policy(self) -> Policy:
        """What is in force."""
        return replace(self.base, **self.overrides)  # type: ignore[arg-type]  # names and types are checked in set()

    def set(self, name: str, value: Value) -> str | None:
        """Set one field live; what is wrong with it, or None where it was taken."""
        problem = self.base.problem(name, value)
        if problem is None:
            self.overrides[name] = value
        return problem

    def load(self, policy: Policy) -> None:
        """The file wins where it says something new; what was set live stays where it does not."""
        changed = {f.name for f in fields(Policy) if getattr(policy, f.name) != getattr(self.base, f.name)}
        self.base = policy
        self.overrides = {name: value for name, value in self.overrides.items() if name not in changed}
