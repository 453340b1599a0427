"""Publishers, operators and restarts interleaved on one channel; ``make soak`` takes 50,000 steps of them."""

import pytest

from tests.statemachine.channel_modes import MODES
from tests.statemachine.endurance import endure


@pytest.mark.parametrize("mode", sorted(MODES))
def test_a_channel_that_lives_long_breaks_no_invariant_and_keeps_nothing_for_ever(mode: str) -> None:
    assert endure(500, seed=1, mode=mode) == 500
