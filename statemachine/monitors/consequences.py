"""What is done with one whose stream is not as it should be: it makes room for the next one, or is sent away."""

from typing import Final

from statemachine.lineup.entry import Entry
from statemachine.lineup.lineup import Lineup

KICKED_FOR: Final = 300.0
"""Seconds that one who is kicked for what it sends is blocked."""


def skip(lineup: Lineup, now: float, entry: Entry, why: str) -> None:
    """End its turn. One who only fills in has failed, and the turn that it fills in for goes on."""
    lineup.set_cause(why, entry.streamer)
    if entry.turn_began is not None:
        lineup.turns.end_turn(now, entry)
    elif entry.session is not None:
        lineup.standing.failed(now, entry.session.id, reason=why)


def kick(lineup: Lineup, now: float, entry: Entry) -> None:
    """Send it away as soon as another one is on air, and block it."""
    lineup.set_cause("kick", entry.streamer)
    lineup.turns.send_off(now, entry, KICKED_FOR)
