"""The history of hand-overs: what /history and the dashboard show."""

from collections.abc import Sequence
from dataclasses import asdict

from daemon.core.clock import iso
from daemon.core.ports import HandoverRow
from statemachine import facts


def handovers(told: Sequence[facts.Fact]) -> list[HandoverRow]:
    """Each hand-over that came to an end, as a row."""
    return [
        (
            fact.at,
            {
                "at": iso(fact.at),
                "attempt": fact.attempt,
                "input": fact.input,
                "outgoing": fact.outgoing,
                "from_streamer": fact.from_streamer,
                "to_streamer": fact.to_streamer,
                "reason": fact.reason,
                "outcome": fact.outcome,
                "seconds": round(fact.seconds, 3),
                "detail": fact.detail,
                "actor": asdict(fact.actor) if fact.actor else None,
            },
        )
        for fact in told
        if isinstance(fact, facts.HandoverEnded) and fact.is_handover
    ]
