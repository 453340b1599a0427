"""Whom the line-up wants on air, whom to make ready ahead of time, and why: questions only, nothing changes."""

from typing import Literal

from statemachine import events as ev
from statemachine.lineup import Lineup
from statemachine.policy import Policy
from statemachine.program import Program

KEEP: Literal["keep"] = "keep"

Wanted = ev.Session | Literal["keep"] | None


def wanted(lineup: Lineup, program: Program | None, policy: Policy, now: float) -> Wanted:
    """Who ought to be on air now; KEEP where only what is shown can be shown; None where nobody may be."""
    holder = lineup.holder
    first = lineup.first_showable(now)
    waits = holder is not None and holder.turn_began is not None and not holder.showable(now)
    if waits and policy.slate and (policy.during_grace == "slate" or first is None):
        return None
    if waits and program is not None and program.session is not None and program.stalled_since is None:
        filling = lineup.by_session(program.session.id)
        if filling is not None and filling.session == program.session and filling.showable(now):
            return program.session  # one who fills in is not relieved by another who would only fill in
    if first is not None:
        return first.session
    if program is None:
        return None
    until = kept_until(lineup, program, policy)
    return KEEP if until is None or now < until else None


def kept_until(lineup: Lineup, program: Program, policy: Policy) -> float | None:
    """How long a picture may stay that nobody can follow: while it is published (None), and for its grace."""
    session = program.session
    if session is None:
        return program.since + policy.reconnect_grace
    if lineup.by_session(session.id) is not None:
        return None
    entry = lineup.find(session.streamer)
    ended = lineup.ended_at(session.id)
    if entry is None or ended is None:
        return program.since
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


def candidate(lineup: Lineup, program: Program | None, standby: bool, now: float) -> ev.Session | None:
    """Whom to make ready: one who stalled in its turn, to see a fresh input of it move, else the next one."""
    holder = lineup.holder
    if holder is not None and holder.stalled_since is not None and holder.may_try(now):
        return holder.session
    if not standby:
        return None
    entry = lineup.first_showable(now, but=program.session.streamer if program and program.session else "")
    return entry.session if entry else None


def reason(lineup: Lineup, program: Program | None, target: ev.Session | None) -> str:
    """Why the picture is to change, in the words of ``HandoverEnded``."""
    why, whose = lineup.why
    entry = lineup.find(target.streamer) if target else None
    comes_back = entry is not None and entry.turn_began is not None
    if program is None:
        if why == "lost":
            return why
        return "returned" if comes_back else "first"
    if program.stalled_since is not None:
        return "stalled"
    if comes_back:
        return "returned"
    if program.session is None:
        return "ended"
    if whose == program.session.streamer and why in ("skip", "turn", "kick", "removed", "low_bitrate"):
        return why
    if lineup.by_session(program.session.id) is None:
        return "ended"
    return why if why == "test" else "moved"
