"""How inputs are called: no name twice, none that OBS has, and in mode pooled the same two in turn."""

from collections.abc import Collection, Iterable

from statemachine.handover.program import highest
from statemachine.policy import Policy

POOL_MOST = 2
"""Inputs that mode pooled keeps: in turn on air and beside it."""


class Names:
    """Gives the next name; knows the pool."""

    def __init__(self) -> None:
        self.next_input = 1
        """The number that no input has had yet."""
        self.pool: tuple[str, ...] = ()
        self.taken = 0
        """Names in a row that were somebody else's."""

    def restore(self, next_input: int, pool: tuple[str, ...], taken: int) -> None:
        """Stand where the snapshot was taken."""
        self.next_input, self.pool, self.taken = next_input, pool, taken

    def next(self, policy: Policy, in_use: Collection[str]) -> str:
        """The name of the next input: one of the pool that is not in use, or the next number."""
        if policy.mode == "static":
            return policy.static_input
        if policy.mode == "pooled" and (spare := [name for name in self.pool if name not in in_use]):
            return spare[0]
        name = f"{policy.prefix}{self.next_input}"
        self.next_input += 1
        if policy.mode == "pooled":
            self.pool = (*self.pool, name)
        return name

    def pass_over(self, names: Iterable[str], prefix: str) -> None:
        """OBS has these."""
        self.next_input = max(self.next_input, highest(tuple(names), prefix) + 1)

    def note_creation(self, *, taken: bool) -> None:
        """OBS has answered: the name was somebody else's, or it was not."""
        self.taken = self.taken + 1 if taken else 0

    # --- the pool --------------------------------------------------------------------------------------------

    def keeps(self, name: str) -> bool:
        """It is not removed when it has left the program, but used again."""
        return name in self.pool and len(self.pool) <= POOL_MOST

    def distrust(self, name: str) -> None:
        """A request for it failed and may yet come true, so that it is removed and not used again."""
        self.pool = tuple(pooled for pooled in self.pool if pooled != name)

    def keep_beside(self, on_air: str) -> None:
        """Another one than those of the pool is on air: one stays beside it."""
        if on_air not in self.pool:
            self.pool = self.pool[:1]

    def empty_pool(self) -> None:
        """None is used again."""
        self.pool = ()
