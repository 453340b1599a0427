"""Whom the line-up wants on air, and whom to make ready ahead of time: questions only, nothing changes."""

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
    first = next(lineup.showables(now), None)
    waits = holder is not None and holder.turn_began is not None and not holder.showable(now)
    if waits and policy.slate and (policy.during_grace == "slate" or first is None):
        return None
    if first is not None:
        return first.session
    if program is None:
        return None
    if program.session is None:
        return KEEP if now < program.since + policy.reconnect_grace else None
    return KEEP if lineup.find(program.session.streamer) else None


def candidate(lineup: Lineup, program: Program | None, policy: Policy, now: float) -> ev.Session | None:
    """Whom to make ready: one who stalled in its turn, to see it move again, else the next one."""
    shown = program.session.streamer if program and program.session else ""
    holder = lineup.holder
    if holder is not None and holder.stalled_since is not None and holder.streamer != shown and holder.may_try(now):
        return holder.session
    if not policy.standby:
        return None
    entry = next((entry for entry in lineup.showables(now) if entry.streamer != shown), None)
    return entry.session if entry else None
