"""Faults at random on both sides of the whole daemon: it neither ends nor forgets, and is well once they are over.

``make soak`` searches at length, and prints what plays a case again. A case that was found has its own test below.
"""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.fakes import BATCH, Fault, Spoil, Stream
from tests.fakes.srs import Lists
from tests.simulation.loop import as_it_is, simulated
from tests.simulation.world import SLATE, World, world

TIDY_WITHIN = 420.0
"""Seconds: the longest backoff of an input that could not be removed."""
EVERYBODY = {"alice", "bob", "carol"}
NAMES = st.sampled_from(sorted(EVERYBODY))
FORMS = [EVERYBODY, {"bob"}, set[str]()]
"""Those whose key is their stream's name; the others publish with ``?key=``."""
KINDS = st.sampled_from(
    [
        "CreateInput",
        "RemoveInput",
        "SetSceneItemEnabled",
        "SetSceneItemTransform",
        "GetSceneItemList",
        "GetInputList",
        "GetInputSettings",
        "GetMediaInputStatus",
        "GetSourceScreenshot",
        "GetStats",
        "GetVersion",
        "SetInputVolume",
        "CreateSourceFilter",
        BATCH,
        None,
    ]
)
TIMES = st.sampled_from([1, 1, 2, 5])
EVENTS = st.sampled_from(["InputRemoved", "SceneItemEnableStateChanged", "InputCreated", None])
POLICIES: list[dict[str, object]] = [
    {},
    {"sources.standby": False},
    {"obs.slate": SLATE},
    {"transition.kind": "fade", "transition.duration": 0.3},
    {"queue.turn": 4.0},
]
EXPECTED = ("OBS's answers make no sense",)
"""Tracebacks that a spoilt answer may leave."""


class Shell(RuleBasedStateMachine):
    """One world, whose time moves in steps."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.runner = self.stack.enter_context(simulated())
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.inside = AsyncExitStack()
        self.w: World
        self.unwritten = False
        """The disk was full: what a kill makes the daemon forget, it may name again once OBS has let go of it."""
        self.named = 0
        """Inputs that were created before the daemon forgot."""

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        self.runner.run(work)
        if hasattr(self, "w"):
            self.check()

    def check(self) -> None:
        """What holds at any time."""
        w = self.w
        wrong = [line for line in w.lines if "exc_info" in line and not line["event"].startswith(EXPECTED)]
        assert wrong == []
        life = w.running
        assert life.dead or life.main is None or not life.main.done(), "the daemon has ended by itself"
        created = [data["inputName"] for data in w.obs.requested("CreateInput")][self.named :]
        assert len(created) == len(set(created)), "a name was used twice"

    @initialize(policy=st.sampled_from(POLICIES), crowd=st.integers(0, 3), as_stream=st.sampled_from(FORMS))
    def begin(self, policy: dict[str, object], crowd: int, as_stream: set[str]) -> None:
        async def work() -> None:
            self.w = await self.inside.enter_async_context(world(self.folder, policy, fps=15))
            self.w.streamers.key_is_stream = set(as_stream)
            await self.w.start()
            for name in ("alice", "bob", "carol")[:crowd]:
                await self.w.publish(name)
            await self.w.well()

        self.do(work())

    # --- streamers -------------------------------------------------------------------------------------------

    @rule(name=NAMES, first_frame=st.sampled_from([0.1, 0.1, 0.1, 1.0, None]))
    def publish_or_end(self, name: str, first_frame: float | None) -> None:
        async def work() -> None:
            if name in self.w.live:
                await self.w.unpublish(name)
            elif await self.w.publish(name):
                # None: sound alone, or a codec that this OBS cannot play.
                self.w.obs.streams[self.w.url(name)].first_frame_after = first_frame

        self.do(self.at_once(work()))

    @rule(name=NAMES, seconds=st.sampled_from([0.3, 2.0]), times=st.integers(2, 4))
    def encoder_reconnects(self, name: str, seconds: float, times: int) -> None:
        async def work() -> None:
            for _ in range(times):
                await self.w.unpublish(name) if name in self.w.live else None
                await asyncio.sleep(0.2)
                await self.w.publish(name)
                await asyncio.sleep(seconds)

        with suppress(TimeoutError, OSError):
            self.do(asyncio.wait_for(work(), 20.0))

    @rule(name=st.sampled_from(["mallory", "trent"]))
    def stranger_without_a_key(self, name: str) -> None:
        async def work() -> None:
            if await self.w.srs.publish("live", name) is not None:
                assert "on_publish" in self.w.srs.lost
                self.w.obs.streams[self.w.url(name)] = Stream(0.1)

        self.do(self.at_once(work()))

    @rule(name=NAMES)
    def freeze_or_thaw(self, name: str) -> None:
        if name in self.w.live:
            stream = self.w.obs.streams[self.w.url(name)]
            self.runner.run(self.setting(stream, "frozen", not stream.frozen))

    @rule(how=st.sampled_from([{"on_publish"}, {"on_unpublish"}, {"on_publish", "on_unpublish"}, set()]))
    def lose_hooks(self, how: set[str]) -> None:
        self.w.srs.lost = how

    # --- operators -------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.w.running.dead)
    @rule(what=st.sampled_from(["skip", "skip", "hold", "release", "alice/kick?seconds=5"]))
    def operate(self, what: str) -> None:
        self.do(self.at_once(self.w.ask("POST", f"/queue/{what}")))

    # --- OBS -------------------------------------------------------------------------------------------------

    @rule(kind=KINDS, code=st.sampled_from([207, 300, 600, 702]), times=TIMES)
    def refuse(self, kind: str | None, code: int, times: int) -> None:
        self.w.obs.faults.refuse(kind, code, "no", times=times)

    @rule(kind=KINDS, executes=st.booleans(), times=TIMES)
    def lose_answers(self, kind: str | None, executes: bool, times: int) -> None:
        self.w.obs.faults.lose(kind, executes=executes, times=times)

    @rule(kind=KINDS, seconds=st.sampled_from([0.2, 1.5, 7.0]), times=TIMES)
    def delay(self, kind: str | None, seconds: float, times: int) -> None:
        self.w.obs.faults.add(Fault(kind, times, delay=seconds))

    @rule(kind=KINDS, how=st.sampled_from(list(Spoil)), times=TIMES)
    def spoil(self, kind: str | None, how: Spoil, times: int) -> None:
        self.w.obs.faults.spoil(kind, how, times=times)

    @rule(event=EVENTS, copies=st.sampled_from([0, 0, 3]), times=TIMES)
    def spoil_events(self, event: str | None, copies: int, times: int) -> None:
        self.w.obs.faults.repeat_events(event, copies=copies, times=times)

    @rule(event=EVENTS, seconds=st.sampled_from([0.1, 3.0]))
    def delay_events(self, event: str | None, seconds: float) -> None:
        self.w.obs.faults.delay_events(event, seconds, times=3)

    @rule(jitter=st.sampled_from([0.0, 0.02, 0.2]))
    def jitter(self, jitter: float) -> None:
        self.w.obs.faults.jitter = jitter

    @rule(how=st.sampled_from([Spoil.NO_OP, Spoil.NOT_A_MAP, Spoil.BYTES_INSIDE, Spoil.TEXT, Spoil.GARBAGE]))
    def poison(self, how: Spoil) -> None:
        self.do(self.w.obs.poison(how))

    @rule()
    def drop(self) -> None:
        self.runner.run(self.calling(self.w.obs.drop))

    @rule()
    def kick(self) -> None:
        self.do(self.w.obs.kick())

    @rule(leftovers=st.booleans(), abrupt=st.booleans(), seconds=st.sampled_from([0.0, 0.5, 6.0]))
    def restart_obs(self, leftovers: bool, abrupt: bool, seconds: float) -> None:
        async def work() -> None:
            await self.w.obs.stop(abrupt=abrupt)
            await asyncio.sleep(seconds)
            self.w.obs.reload(leftovers=leftovers)
            if not leftovers:
                self.w.furnish()
            await self.w.obs.start()

        self.do(work())

    @rule(seconds=st.sampled_from([0.3, 4.0, 9.0]))
    def freeze_obs(self, seconds: float) -> None:
        async def work() -> None:
            self.w.obs.freeze()
            await asyncio.sleep(seconds)
            self.w.obs.thaw()

        self.do(work())

    @rule(seconds=st.sampled_from([0.3, 3.0, 9.0]))
    def stall_obs(self, seconds: float) -> None:
        async def work() -> None:
            self.w.obs.stall()
            await asyncio.sleep(seconds)
            self.w.obs.unstall()

        self.do(work())

    @rule(index=st.integers(0, 1), what=st.sampled_from(["show", "hide", "remove_input"]))
    def somebodys_hand(self, index: int, what: str) -> None:
        own = self.w.own
        if own:
            name = own[index % len(own)].name
            self.runner.run(self.calling(lambda: getattr(self.w.obs.studio, what)(name)))

    # --- the ingest server -----------------------------------------------------------------------------------

    @rule(how=st.sampled_from(list(Lists)))
    def spoil_lists(self, how: Lists) -> None:
        self.w.srs.lists = how

    @rule(what=st.sampled_from(["500", "nonsense", "silent", "late", "half", "well"]))
    def spoil_api(self, what: str) -> None:
        faults = self.w.srs.faults
        self.runner.run(self.calling(faults.mend))
        match what:
            case "500":
                faults.answer(500)
            case "nonsense":
                faults.answer(200, b'{"code": 0, "streams": [1, {"publish"')
            case "silent":
                self.runner.run(self.calling(faults.hang))
            case "late":
                faults.delay = 3.0
            case "half":
                faults.half = True

    @rule()
    def restart_srs(self) -> None:
        self.w.clients.clear()
        for name in self.w.live:
            self.runner.run(self.calling(lambda name=name: self.w.freeze(name)))
        self.w.srs.restart()

    # --- the daemon and time ---------------------------------------------------------------------------------

    @rule(gap=st.sampled_from([0.0, 0.4, 3.0]), kill=st.booleans())
    def restart_daemon(self, gap: float, kill: bool) -> None:
        async def work() -> None:
            if kill:
                await self.kill()
            else:
                assert await self.w.stop() == 0
            await asyncio.sleep(gap)
            await self.w.start()

        self.runner.run(work())
        self.check()

    @rule(gap=st.sampled_from([0.0, 2.0]))
    def damage_the_file(self, gap: float) -> None:
        """While the daemon does not run. Its copy may be too young to have everybody's key: they are added again."""

        async def work() -> None:
            database = Path(str(self.w.settings["store.path"]))
            if not database.with_name(f"{database.name}.backup").exists():
                return
            await self.kill()
            database.write_bytes(b"no database" * 1000)
            for end in ("-wal", "-shm"):
                Path(f"{database}{end}").unlink(missing_ok=True)
            await asyncio.sleep(gap)
            await self.w.start()
            self.w.streamers.forget()
            for name in sorted(EVERYBODY):
                self.w.add_streamer(name)

        self.runner.run(work())
        self.check()

    @rule(seconds=st.sampled_from([0.5, 8.0]))
    def the_disk_is_full(self, seconds: float) -> None:
        def around(work: Any, args: tuple[Any, ...]) -> Any:
            if getattr(work, "__name__", "") == "_append":
                raise sqlite3.OperationalError("database or disk is full")
            return work(*args)

        async def work() -> None:
            self.w.around, self.unwritten = around, True
            await asyncio.sleep(seconds)
            self.w.around = as_it_is

        self.do(work())

    @rule(seconds=st.sampled_from([0.02, 0.1, 0.5, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    # --- the end ---------------------------------------------------------------------------------------------

    async def calm(self) -> None:
        """No more faults: all is well soon, stays so, and is tidy in the end."""
        w = self.w
        w.obs.faults.clear()
        w.srs.faults.mend()
        w.srs.lost, w.srs.lists = set(), Lists.TRUE
        for name in w.live:
            w.obs.streams[w.url(name)].frozen = False
        await w.ask("POST", "/queue/release")
        if w.obs.clients == 0:
            await w.ask("POST", "/obs/force-reconnect")
        await asyncio.sleep(0.5)  # What a hand did last is seen a frame later.
        await w.until(lambda: not w.amiss(), TIDY_WITHIN)
        mark = w.obs.program.mark()
        await asyncio.sleep(3.0)
        await w.well(20.0)
        if w.moving:
            assert w.obs.program.blanks(mark) == []

    def teardown(self) -> None:
        with self.stack:
            try:
                if hasattr(self, "w"):
                    self.do(self.calm())
            finally:
                self.runner.run(self.inside.aclose())

    # --- helpers ---------------------------------------------------------------------------------------------

    async def at_once(self, work: Coroutine[Any, Any, Any]) -> None:
        """Not waited for longer than a person would."""
        with suppress(TimeoutError, OSError):
            await asyncio.wait_for(work, 3.0)

    async def kill(self) -> None:
        """SIGKILL; what no disk took is forgotten."""
        await self.w.kill()
        if self.unwritten:
            self.named, self.unwritten = len(self.w.obs.requested("CreateInput")), False

    async def calling(self, work: Any) -> None:
        work()

    async def setting(self, thing: object, name: str, value: object) -> None:
        setattr(thing, name, value)


# Twelve evenings of a whole daemon: two minutes where two cores have nothing else to do.
@pytest.mark.timeout(600)
def test_faults_at_random_are_over_when_they_are_over() -> None:
    soak = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
    run_state_machine_as_test(Shell, settings=None if soak else settings(max_examples=12, stateful_step_count=25))
