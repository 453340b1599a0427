"""Streams that an operator has shown by hand: what is known of one, its key above all, goes when the rules drop it."""

from collections.abc import Callable, Sequence

from daemon.ingest.sessions import SessionDirectory
from statemachine.director import Director
from statemachine.facts import Fact

PREFIX = "test:"
"""Of the ids of such sessions."""
UNSEEN = 60.0
"""Seconds after which one that the rules have never held is over: its request was given up or refused."""


class HandTests:
    """``observe`` is an observer of the dispatcher."""

    def __init__(self, director: Director, sessions: SessionDirectory, now: Callable[[], float]) -> None:
        self._director = director
        self._sessions = sessions
        self._now = now
        # Those of the last run are held by the rules, or they would not have been restored.
        self._open: dict[str, float] = dict.fromkeys(sessions.opened(PREFIX, float("inf")), float("-inf"))

    def begin(self, session_id: str) -> None:
        """It was opened, and the rules are about to hear of it."""
        self._open[session_id] = self._now()

    def observe(self, _: Sequence[Fact]) -> None:
        """Look whether one is over."""
        if not self._open:
            return
        held, unseen_before = self._held(), self._now() - UNSEEN
        for session_id, begun in tuple(self._open.items()):
            if session_id in held:
                self._open[session_id] = float("-inf")
            elif begun < unseen_before:
                del self._open[session_id]
                self._sessions.ended(session_id)

    def _held(self) -> set[str]:
        program, attempt = self._director.switchover.program, self._director.switchover.attempt
        sessions = [session for entry in self._director.lineup for session in entry.sessions]
        shown = (program.session if program else None, attempt.target if attempt else None)
        return {session.id for session in (*sessions, *shown) if session is not None}
