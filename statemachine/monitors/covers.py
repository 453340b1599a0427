"""Whether the slate is shown in place of the turn's holder, whatever it is for."""

from statemachine.monitors.bitrate import Bitrates
from statemachine.monitors.quality import Quality


class Covers:
    """Asks those who may cover a stream."""

    def __init__(self, bitrates: Bitrates, quality: Quality) -> None:
        self._bitrates = bitrates
        self._quality = quality

    @property
    def covered(self) -> bool:
        """The turn's holder is not to be seen."""
        return bool(self.why)

    @property
    def why(self) -> str:
        """For what, in one word; empty where it is not."""
        return "low_bitrate" if self._bitrates.covered else self._quality.covered
