"""The ingest side: who publishes, who may, and what the ingest servers themselves say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from daemon.composition.live import Live
from daemon.composition.store import Rules, StoreParts
from daemon.core.operator import Operator
from daemon.ingest.admission import Admission
from daemon.ingest.auth_url import UrlAuth
from daemon.ingest.listing import IngestServer
from daemon.ingest.manual_streams import ManualStreams
from daemon.ingest.publishing import Publishing
from daemon.ingest.reconciler import Reconciler
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
    operator: Operator
    """What a person may ask: who is meant, and what is shown by hand, is known here."""


KeptStreams = Mapping[str, dict[str, Any]]
"""What the journal has kept of each session's stream, by the session's id."""


def make_sessions(live: Live, store: StoreParts, rules: Rules, streams: KeptStreams) -> SessionDirectory:
    """With those that outlived the last run."""
    sessions = SessionDirectory(lambda: live.config.ingest.rtmp_url, store.journal.keep_stream)
    kept = rules.director.sessions()
    sessions.restore(kept.live, streams, rules.clock.now(), kept.ended)
    return sessions


def make_ingest(
    live: Live,
    store: StoreParts,
    rules: Rules,
    sessions: SessionDirectory,
    streams: KeptStreams,
    client: aiohttp.ClientSession,
    obs: ObsAdapter,
    notifier: Notifier,
) -> IngestParts:
    """As configured. What is played by OBS tells who publishes, where nothing else does."""
    now = rules.clock.now
    servers = configured(live.config.ingest, client, sessions, lambda: live.config.ingest.default_app)
    admission = _make_admission(live, store, rules, streams, client)
    refusals = Refusals()
    publishing = Publishing(
        lambda: live.config.ingest, now, admission, sessions, rules.events, refusals, notifier.refused
    )
    reconciler = Reconciler(
        servers,
        sessions,
        admission,
        rules.events.submit,
        now,
        lambda: live.config.ingest.reconcile,
        recall=obs.streamer_of,
        ours=lambda ref: is_ours(ref, live.config.ingest.apps, live.config.ingest.vhosts),
    )
    manual_streams = ManualStreams(lambda: rules.director.sessions().held, sessions, now)
    operator = Operator(rules.events, now, rules.view, lambda: rules.view().policy, admission.meant, manual_streams)
    return IngestParts(admission, servers, publishing, refusals, reconciler, manual_streams, operator)


def _make_admission(
    live: Live, store: StoreParts, rules: Rules, streams: KeptStreams, client: aiohttp.ClientSession
) -> Admission:
    director = rules.director
    admission = Admission(
        lambda: live.config.queue,
        store.keys,
        director.admits,
        UrlAuth(client),
        live.redactor.learn,
        lambda streamer: any(place.streamer == streamer for place in rules.view().queue),
    )
    for name in director.view(director.now).blocks:
        admission.remember(name)
    for session in director.sessions().live:
        admission.recall(session, str(streams.get(session.id, {}).get("key", "")))
    return admission
