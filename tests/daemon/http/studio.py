"""The daemon as the HTTP side sees it, for tests: everything is a plain value that a test may set."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from daemon.config.model import Config, Hooks, Http, Ingest, Obs, Queue
from daemon.core.operator import Operator
from daemon.core.ports import Check, Letter, ObsError, ObsInfo
from daemon.core.shapes import ConnectionDetail, Input
from daemon.http.app import build_app, put_entrance
from daemon.http.dependencies import Control, PairControl
from daemon.http.routes.events import EventHub
from daemon.http.shapes import pair
from daemon.ingest.hook import ACCEPTED, Verdict
from daemon.ingest.manual_streams import ManualStreams
from daemon.ingest.publishing import Publishing, Stages
from daemon.ingest.refusals import Refusals
from daemon.ingest.sessions import SessionDirectory
from daemon.quality.book import Book
from daemon.quality.desk import Desk
from daemon.quality.feed import Feed
from statemachine import facts
from statemachine.events import Actor, Event
from statemachine.handover.states import State
from statemachine.policy import Policy
from statemachine.step import Step
from statemachine.view import OnAir, Place, ProgramView, Standby, View
from tests.daemon.ingest.helpers import Ask, Keys, admission

AT = 1767297600.0
"""2026-01-01T20:00:00Z."""

SWITCH = facts.HandoverEnded(
    at=AT,
    attempt=12,
    input="GMOTHERSTREAM_12",
    outgoing="GMOTHERSTREAM_11",
    from_streamer="carol",
    to_streamer="alice",
    reason="skip",
    outcome="completed",
    seconds=0.0312,
)


class NoHealth:
    """The health monitor before its first sample."""

    def current(self) -> Any:
        return {"monitoring_active": False, "score": None, "issues": []}

    def rows(self, count: int) -> Sequence[bytes]:
        return []

    def status(self) -> Any:
        return {"monitoring_active": False}


INPUT: Input = {"name": "GMOTHERSTREAM_12", "kind": "gstreamer-source", "own": True, "shown": True}
MEDIA: Mapping[str, Any] = {"mediaState": "OBS_MEDIA_STATE_PLAYING", "mediaDuration": None, "mediaCursor": 7}
STREAMING: Mapping[str, Any] = {
    "outputActive": True,
    "outputReconnecting": False,
    "outputTimecode": "00:00:01.000",
    "outputDuration": 1000,
    "outputCongestion": 0.0,
    "outputBytes": 375000,
    "outputSkippedFrames": 0,
    "outputTotalFrames": 30,
}
HEALTH: ConnectionDetail = {
    "connected": True,
    "reason": "",
    "version": "29.0.2",
    "websocket": "5.1.0",
    "losses": 3,
    "fps": 30.0,
    "rendered_frames": 900,
    "lagged_frames": 0,
    "cpu_percent": 5.0,
    "memory_mb": 200.0,
}


def place(streamer: str, position: int, **changes: Any) -> Place:
    """One place in the line-up."""
    values: dict[str, Any] = {
        "since": AT,
        "publishing": True,
        "has_turn": position == 0,
        "turn_length": 3600.0,
        "grace_ends": None,
        "stalled": False,
        "failures": 0,
    }
    return Place(streamer=streamer, position=position, **{**values, **changes})


def view(**changes: Any) -> View:
    """Alice is on air, Bob is ready."""
    values: dict[str, Any] = {
        "at": AT + 83.2,
        "state": State.STANDBY,
        "attempt": 12,
        "held": False,
        "on_air": OnAir("alice", "GMOTHERSTREAM_12", AT, 83.2, 3516.8, True),
        "standby": Standby("bob", "GMOTHERSTREAM_13", True, AT, False),
        "queue": (place("alice", 0), place("bob", 1)),
        "last_switch": SWITCH,
        "blocks": {},
        "orphans": (),
        "program": ProgramView("MOTHERSTREAM", False, True, "GMOTHERSTREAM_12"),
    }
    return View(**{**values, **changes})


class FakeDispatcher:
    """Remembers what it was asked; answers with what a test has laid ready."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.answer = Step()
        self.stuck: asyncio.Event | None = None

    async def ask(self, event: Event) -> Step:
        return await self.asked(event)

    def asked(self, event: Event) -> asyncio.Future[Step]:
        self.events.append(event)
        answer: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        if self.stuck:
            self._waiting = asyncio.ensure_future(self._answer_when_freed(self.stuck, answer))
        else:
            answer.set_result(self.answer)
        return answer

    async def _answer_when_freed(self, free: asyncio.Event, answer: asyncio.Future[Step]) -> None:
        await free.wait()
        if not answer.done():
            answer.set_result(self.answer)

    def refuse(self, code: str, message: str = "it will not do") -> None:
        """From now on."""
        refusal = facts.Refused(AT, code, message)
        self.answer = Step(facts=(refusal,), refusal=refusal)


class FakeStudio:
    """OBS, answering as it is told."""

    def __init__(self) -> None:
        self.info = ObsInfo(True, "29.0.2", "5.1.0", "gstreamer-source")
        self.error: ObsError | None = None
        self.reconnects = 0

    def _answer(self, value: Any) -> Any:
        if self.error:
            raise self.error
        return value

    def health(self) -> ConnectionDetail:
        return HEALTH

    async def list_inputs(self) -> Sequence[Input]:
        rows: Sequence[Input] = self._answer([INPUT])
        return rows

    async def media_status(self, name: str) -> Mapping[str, Any]:
        status: Mapping[str, Any] = self._answer(MEDIA)
        return status

    async def stream_status(self) -> Mapping[str, Any]:
        status: Mapping[str, Any] = self._answer(STREAMING)
        return status

    async def screenshot(self, width: int) -> bytes | None:
        picture: bytes | None = self._answer(None)
        return picture

    async def reconnect(self) -> bool:
        self.reconnects += 1
        return self.info.connected


@dataclass
class House:
    """All of it, and a client."""

    client: "TestClient[Any, Any]"
    dispatcher: FakeDispatcher
    studio: FakeStudio
    sessions: SessionDirectory
    hub: EventHub
    registry: CollectorRegistry
    keys: Keys
    ask: Ask
    config: Config
    checks: list[Check] = field(default_factory=list)
    view: View = field(default_factory=view)
    policy: Policy = field(default_factory=Policy)
    history: list[dict[str, Any]] = field(default_factory=list)
    alive: bool = True
    learnt: list[str] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)
    measured: list[Event] = field(default_factory=list)
    """What the rules were told that a probe has measured."""
    letters: list[Letter] = field(default_factory=list)
    """Hooks that another daemon has passed on."""
    stepped_down: list[Actor] = field(default_factory=list)
    """Who asked for that."""

    def __post_init__(self) -> None:
        self.book = Book(lambda: AT)
        self.desk = Desk(
            lambda: self.config.probe,
            lambda: self.view,
            (self.sessions.find, self.sessions.play_url),
            self.book,
            Feed(self.measured.append, lambda: AT, lambda session: False),
        )

    async def get(self, path: str, **more: Any) -> tuple[int, Any]:
        """Status and JSON."""
        async with self.client.get(path, **more) as response:
            return await read(response)

    async def post(self, path: str, **more: Any) -> tuple[int, Any]:
        """Status and JSON."""
        async with self.client.post(path, **more) as response:
            return await read(response)


async def read(response: ClientResponse) -> tuple[int, Any]:
    """Status and JSON."""
    return response.status, await response.json()


PEER_SECRET = "peer"
OWNER: pair.Owner = {
    "here": True,
    "name": "one",
    "address": "http://one:8000",
    "epoch": 3,
    "heir": {"name": "two", "address": "http://two:8000", "sees_obs": True},
    "lag": 0,
    "problem": "",
}
FLEET: list[pair.FleetChannel] = [
    {
        "channel": "main",
        "owner": {"name": "one", "address": "http://one:8000", "sees_obs": True, "seen": 0.2},
        "heirs": [{"name": "two", "address": "http://two:8000", "sees_obs": True, "seen": 0.4}],
        "state": "STANDBY",
        "on_air": "alice",
        "next": "bob",
        "problems": [],
        "lag": 0,
        "epoch": 3,
    },
    {
        "channel": "silver",
        "owner": {"name": "three", "address": "http://three:8000", "sees_obs": True, "seen": 0.2},
        "heirs": [{"name": "four", "address": "http://four:8000", "sees_obs": False, "seen": 0.4}],
        "state": "IDLE",
        "on_air": "DJ Ötzi",
        "next": None,
        "problems": ["ingest"],
        "lag": 12,
        "epoch": 7,
    },
    {
        "channel": "gold",
        "owner": None,
        "heirs": [],
        "state": "UNOWNED",
        "on_air": None,
        "next": None,
        "problems": ["owner"],
        "lag": 0,
        "epoch": 2,
    },
]
"""One that is well, one that is not, and one that nobody owns."""


def config(token: str = "", **sections: Any) -> Config:
    """Anybody may publish, unless told otherwise."""
    return Config(
        http=sections.get("http", Http(token=SecretStr(token))),
        hooks=sections.get("hooks", Hooks()),
        obs=sections.get("obs", Obs()),
        ingest=sections.get("ingest", Ingest()),
        queue=sections.get("queue", Queue(auth="open")),
    )


def make_control(house: House, admits: Any = lambda streamer, at: None) -> Control:
    """What the composition root would make."""
    gate = admission(None, house.keys, admits, house.ask, house.learnt)
    gate._config = lambda: house.config.queue

    async def history(count: int) -> Sequence[Mapping[str, Any]]:
        return house.history[:count]

    return Control(
        config=lambda: house.config,
        now=lambda: AT,
        operator=Operator(
            house.dispatcher,
            lambda: AT,
            lambda: replace(house.view, policy=house.policy),
            gate.meant,
            ManualStreams(lambda: (), house.sessions, lambda: AT),
        ),
        view=lambda: house.view,
        policy=lambda: house.policy,
        history=history,
        studio=house.studio,
        publishing=Publishing(
            lambda: house.config.ingest, lambda: AT, Stages(gate, house.sessions, house.dispatcher), house.refusals
        ),
        hub=house.hub,
        registry=house.registry,
        health=NoHealth(),
        desk=house.desk,
        ready=lambda: house.checks,
        alive=lambda: house.alive,
        refusals=house.refusals,
        pair=make_pair(house),
    )


def make_pair(house: House) -> PairControl:
    """As where a store is shared."""

    async def fleet() -> pair.Fleet:
        return {"channels": FLEET}

    async def take(letter: Letter) -> Verdict:
        house.letters.append(letter)
        return ACCEPTED

    def step_down(actor: Actor) -> str:
        house.stepped_down.append(actor)
        return "two"

    return PairControl(PEER_SECRET, owner=lambda: OWNER, step_down=step_down, fleet=fleet, take=take)


def make_house(given: Config | None = None, hub: EventHub | None = None) -> House:
    """Everything but the client."""
    made = given or config()
    house: House
    sessions = SessionDirectory(lambda: house.config.ingest.rtmp_url)
    house = House(
        client=None,  # type: ignore[arg-type]  # set by open_house
        dispatcher=FakeDispatcher(),
        studio=FakeStudio(),
        sessions=sessions,
        hub=hub or EventHub(),
        registry=CollectorRegistry(),
        keys=Keys(),
        ask=Ask(),
        config=made,
    )
    return house


@asynccontextmanager
async def open_house(given: Config | None = None, hub: EventHub | None = None) -> AsyncIterator[House]:
    """Serve it."""
    house = make_house(given, hub)
    app, _ = build_app(make_control(house))
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        runner = client.server.runner
        assert runner is not None
        assert runner.server is not None
        put_entrance(app, runner.server)
        house.client = client
        yield house
