"""An evening on the channel, word for word."""

from tests.statemachine import trace


def test_an_evening_goes_as_it_went_before() -> None:
    told = "\n".join(trace.lines(trace.evening())) + "\n"
    assert told == trace.PATH.read_text(encoding="utf-8"), "python -m tests.statemachine.trace writes it anew"
