"""Faults at random on both sides of the whole daemon: it neither ends nor forgets, and is well once they are over.

``make soak`` searches at length, and prints what plays a case again. A case that was found has its own test below.
"""

import os

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.random_daemon import DaemonRules
from tests.simulation.random_people import PeopleRules
from tests.simulation.random_studio import StudioRules


class Evening(PeopleRules, StudioRules, DaemonRules):
    """One world, and all that may happen in it."""


# Twelve evenings of a whole daemon: two minutes where two cores have nothing else to do.
@pytest.mark.timeout(600)
def test_faults_at_random_are_over_when_they_are_over() -> None:
    soak = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
    run_state_machine_as_test(Evening, settings=None if soak else settings(max_examples=12, stateful_step_count=25))
