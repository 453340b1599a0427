"""What can be measured of a stream by whoever can, and from where on it is amiss: one row a quantity."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value between ``amiss`` and ``well`` changes nothing."""

    unit: str
    """What a value is in."""
    least: float
    most: float
    """What is beyond counts as the bound."""
    amiss: float
    """From here on it is."""
    well: float
    """From here on, on the other side, it has recovered."""
    nothing: float | None = None
    """The value of one that has none, such as of silence; None where there is always one."""
    seen_after: float = 5.0
    """Seconds for which it is amiss until that is seen: people pause, and encoders stumble."""
    good_for: float = 2.0
    """Seconds for which it is well until that is over."""
    told_after: str = ""
    """The policy's field that says after how many seconds it is told as trouble; empty for never."""

    def is_amiss(self, value: float) -> bool:
        """It is not as it should be."""
        return value <= self.amiss if self.amiss < self.well else value >= self.amiss

    def is_well(self, value: float) -> bool:
        """It is as it should be."""
        return value >= self.well if self.amiss < self.well else value <= self.well


QUANTITIES = {
    # The noise of an open microphone lies above the one, the breath of a pause between the two.
    "sound": Quantity("dBFS", -200.0, 20.0, amiss=-60.0, well=-50.0, nothing=-200.0, told_after="silence"),
}
"""By name."""
