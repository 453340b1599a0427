"""An evening on the channel, and three hand-overs step by step, word for word."""

from tests.statemachine import trace


def test_an_evening_goes_as_it_went_before() -> None:
    told = "\n".join(trace.lines(trace.evening())) + "\n"
    assert told == trace.PATH.read_text(encoding="utf-8"), "python -m tests.statemachine.trace writes it anew"


def test_a_planned_hand_over_a_failover_and_a_cut_that_obs_was_lost_in_go_as_written_down() -> None:
    told = "\n".join(trace.handovers()) + "\n"
    assert told == trace.HANDOVERS.read_text(encoding="utf-8"), "python -m tests.statemachine.trace writes it anew"
