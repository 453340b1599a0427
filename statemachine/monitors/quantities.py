"""What can be measured of a stream by whoever can, and from where on it is amiss: one row a quantity."""

from dataclasses import dataclass
from typing import Final

from statemachine.policy import Grades, QualityPolicy


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
    reason: str = ""
    """What is wrong then, in one word for programs; its own name where this is empty."""
    grades: str = ""
    """The policy's field with what is done about it; empty where it is only seen."""
    nothing: float | None = None
    """The value of one that has none, such as of silence; None where there is always one."""
    seen_after: float = 5.0
    """Seconds for which it is amiss until that is seen: people pause, and encoders stumble."""
    good_for: float = 2.0
    """Seconds for which it is well until that is over."""
    both_ways: bool = False
    """Its sign only says to which side."""
    where_graded: bool = False
    """It is seen only where the policy has something done about it: as often as not it is meant to be so."""

    def is_amiss(self, value: float) -> bool:
        """It is not as it should be."""
        value = abs(value) if self.both_ways else value
        return value <= self.amiss if self.amiss < self.well else value >= self.amiss

    def is_well(self, value: float) -> bool:
        """It is as it should be."""
        value = abs(value) if self.both_ways else value
        return value >= self.well if self.amiss < self.well else value <= self.well

    def bounded(self, value: float) -> float:
        """The value within its bounds."""
        return min(self.most, max(self.least, value))

    def graded(self, policy: QualityPolicy) -> Grades:
        """What is done about it."""
        grades: Grades = getattr(policy, self.grades) if self.grades else Grades()
        return grades


QUANTITIES: Final[dict[str, Quantity]] = {
    # The noise of an open microphone lies above the one, the breath of a pause between the two. Pauses of music are
    # shorter than what is waited for.
    "sound": Quantity(
        "dBFS", -200.0, 20.0, amiss=-60.0, well=-50.0, reason="silent", grades="silence", nothing=-200.0, seen_after=4.5
    ),
    # Video levels: black is 16, the darkest grey that is no black on a screen some 10 above it. Of the brightest tenth,
    # so that a logo in the corner of nothing is still nothing. Looked at every second or two: two looks are enough.
    "light": Quantity("level", 0.0, 255.0, amiss=22.0, well=28.0, reason="black", grades="black", seen_after=2.5),
    # A camera's noise moves more even in an empty room; a card that is shown on purpose moves as little as one that is
    # frozen.
    "motion": Quantity(
        "level",
        *(0.0, 255.0),
        amiss=0.02,
        well=0.08,
        reason="frozen",
        grades="frozen",
        seen_after=2.5,
        where_graded=True,
    ),
    # EBU R 128 has -23, streams of music about -14. What is 15 below these cannot be levelled.
    "loudness": Quantity(
        "LUFS", -200.0, 20.0, amiss=-29.0, well=-26.0, reason="too_quiet", grades="quiet", nothing=-200.0
    ),
    # Share of the last seconds whose tops are cut off.
    "clipping": Quantity("share", 0.0, 1.0, amiss=0.3, well=0.05, grades="clipping"),
    "balance": Quantity(
        "dB",
        *(-200.0, 200.0),
        amiss=20.0,
        well=12.0,
        reason="one_sided",
        grades="channels",
        seen_after=10.0,
        both_ways=True,
    ),
    # Of the two channels to each other: 1 the same, 0 nothing in common, -1 one the inverse of the other.
    "phase": Quantity(
        "correlation", -1.0, 1.0, amiss=-0.8, well=-0.4, reason="inverted", grades="channels", seen_after=10.0
    ),
    # What the eye forgives is 0.1 s; encoders and servers are 0.2 s off by themselves.
    "drift": Quantity(
        "s", *(-3600.0, 3600.0), amiss=0.5, well=0.3, reason="drifting", grades="drift", seen_after=10.0, both_ways=True
    ),
    "rate": Quantity("Hz", 0.0, 768_000.0, amiss=32_000.0, well=44_100.0, reason="low_rate"),
}
"""By name."""

REASONS: Final = {row.reason or name: name for name, row in QUANTITIES.items()}
"""What is wrong, and the quantity that it is read from."""
