"""The never list and the way back, a few thousand steps of them; ``make soak`` takes many more."""

import os

import pytest
from hypothesis import settings

from tests.statemachine.channel import Channel

pytestmark = pytest.mark.slow  # thousands of steps

TestChannel = Channel.TestCase
if os.environ.get("HYPOTHESIS_PROFILE") != "soak":
    TestChannel.settings = settings(max_examples=150, stateful_step_count=50)
