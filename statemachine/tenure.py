"""Which of a channel's daemons acts where there are two: by a lease, and by an epoch that stands in OBS as well.

A lease row in a shared store says who owns the channel, for how long, and in which epoch, which rises with each owner.
Who holds the lease acts without asking anybody: for as long as it is surely not over by the holder's own clock, nobody
else can have taken it. When it is no longer sure, because the store has not answered, OBS is the one place that both
would meet: each new owner writes its epoch there before it acts, and waits for longer than a daemon may rely on what it
has read there. So the one that finds its own epoch may go on, and the one that finds a higher one has been replaced.

Times are seconds of one daemon's own clock, which has to go on while the machine sleeps, and never goes back.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

TTL: Final = 3.5
"""Seconds for which a lease is taken and renewed."""
BEATS: Final = 5
"""Renewals within that time."""
MARGIN: Final = 0.15
"""Share of that time by which the holder counts it as over earlier than the store does: clocks are not equally fast."""
PROOF: Final = 0.2
"""Seconds for which what was read in OBS is relied upon, from when it was asked for."""
SETTLE: Final = 0.4
"""Seconds that a new owner waits after it has written its epoch into OBS: longer than ``PROOF``."""
REST: Final = 10.0
"""Seconds for which one that has stepped down leaves the channel to others, if there are any."""
OVERDUE: Final = 2.0
"""Seconds after a lease's end for which an heir that does not see OBS leaves it to one that may."""
BLIND: Final = 5.0
"""Seconds for which an owner may not see OBS until it lets an heir have the channel that does."""
LONGEST_SILENCE: Final = 3.0
"""Seconds without a sign of life after which another daemon does not count any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What stands in OBS: who acts there."""

    epoch: int
    run: str
    """Of which start of which daemon."""
    daemon: str = ""
    """Of which database at which place: the same over restarts, and nobody else's."""


class Standing(Enum):
    """What one's claim is worth by what was read in OBS."""

    HELD = auto()
    """It stands there."""
    UNWRITTEN = auto()
    """What stands there is older, or nothing: it is to be written."""
    REPLACED = auto()
    """A later one stands there."""
    UNKNOWN = auto()
    """What stands there is older, or nothing, and the lease is in doubt: nobody can tell who acts."""


class Tenure:
    """One daemon's ownership of its channel, from the moment at which it took the lease."""

    def __init__(self, claim: Claim, asked_at: float, ttl: float = TTL) -> None:
        """``asked_at`` is when the lease was asked for, not when the answer came."""
        self.claim = claim
        self.ended = ""
        """Why it is over, for people; empty while it lasts."""
        self._ttl = ttl
        self._sure_until = asked_at + ttl * (1.0 - MARGIN)
        self._proven_at: float | None = None
        self._entered = False

    @property
    def has_ended(self) -> bool:
        """It is over for good."""
        return bool(self.ended)

    def renewed(self, asked_at: float) -> None:
        """The store has prolonged the lease, which was asked for then."""
        self._sure_until = max(self._sure_until, asked_at + self._ttl * (1.0 - MARGIN))

    def end(self, why: str) -> None:
        """Nothing may be done from now on. The first reason counts."""
        self.ended = self.ended or why

    def is_sure(self, at: float) -> bool:
        """Nobody else can have the lease."""
        return not self.ended and at < self._sure_until

    def may_act(self, at: float) -> bool:
        """Whether OBS may be changed in this very moment."""
        proven = self._proven_at is not None and 0.0 <= at - self._proven_at <= PROOF
        return not self.ended and (proven or at < self._sure_until)

    def judge(self, found: Claim | None, asked_at: float) -> Standing:
        """What OBS was found to say, which was asked for then; None where nothing stands there.

        A later claim ends the tenure, but for one that has not begun to act there and is sure of its lease: what stands
        there then is from another store, or from before this one was put back. It is to be outdone.
        """
        own = self.claim
        if found is not None and (found.epoch, found.run) == (own.epoch, own.run):
            self._proven_at = asked_at
            self._entered = True
            return Standing.HELD
        self._proven_at = None
        # One's own from before a restart is nobody's any more: a database has one daemon.
        former = found is not None and (found.epoch, found.daemon) == (own.epoch, own.daemon) and not self._entered
        if former:
            return Standing.UNWRITTEN
        if found is None or found.epoch < own.epoch:
            return Standing.UNWRITTEN if self.is_sure(asked_at) else Standing.UNKNOWN
        if self._entered or not self.is_sure(asked_at):
            self.end("another daemon has taken the channel over")
        return Standing.REPLACED

    def raised(self, epoch: int) -> None:
        """The store has given the lease a higher epoch."""
        self.claim = Claim(max(epoch, self.claim.epoch), self.claim.run, self.claim.daemon)
        self._proven_at = None

    def waits_for(self, found: Claim | None) -> float:
        """Seconds between the writing of one's claim and the first act: whose was overwritten may still be at it."""
        if found is None or found.daemon == self.claim.daemon:
            return 0.0  # nobody's, or one's own from before a restart
        return SETTLE


@dataclass(frozen=True, slots=True)
class Found:
    """What an heir sees of the lease."""

    left: float
    """Seconds until it is over, by the store's clock; below 0 since then."""
    owner: str = ""
    """The daemon that has it, or had it last."""
    sees_obs: bool = True
    """Whether this heir does."""
    others: bool = False
    """Another daemon of the channel lives, and sees OBS."""
    known_for: float = float("inf")
    """Seconds for which this has been the same store without a break: one that took over from another may have lost the
    last renewals, on which the owner still relies."""


class Heir:
    """When one that does not own the channel tries to take it."""

    def __init__(self, rests_until: float = float("-inf"), ttl: float = TTL) -> None:
        """``rests_until``: it has just stepped down. ``ttl`` is how long a lease lasts."""
        self._rests_until = rests_until
        self._ttl = ttl

    def wait(self, found: Found, at: float) -> float:
        """Seconds until it is to try; 0 is now."""
        wait = max(0.0, found.left, self._ttl - found.known_for)
        if found.others:
            # Whoever sees OBS goes first, and whoever has just stepped down last.
            wait = max(wait, self._rests_until - at, 0.0 if found.sees_obs else found.left + OVERDUE)
        return wait


class Sight:
    """When an owner that has lost OBS lets an heir have the channel that sees it."""

    def __init__(self) -> None:
        self._blind_since: float | None = None

    def yields(self, *, sees_obs: bool, heir_sees_obs: bool, at: float) -> bool:
        """To be asked with each sign of life."""
        if sees_obs:
            self._blind_since = None
            return False
        if self._blind_since is None:
            self._blind_since = at
        return heir_sees_obs and at - self._blind_since >= BLIND
