"""Which daemon acts in a scene of OBS: one at a time, whatever else was started there.

Each leaves its claim in OBS: whose it is, and an epoch that rises with each who takes the scene. Whoever finds a claim
of another asks, over OBS, whether that one lives, and acts only once it does not answer. Whoever finds that a scene was
taken from it, because it had been held up for so long that it counted as gone, stops acting at once.

The claim is read before each change of the picture, and before any other change if it was not read a moment ago: a
daemon that was frozen for a minute changes nothing when it wakes.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

ANSWER: Final = 1.0
"""Seconds that one who is asked has to answer."""
PATIENCE: Final = 3
"""Questions in a row without an answer after which one that has answered before counts as gone. One that never has
counts as gone after the first."""
HELD_UP: Final = 1.5
"""Seconds of waiting for an answer beyond which it is the asker who was held up: the answer may be there, unread."""
FRESH: Final = 2.5
"""Seconds for which a claim that was read is relied upon where the picture is not changed; it is read every two."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What stands in OBS."""

    owner: str
    """The daemon's database."""
    run: str
    """Its start."""
    epoch: int
    """Rises with each who takes the scene."""


class Standing(Enum):
    """Whose the scene is."""

    HELD = auto()
    """This run's."""
    FREE = auto()
    """Nobody's who lives: it may be taken."""
    TAKEN = auto()
    """Another's, who lives, or is to be asked whether it does."""


class Ownership:
    """One run's view. Times are seconds of one clock, which never goes back."""

    def __init__(self, owner: str, run: str) -> None:
        self.claim = Claim(owner, run, 0)
        """The last one that was made; of epoch 0 where none was."""
        self._answered: set[str] = set()
        self._missed: dict[str, int] = {}
        """Answers in a row that did not come, by the run that was asked."""
        self._held_at: float | None = None

    def judge(self, found: Claim | None, at: float) -> Standing:
        """Whose the scene is by what stands in OBS; None where nothing does."""
        if found is not None and found == self.claim:
            self._held_at = at
            return Standing.HELD
        self._held_at = None
        if found is None or self._is_former(found):
            return Standing.FREE
        patience = PATIENCE if found.run in self._answered else 1
        return Standing.FREE if self._missed.get(found.run, 0) >= patience else Standing.TAKEN

    def take(self, found: Claim | None, at: float) -> Claim:
        """The claim to be made, above what was found and above one's own."""
        epoch = max(self.claim.epoch, found.epoch if found else 0) + 1
        self.claim = Claim(self.claim.owner, self.claim.run, epoch)
        self._held_at = at
        return self.claim

    def heard(self, run: str) -> None:
        """That one lives."""
        self._answered.add(run)
        self._missed.pop(run, None)

    def gave_no_answer(self, run: str, waited: float) -> None:
        """That one was asked, and has not answered for so many seconds."""
        if waited < HELD_UP:
            self._missed[run] = self._missed.get(run, 0) + 1

    def is_fresh(self, at: float) -> bool:
        """The claim was one's own a moment ago."""
        return self._held_at is not None and 0.0 <= at - self._held_at < FRESH

    def _is_former(self, found: Claim) -> bool:
        """An earlier run's of the same database, found by one that has just begun. Nobody waits for that: it is gone.

        Of a copy of that database on another machine the same would be thought. The epoch tells that one to stop.
        """
        return found.owner == self.claim.owner and self.claim.epoch == 0
