"""The ingest side: who publishes, who may, and what the ingest servers themselves say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from daemon.composition.acting import ShippedRules
from daemon.composition.store import Base
from daemon.core.operator import Operator
from daemon.ingest.admission import Admission, RulesAsked
from daemon.ingest.auth_url import UrlAuth
from daemon.ingest.letters import Letters
from daemon.ingest.listing import IngestServer
from daemon.ingest.manual_streams import ManualStreams
from daemon.ingest.publishing import Publishing, Stages
from daemon.ingest.reconciler import Naming, PollSchedule, Reconciler
from daemon.ingest.refusals import Refusals
from daemon.ingest.servers.registry import configured
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import is_ours
from daemon.notify.notifier import Notifier
from daemon.obs import ObsAdapter


@dataclass(frozen=True, slots=True)
class IngestParts:
    """Whoever publishes comes by one of these."""

    admission: Admission
    servers: tuple[IngestServer, ...]
    publishing: Publishing
    refusals: Refusals
    reconciler: Reconciler
    manual_streams: ManualStreams
    letters: Letters
    """Hooks that come by way of another daemon."""
    operator: Operator
    """What a person may ask: who is meant, and what is shown by hand, is known here."""


StreamsBySession = Mapping[str, dict[str, Any]]
"""What the journal has kept of each session's stream, by the session's id."""


@dataclass(frozen=True, slots=True)
class PublisherParts:
    """What is known of whoever publishes, and the way to ask after them."""

    sessions: SessionDirectory
    kept: StreamsBySession
    client: aiohttp.ClientSession


def make_publishers(base: Base, kept: StreamsBySession, client: aiohttp.ClientSession) -> PublisherParts:
    """With those that outlived the last run."""
    live, rules = base.live, base.rules
    sessions = SessionDirectory(lambda: live.config.ingest.rtmp_url, base.store.journal.keep_stream)
    known = rules.director.sessions()
    sessions.restore(known.live, kept, rules.clock.now(), known.ended)
    return PublisherParts(sessions, kept, client)


def make_ingest(base: Base, publishers: PublisherParts, obs: ObsAdapter, notifier: Notifier) -> IngestParts:
    """As configured. What is played by OBS tells who publishes, where nothing else does."""
    live, rules, sessions = base.live, base.rules, publishers.sessions
    now = rules.clock.now
    servers = configured(live.config.ingest, publishers.client, sessions, lambda: live.config.ingest.default_app)
    admission = _make_admission(base, publishers)
    refusals = Refusals()
    publishing = Publishing(
        lambda: live.config.ingest, now, Stages(admission, sessions, rules.events), refusals, notifier.refused
    )
    reconciler = Reconciler(
        servers,
        Naming(
            sessions,
            admission,
            ours=lambda ref: is_ours(ref, live.config.ingest.apps, live.config.ingest.vhosts),
            recall=obs.streamer_of,
        ),
        rules.events.submit,
        PollSchedule(now, lambda: live.config.ingest.reconcile),
    )
    manual_streams = ManualStreams(lambda: rules.director.sessions().held, sessions, now)
    acting = base.acting
    # What people were told of is not to be forgotten where another daemon takes over.
    asked = ShippedRules(rules.events, acting.shipping) if acting is not None else rules.events
    operator = Operator(asked, now, rules.view, admission.meant, manual_streams)
    letters = Letters(publishing, lambda: live.config.ingest)
    return IngestParts(admission, servers, publishing, refusals, reconciler, manual_streams, letters, operator)


def _make_admission(base: Base, publishers: PublisherParts) -> Admission:
    live, rules, director = base.live, base.rules, base.rules.director
    admission = Admission(
        lambda: live.config.queue,
        base.keys,
        RulesAsked(
            director.admits,
            present=lambda streamer: any(place.streamer == streamer for place in rules.view().queue),
        ),
        UrlAuth(publishers.client),
        live.redactor.learn,
    )
    for name in director.view(director.now).blocks:
        admission.remember(name)
    for session in director.sessions().live:
        admission.recall(session, str(publishers.kept.get(session.id, {}).get("key", "")))
    return admission
