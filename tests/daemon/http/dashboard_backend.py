"""A daemon for the dashboard to talk to: the real rules and the real routes, with an OBS that obeys at once.

It lives on a thread of its own, so that a browser can be driven from the test's.
"""

import asyncio
import base64
import json
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from daemon.config.model import Config
from daemon.core.clock import Clock, iso
from daemon.core.operator import Operator
from daemon.core.ports import Check, ObsGone, ObsInfo
from daemon.http.app import build_app
from daemon.http.routes.events import EventHub
from daemon.http.server import Claim, HttpServer
from daemon.ingest.manual_streams import ManualStreams
from daemon.quality.book import Book
from daemon.quality.desk import Desk
from daemon.quality.feed import Feed
from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.step import Step
from statemachine.view import View
from tests.daemon.http.studio import FakeStudio, config, make_control, make_house
from tests.daemon.ingest.helpers import admission
from tests.daemon.quality.reports import report

PICTURE = base64.b64decode(
    "/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAg+Pkk+SVVVVVVVVWRdZGhoaGRkZGRoaGhwcHCDg4NwcHBoaHBwfH"
    "yDg4+Tj4eHg4eTk5ubm7q6srLZ2eD/////xABKAAEAAAAAAAAAAAAAAAAAAAAAAQEAAAAAAAAAAAAAAAAAAAAAEAEAAAAAAAAAAAAAAAAAAAAA"
    "EQEAAAAAAAAAAAAAAAAAAAAA/8AAEQgAEgAgAwEiAAIRAAMRAP/aAAwDAQACEQMRAD8AAAAAAAAA/9k="
)
"""A small grey JPEG."""

DEADLINE = 10.0

T = TypeVar("T")


class Pictured(FakeStudio):
    """OBS with a picture of its program."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: bytes | None = PICTURE
        self.shots: list[int] = []

    async def screenshot(self, width: int) -> bytes | None:
        self.shots.append(width)
        if not self.info.connected:
            raise ObsGone("OBS is not connected")
        picture: bytes | None = self._answer(self.picture)
        return picture


class Health:
    """The health monitor: it says what a test wants."""

    def __init__(self) -> None:
        self.now: dict[str, Any] = {"score": None, "issues": []}

    def current(self) -> Any:
        return self.now

    def rows(self, count: int) -> Sequence[bytes]:
        return [json.dumps(self.now).encode()][:count]

    def status(self) -> Any:
        return {}


class Rules:
    """The director with an OBS that does at once as it is told; ``slow`` names streamers that never get ready."""

    def __init__(self, clock: Clock, policy: Policy) -> None:
        self.hub = EventHub()
        self.director = Director(policy)
        self.history: list[dict[str, Any]] = []
        self.slow: set[str] = set()
        self._streamers: dict[int, str] = {}
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, event: ev.Event) -> Step:
        """As the dispatcher does."""
        return self.take(event)

    def asked(self, event: ev.Event) -> asyncio.Future[Step]:
        """As the dispatcher does."""
        return asyncio.ensure_future(self.ask(event))

    def take(self, event: ev.Event) -> Step:
        """One event, and all that OBS answers to what comes of it."""
        first, waiting = self._step(event)
        while waiting:
            _, more = self._step(waiting.pop(0))
            waiting += more
        if self._timer is not None:
            self._timer.cancel()
        deadline = self.director.deadline
        if deadline is not None:
            pause = max(0.0, deadline - self._clock.now())
            self._timer = asyncio.get_running_loop().call_later(pause, self._pass_time)
        return first

    def close(self) -> None:
        """No more time passes."""
        if self._timer is not None:
            self._timer.cancel()

    def view(self) -> View:
        return self.director.view(self._clock.now())

    def _pass_time(self) -> None:
        self.take(ev.TimePassed(self._clock.now()))

    def _step(self, event: ev.Event) -> tuple[Step, list[ev.Event]]:
        step = self.director.handle(event)
        self.hub.publish_facts(step.facts)
        for fact in step.facts:
            if isinstance(fact, facts.HandoverEnded):
                self.history.insert(0, {**asdict(fact), "at": iso(fact.at)})
        return step, [answer for command in step.commands if (answer := self._answer(command)) is not None]

    def _answer(self, command: cmd.Command) -> ev.Event | None:
        at = self._clock.now()
        match command:
            case cmd.CreateInput(attempt=attempt, session=session) | cmd.RestartInput(attempt=attempt, session=session):
                self._streamers[attempt] = session.streamer
                return ev.InputCreated(at, attempt)
            case cmd.WatchInput(attempt=attempt):
                return None if self._streamers[attempt] in self.slow else ev.MediaReady(at, attempt)
            case cmd.Cut(attempt=attempt):
                return ev.CutDone(at, attempt)
            case cmd.RestoreOutgoing(attempt=attempt):
                return ev.OutgoingRestored(at, attempt)
            case cmd.RemoveInput(attempt=attempt) | cmd.ParkInput(attempt=attempt):
                return ev.InputRemoved(at, attempt)
            case cmd.RemoveOrphan(input=name):
                return ev.OrphanRemoved(at, name)
            case _:
                return None


class Backend:
    """``with Backend() as backend`` serves the dashboard at ``backend.url``. Calls may come from any thread."""

    def __init__(self, token: str = "", *, port: int = 0, policy: Policy | None = None) -> None:
        self.config: Config = config(token)
        self.studio = Pictured()
        self.health = Health()
        self.checks = [Check("obs", True), Check("journal", True), Check("ingest", True)]
        self.requests: list[str] = []
        """Method and path with query of all that was asked."""
        self._sessions = 0
        self._clock = Clock()
        self.rules = Rules(self._clock, policy or Policy(job_delay=0.0, cleanup_grace=0.0, reconnect_grace=30.0))
        book = Book(self._clock.now)
        feed = Feed(self._heed, self._clock.now, lambda session: True)
        self.desk = Desk(lambda: self.config.probe, self.rules.view, (lambda session: None, str), book, feed)
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: HttpServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        self.obs_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.do(self.rules.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    def start(self) -> None:
        """Serve; on the same port and with the same line-up again after a stop."""
        self._run(self._start())

    def stop(self) -> None:
        """The daemon is gone: its event streams end, and connections are refused."""
        self._run(self._stop())

    def do(self, action: Callable[[], T]) -> T:
        """Carry it out on the daemon's own thread."""

        async def run() -> T:
            return action()

        return self._run(run())

    # --- the world around it ---------------------------------------------------------------------------------

    def publish(self, *streamers: str) -> None:
        """They go live, in this order."""
        for streamer in streamers:
            self._sessions += 1
            session = ev.Session(f"fake:{self._sessions}", streamer, "live", f"stream{self._sessions}")
            self._take(partial(self._published, session))

    def unpublish(self, streamer: str) -> None:
        """Its stream ends."""
        entry = self.do(lambda: self.rules.director.lineup.find(streamer))
        assert entry is not None
        for session in entry.sessions:
            self._take(partial(self._unpublished, session.id))

    def _heed(self, event: ev.Event) -> None:
        self.rules.take(event)

    def measured(self, streamer: str, **changes: Any) -> None:
        """A probe has measured it."""
        entry = self.do(lambda: self.rules.director.lineup.find(streamer))
        assert entry is not None
        found = report(entry.sessions[0].id, preview=base64.b64encode(PICTURE).decode(), **changes)
        self.do(lambda: self.desk.report({"streams": [found]}))

    def remove(self, streamer: str) -> None:
        """Somebody else takes it out of the line-up."""
        self._take(lambda: ev.RemoveRequested(self._clock.now(), streamer))

    def obs_lost(self) -> None:
        """OBS has gone."""
        self.studio.info = ObsInfo(False)
        self.checks[0] = Check("obs", False, "not connected")
        self._take(lambda: ev.ObsLost(self._clock.now(), "connection refused"))

    def obs_ready(self) -> None:
        """OBS is there, and empty."""
        self.studio.info = ObsInfo(True, "29.0.2", "5.1.0", "gstreamer-source")
        self.checks[0] = Check("obs", True)
        self._take(lambda: ev.ObsReady(self._clock.now(), ev.Inventory()))

    def view(self) -> View:
        """What the rules say."""
        return self.do(lambda: self.rules.view())

    def order(self) -> list[str]:
        """The line-up's names."""
        return [place.streamer for place in self.view().queue]

    def _published(self, session: ev.Session) -> ev.Event:
        return ev.Published(self._clock.now(), session)

    def _unpublished(self, session_id: str) -> ev.Event:
        return ev.Unpublished(self._clock.now(), session_id)

    def _take(self, event: Callable[[], ev.Event]) -> None:
        self.do(lambda: self.rules.take(event()))

    # --- serving ---------------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    async def _start(self) -> None:
        hub = self.rules.hub = EventHub()
        house = make_house(self.config, hub)
        house.checks = self.checks

        async def history(count: int) -> Sequence[Mapping[str, Any]]:
            return self.rules.history[:count]

        control = replace(
            make_control(house),
            now=self._clock.now,
            operator=Operator(
                self.rules,
                self._clock.now,
                self.rules.view,
                admission(None, house.keys).meant,
                ManualStreams(lambda: (), house.sessions, self._clock.now),
            ),
            view=self.rules.view,
            policy=lambda: self.rules.director.policy,
            history=history,
            studio=self.studio,
            health=self.health,
            desk=self.desk,
        )
        app, gate = build_app(control)

        async def remember(request: Any, _: Any) -> None:
            self.requests.append(f"{request.method} {request.path_qs}")

        app.on_response_prepare.append(remember)
        self._server = HttpServer(app, gate, Claim("127.0.0.1", self._port), stop_within=0.2)
        await self._server.start()
        self._port = self._server.port

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None
