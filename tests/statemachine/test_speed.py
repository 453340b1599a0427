"""The rules take no time that anybody could see, however many wait.

The processor's time, for they wait for nothing, and the best of many runs: load is no matter.
"""

import json
import time
from collections.abc import Callable

import pytest

from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy

pytestmark = pytest.mark.speed


def crowded(count: int) -> Director:
    """``count`` streamers in the line-up, the first on air, the second standing by."""
    director = Director(Policy())
    director.handle(ev.ObsReady(1.0, ev.Inventory()))
    for number in range(count):
        director.handle(ev.Published(2.0, ev.Session(f"srs:1/{number}", f"s{number}", "live", f"s{number}")))
    for attempt in (1, 2):
        director.handle(ev.InputCreated(3.0, attempt))
        director.handle(ev.MediaReady(3.1, attempt))
        director.handle(ev.CutDone(3.2, attempt))
    return director


def best(work: Callable[[], object], runs: int) -> float:
    """Seconds of the processor in the fastest run."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def hook_pair(director: Director) -> Callable[[], None]:
    """A publisher comes and goes."""
    numbers = iter(range(10**9))

    def work() -> None:
        number = next(numbers)
        at = 10.0 + number / 1000
        came = ev.Session(f"x:{number}", "newcomer", "live", "newcomer")
        assert director.handle(ev.Published(at, came)).deadline is not None
        assert director.handle(ev.Unpublished(at, f"x:{number}")).deadline is not None

    return work


@pytest.mark.parametrize(("count", "most"), [(10, 0.0001), (1000, 0.001)])
def test_an_event_is_handled_at_once_however_many_wait(count: int, most: float) -> None:
    assert best(hook_pair(crowded(count)), 300) / 2 < most


def test_a_director_is_made_and_restored_at_once() -> None:
    assert best(lambda: Director(Policy()), 50) < 0.005
    plain = crowded(1000).snapshot()
    assert best(lambda: Director.restore(plain), 10) < 0.1


def test_a_snapshot_of_a_thousand_is_taken_within_a_blink() -> None:
    director = crowded(1000)
    assert best(director.snapshot, 20) < 0.02
    assert len(json.dumps(director.snapshot())) < 1_000_000
