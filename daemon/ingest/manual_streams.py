"""Streams that an operator has shown by hand: what is known of one, its key above all, goes when the rules drop it."""

from collections.abc import Callable, Collection, Sequence

from daemon.ingest.sessions import MANUAL_STREAM, SessionDirectory
from statemachine.events import Session
from statemachine.facts import Fact

UNSEEN = 60.0
"""Seconds after which one that the rules have never held is over: its request was given up or refused."""


class ManualStreams:
    """``observe`` is an observer of the dispatcher; ``held`` tells the ids of the sessions that the rules hold."""

    def __init__(
        self, held: Callable[[], Collection[str]], sessions: SessionDirectory, now: Callable[[], float]
    ) -> None:
        self._held = held
        self._sessions = sessions
        self._now = now
        self._number = 0
        # Those of the last run are held by the rules, or they would not have been restored.
        self._open: dict[str, float] = dict.fromkeys(sessions.opened(MANUAL_STREAM, float("inf")), float("-inf"))

    def open(self, url: str, app: str, stream: str) -> tuple[Session, bool]:
        """The session that publishes it, or (True) one of its own where no hook has told of it."""
        if known := self._sessions.live(f"{app}/{stream}"):
            return known[0], False
        at = self._now()
        self._number += 1
        session = Session(f"{MANUAL_STREAM}{int(at)}-{self._number}", "test", app, stream)
        self._sessions.open_url(session, url, at)
        self._open[session.id] = at
        return session, True

    def drop(self, session: Session) -> None:
        """The rules refused it."""
        self._open.pop(session.id, None)
        self._sessions.drop(session)

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
