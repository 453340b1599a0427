from daemon.core.backoff import Backoff


def test_each_failure_in_a_row_waits_twice_as_long_up_to_the_most() -> None:
    backoff = Backoff(0.25, 2.0)
    assert [backoff.failed() for _ in range(5)] == [0.25, 0.5, 1.0, 2.0, 2.0]
    assert (backoff.failures, backoff.pause) == (5, 2.0)


def test_what_worked_is_not_left_alone_and_begins_with_the_first_pause_again() -> None:
    backoff = Backoff(0.25, 2.0)
    assert backoff.pause == 0.0
    backoff.failed()
    backoff.failed()
    backoff.worked()
    assert (backoff.failures, backoff.pause) == (0, 0.0)
    assert backoff.failed() == 0.25
