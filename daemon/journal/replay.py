"""From what was read of the journal to the rules as they stood: nothing that stands there ends the daemon."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from daemon.core.clock import iso, resumed
from daemon.journal.database import Found, plain
from daemon.journal.salvage import Copied
from statemachine import events as ev
from statemachine.codec import event_from_plain
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.snapshot import lasting
from statemachine.timeline import shifted

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Restored:
    """The rules, and how many events were no use."""

    director: Director
    passed_over: int = 0


def restored(found: Found, copy: Callable[[], Copied | None], fresh: Callable[[], Director]) -> Restored:
    """The rules after the last event that was written. Never raises for anything that was read.

    Where the snapshot is no use the copy's is taken, and where that is none either they begin ``fresh``.
    """
    director = _begin(found, copy, fresh)
    passed_over = sum(not _replay(director, body) for body in found.events.values())
    if passed_over:
        log.error("events in the journal cannot be replayed: skipping them", events=passed_over)
    if not _goes_on(director):
        log.error(
            "the rules cannot continue from the journal: settings and counters are kept, the line-up starts empty"
        )
        try:
            director = Director.restore(lasting(director.snapshot()))
        except Exception:
            log.exception("they cannot continue from those either: everything starts empty")
            director = fresh()
        passed_over += 1
    return Restored(director, passed_over)


class Replayed:
    """Rules that are led by what another daemon's have written."""

    def __init__(self, director: Director) -> None:
        self.director = director

    def restore(self, state: dict[str, Any]) -> None:
        """Begin from a snapshot. Raises whatever that is good for."""
        self.director = Director.restore(state)

    def replay(self, body: str) -> None:
        """Take an event; one that is no use is told."""
        _replay(self.director, body)


def fresh(policy: Policy) -> Replayed:
    """Rules that know of nothing yet."""
    return Replayed(Director(policy))


def as_it_stood(found: Found) -> dict[str, Any]:
    """The snapshot of the moment of the last event that was written. Never raises, as ``restored``."""
    return restored(found, lambda: None, lambda: Director(Policy())).director.snapshot()


def _begin(found: Found, copy: Callable[[], Copied | None], fresh: Callable[[], Director]) -> Director:
    if found.state is None:
        return fresh()
    try:
        return Director.restore(found.state)
    except Exception as error:  # whatever it holds, it must not be what every start dies of
        log.error("the journal's snapshot cannot be used", error=str(error) or type(error).__name__)
    copied = copy()
    if copied is not None and copied.found.state is not None:
        try:
            return Director.restore(copied.found.state)
        except Exception as error:
            log.error("the snapshot of the journal's backup copy cannot be used either", error=str(error))
    return fresh()


def _replay(director: Director, body: str) -> bool:
    """Have the director take an event again. False where it cannot be read."""
    try:
        event = event_from_plain(plain(body) or {})
    except Exception as error:
        log.error("an event in the journal cannot be read", error=str(error) or type(error).__name__)
        return False
    try:
        director.handle(event)
    except Exception:
        # As when it came: the dispatcher went on from where the rules stood then.
        log.exception("the rules failed on an event", rules_event=type(event).__name__)
    return True


def _goes_on(director: Director) -> bool:
    """What the first event meets. It is tried on a twin."""
    try:
        twin = Director.restore(director.snapshot())
        twin.handle(ev.TimePassed(twin.now))
        _ = twin.deadline, twin.view(twin.now)
    except Exception as error:
        log.error("the rules fail on the restored state", error=str(error) or type(error).__name__)
        return False
    return True


def in_our_time(director: Director, ahead: float, wall: float) -> Director:
    """The same rules, their moments moved where an earlier run's clock was wrong. Told."""
    by = resumed(director.now, ahead, wall)
    if not by:
        return director
    log.warning(
        "the clock was wrong in an earlier run, or is wrong now: saved times are shifted, and turns, blocks and "
        "graces keep their remaining time",
        seconds=round(by),
        stored=iso(director.now),
        clock=iso(wall),
    )
    return Director.restore(shifted(director.snapshot(), by))
