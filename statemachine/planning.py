"""Whom the line-up wants on air, whom to make ready ahead of time, and why: questions only, nothing changes.

Trust is earned by a picture. The line is gone along in its order: whoever has a picture is taken, whoever has none yet
is given its time to show one, and the one behind it gets its chance meanwhile. So a proven one is never given up for an
unproven one, and one that shows no sign holds nobody up.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, takewhile
from typing import Literal, NamedTuple

from statemachine import events as ev
from statemachine.handover.attempt import Attempt
from statemachine.handover.program import Program
from statemachine.lineup.entry import Entry
from statemachine.lineup.lineup import Lineup
from statemachine.policy import Policy

KEEP: Literal["keep"] = "keep"
SIGN_WITHIN = 1.0
"""Seconds without a sign after which the next in line gets its chance beside the one that is tried."""

HASTE = 0.4
"""The same where nothing moves on air, for the first of them: an ordinary input has its picture by then. None is waited
for after it."""

Wanted = ev.Session | Literal["keep"] | None


def wanted(lineup: Lineup, program: Program | None, policy: Policy, now: float) -> Wanted:
    """Who ought to be on air now; KEEP where only what is shown can be shown; None where nobody may be."""
    holder = lineup.holder
    first = lineup.first_showable(now)
    waits = holder is not None and holder.turn_began is not None and not holder.showable(now)
    # The slate stands in for one who is away or stands still, not for one who publishes and cannot be shown.
    stands_in = policy.during_grace == "slate" and holder is not None and not holder.failures
    if waits and policy.slate and (stands_in or first is None):
        return KEEP if _moves_unnamed(lineup, program) and _may_stay(lineup, program, policy, now) else None
    if waits and program is not None and program.session is not None and program.stalled_since is None:
        filling = lineup.by_session(program.session.id)
        if filling is not None and filling.session == program.session and filling.showable(now):
            # One who fills in is not relieved by another who would only fill in, unless that one is fit for it.
            better = first is not None and not lineup.passed_over(first)
            if not (better and lineup.passed_over(filling)):
                return program.session
    if first is not None:
        return first.session
    return KEEP if _may_stay(lineup, program, policy, now) else None


def _moves_unnamed(lineup: Lineup, program: Program | None) -> bool:
    """It moves, and nobody can be named for it: a slate is for those who are away, and this one may not be."""
    if program is None or program.session is not None or program.still_since is not None:
        return False
    if program.proven is not None and lineup.by_session(program.proven.id) is None:
        return False
    return program.stalled_since is None or program.moves_since is not None


def _may_stay(lineup: Lineup, program: Program | None, policy: Policy, now: float) -> bool:
    if program is None:
        return False
    until = kept_until(lineup, program, policy)
    return until is None or now < until


def kept_until(lineup: Lineup, program: Program, policy: Policy) -> float | None:
    """How long a picture may stay that nobody can follow: while it is published (None), and for its grace."""
    session = program.session or (program.proven if program.moves else None)
    if session is None:
        # Found on air, and watched: as long as it moves it stays, whoever it is.
        if program.stalled_since is None and program.attempt == 0:
            return None
        return max(program.since, program.stalled_since or program.since) + policy.reconnect_grace
    if lineup.by_session(session.id) is not None:
        return None
    entry = lineup.find(session.streamer)
    ended = lineup.ended_at(session.id)
    if ended is None:
        return program.since
    if entry is None:
        return ended + policy.reconnect_grace
    # Its streamer is away; or publishes anew, but no picture of that can be had yet.
    grace = lineup.grace_ends(entry) if entry.away_since is not None else None
    return ended + policy.reconnect_grace if grace is None else grace


def is_settled(target: Wanted, program: Program | None) -> bool:
    """The program is what is wanted."""
    if target == KEEP:
        return True
    if target is None or program is None:
        return target is None and program is None
    return program.session == target and program.stalled_since is None


class Choice(NamedTuple):
    """Which incoming is to be the attempt under way, and which ones are of use beside it."""

    session: ev.Session | None
    useful: frozenset[int] = frozenset()
    """The numbers of attempts."""
    proven: bool = False
    """It has a picture that moves."""


def is_proven(entry: Entry, attempt: Attempt, now: float) -> bool:
    """It has a moving picture, and is not one who stalled and has to show first that it goes on moving."""
    return attempt.is_proven and entry.showable(now)


def choose(line: Iterable[Entry], tried: dict[str, Attempt], now: float, *, room: bool, urgent: bool = False) -> Choice:
    """Go along the line to the first with a picture: the first whose time is not over is tried, or waited for.

    ``tried`` holds the attempts by their sessions. Without ``room`` no other is begun. One that failed before and did
    not stall in its turn is not tried while another one has a picture. A picture that stands still is waited for, as
    long as that is no stall and the matter is not ``urgent``; then the first has ``HASTE`` and the others nothing.
    """
    unseen = len(tried)
    useful: list[int] = []
    picked: ev.Session | None = None
    first_tried: ev.Session | None = None
    for entry in line:
        session = entry.session
        if session is None:
            continue
        attempt = tried.get(session.id)
        if attempt is None:
            if picked is None and room and not _waits_for_a_picture(entry, tried):
                picked = session
            if not unseen and (picked is not None or not room):
                break
            continue
        unseen -= 1
        useful.append(attempt.number)
        if is_proven(entry, attempt, now):
            return Choice(picked or session, frozenset(useful), proven=picked is None)
        if picked is None and _has_time(attempt, now, urgent=urgent, first=first_tried is None):
            picked = session
        first_tried = first_tried or session
    return Choice(picked or first_tried, frozenset(useful))


def _waits_for_a_picture(entry: Entry, tried: dict[str, Attempt]) -> bool:
    """It failed before and did not stall in its turn, and another one has a picture."""
    return bool(entry.failures) and entry.stalled_since is None and _some_move(tried)


def _has_time(attempt: Attempt, now: float, *, urgent: bool, first: bool) -> bool:
    """It is waited for: its picture only pauses, or it has not had its time to show one."""
    if not urgent:
        return attempt.still_since is not None or now < attempt.begun_at + SIGN_WITHIN
    return first and now < attempt.begun_at + HASTE


def _some_move(tried: dict[str, Attempt]) -> bool:
    return any(attempt.is_proven for attempt in tried.values())


def first_proven(line: Iterable[Entry], tried: dict[str, Attempt], now: float) -> ev.Session | None:
    """The first of the line that has a moving picture."""
    unseen = len(tried)
    for entry in line:
        if not unseen:
            break
        attempt = tried.get(entry.session.id) if entry.session else None
        if attempt is not None:
            unseen -= 1
            if is_proven(entry, attempt, now):
                return entry.session
    return None


def followers(lineup: Lineup, program: Program | None, policy: Policy, standby: bool, now: float) -> Iterator[Entry]:
    """Whom to make ready, in order: one who stalled in its turn, to see a fresh input of it move, then the line.

    The one static input cannot be made ready for another while it is on air, and is seen once it is restarted: behind
    a slate only for one who stalled, of whom nothing else would ever tell that it moves again.
    """
    holder = lineup.holder
    stalled = holder if holder is not None and holder.stalled_since is not None and holder.may_try(now) else None
    if policy.mode == "static":
        first = stalled or next(iter(_line(lineup, program, now) if standby else ()), None)
        playing = program.session if program is not None else None  # none: a restart may have been cut short
        if first is not None and (first is stalled if playing is None else playing == first.session):
            yield first
        return
    if stalled is not None:
        yield stalled
    if standby:
        yield from _line(lineup, program, now)


def static_line(lineup: Lineup, target: ev.Session, tried: dict[str, Attempt]) -> tuple[Entry, ...]:
    """Whom the one static input is to play: the one who is wanted, and nobody beside it.

    One that failed before does not take it from another in the middle of its try, unless that failed as often: who is
    slow to show a picture would never be seen behind one that never does.
    """
    first = lineup.by_session(target.id)
    if first is not None and first.turn_began is None:
        for session in tried:
            under_way = lineup.by_session(session)
            if under_way is not None and under_way.failures < first.failures:
                return (under_way,)
    return (first,) if first is not None else ()


def wanted_line(lineup: Lineup, target: ev.Session, program: Program | None, now: float) -> Iterator[Entry]:
    """Who may be shown now: the one who is wanted, and whoever could take its place.

    None of those behind one who fills in and moves: they would only fill in, too.
    """
    first, last = lineup.by_session(target.id), _filler(lineup, program, now)
    if last is not None and first is not None and first.turn_began is not None:
        return iter((first,))
    before = takewhile(lambda entry: entry is not last, lineup.by_fitness())
    others = (entry for entry in before if entry is not first and _may_follow(entry, program, now))
    return chain((first,) if first is not None else (), others)


def _filler(lineup: Lineup, program: Program | None, now: float) -> Entry | None:
    """Who is on air and moves without having the turn."""
    if program is None or program.session is None or program.stalled_since is not None:
        return None
    entry = lineup.by_session(program.session.id)
    if entry is None or entry.turn_began is not None or entry.session != program.session:
        return None
    return entry if entry.showable(now) and not lineup.passed_over(entry) else None


def _line(lineup: Lineup, program: Program | None, now: float) -> Iterator[Entry]:
    return (entry for entry in lineup.by_fitness() if _may_follow(entry, program, now))


def _may_follow(entry: Entry, program: Program | None, now: float) -> bool:
    on_air = program.session if program is not None else None
    return entry.showable(now) and (on_air is None or entry.session != on_air)


def passes_over(lineup: Lineup, streamer: str, incoming: Iterable[Attempt], now: float) -> bool:
    """Nobody has the turn, and somebody before it in line has not had the time to show a picture.

    Where nothing else moves it is shown all the same, but only fills in: its turn does not begin before theirs. One
    whose own turn has just ended gives each of them all the time that its try takes.
    """
    tried = {a.target.id for a in incoming if a.target is not None and now >= a.begun_at + SIGN_WITHIN}
    had_time = tried if streamer != lineup.last_streamer else frozenset()
    for entry in lineup:
        if entry.streamer == streamer or entry.turn_began is not None:
            return False
        waits = entry.session is not None and entry.showable(now) and not entry.failures
        if waits and entry.session and entry.session.id not in had_time and not lineup.passed_over(entry):
            return True
    return False


def reason(lineup: Lineup, program: Program | None, target: ev.Session | None) -> str:
    """Why the picture is to change, in the words of ``HandoverEnded``."""
    why, whose = lineup.why
    entry = lineup.find(target.streamer) if target else None
    comes_back = entry is not None and entry.turn_began is not None
    if program is None:
        return why if why == "lost" else "returned" if comes_back else "first"
    if program.stalled_since is not None:
        return "stalled"
    return "returned" if comes_back else _why_it_leaves(lineup, program, why, whose)


_CAUSES = frozenset({"skip", "turn", "kick", "removed", "low_bitrate", "quality"})
"""What takes one off air whose picture moves."""


def _why_it_leaves(lineup: Lineup, program: Program, why: str, whose: str) -> str:
    """Why a picture that moves is to make room for another one."""
    session = program.session
    if session is not None and whose == session.streamer and why in _CAUSES:
        return why
    if session is None or lineup.by_session(session.id) is None:
        return "ended"
    return why if why == "test" else "moved"
