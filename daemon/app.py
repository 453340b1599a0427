"""The daemon from its start to its end: start up, run until something stops it, shut down."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from daemon import __version__
from daemon.composition.acting import Acting
from daemon.composition.api import make_server
from daemon.composition.ingest import IngestParts, make_ingest, make_publishers
from daemon.composition.live import Live
from daemon.composition.pair import Pair, make_pair, see_to_driver
from daemon.composition.store import Base, Rules, StoreParts, make_store, restore
from daemon.composition.studio import make_engine, make_studio
from daemon.composition.tasks import Tasks
from daemon.composition.watchdog import Watchdog
from daemon.composition.watching import (
    ReportSinks,
    Watching,
    make_desk,
    make_health,
    make_metrics,
    make_notifier,
    notify_urls,
    says,
)
from daemon.config.keys import secret_values
from daemon.config.loader import load, locate
from daemon.config.model import Config
from daemon.config.policy import policy_of
from daemon.core.event_queue import EventQueue
from daemon.core.redaction import Redactor
from daemon.http.routes.events import EventHub
from daemon.http.server import HttpServer
from daemon.ingest.api import open_client
from daemon.notify.notifier import Notifier
from daemon.obs import ObsAdapter
from daemon.observability import logging as logs
from daemon.observability.event_log import narrator
from daemon.observability.loop_errors import Unhandled
from daemon.quality.book import Book
from daemon.systemd import ServiceNotifier
from statemachine import events as ev

log = structlog.get_logger("daemon.app")

INGEST_FIRST = 1.0
"""Seconds that OBS waits at start for the ingest servers' first lists: what is on air is checked against them."""


def run(path: Path | None) -> int:
    """Run the daemon until SIGTERM or SIGINT; the exit code. Raises ConfigError.

    On asyncio's own loop: uvloop 0.23 took 8 % less CPU a hook (497 against 542 us, means of four runs each on a busy
    machine, pairs from 18 % less to 11 % more). msgspec has less to win: JSON is 3 % of a hook's CPU.
    """
    hangups: list[int] = []
    # Before the file is read: a reload that comes from now on is made up for once the daemon is up.
    signal.signal(signal.SIGHUP, lambda number, _: hangups.append(number))
    config = load(path, os.environ)
    if config.store.url.get_secret_value():
        see_to_driver()
    redactor = Redactor(*secret_values(config))
    handle = logs.setup(config.log, redactor, channel=config.channel)
    try:
        return asyncio.run(App(Live(config, path, redactor, handle), hangups).run())
    finally:
        handle.close()


class _Parts(NamedTuple):
    """What is started and stopped."""

    rules: Rules
    obs: ObsAdapter
    ingest: IngestParts
    server: HttpServer
    notifier: Notifier
    watchdog: Watchdog


class App:
    """One run of the daemon."""

    def __init__(self, live: Live, hangups: Sequence[int] = ()) -> None:
        self._live = live
        self._hangups = hangups
        self._systemd = ServiceNotifier()
        self._stop = asyncio.Event()
        self._tasks = Tasks()
        self._events = EventQueue()

    @property
    def config(self) -> Config:
        """As it is now."""
        return self._live.config

    async def run(self) -> int:
        """Everything, from the first line of the log to the last; the exit code."""
        async with contextlib.AsyncExitStack() as stack:
            store = await self._open(stack)
            if store is None:
                return 0 if self._stop.is_set() else 1
            if not self.config.store.url.get_secret_value():
                return await self._act(store)
            pair = make_pair(self._live, store, self._systemd)
            await pair.open(stack)
            return await self._take_turns(store, pair)

    async def _take_turns(self, store: StoreParts, pair: Pair) -> int:
        """Wait as the channel's heir, act as its owner, and again, until it is told to stop; the exit code."""
        loop = asyncio.get_running_loop()
        while True:
            loop.add_signal_handler(signal.SIGHUP, self._live.reload)
            acting = await pair.succeed(self._stop)
            if acting is None:
                self._systemd.stopping("stopping")
                return 0
            self._tasks, self._events = Tasks(), EventQueue()
            code = await self._act(store, pair, acting)
            if code or self._stop.is_set():
                return code

    async def _act(self, store: StoreParts, pair: Pair | None = None, acting: Acting | None = None) -> int:
        """Lead the show; the exit code. With ``acting``, for as long as the channel is this daemon's."""
        async with contextlib.AsyncExitStack() as stack:
            parts = await self._build(store, stack, pair, acting)
            await self._serve(parts, stack)
            if pair is not None and acting is not None:
                pair.end_waiting()
                self._tasks.start(acting.shipping.run(), "shipping")
                self._tasks.start(acting.inbox.run(parts.ingest.letters), "inbox")
            await self._start_up(parts, stack)
            # No sooner: a start that is broken off would leave them never awaited.
            over: list[Coroutine[Any, Any, object]] = [self._stop.wait()]
            if pair is not None:
                over.append(pair.membership.until_over())
            code = await self._tasks.until(*over)
            await self._shut_down(parts, store, acting)
            if pair is not None and not code and not self._stop.is_set():
                # Whoever asks for something is answered without a break.
                await pair.wait()
        return code

    # --- start-up --------------------------------------------------------------------------------------------

    async def _open(self, stack: contextlib.AsyncExitStack) -> StoreParts | None:
        """What the daemon keeps; None where that is another daemon's."""
        log.info("motherstream starts", version=__version__, configuration=str(locate(self._live.path) or "defaults"))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.set_exception_handler(Unhandled())
        store = make_store(self._live, self._submit)
        return store if await store.opened(self._stop, stack) else None

    def _submit(self, event: ev.Event) -> None:
        self._events.submit(event)

    async def _build(
        self, store: StoreParts, stack: contextlib.AsyncExitStack, pair: Pair | None, acting: Acting | None
    ) -> _Parts:
        """Each part after those that it needs; all that only work beside the show run already."""
        live, tasks = self._live, self._tasks
        client = await stack.enter_async_context(open_client())
        policy = policy_of(live.config)
        rules = await restore(store, policy, self._events, acting.state if acting is not None else None)
        base = Base(live, store, rules, acting)
        publishers = make_publishers(base, await store.journal.streams(), client)
        studio = make_studio(base, publishers.sessions)
        notifier = make_notifier(live, stack)
        ingest = make_ingest(base, publishers, studio.obs, notifier)
        dispatcher, executor = make_engine(base, studio.obs, ingest.servers, publishers.sessions)
        hub = EventHub(live.redactor.value, live.config.channel)
        book = Book(rules.clock.now)
        health = make_health(base, studio, ingest, (hub, book), stack)
        desk = make_desk(base, ingest, publishers.sessions, book)
        registry, metrics = make_metrics(base, studio, health)
        watching = Watching(base, studio, ingest, (health, book), notifier)
        watchdog = Watchdog(self._events, self._systemd)
        sinks = ReportSinks(hub, registry, health, desk, watching, watchdog, notifier)
        server = make_server(base, studio, ingest, sinks, pair)
        if acting is not None:
            acting.membership.says = says(rules, studio.obs, watching, acting)
        tasks.start(watching.run(), "notifier")
        tasks.start(health.run(), "health")
        studio.start(tasks)
        by_hand = ingest.manual_streams.observe
        for observer in (studio.overlays.observe, by_hand, notifier.notify, narrator(), metrics.observe):
            dispatcher.observe(observer)
        dispatcher.observe(hub.publish_facts)
        # What was under way when the last run ended is void; what it left in OBS, the inventory will tell.
        for event in rules.director.restarted(rules.clock.now(), policy):
            self._events.submit(event)
        tasks.start(dispatcher.run(), "dispatcher")
        tasks.start(executor.run(), "executor")
        return _Parts(rules, studio.obs, ingest, server, notifier, watchdog)

    async def _serve(self, parts: _Parts, stack: contextlib.AsyncExitStack) -> None:
        """Answer whoever asks."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload, parts)
        if self._hangups:
            self._reload(parts)
            self._hangups = ()
        await parts.server.start()
        stack.push_async_callback(parts.server.stop)
        log.info("listening", url=f"http://{_bracketed(self.config.http.host)}:{parts.server.port}")

    async def _start_up(self, parts: _Parts, stack: contextlib.AsyncExitStack) -> None:
        """Hear the ingest servers, and then OBS: what is on air has to be published."""
        reconciler = parts.ingest.reconciler
        if not reconciler.heard.is_set():
            self._tasks.start(reconciler.run(), "ingest")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(INGEST_FIRST):
                await reconciler.heard.wait()
        parts.obs.start()
        stack.push_async_callback(parts.obs.stop)
        self._tasks.start(parts.obs.failed(), "obs")
        self._tasks.start(parts.watchdog.run(), "watchdog")
        self._systemd.ready("running")
        # Modules and parts stay to the end: a collection that walked them all would hold the show up for 70 ms.
        gc.freeze()
        gc.enable()

    # --- while it runs ---------------------------------------------------------------------------------------

    def _reload(self, parts: _Parts) -> None:
        """SIGHUP: take over what can change live; a broken file changes nothing."""
        self._systemd.reloading()
        reloaded = self._live.reload()
        if reloaded is None:
            self._systemd.ready("running; the last reload was refused")
            return
        if "notify.urls" in reloaded.live:
            parts.notifier.set_urls(notify_urls(self._live))
        log.info("the configuration was reloaded", changed=list(reloaded.live))
        self._events.submit(ev.PolicyLoaded(parts.rules.director.now, policy_of(self.config)))
        parts.obs.reconfigured()
        if reloaded.waiting:
            log.warning("these keys take effect after a restart", waiting=list(reloaded.waiting))
        self._systemd.ready("running")

    # --- the end ---------------------------------------------------------------------------------------------

    async def _shut_down(self, parts: _Parts, store: StoreParts, acting: Acting | None) -> None:
        """The picture stays; what is known of the show is written. The rest closes behind it, the last first."""
        if acting is None or self._stop.is_set():
            self._systemd.stopping("stopping: the picture stays on air")
            log.info("motherstream is stopping; the picture stays on air")
        await self._tasks.end()
        if acting is None or not acting.tenure.has_ended:
            await store.journal.finish(parts.rules.director.snapshot())
        if acting is not None:
            members = acting.membership
            why = acting.tenure.ended or members.resigned or "it was told to stop"
            log.warning("this daemon owns the channel no more; the picture stays on air", reason=why)
            if not acting.tenure.has_ended:
                await acting.shipping.finish()
            store.journal.wrote = lambda: None
            await members.lay_down()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
