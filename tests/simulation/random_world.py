"""What the random search of the whole daemon plays in: one world, whose time moves in steps, and its end in calm."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from tests.fakes.obs_versions import VERSIONS
from tests.fakes.srs import Lists
from tests.simulation.loop import as_it_is, simulated
from tests.simulation.random_viewer import Viewer
from tests.simulation.world import SCENE, SLATE, Life, World, world

TIDY_WITHIN = 420.0
"""Seconds: the longest backoff of an input that could not be removed."""
UNLISTED_WITHIN = 1500.0
"""The same where no list tells of ends: seven failures in a row, and their backoffs."""
NAMELESS = 10.0
"""Seconds after which a list has named those whom it can name, or they were kicked for their hook."""
EVERYBODY = {"alice", "bob", "carol"}
STRANGERS = ("mallory", "trent")
NAMES = st.sampled_from(sorted(EVERYBODY))
FORMS = [EVERYBODY, {"bob"}, set[str]()]
"""Those whose key is their stream's name; the others publish with ``?key=``."""
POLICIES: list[dict[str, object]] = [
    {},
    {"sources.standby": False},
    {"obs.slate": SLATE},
    {"obs.slate": SLATE, "obs.studio_mode": "drive"},
    {"transition.kind": "fade", "transition.duration": 0.3},
    {"queue.turn": 4.0},
    {"queue.turn": 4.0, "sources.kind": "ffmpeg"},
    {"obs.studio_mode": "hold", "obs.slate": SLATE},
    {"ingest.srs_api": ""},
    {"ingest.srs_api": "", "obs.slate": SLATE},
    {"queue.turn": 4.0, "queue.after_turn": "kick"},
    {"sources.mode": "pooled"},
    {"sources.mode": "pooled", "obs.slate": SLATE, "queue.turn": 4.0},
]
HAND_TEST = "rtmp://127.0.0.1:1935/live/extra"
TROUBLES = ("ingest", "obs", "hands", "daemon")
EXPECTED = ("OBS's answers make no sense",)
"""Tracebacks that a spoilt answer may leave."""


class RandomWorld(RuleBasedStateMachine):
    """What all the rules have in common."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.runner = self.stack.enter_context(simulated())
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.inside = AsyncExitStack()
        self.w: World
        self.viewer: Viewer
        self.troubles: frozenset[str] = frozenset()
        """Who makes some, besides streamers and operators."""
        self.tasks: dict[str, asyncio.Task[None]] = {}
        """What goes on by itself, by what it is."""
        self.removed: set[str] = set()
        """Whom an operator took out of the line-up, though they may publish on."""
        self.unwritten = False
        """The disk was full, or late: what a kill makes it forget, it may name again once OBS has let go of it."""
        self.keyless = False
        """The database was lost, and those who publish have no keys in the new one yet."""
        self.named = 0
        """Inputs that were created before the daemon forgot."""
        self.second: Life | None = None
        """Another daemon in the same OBS."""

    # --- helpers ---------------------------------------------------------------------------------------------

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let it happen, and look."""
        self.runner.run(work)
        if hasattr(self, "w"):
            self.check()

    async def at_once(self, work: Coroutine[Any, Any, Any], seconds: float = 3.0) -> None:
        """Not waited for longer than a person would."""
        with suppress(TimeoutError, OSError):
            await asyncio.wait_for(work, seconds)

    def call(self, work: Callable[[], object]) -> None:
        """Do what has to be done in the loop."""

        async def calling() -> None:
            work()

        self.do(calling())

    def go_on(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin what goes on by itself from now on; or end it."""
        if task := self.tasks.pop(name, None):
            self.call(task.cancel)
            return

        async def begin() -> None:
            self.tasks[name] = asyncio.create_task(work())

        self.do(begin())

    def check(self) -> None:
        """What holds at any time."""
        w = self.w
        wrong = [line for line in w.lines if "exc_info" in line and not line["event"].startswith(EXPECTED)]
        assert not wrong, wrong
        for life in (w.running, self.second):
            assert life is None or life.dead or life.main is None or not life.main.done(), "a daemon ended by itself"
        if w.settings.get("sources.mode", "dynamic") == "dynamic":
            created = [data["inputName"] for data in w.obs.requested("CreateInput")][self.named :]
            assert len(created) == len(set(created)), "a name was used twice"
        assert not self.viewer.wrong, self.viewer.wrong

    # --- the beginning and the end ---------------------------------------------------------------------------

    @initialize(
        policy=st.sampled_from(POLICIES),
        crowd=st.integers(0, 3),
        as_stream=st.sampled_from(FORMS),
        troubles=st.frozensets(st.sampled_from(TROUBLES)),
        obs=st.sampled_from(tuple(VERSIONS)),
    )
    def begin(
        self, policy: dict[str, object], crowd: int, as_stream: set[str], troubles: frozenset[str], obs: str
    ) -> None:
        self.troubles = troubles

        async def work() -> None:
            self.w = await self.inside.enter_async_context(world(self.folder, policy, fps=15, version=VERSIONS[obs]))
            self.viewer = Viewer(self.w)
            self.w.streamers.key_is_stream = set(as_stream)
            await self.w.start()
            for name in ("alice", "bob", "carol")[:crowd]:
                await self.w.publish(name)
            await self.w.well()
            self.tasks["viewer"] = asyncio.create_task(self.viewer.watch())

        self.do(work())

    @property
    def listed(self) -> bool:
        """The ingest server tells who publishes."""
        return bool(self.w.settings["ingest.srs_api"])

    async def calm(self) -> None:
        """No more faults: all is well soon, stays so, and is tidy in the end."""
        w = self.w
        self.viewer.excuse(60.0, kept=True, named=True)
        for name in [name for name in self.tasks if name != "viewer"]:
            self.tasks.pop(name).cancel()
        await self.end_the_second()
        w.obs.faults.clear()
        w.srs.faults.mend()
        w.srs.lost, w.srs.lists = set(), Lists.TRUE
        w.around = as_it_is
        self.tidy_up()
        for client in [client for client in w.srs.clients.values() if client.stream in STRANGERS]:
            await w.srs.unpublish(client)
        for name in w.live & set(w.clients):
            w.obs.streams[w.url(name)].frozen = False
        await w.ask("POST", "/queue/release")
        await self.end_the_hand_test()
        if w.obs.clients == 0:
            await w.ask("POST", "/obs/force-reconnect")
        await self.publish_anew(self.w.live if not self.listed else self.removed)
        await asyncio.sleep(NAMELESS)
        await self.publish_anew({name for name in w.live if w.director.lineup.find(name) is None} - self.listed_names)
        await w.until(lambda: not w.amiss(), TIDY_WITHIN if self.listed else UNLISTED_WITHIN)
        mark = w.obs.program.mark()
        await asyncio.sleep(3.0)
        await w.well(20.0)
        if w.moving:
            assert w.obs.program.blanks(mark) == []

    @property
    def listed_names(self) -> set[str]:
        """Whom a list names. Of the others a publisher without a hook is kicked once, and then left alone."""
        return self.w.streamers.key_is_stream if self.listed else set()

    async def end_the_hand_test(self) -> None:
        """Where a lost database made the daemon forget it, its picture is kept as anybody's: a hand takes that off."""
        w = self.w
        answer = await w.ask("DELETE", "/queue/test")
        shown = w.obs.program.on_air
        if "error" in answer and shown in w.obs.inputs and HAND_TEST in str(w.obs.inputs[shown].settings):
            w.obs.studio.remove_input(shown)

    def tidy_up(self) -> None:
        """Somebody puts OBS in order."""
        studio = self.w.obs.studio
        if SCENE not in {scene.name for scene in studio.current.scenes}:
            studio.create_scene(SCENE)
            self.w.furnish()
        studio.mode.switch(False)
        studio.set_program(SCENE)

    async def publish_anew(self, names: set[str]) -> None:
        """Those whom an operator took out of the line-up, and where nothing tells of a publish that was lost all."""
        for name in sorted(names & self.w.live & set(self.w.clients)):
            await self.w.unpublish(name)
            await self.w.publish(name)

    def teardown(self) -> None:
        """The end of every example."""
        with self.stack:
            try:
                if hasattr(self, "viewer"):
                    self.do(self.calm())
            finally:
                self.runner.run(self.end())

    async def end(self) -> None:
        """Nothing goes on."""
        for task in self.tasks.values():
            task.cancel()
        await self.end_the_second()
        await self.inside.aclose()

    async def kill(self) -> None:
        """SIGKILL; what no disk took is forgotten."""
        await self.w.kill()
        if self.unwritten:
            self.named, self.unwritten = len(self.w.obs.requested("CreateInput")), False

    async def end_the_second(self) -> None:
        """By SIGKILL, where there is one."""
        if self.second is not None:
            self.second.kill()
            await self.second.ended()
            self.second = None
