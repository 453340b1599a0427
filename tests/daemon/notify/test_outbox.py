"""What waits for a target: in order, in bursts that are summed up, never more than so much. Time is moved by hand."""

from daemon.notify.messages import Level, Message
from daemon.notify.outbox import BURST, LONGEST_PAUSE, MOST_WAITING, ONE_EACH, STALE, Batch, NotificationOutbox


def message(number: int, level: Level = "info") -> Message:
    return Message(f"message {number}", "topic", level)


def drain(outbox: NotificationOutbox, now: float) -> list[str]:
    texts = []
    while batch := outbox.take(now):
        texts.append(batch.text(now))
        outbox.sent()
    return texts


def test_a_few_messages_go_one_by_one_in_order() -> None:
    outbox = NotificationOutbox(0.0)
    for number in range(BURST):
        outbox.put(message(number), 0.0)
    assert drain(outbox, 0.0) == [f"message {number}" for number in range(BURST)]
    assert outbox.wait(0.0) is None


def test_a_burst_is_summed_up_in_one() -> None:
    outbox = NotificationOutbox(0.0)
    for number in range(8):
        outbox.put(message(number), 0.0)
    assert drain(outbox, 0.0) == ["\n".join(f"message {number}" for number in range(8))]


def test_after_a_burst_one_goes_each_twelve_seconds_with_what_came_meanwhile() -> None:
    outbox = NotificationOutbox(0.0)
    for number in range(BURST):
        outbox.put(message(number), 0.0)
        assert drain(outbox, 0.0) == [f"message {number}"]
    outbox.put(message(5), 1.0)
    outbox.put(message(6), 2.0)
    assert outbox.take(2.0) is None
    wait = outbox.wait(2.0)
    assert wait is not None
    assert 2.0 + wait == ONE_EACH
    assert drain(outbox, ONE_EACH) == ["message 5\nmessage 6"]


def test_no_hour_has_more_than_the_rate_allows() -> None:
    outbox = NotificationOutbox(0.0)
    sent = 0
    for now in range(3600):
        outbox.put(message(now), float(now))
        sent += len(drain(outbox, float(now)))
    assert 3600 / ONE_EACH <= sent <= 3600 / ONE_EACH + BURST
    assert outbox.lost == 0


def test_the_box_is_bounded_and_says_what_it_left_out() -> None:
    outbox = NotificationOutbox(0.0)
    for number in range(MOST_WAITING + 50):
        outbox.put(message(number), 0.0)
    assert len(outbox) == MOST_WAITING
    assert outbox.lost == 50
    (text,) = drain(outbox, 0.0)
    lines = text.splitlines()
    assert lines[0] == "(140 earlier messages left out)"
    assert lines[1:] == [f"message {number}" for number in range(140, 150)]


def test_a_target_that_fails_is_left_alone_longer_and_longer_and_then_gets_all_in_order() -> None:
    outbox = NotificationOutbox(0.0)
    outbox.put(message(0), 0.0)
    now, pauses = 0.0, []
    while now < STALE / 2:
        batch = outbox.take(now)
        assert batch is not None
        outbox.failed(batch, now, again=True)
        assert outbox.take(now) is None
        wait = outbox.wait(now)
        assert wait is not None
        pauses.append(wait)
        now += wait
    assert pauses[:4] == [2.0, 4.0, 8.0, 16.0]
    assert max(pauses) <= LONGEST_PAUSE
    outbox.put(message(1), now)
    assert drain(outbox, now) == ["message 0 (8 minutes ago)\nmessage 1"]
    outbox.put(message(2), now)
    assert drain(outbox, now) == ["message 2"]


def test_what_may_have_arrived_is_not_sent_again() -> None:
    outbox = NotificationOutbox(0.0)
    outbox.put(message(0), 0.0)
    batch = outbox.take(0.0)
    assert batch is not None
    outbox.failed(batch, 10.0, again=False)
    outbox.put(message(1), 10.0)
    assert outbox.take(11.0) is None, "it failed, so it is left alone for a while"
    assert drain(outbox, 12.0) == ["message 1"]
    assert outbox.lost == 1


def test_what_is_no_news_any_more_is_left_out_and_counted() -> None:
    outbox = NotificationOutbox(0.0)
    outbox.put(message(0), 0.0)
    batch = outbox.take(0.0)
    assert batch is not None
    outbox.failed(batch, 0.0, again=True)
    assert outbox.take(STALE + 1) is None
    assert outbox.wait(STALE + 1) is None
    outbox.put(message(1), STALE + 2)
    assert drain(outbox, STALE + 2) == ["(1 earlier message left out)\nmessage 1"]


def test_a_failed_summary_keeps_the_count_of_what_it_left_out() -> None:
    outbox = NotificationOutbox(0.0)
    for number in range(MOST_WAITING + 1):
        outbox.put(message(number), 0.0)
    batch = outbox.take(0.0)
    assert batch is not None
    assert batch.left_out == 1
    outbox.failed(batch, 0.0, again=True)
    again = outbox.take(2.0)
    assert again is not None
    assert again.left_out == 1
    assert len(again.lines) == MOST_WAITING


def test_at_the_end_all_goes_in_one_whatever_the_rate() -> None:
    outbox = NotificationOutbox(0.0)
    for number in range(BURST + 2):
        outbox.put(message(number), 0.0)
        drain(outbox, 0.0)
    assert len(outbox) == 2
    batch = outbox.take_all()
    assert batch is not None
    assert batch.text(0.0) == "message 5\nmessage 6"
    assert outbox.take_all() is None


def test_a_summary_is_as_grave_as_its_gravest() -> None:
    lines = tuple((message(number, level), 0.0) for number, level in enumerate[Level](("info", "failure", "success")))
    assert Batch(lines, 0).level == "failure"


def test_a_target_that_has_failed_for_weeks_is_tried_as_often_as_after_an_hour() -> None:
    box = NotificationOutbox(0.0)
    for now in range(5000):
        box.failed(Batch((), 0), float(now), again=False)
    assert box.pause == LONGEST_PAUSE
