"""What facts say of themselves."""

import pytest

from statemachine.facts import HandoverEnded


@pytest.mark.parametrize(
    ("reason", "outcome", "is_handover"),
    [
        ("skip", "completed", True),
        ("turn", "not_ready", True),
        ("skip", "obs_lost", True),
        ("standby", "media_failed", True),
        ("standby", "superseded", False),
        ("turn", "superseded", False),
        ("turn", "stream_ended", False),
        # After a restart of the daemon, say: nothing was to change, and it is made ready anew.
        ("standby", "obs_lost", False),
    ],
)
def test_an_attempt_that_was_not_needed_any_more_is_no_hand_over(reason: str, outcome: str, is_handover: bool) -> None:
    ended = HandoverEnded(1.0, 7, "GMOTHERSTREAM_7", "GMOTHERSTREAM_6", "alice", "bob", reason, outcome, 0.03)
    assert ended.is_handover == is_handover
