"""Why one in the line-up is not shown, where that is no failure of its stream: for those who read the line-up."""

from statemachine.lineup.entry import Entry, Problem

OF_THE_CHANNEL = frozenset({"obs_unreachable", "studio_mode", "crowded", "program_elsewhere"})
"""Reasons that say nothing of the streamer."""


def of_entry(entry: Entry) -> Problem | None:
    """Its failure, or what else keeps it from being shown, as far as it is its own."""
    if entry.problem is not None:
        return entry.problem
    if entry.leaves is not None:
        return Problem("leaving", "", entry.joined_at)
    if entry.away_since is not None:
        return Problem("away", "", entry.away_since)
    if entry.stalled_since is not None:
        return Problem("stalled" if entry.proving_until is None else "probation", "", entry.stalled_since)
    return None
