"""A stream that its server lists and that cannot be opened is kicked once, so that its encoder publishes anew.

SRS 6 clears away, every three seconds, the streams that nobody publishes or plays (``SrsLiveSourceManager::notify``),
also one whose on_publish is just being answered. Its publisher is let in and listed with its codecs, and sends to
where no player ever comes: another publish is the only way out, and nobody but the daemon knows that it is needed.

A list that was asked for after the second failure has to name the session still: else its end was lost, and not its
stream. Whatever moves is left alone, and so are all while an operator holds.

It is kicked while an input waits for it: SRS clears no stream away that somebody plays, nor within three seconds after,
so that the encoder, back by then, does not lose the next one to the same hook's time.
"""

from collections.abc import Container
from dataclasses import replace

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.backoff import backoff
from statemachine.lineup.entry import Entry, Recall, Tries
from statemachine.lineup.order import Order
from statemachine.lineup.outbox import Outbox
from statemachine.lineup.sessions import RECALL_FIRST, RECALL_MOST
from statemachine.lineup.standing import Standing
from statemachine.lineup.times import Times

RECALLED_AFTER = 2
"""Failures in a row of one session."""
RECALLED_UNWAITED = 4
"""The same where no input waits for it at any list: lists are few, or it is seldom tried."""
SESSIONS_KEPT = 16
"""Of each streamer, more than it has at a time: none of them is kicked twice."""
NOT_OPENED = frozenset({"unreachable", "not_ready", "obs", "cut_failed"})
"""What is found wrong with a stream that cannot be opened, or with OBS before that was found. One without a picture, or
in another codec, would be the same again."""


class Recalls:
    """Kicks, at a server's list, whom it names and nobody can play."""

    def __init__(self, order: Order, times: Times, outbox: Outbox, standing: Standing) -> None:
        self._order = order
        self._times = times
        self._outbox = outbox
        self._standing = standing

    def failed(self, at: float, session_id: str) -> None:
        """An input of it was opened, and no picture came."""
        if self._order.by_session(session_id) is not None:
            unopened = self._order.memory.unopened
            known = unopened.get(session_id)
            unopened[session_id] = Tries(known.failures + 1 if known else 1, at)

    def seen(self, session_id: str) -> None:
        """An input of it has a picture."""
        memory, entry = self._order.memory, self._order.by_session(session_id)
        memory.unopened.pop(session_id, None)
        recall = memory.recalls.get(entry.streamer) if entry is not None else None
        if entry is not None and recall is not None and recall.times > 1:
            memory.recalls[entry.streamer] = replace(recall, times=1)

    def forget_failures(self) -> None:
        """It is another OBS, or another connection to it: what could not be opened may be now."""
        self._order.memory.unopened.clear()

    def listed(
        self, event: ev.PublishersListed, on_air: ev.Session | None, waited_for: Container[str]
    ) -> list[ev.Session]:
        """A server tells whom it has: of those that cannot be opened, kick whom it can; they are returned.

        ``waited_for`` are the sessions that an input is connected to and has no picture of.
        """
        kicked: list[ev.Session] = []
        memory = self._order.memory
        if not memory.unopened or not event.can_kick or memory.held or not self._times.policy.kick_unreachable:
            return kicked
        listed = {session.id for session in event.sessions}
        for session_id, tries in tuple(memory.unopened.items()):
            entry = self._order.by_session(session_id)
            named = session_id in listed and not session_id.startswith(event.others)
            enough = RECALLED_AFTER if session_id in waited_for else RECALLED_UNWAITED
            if entry is None or not named or tries.failures < enough or event.asked_at < tries.failed_at:
                continue
            session = next(each for each in entry.sessions if each.id == session_id)
            shown = on_air is not None and (on_air.streamer == entry.streamer or on_air.path == session.path)
            if not shown and self._may_be_recalled(entry, session_id, event.at):
                self._recall(event.at, entry, session)
                kicked.append(session)
        return kicked

    def _may_be_recalled(self, entry: Entry, session_id: str, now: float) -> bool:
        if entry.problem is None or entry.problem.reason not in NOT_OPENED:
            return False
        last = self._order.memory.recalls.get(entry.streamer)
        if last is None:
            return True
        return session_id not in last.sessions and now >= last.at + backoff(RECALL_FIRST, RECALL_MOST, last.times)

    def _recall(self, at: float, entry: Entry, session: ev.Session) -> None:
        memory = self._order.memory
        last = memory.recalls.pop(entry.streamer, None) or Recall((), at, 0)
        kicked = (*last.sessions, session.id)[-SESSIONS_KEPT:]
        memory.recalls[entry.streamer] = Recall(kicked, at, last.times + 1)
        self._standing.blame(at, session.id, "republish")
        self._order.put(replace(self._order.find(entry.streamer) or entry, recalled=True))
        self._outbox.commands.append(cmd.KickSession(session, "republish"))
