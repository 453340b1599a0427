"""Asks the ingest servers who publishes, at the start and every few seconds: hooks may be lost, the list may not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from daemon.core.ports import IngestError
from daemon.ingest.admission import Admission
from daemon.ingest.descriptions import Descriptions
from daemon.ingest.hook import Verdict
from daemon.ingest.listing import IngestServer, Listed
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import HookError, StreamRef, make_ref
from statemachine.backoff import backoff
from statemachine.events import Event, PublishersListed, Session, Tracks

LONGEST_PAUSE: Final = 60.0
"""Seconds between two tries of a server that does not answer, at most."""
YOUNG: Final = 2.0
"""Seconds: on_publish comes before the stream shows in the server's list."""
MOST_STRANGERS: Final = 1024
MOST_TOLD: Final = 16
"""Lines of one list about streams that nobody can be named for."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Naming:
    """By what it is known who publishes a stream that a server lists."""

    sessions: SessionDirectory
    admission: Admission
    ours: Callable[[StreamRef], bool] = lambda ref: True
    """Whose publishers are this channel's."""
    recall: Callable[[str], str] = lambda session_id: ""
    """Who a session's streamer was, empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """When the servers are asked."""

    now: Callable[[], float]
    """The events' clock."""
    interval: Callable[[], float]
    """``ingest.reconcile``."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Reconciler:
    """Turns each server's list into PublishersListed. What a list cannot tell is left as it is."""

    def __init__(
        self,
        servers: Sequence[IngestServer],
        naming: Naming,
        submit: Callable[[Event], None],
        schedule: PollSchedule,
    ) -> None:
        """``submit`` queues an event."""
        self._servers = tuple(servers)
        self._sessions = naming.sessions
        self._admission = naming.admission
        self._submit = submit
        self._now = schedule.now
        self._interval = schedule.interval
        self._ours = naming.ours
        self._recall = naming.recall
        self._sleep = schedule.sleep
        self._failures: dict[str, int] = {}
        self._strangers: dict[str, frozenset[str]] = {}
        self._asked: dict[str, set[str]] = {}
        self._received: dict[str, dict[str, int]] = {}
        self._descriptions = Descriptions(submit)
        self._gone: dict[str, set[str]] = {}
        self._heard: set[str] = set()
        self.heard = asyncio.Event()
        """Every server was asked once, whether it answered or not."""
        if not self._servers:
            self.heard.set()

    async def run(self) -> None:
        """Go on until cancelled, also where there is no server to ask."""
        async with asyncio.TaskGroup() as group:
            for server in self._servers:
                group.create_task(self._watch(server))
            await asyncio.Event().wait()

    async def once(self, server: IngestServer) -> bool:
        """Ask one server; False if it did not answer."""
        asked_at = self._now()
        try:
            listed = await server.publishers()
        except IngestError as error:
            self._failed(server, error)
            return False
        if self._failures.pop(server.prefix, 0):
            log.info("The ingest server's API answers again", server=server.where)
        at = self._now()
        sessions: dict[str, Session] = {}
        received: dict[str, int] = {}
        described: dict[str, Tracks | None] = {}
        strangers: dict[str, Session | None] = {}
        for stream in listed:
            if stream.ref is not None and not self._ours(stream.ref):
                continue
            session = self._session(stream, at) or await self._by_arguments(server, stream, at)
            if session is None:
                self._note(strangers, stream)
            else:
                sessions[session.id] = session
                received[session.id] = stream.received
                described[session.id] = stream.tracks
        self._received[server.prefix] = received
        self._log_strangers(server, strangers)
        others = server.others
        self._forget_gone(server, sessions, asked_at, others)
        named = self._admission.can_name
        nameless = tuple(stranger for stranger in strangers.values() if stranger is not None and named)
        at, can_kick = self._now(), server.can_kick
        self._submit(
            PublishersListed(at, server.prefix, asked_at, tuple(sessions.values()), others, nameless, can_kick)
        )
        # After the sessions themselves: of one that the rules do not know they take nothing.
        self._descriptions.listed(server.prefix, at, described)
        return True

    def received_bytes(self, session_id: str) -> int | None:
        """Bytes received from the publisher by the last list; None where that is not known."""
        return next((seen[session_id] for seen in self._received.values() if session_id in seen), None)

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The servers that did not answer last time."""
        return tuple(server.where for server in self._servers if self._failures.get(server.prefix))

    async def _watch(self, server: IngestServer) -> None:
        while True:
            try:
                await self.once(server)
            except Exception:
                self._failures[server.prefix] = self._failures.get(server.prefix, 0) + 1
                log.exception("The ingest server's list could not be used", server=server.where)
            self._heard.add(server.prefix)
            if len(self._heard) == len(self._servers):
                self.heard.set()
            interval, failures = self._interval(), self._failures.get(server.prefix, 0)
            await self._sleep(backoff(interval, max(LONGEST_PAUSE, interval), failures + 1))

    def _failed(self, server: IngestServer, error: IngestError) -> None:
        failures = self._failures.get(server.prefix, 0) + 1
        self._failures[server.prefix] = failures
        if failures == 1:
            log.warning(
                "The ingest server's API does not answer; falling back to hooks only",
                reason=str(error),
                mend=error.mend,
            )

    def _session(self, listed: Listed, at: float) -> Session | None:
        """The session that the hooks told of, else one for a streamer that can be told by the list alone."""
        known = self._sessions.listed(listed.session_ids)
        if known is not None or listed.ref is None:
            return known
        ref = listed.ref
        # One server's stream may show in another's list, as Oryx's do in that of the SRS within it.
        others = {session.id.partition(":")[0] for session in self._sessions.live(ref.path)} - {ref.server, "test"}
        if others:
            return None
        return self._identified(ref, at)

    async def _by_arguments(self, server: IngestServer, listed: Listed, at: float) -> Session | None:
        """A stranger's session by the arguments that its server remembers: the key may be among them. Asked once."""
        ref, asked = listed.ref, self._asked.setdefault(server.prefix, set())
        if (
            ref is None
            or not self._admission.can_name
            or listed.session_ids[0] in asked
            or len(asked) >= MOST_STRANGERS
        ):
            return None
        asked.add(listed.session_ids[0])
        try:
            arguments = await server.arguments(listed)
            given = make_ref(
                ref.server,
                ref.app,
                ref.stream,
                arguments,
                client_id=ref.client_id,
                instance=ref.instance,
                vhost=ref.vhost,
                flat=ref.flat,
            )
        except (IngestError, HookError):
            return None
        return self._identified(given, at) if given.key else None

    def _identified(self, ref: StreamRef, at: float) -> Session | None:
        streamer = self._admission.identify(ref, at) or self._admission.vouched(self._recall(ref.session_id), at)
        if streamer is None:
            return None
        return self._sessions.open(ref, Verdict(True, streamer=streamer.name, turn=streamer.turn), at)

    def _note(self, strangers: dict[str, Session | None], listed: Listed) -> None:
        name, ref = listed.session_ids[0] if listed.session_ids else "unnamed", listed.ref
        known = {session.id.partition(":")[0] for session in self._sessions.live(ref.path)} if ref else {"?"}
        # What another server's hook told of is not nameless.
        whole = ref is not None and ref.client_id and not known - {ref.server, "test"}
        strangers[name] = Session(name, "", ref.app, ref.stream) if ref is not None and whole else None

    def _forget_gone(
        self, server: IngestServer, sessions: dict[str, Session], asked_at: float, others: tuple[str, ...]
    ) -> None:
        """What two lists in a row lack has ended, as the rules have it, too."""
        opened = self._sessions.opened(server.prefix, asked_at)
        gone = {i for i in opened if i not in sessions and not i.startswith(others)}
        grown = set(self._sessions.opened(server.prefix, asked_at - YOUNG))
        for session_id in gone & grown & self._gone.get(server.prefix, set()):
            self._sessions.ended(session_id)
        self._gone[server.prefix] = gone

    def _log_strangers(self, server: IngestServer, strangers: dict[str, Session | None]) -> None:
        # All of them: of those that are left out of a memory each list would tell anew.
        known = self._strangers.get(server.prefix, frozenset())
        fresh = sorted(strangers.keys() - known)
        for session_id in fresh[:MOST_TOLD]:
            log.warning(
                "A published stream cannot be attributed to a streamer; it is left out",
                server=server.where,
                session=session_id,
            )
        if (left := len(fresh) - MOST_TOLD) > 0:
            log.warning("Published streams cannot be attributed to a streamer", server=server.where, more=left)
        self._asked.get(server.prefix, set()).intersection_update(strangers)
        self._strangers[server.prefix] = frozenset(strangers)
