"""Waiting in tests: it ends in time, and says what it waited for."""

import asyncio
import threading
from pathlib import Path

import pytest

from tests.support import Changes, NotInTimeError, blocking_until, until


async def test_it_returns_the_answer_it_waited_for_whether_or_not_that_has_to_be_awaited() -> None:
    answers = iter((0, None, "", "there", "later"))

    async def ask() -> int | str | None:
        return next(answers)

    assert await until(ask, every=0.001) == "there"
    assert await until(lambda: next(answers)) == "later"


async def test_in_vain_it_says_what_for_what_the_last_answer_was_and_what_the_log_has() -> None:
    nobody: list[str] = []
    with pytest.raises(NotInTimeError) as failed:
        await until(lambda: nobody, 0.01, tell=lambda: "the log's end")
    assert str(failed.value).startswith("not within 0.01 s: ")
    assert "until(lambda: nobody, 0.01" in str(failed.value)
    assert str(failed.value).endswith("the last answer was []\nthe log's end")
    with pytest.raises(NotInTimeError, match=r"not within 0.01 s: a picture\nthe last answer was \[\]"):
        await until(lambda: nobody, 0.01, what="a picture")


async def test_an_answer_that_never_comes_does_not_hold_it_up() -> None:
    async def hang() -> bool:
        await asyncio.Event().wait()
        return True

    with pytest.raises(NotInTimeError, match="an answer"):
        await until(hang, 0.01, what="an answer")


async def test_a_time_limit_of_the_condition_s_own_is_no_end_of_the_waiting() -> None:
    async def give_up() -> bool:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await until(give_up)


def test_a_blocking_one_takes_an_error_that_it_is_told_of_for_not_yet(tmp_path: Path) -> None:
    file = tmp_path / "file"
    threading.Timer(0.05, file.write_text, ("here",)).start()
    assert blocking_until(file.read_text, ignore=OSError) == "here"
    with pytest.raises(NotInTimeError, match=r"(?s)not within 0.01 s: .*read_text\n.*FileNotFoundError"):
        blocking_until((tmp_path / "other").read_text, 0.01, ignore=OSError)
    with pytest.raises(FileNotFoundError):
        blocking_until((tmp_path / "other").read_text)


def test_a_blocking_one_does_not_wait_for_what_can_no_more_come_but_looks_once_more() -> None:
    with pytest.raises(NotInTimeError, match="it will not come any more: an answer of a daemon that has ended"):
        blocking_until(lambda: False, what="an answer of a daemon that has ended", give_up=lambda: True)
    assert blocking_until(lambda: "its last word", give_up=lambda: True) == "its last word"


async def test_after_each_change_every_one_that_waits_looks_anew_and_not_in_between() -> None:
    changes = Changes()
    looks, count = 0, 0

    def three() -> bool:
        nonlocal looks
        looks += 1
        return count == 3

    waiting = [asyncio.create_task(changes.until(three)) for _ in range(2)]
    for _ in range(3):
        await asyncio.sleep(0)
        count += 1
        changes.wake()
    assert await asyncio.gather(*waiting) == [True, True]
    assert looks == 8
    with pytest.raises(NotInTimeError, match="the fourth"):
        await changes.until(lambda: count == 4, 0.01, what="the fourth")
