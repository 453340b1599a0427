"""The HTTP side: everything that the routes use, and the server before them."""

from prometheus_client import CollectorRegistry

from daemon.composition.ingest import IngestParts
from daemon.composition.live import Live
from daemon.composition.store import Rules, StoreParts
from daemon.composition.studio import ObsParts
from daemon.composition.watchdog import Watchdog
from daemon.composition.watching import Watching
from daemon.health.monitor import HealthMonitor
from daemon.http.app import build_app
from daemon.http.dependencies import Control
from daemon.http.routes.events import EventHub
from daemon.http.server import HttpServer
from daemon.notify.notifier import Notifier


def make_server(
    live: Live,
    store: StoreParts,
    rules: Rules,
    studio: ObsParts,
    ingest: IngestParts,
    hub: EventHub,
    registry: CollectorRegistry,
    health: HealthMonitor,
    watching: Watching,
    watchdog: Watchdog,
    notifier: Notifier,
) -> HttpServer:
    """On the port that is claimed already; it is not served yet."""
    app, gate = build_app(
        Control(
            config=lambda: live.config,
            now=rules.clock.now,
            operator=ingest.operator,
            view=rules.view,
            policy=lambda: rules.view().policy,
            history=store.journal.handovers,
            studio=studio.diagnostics,
            publishing=ingest.publishing,
            refusals=ingest.refusals,
            hub=hub,
            registry=registry,
            health=health,
            ready=watching.checks,
            alive=watchdog.is_alive,
            test_notifications=notifier.test,
        )
    )
    return HttpServer(app, gate, live.config.http.host, live.config.http.port, claim=store.claim)
