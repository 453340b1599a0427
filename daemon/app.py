"""The composition root: builds everything, starts and stops it in order. Nothing else builds."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from prometheus_client import CollectorRegistry

from daemon.config.keys import secret_values
from daemon.config.loader import load, locate
from daemon.config.model import Config
from daemon.config.policy import policy_of
from daemon.config.reload import reload
from daemon.core.clock import Clock
from daemon.core.dispatcher import Dispatcher
from daemon.core.executor import Executor
from daemon.core.ports import Check
from daemon.core.redaction import Redactor
from daemon.health.measurements import Teller
from daemon.health.metrics import HealthMetrics
from daemon.health.monitor import HealthMonitor
from daemon.health.reporter import Reporter
from daemon.http.app import build_app
from daemon.http.dependencies import Control
from daemon.http.routes.events import EventHub
from daemon.http.server import Claim, HttpServer
from daemon.ingest.admission import Admission
from daemon.ingest.api import open_client
from daemon.ingest.auth_url import UrlAuth
from daemon.ingest.kick import Kicker
from daemon.ingest.manual_streams import HandTests
from daemon.ingest.publishing import Publishing
from daemon.ingest.reconciler import Reconciler
from daemon.ingest.refusals import Refusals
from daemon.ingest.servers.registry import configured
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import is_ours
from daemon.journal.alone import Alone
from daemon.journal.history import handovers
from daemon.journal.journal import Journal
from daemon.notify.alerts import Watch
from daemon.notify.notifier import Notifier as Notifications
from daemon.notify.troubles import Output, Troubles
from daemon.obs import Obs
from daemon.obs.diagnostics import Desk, check_program
from daemon.obs.inventory import stream_of_path
from daemon.obs.output import OutputKeeper
from daemon.obs.overlays import Overlays
from daemon.observability import logging as logs
from daemon.observability.event_log import narrate
from daemon.observability.loop_errors import Unhandled
from daemon.observability.metrics import Metrics
from daemon.streamers.index import StreamerIndex
from daemon.systemd import Notifier
from statemachine import __version__
from statemachine import events as ev
from statemachine.director import Director
from statemachine.view import View

log = structlog.get_logger("daemon.app")

INGEST_FIRST = 1.0
"""Seconds that OBS waits at start for the ingest servers' first lists: what is on air is checked against them."""
WATCHDOG_DEFAULT = 15.0
LOOK_EVERY = 1.0
WATCHDOG_PATIENCE = 5.0
"""Seconds that the dispatcher may take for an empty event before the watchdog is no longer fed."""


def run(path: Path | None) -> int:
    """Run the daemon until SIGTERM or SIGINT; the exit code. Raises ConfigError."""
    hangups: list[int] = []
    # Before the file is read: a reload that comes from now on is made up for once the daemon is up.
    signal.signal(signal.SIGHUP, lambda number, _: hangups.append(number))
    config = load(path, os.environ)
    redactor = Redactor(*secret_values(config))
    handle = logs.setup(config.log, redactor)
    try:
        return asyncio.run(_App(config, path, redactor, handle, hangups).run())
    finally:
        handle.close()


class _App:
    """One run of the daemon."""

    def __init__(
        self,
        config: Config,
        path: Path | None,
        redactor: Redactor,
        handle: logs.LogHandle,
        hangups: Sequence[int] = (),
    ) -> None:
        self.config = config
        self._hangups = hangups
        self._path = path
        self._redactor = redactor
        self._log = handle
        self._systemd = Notifier()
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._notifications: Notifications | None = None
        self._alive = True

    # --- life ------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Everything, from the first line of the log to the last."""
        config = self.config
        log.info("motherstream starts", version=__version__, configuration=str(locate(self._path) or "defaults"))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.set_exception_handler(Unhandled())
        keys = StreamerIndex(config.store.path, on_change=lambda: journal.keys_changed())
        claim = Claim(config.http.host, config.http.port)
        alone = Alone(config, self._path, claim)
        journal = Journal(config.store.path, known_keys=keys.known, lock=alone.lock)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(alone.release)
            if not await alone.take(self._stop):
                return 0 if self._stop.is_set() else 1
            await journal.open()
            stack.push_async_callback(journal.close)
            # What it has mended by then is what is read.
            keys.start()
            stack.callback(keys.stop)
            client = await stack.enter_async_context(open_client())
            dispatcher, server, reconciler, obs = await self._build(journal, keys, client, alone, claim, stack)
            loop.add_signal_handler(signal.SIGHUP, self._reload, dispatcher, obs)
            if self._hangups:
                self._reload(dispatcher, obs)
            await server.start()
            stack.push_async_callback(server.stop)
            log.info("listening", url=f"http://{_bracketed(config.http.host)}:{server.port}")
            if not reconciler.heard.is_set():
                self._start(reconciler.run(), "ingest")
            await self._after_first_lists(reconciler)
            obs.start()
            stack.push_async_callback(obs.stop)
            self._start(obs.failed(), "obs")
            self._start(self._feed_watchdog(dispatcher), "watchdog")
            self._systemd.ready("running")
            # Modules and parts stay to the end: a collection that walked them all would hold the show up for 70 ms.
            gc.freeze()
            gc.enable()
            code = await self._until_stopped()
            self._systemd.stopping("stopping: the picture stays on air")
            log.info("motherstream stops; the picture stays on air")
            await self._end_tasks()
            await journal.finish(dispatcher.director.snapshot())
        return code

    async def _build(
        self,
        journal: Journal,
        keys: StreamerIndex,
        client: aiohttp.ClientSession,
        alone: Alone,
        claim: Claim,
        stack: contextlib.AsyncExitStack,
    ) -> tuple[Dispatcher, HttpServer, Reconciler, Obs]:
        config = self.config
        policy = policy_of(config)
        director = await journal.in_our_time(await journal.restore(lambda: Director(policy)))
        clock = Clock(not_before=director.now)
        journal.watch(clock.now)
        sessions = SessionDirectory(lambda: self.config.ingest.rtmp_url, journal.keep_stream)
        kept = director.lineup.live_sessions
        streams = await journal.streams()
        sessions.restore(kept, streams, clock.now(), director.lineup.state.ended)

        # The obs adapter's events go to the dispatcher, which needs the executor, which needs the adapter.
        submit: list[Dispatcher] = []
        keepers: list[OutputKeeper] = []
        obs = Obs(
            lambda: self.config,
            emit=lambda event: submit[0].submit(event),
            now=clock.now,
            on_output=lambda data: keepers[0].hear(data),
            # A database that cannot be read keeps no name: nothing is marked then, and nothing is somebody else's.
            owner="" if journal.problem else journal.id,
            stream_of=lambda url: sessions.stream_of(url) or stream_of_path(url),
        )
        output = OutputKeeper(obs, lambda: self.config.obs.keep_streaming, clock.now)
        keepers.append(output)
        servers = configured(config.ingest, client, sessions, lambda: self.config.ingest.default_app)
        executor = Executor(obs, Kicker(servers), sessions, clock, self._redactor.text)
        dispatcher = Dispatcher(director, journal, executor, clock, handovers)
        submit.append(dispatcher)
        executor.answer_to(dispatcher.submit)

        loop = asyncio.get_running_loop()

        def distrust() -> None:
            journal.distrust()
            # With the next event it looks, and that is now.
            loop.call_soon_threadsafe(lambda: dispatcher.submit(ev.TimePassed(clock.now())))

        keys.on_damage = distrust
        admission = Admission(
            lambda: self.config.queue,
            keys,
            director.admits,
            UrlAuth(client),
            self._redactor.learn,
            lambda streamer: director.lineup.find(streamer) is not None,
        )
        for name in director.lineup.blocks:
            admission.remember(name)
        for session in kept:
            admission.recall(session, str(streams.get(session.id, {}).get("key", "")))
        reconciler = Reconciler(
            servers,
            sessions,
            admission,
            dispatcher.submit,
            clock.now,
            lambda: self.config.ingest.reconcile,
            recall=obs.streamer_of,
            ours=lambda ref: is_ours(ref, self.config.ingest.apps, self.config.ingest.vhosts),
        )

        def ready() -> Sequence[Check]:
            unreachable = reconciler.unreachable
            info = obs.info
            return (
                Check("obs", info.connected, info.reason),
                check_program(director.view(clock.now()).program),
                Check("journal", not journal.trouble, journal.trouble or journal.notice),
                Check("keys", not keys.problem, keys.problem),
                Check("ingest", not unreachable, f"no answer from {', '.join(unreachable)}" if unreachable else ""),
            )

        def view() -> View:
            return director.view(clock.now())

        refusals = Refusals()
        publishing = Publishing(
            lambda: self.config.ingest,
            clock.now,
            admission,
            sessions,
            dispatcher,
            refusals,
            lambda code, message: self._notifications.refused(code, message) if self._notifications else None,
        )
        hand_tests = HandTests(lambda: director.held_sessions, sessions, clock.now)
        hub = EventHub(self._redactor.value)
        registry = CollectorRegistry()
        health = self._health(obs, view, output, director, dispatcher.submit, reconciler, clock, hub, stack)
        HealthMetrics(registry, health)
        overlays = Overlays(obs, view, lambda: self.config.overlays, clock.now)
        metrics = Metrics(registry, view, lambda: obs.info.connected)
        app, gate = build_app(
            Control(
                config=lambda: self.config,
                now=clock.now,
                dispatcher=dispatcher,
                view=view,
                policy=lambda: director.policy,
                history=journal.handovers,
                studio=Desk(obs, lambda: self.config.obs.scene, lambda: view().program),
                admission=admission,
                sessions=sessions,
                publishing=publishing,
                refusals=refusals,
                hub=hub,
                registry=registry,
                health=health,
                ready=ready,
                alive=lambda: self._alive,
                tested=hand_tests.begin,
                test_notifications=self._test_notifications,
            )
        )
        server = HttpServer(app, gate, config.http.host, config.http.port, claim=claim)

        self._notifications = notifier = self._notifier(stack)
        troubles = Troubles(notifier)

        def amiss(seen: View) -> None:
            troubles.look(seen, ready(), health.kept.latest, Output(output.status, output.rules.state))
            alone.look(notifier.trouble, notifier.recovered)
            for number, news in journal.news.take():
                notifier.trouble(f"database {number}", news)

        self._start(self._look(notifier, view, amiss), "notifier")
        for work, name in ((health.run(), "health"), (overlays.run(), "overlays"), (output.run(), "output")):
            self._start(work, name)
        for observer in (
            overlays.observe,
            hand_tests.observe,
            notifier.tell,
            narrate,
            metrics.observe,
            hub.publish_facts,
        ):
            dispatcher.observe(observer)
        # What was under way when the last run ended is void; what it left in OBS, the inventory will tell.
        for event in director.restarted(clock.now(), policy):
            dispatcher.submit(event)
        self._start(dispatcher.run(), "dispatcher")
        self._start(executor.run(), "executor")
        return dispatcher, server, reconciler, obs

    def _health(
        self,
        obs: Obs,
        view: Callable[[], View],
        output: OutputKeeper,
        director: Director,
        submit: Callable[[ev.Event], None],
        reconciler: Reconciler,
        clock: Clock,
        hub: EventHub,
        stack: contextlib.AsyncExitStack,
    ) -> HealthMonitor:
        def received(session_id: str) -> int | None:
            # A counter that nobody reads stands still.
            return None if reconciler.unreachable else reconciler.received_bytes(session_id)

        def received_on_air() -> int | None:
            program = director.switchover.program
            return received(program.session.id) if program and program.session else None

        teller = Teller(
            submit,
            clock.now,
            subject=lambda: director.bitrates.subject,
            received=received,
            period=lambda: self.config.ingest.reconcile,
            stats=lambda: obs.stats if obs.info.connected else {},
        )
        reporter = None
        if self.config.health.report_dir is not None:
            reporter = Reporter(self.config.health.report_dir)
            reporter.start()
            stack.push_async_callback(reporter.stop)
        return HealthMonitor(
            obs,
            view,
            received_on_air,
            lambda: self.config,
            clock.now,
            output=lambda: output.status,
            reporter=reporter,
            tell=hub.publish,
            beside=teller.look,
        )

    def _notifier(self, stack: contextlib.AsyncExitStack) -> Notifications:
        watch = Watch(turn_when_alone=lambda: self.config.queue.turn_when_alone)
        notifier = Notifications(_urls(self.config), watch=watch, redact=self._redactor.text)
        notifier.start()
        stack.push_async_callback(notifier.stop)
        return notifier

    async def _test_notifications(self) -> tuple[tuple[str, str], ...]:
        return await self._notifications.test() if self._notifications else ()

    # --- while it runs ---------------------------------------------------------------------------------------

    async def _after_first_lists(self, reconciler: Reconciler) -> None:
        """OBS is looked at once the ingest servers were heard: what is on air has to be published."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(INGEST_FIRST):
                await reconciler.heard.wait()

    async def _look(self, notifier: Notifications, view: Callable[[], View], amiss: Callable[[View], None]) -> None:
        """Once a second: what ends soon, and what is amiss."""
        while True:
            seen = view()
            notifier.look(seen)
            amiss(seen)
            await asyncio.sleep(LOOK_EVERY)

    async def _feed_watchdog(self, dispatcher: Dispatcher) -> None:
        """Feed systemd's watchdog, and say that all is well in /healthz, as long as events are really handled."""
        interval = self._systemd.watchdog_interval or WATCHDOG_DEFAULT
        while True:
            try:
                async with asyncio.timeout(WATCHDOG_PATIENCE):
                    await dispatcher.ask(ev.TimePassed(0.0), written=False)
            except TimeoutError:
                self._alive = False
            else:
                self._alive = True
                self._systemd.watchdog()
            await asyncio.sleep(interval / 3)

    def _reload(self, dispatcher: Dispatcher, obs: Obs) -> None:
        """SIGHUP: take over what can change live; a broken file changes nothing."""
        self._systemd.reloading()
        self._log.reopen()
        reloaded = reload(self._path, self.config)
        if reloaded is None:
            self._systemd.ready("running; the last reload was refused")
            return
        self.config = reloaded.config
        for value in secret_values(self.config):
            self._redactor.add(value)
        self._log.set_level(self.config.log.level)
        if self._notifications is not None and "notify.urls" in reloaded.live:
            self._notifications.set_urls(_urls(self.config))
        log.info("the configuration was reloaded", changed=list(reloaded.live))
        dispatcher.submit(ev.PolicyLoaded(dispatcher.director.now, policy_of(self.config)))
        obs.reconfigured()
        if reloaded.waiting:
            log.warning("these keys wait for a restart", waiting=list(reloaded.waiting))
        self._systemd.ready("running")

    async def _until_stopped(self) -> int:
        """Wait for a signal, or for a part that must not end; the exit code."""
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({stop, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in self._tasks if task.done()]
        stop.cancel()
        for task in failed:
            error = None if task.cancelled() else task.exception()
            log.critical(f"{task.get_name()} has ended: the daemon stops", exc_info=error)
        return 1 if failed else 0

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _end_tasks(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _urls(config: Config) -> list[str]:
    return [url.get_secret_value() for url in config.notify.urls]
