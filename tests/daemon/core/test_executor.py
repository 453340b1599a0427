"""The executor: each command becomes its calls, each result its event, and a slow call delays nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.core.calls import CALLS, Calls
from daemon.core.clock import Clock
from daemon.core.executor import Executor
from daemon.core.ports import IngestError, Making, ObsRefused, ObsTimeout, WatchCallbacks
from statemachine import commands as cmd
from statemachine import events as ev
from tests.support import Changes

ALICE = ev.Session("srs:1/a", "alice", "live", "alice")
IN, OUT = "GMOTHERSTREAM_2", "GMOTHERSTREAM_1"


class FakeObs:
    """Writes down what it is asked; ``fails`` and ``hangs`` name the calls that do."""

    def __init__(self, news: Changes) -> None:
        self.news = news
        self.calls: list[tuple[Any, ...]] = []
        self.fails: dict[str, Exception] = {}
        self.seen = True
        self.hangs: set[str] = set()
        self.callbacks: dict[str, WatchCallbacks] = {}

    async def _called(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        self.news.wake()
        if name in self.hangs:
            await asyncio.Event().wait()
        if name in self.fails:
            raise self.fails[name]

    async def create_input(self, name: str, url: str, *, reuse: bool = False, how: Making | None = None) -> None:
        await self._called("create", name, url, reuse)

    async def restart_input(self, name: str, url: str) -> None:
        await self._called("restart", name, url)

    async def place_input(self, name: str, z_offset: int, like: str = "") -> int:
        await self._called("place", name, z_offset, like)
        return z_offset

    async def cut(
        self, *, show: str | None, hide: tuple[str, ...], also_show: str | None, fade: float, studio_mode: str = "leave"
    ) -> bool:
        await self._called("cut", show, hide, also_show, fade, *((studio_mode,) if studio_mode != "leave" else ()))
        return self.seen

    async def leave_studio_mode(self) -> None:
        await self._called("leave_studio_mode")

    async def bring_to_program(self) -> None:
        await self._called("bring_to_program")

    async def toggle_input(self, name: str) -> None:
        await self._called("toggle", name)

    async def restore(self, *, show: str | None, hide: tuple[str, ...], also_show: str | None = None) -> None:
        await self._called("restore", show, hide, also_show)

    async def hide_duplicates(self, name: str) -> None:
        await self._called("hide duplicates", name)

    async def remove_input(self, name: str) -> None:
        await self._called("remove", name)

    async def park_input(self, name: str) -> None:
        await self._called("park", name)

    async def set_shown(self, name: str, shown: bool) -> None:
        await self._called("show", name, shown)

    async def set_level(self, name: str, gain: float) -> None:
        await self._called("level", name, gain)

    async def inventory(self) -> ev.Inventory:
        return ev.Inventory()

    def watch(self, name: str, callbacks: WatchCallbacks, *, proven: bool = False) -> None:
        self.calls.append(("watch", name, proven))
        if "watch" in self.fails:
            raise self.fails["watch"]
        self.callbacks[name] = callbacks
        self.news.wake()


class FakeKicker:
    def __init__(self, news: Changes) -> None:
        self.news = news
        self.kicked: list[str] = []
        self.error: Exception | None = None

    async def kick(self, session: ev.Session) -> bool:
        self.kicked.append(session.id)
        self.news.wake()
        if self.error:
            raise self.error
        return True


class Urls:
    def play_url(self, session: ev.Session) -> str:
        if session.stream == "bad name":
            raise ValueError("the stream is outside the allow-list")
        return f"rtmp://127.0.0.1/{session.app}/{session.stream}"


class Rig:
    def __init__(self) -> None:
        self._news = Changes()
        self.obs, self.kicker = FakeObs(self._news), FakeKicker(self._news)
        self.executor = Executor(Calls(self.obs, self.kicker, Urls(), Clock(), self._hear))
        self.events: list[ev.Event] = []

    def _hear(self, event: ev.Event) -> None:
        self.events.append(event)
        self._news.wake()

    async def until(self, condition: Callable[[], bool]) -> None:
        await self._news.until(condition)


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    task = asyncio.create_task(made.executor.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("command", "calls", "answer"),
    [
        (cmd.CreateInput(7, IN, ALICE), [("create", IN, "rtmp://127.0.0.1/live/alice", False)], ev.InputCreated),
        (
            cmd.RestartInput(7, IN, ALICE),
            [("restart", IN, "rtmp://127.0.0.1/live/alice"), ("toggle", IN)],
            ev.InputCreated,
        ),
        (cmd.Cut(7, IN, OUT), [("cut", IN, (OUT,), None, 0.0)], ev.CutDone),
        (cmd.Cut(7, IN, OUT, "SLATE", 0.5), [("cut", IN, (OUT, "SLATE"), None, 0.5)], ev.CutDone),
        (cmd.Cut(7, None, OUT, "SLATE"), [("cut", None, (OUT,), "SLATE", 0.0)], ev.CutDone),
        (cmd.RemoveInput(7, OUT, outgoing=True), [("remove", OUT)], ev.InputRemoved),
        (cmd.ParkInput(7, OUT, outgoing=True), [("park", OUT)], ev.InputRemoved),
        (cmd.RemoveOrphan(OUT), [("remove", OUT)], ev.OrphanRemoved),
    ],
)
async def test_a_command_becomes_its_calls_and_its_answer(
    command: cmd.Command, calls: list[tuple[Any, ...]], answer: type[ev.Event]
) -> None:
    async with rig() as r:
        r.executor.execute([command])
        await r.until(lambda: bool(r.events))
        assert r.obs.calls == calls
        assert [type(event) for event in r.events] == [answer]


SILENT: list[tuple[cmd.Command, tuple[Any, ...]]] = [
    (cmd.PlaceInput(7, IN, 5, OUT), ("place", IN, 5, OUT)),
    (cmd.WatchInput(7, IN, 15.0), ("watch", IN, False)),
    (cmd.WatchOnAir(IN), ("watch", IN, True)),
    (cmd.SetSlate("SLATE", True), ("show", "SLATE", True)),
    (cmd.SetLevel(IN, -3.5), ("level", IN, -3.5)),
    (cmd.ShowInput(IN), ("show", IN, True)),
    (cmd.HideInput(OUT), ("show", OUT, False)),
    (cmd.HideDuplicates(IN), ("hide duplicates", IN)),
]
"""Those that nothing waits for, and their calls."""


@pytest.mark.parametrize(("command", "call"), SILENT)
async def test_a_command_that_nothing_waits_for_becomes_its_call(command: cmd.Command, call: tuple[Any, ...]) -> None:
    async with rig() as r:
        r.executor.execute([command])
        await r.until(lambda: bool(r.obs.calls))
        assert (r.obs.calls, r.events) == ([call], [])


def test_every_command_of_the_rules_is_carried_out_here() -> None:
    kinds = {kind for kind in vars(cmd).values() if isinstance(kind, type) and issubclass(kind, cmd.Command)}
    assert CALLS.keys() | {cmd.AbandonPending} == kinds - {cmd.Command, cmd.AttemptCommand}


@pytest.mark.parametrize(
    ("command", "call", "answer"),
    [
        (cmd.CreateInput(7, IN, ALICE), "create", ev.CreationFailed),
        (cmd.Cut(7, IN, OUT), "cut", ev.CutFailed),
        (cmd.RestoreOutgoing(7, IN, OUT), "restore", ev.RestoreFailed),
        (cmd.RemoveInput(7, OUT, outgoing=True), "remove", ev.RemovalFailed),
        (cmd.RemoveOrphan(OUT), "remove", ev.OrphanRemovalFailed),
        # Nobody looks at the picture then, and none can be told of.
        (cmd.WatchInput(7, IN, 15.0), "watch", ev.MediaFailed),
        (cmd.WatchOnAir(IN), "watch", ev.MediaFailed),
    ],
)
@pytest.mark.parametrize(
    "error", [ObsRefused("X", 605, "Input kind not found"), ObsTimeout("X", 5.0), RuntimeError("unforeseen")]
)
async def test_a_failure_becomes_the_event_that_says_so(
    command: cmd.Command, call: str, answer: type[ev.Event], error: Exception
) -> None:
    async with rig() as r:
        r.obs.fails[call] = error
        r.executor.execute([command])
        await r.until(lambda: bool(r.events))
        [event] = r.events
        assert type(event) is answer
        assert "RuntimeError" in str(event) if isinstance(error, RuntimeError) else str(error) in str(event)


async def test_a_name_that_is_somebody_elses_is_told_as_such() -> None:
    async with rig() as r:
        r.obs.fails["create"] = ObsRefused("CreateInput", 601, "a source of that name exists already")
        r.executor.execute([cmd.CreateInput(7, IN, ALICE)])
        await r.until(lambda: bool(r.events))
        assert r.events[0] == ev.CreationFailed(r.events[0].at, 7, "a source of that name exists already", taken=True)


async def test_a_slate_that_is_to_come_back_may_be_missing() -> None:
    async with rig() as r:
        r.executor.execute([cmd.RestoreOutgoing(7, IN, None, "SLATE")])
        await r.until(lambda: bool(r.events))
        assert r.obs.calls == [("restore", None, (IN,), "SLATE")]


@pytest.mark.parametrize("shown", [True, False])
async def test_a_former_slate_that_is_gone_counts_as_hidden_and_one_to_be_shown_is_told(shown: bool) -> None:
    async with rig() as r:
        r.obs.fails["show"] = ObsRefused("SetSceneItemEnabled", 600, "'SLATE' is not in the scene")
        with capture_logs() as lines:
            r.executor.execute([cmd.SetSlate("SLATE", shown), cmd.HideDuplicates(IN)])
            await r.until(lambda: ("hide duplicates", IN) in r.obs.calls)
        assert any(line["log_level"] == "warning" for line in lines) is shown


async def test_what_obs_says_of_a_failure_is_told_without_the_secrets_of_a_url() -> None:
    async with rig() as r:
        r.obs.fails["create"] = ObsRefused("CreateInput", 700, "cannot open rtmp://u:pw@h/live/a?key=s3cret")
        r.executor.execute([cmd.CreateInput(7, IN, ALICE)])
        await r.until(lambda: bool(r.events))
        assert r.events[0] == ev.CreationFailed(r.events[0].at, 7, "cannot open rtmp://***@h/live/a?key=***")


async def test_a_session_outside_the_allow_list_is_refused_before_obs_hears_of_it() -> None:
    async with rig() as r:
        r.executor.execute([cmd.CreateInput(7, IN, ev.Session("srs:1/x", "x", "live", "bad name"))])
        await r.until(lambda: bool(r.events))
        assert r.obs.calls == []
        assert isinstance(r.events[0], ev.CreationFailed)


async def test_commands_are_carried_out_one_after_the_other() -> None:
    async with rig() as r:
        r.obs.hangs.add("create")
        r.executor.execute([cmd.CreateInput(7, IN, ALICE), cmd.Cut(7, IN, OUT)])
        await r.until(lambda: bool(r.obs.calls))
        assert [call[0] for call in r.obs.calls] == ["create"]


async def test_an_orphan_and_a_kick_do_not_hold_up_a_cut() -> None:
    async with rig() as r:
        r.obs.hangs.add("remove")
        r.executor.execute([cmd.RemoveOrphan("GMOTHERSTREAM_9"), cmd.KickSession(ALICE, "kicked"), cmd.Cut(7, IN, OUT)])
        await r.until(lambda: any(isinstance(event, ev.CutDone) for event in r.events))
        await r.until(lambda: r.kicker.kicked == [ALICE.id])


async def test_what_was_asked_of_a_lost_obs_is_forgotten_and_answers_nothing() -> None:
    async with rig() as r:
        r.obs.hangs.add("create")
        r.executor.execute([cmd.CreateInput(7, IN, ALICE), cmd.Cut(7, IN, OUT)])
        await r.until(lambda: bool(r.obs.calls))
        r.executor.execute([cmd.AbandonPending(), cmd.RemoveInput(8, OUT, outgoing=True)])
        await r.until(lambda: bool(r.events))
        assert [type(event) for event in r.events] == [ev.InputRemoved]
        assert [call[0] for call in r.obs.calls] == ["create", "remove"]


async def test_what_a_watch_sees_comes_as_events_of_its_attempt() -> None:
    async with rig() as r:
        r.executor.execute([cmd.WatchInput(7, IN, 15.0)])
        await r.until(lambda: IN in r.obs.callbacks)
        see = r.obs.callbacks[IN]
        see.ready(0.3)
        see.stalled(1.0, False)
        see.resumed()
        see.failed("it is gone", "gone")
        kinds = [type(event) for event in r.events]
        assert kinds == [ev.MediaReady, ev.MediaStalled, ev.MediaResumed, ev.MediaFailed]
        assert [e.attempt for e in r.events if isinstance(e, ev.AttemptEvent)] == [7, 7]


async def test_a_kick_that_fails_is_told_and_answers_nothing() -> None:
    async with rig() as r:
        r.kicker.error = IngestError("SRS cannot be reached")
        r.executor.execute([cmd.KickSession(ALICE, "kicked"), cmd.Cut(7, IN, OUT)])
        await r.until(lambda: bool(r.events) and bool(r.kicker.kicked))
        assert [type(event) for event in r.events] == [ev.CutDone]
