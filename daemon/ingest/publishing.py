"""A publish and its end, whichever server told: the one way from a hook to the rules.

Each step is taken once and none leads back: whose it is, admission, the session, the rules. Admission looks the rules'
blocks up before anything changes, so that who is blocked leaves no session, no line in the journal and no kick behind.
What the rules answer to the event itself is the last word: much may have happened while the operator's service was
asked.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import structlog

from daemon.config.model import Ingest
from daemon.core.ports import RulesPort
from daemon.ingest.admission import Admission
from daemon.ingest.hook import ACCEPTED, JSON, Publish, Unpublish, Verdict, refusal, refused
from daemon.ingest.refusals import Refusals
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import HookError, StreamRef, is_ours
from daemon.observability.throttle import LogThrottle
from statemachine.events import Event, Published, Unpublished
from statemachine.step import Step

JOURNAL_SECONDS: Final = 1.0
"""Seconds that a publisher waits for its event to be journaled. Then it is let in: the event is queued already."""

MOST_REFUSALS: Final = 20
"""Refusals for one reason that are told in ten seconds, each of another publisher."""

SHADOWED: Final = (
    "another streamer publishes to that path already, since before ingest.rtmp_url was changed: "
    "publish to a name of your own, or once that one has left"
)

log = structlog.get_logger(__name__)


class Stages(NamedTuple):
    """What a publish passes, in this order."""

    admission: Admission
    sessions: SessionDirectory
    rules: RulesPort


class Publishing:
    """What a hook means. For the event loop's thread only."""

    def __init__(
        self,
        ingest: Callable[[], Ingest],
        now: Callable[[], float],
        stages: Stages,
        refusals: Refusals,
        notify: Callable[[str, str], None] = lambda code, message: None,
    ) -> None:
        """``ingest`` is the configuration as it is now; ``now`` the events' clock.

        ``notify`` is called with the code and the message of each refusal that is logged.
        """
        self._ingest = ingest
        self._now = now
        self._admission, self._sessions, self._rules = stages
        self._refusals = refusals
        self._notify = notify
        self._log = log.bind()  # made once, by now as it is configured, for all hooks
        self._throttle = LogThrottle()
        self._waiting: deque[tuple[float, asyncio.Future[Step]]] = deque()
        """Who waits until when for what the rules answer, the first first."""
        self._timer: asyncio.TimerHandle | None = None

    async def publish(self, hook: Publish, raw: bytes = b"", content_type: str = JSON) -> Verdict:
        """Whether this publisher may publish, once the rules know of it. ``raw`` is the hook as its server sent it."""
        ref, ingest = hook.ref, self._ingest()
        if not is_ours(ref, ingest.apps, ingest.vhosts):
            return ACCEPTED
        verdict = await self._admission.check(ref, self._now(), raw, content_type)
        if verdict.accepted:
            verdict = await self._begin(ref, verdict)
        return verdict if verdict.accepted else replace(verdict, ip=ref.ip, quiet=hook.asks_again)

    async def unpublish(self, hook: Unpublish, _raw: bytes = b"", _content_type: str = JSON) -> Verdict:
        """A publisher has left. There is nothing to refuse."""
        ref, ingest = hook.ref, self._ingest()
        if is_ours(ref, ingest.apps, ingest.vhosts):
            at = self._now()
            for session_id in self._sessions.end(ref, at):
                await self._ask(Unpublished(at, session_id))
                self._log.debug("A stream has ended", session=session_id)
        return ACCEPTED

    def misread(self, error: HookError) -> Verdict:
        """The verdict on a hook that could not be read."""
        apps = self._ingest().apps
        # SRS asks every channel's daemon about every publisher, and one no is a no.
        return ACCEPTED if error.app and apps and error.app not in apps else refusal(error)

    def note_refusal(self, server: str, verdict: Verdict, address: str | None) -> None:
        """Remember and log a refusal. ``address`` is whose hook it was; one that is nobody's mistake is passed over."""
        if verdict.quiet:
            return
        self._refusals.note(verdict, self._now())
        # Each publisher's own: one who tries again and again must not hide why another is refused.
        whose = f"{server} {verdict.code} {verdict.ip} {verdict.streamer}"
        if (count := self._throttle.suppressed(whose)) is None:
            return
        if self._throttle.suppressed(f"{server} {verdict.code}", MOST_REFUSALS) is None:
            return
        known = {"publisher": verdict.ip, "streamer": verdict.streamer, "more": count}
        log.warning(
            "A hook was refused",
            server=server,
            reason=verdict.code,
            why=verdict.message,
            address=address,
            **{name: value for name, value in known.items() if value},
        )
        self._notify(verdict.code, verdict.message)

    async def _begin(self, ref: StreamRef, verdict: Verdict) -> Verdict:
        """Give an admitted publisher its session, and have the rules take it."""
        sessions, streamer, at = self._sessions, verdict.streamer, self._now()
        for session_id in sessions.superseded(ref, streamer):
            await self._ask(Unpublished(at, session_id))
        session = sessions.open(ref, verdict, at)
        if sessions.is_shadowed(session):
            sessions.drop(session)
            return refused("path_taken", SHADOWED, streamer=streamer)
        if refusal := (await self._ask(Published(at, session))).refusal:
            sessions.drop(session)
            why = refusal.message + self._two_hosts(ref) if refusal.code == "path_taken" else refusal.message
            return refused(refusal.code, why, streamer=streamer)
        self._refusals.unblock(session.streamer)
        self._log.info("A stream is published", session=session.id, streamer=session.streamer, ip=ref.ip or None)
        return verdict

    def _two_hosts(self, ref: StreamRef) -> str:
        """What to do where two publishers have one name at two virtual hosts, and are played from one URL."""
        if "{vhost}" in self._ingest().rtmp_url:
            return ""
        hosts = {self._sessions.vhost(session) for session in self._sessions.live(ref.path)}
        if not hosts - {ref.vhost}:
            return ""
        return "; it is at another virtual host: {vhost} in ingest.rtmp_url tells them apart"

    async def _ask(self, event: Event) -> Step:
        """The answer, or an empty one where it does not come in time: the event takes effect all the same."""
        asked = self._rules.asked(event)
        loop, waiting = asyncio.get_running_loop(), self._waiting
        while waiting and waiting[0][1].done():
            waiting.popleft()
        waiting.append((loop.time() + JOURNAL_SECONDS, asked))
        if self._timer is None:
            self._timer = loop.call_later(JOURNAL_SECONDS, self._give_up)
        return await asked

    def _give_up(self) -> None:
        """One timer for all: each waits as long as any other, and mostly nobody for long."""
        loop, waiting = asyncio.get_running_loop(), self._waiting
        while waiting and (waiting[0][1].done() or waiting[0][0] <= loop.time()):
            _, asked = waiting.popleft()
            if not asked.done():
                asked.set_result(Step())
                self._tell_slow()
        self._timer = loop.call_at(waiting[0][0], self._give_up) if waiting else None

    def _tell_slow(self) -> None:
        if (count := self._throttle.suppressed("slow")) is not None:
            log.warning("A hook was answered before its event was journaled", seconds=JOURNAL_SECONDS, more=count)
