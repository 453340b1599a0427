"""The thread that works things off: in order, all of them, and whatever one of them raises."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from daemon.core.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("test")
    yield made
    made.stop()


async def test_things_are_done_in_their_order_by_one_thread(worker: Worker) -> None:
    done: list[tuple[int, int]] = []

    def work(number: int) -> int:
        done.append((number, threading.get_ident()))
        return number * 2

    futures = [worker.run(work, number) for number in range(100)]
    for number in range(100, 110):
        worker.submit(work, number)
    assert await asyncio.gather(*futures) == [number * 2 for number in range(100)]
    await worker.run(lambda: None)
    assert [number for number, _ in done] == list(range(110))
    assert {thread for _, thread in done} == {worker._thread.ident}


async def test_what_was_raised_comes_to_who_waits_and_else_into_the_log(worker: Worker) -> None:
    def fail() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await worker.run(fail)
    with capture_logs() as lines:
        worker.submit(fail)
        await worker.run(lambda: None)
    assert [line["event"] for line in lines] == ["work in the background failed"]


async def test_who_waits_no_more_is_not_told(worker: Worker) -> None:
    free = threading.Event()
    given_up = worker.run(free.wait)
    given_up.cancel()
    free.set()
    assert await worker.run(lambda: "next") == "next"
    assert given_up.cancelled()


def test_a_loop_that_has_ended_does_not_end_the_thread(worker: Worker) -> None:
    free = threading.Event()

    async def leave() -> None:
        worker.run(free.wait)

    asyncio.run(leave())
    free.set()
    done = threading.Event()
    worker.submit(done.set)
    assert done.wait(30)


def test_a_stop_does_what_waits_and_nothing_after() -> None:
    worker = Worker("test")
    free = threading.Event()
    done: list[int] = []
    worker.submit(free.wait)
    for number in range(50):
        worker.submit(done.append, number)
    free.set()
    worker.stop()
    worker.stop()
    assert done == list(range(50))
    with pytest.raises(RuntimeError, match="stopped"):
        worker.submit(done.append, 51)


async def test_nothing_is_kept_while_there_is_nothing_to_do(worker: Worker) -> None:
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    worker.submit(lambda kept: None, thing)
    del thing
    await worker.run(lambda: None)
    gc.collect()
    assert gone() is None
