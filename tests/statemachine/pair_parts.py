"""What a channel's daemons meet in: their store, and OBS. Both forget, if they are made to."""

from dataclasses import dataclass, field

from statemachine.tenure import Claim


@dataclass
class Row:
    """The lease."""

    epoch: int = 0
    run: str = ""
    daemon: str = ""
    expires_at: float = float("-inf")


@dataclass
class Store:
    """The shared store: one row, and the channel's log."""

    lease: Row = field(default_factory=Row)
    log: list[tuple[int, int, str]] = field(default_factory=list)
    """Number, epoch, what happened."""
    up: bool = True
    server: int = 0
    """Which one it is."""
    kept: "tuple[Row, list[tuple[int, int, str]]] | None" = None
    """What a replica has, which may become the primary."""

    def replicate(self) -> None:
        """The replica catches up."""
        self.kept = Row(**vars(self.lease)), list(self.log)

    def fail_over(self) -> None:
        """What the replica has not heard of is lost."""
        if self.kept is not None:
            self.lease, self.log = Row(**vars(self.kept[0])), list(self.kept[1])
            self.server += 1


@dataclass
class Obs:
    """One value, and who changed the picture when."""

    up: bool = True
    claim: Claim | None = None
    acts: list[tuple[float, int, str, str]] = field(default_factory=list)
    """Time, epoch, daemon, run."""
