"""Rules of the random search: streamers with all sorts of streams, operators, and what the ingest server does."""

import asyncio
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.fakes import Stream
from tests.fakes.srs import Lists
from tests.simulation.random_viewer import FOR_GOOD, LISTS
from tests.simulation.random_world import HAND_TEST, NAMES, STRANGERS, RandomWorld
from tests.simulation.streamers import key_of
from tests.simulation.world import SCENE, SLATE

SENT_AWAY = 60.0
"""Seconds for which one whom an operator sent away may be taken off, until the next one is ready."""
RELOADS: list[dict[str, object]] = [
    {"obs__slate": SLATE},
    {"obs__slate": ""},
    {"transition__kind": "fade"},
    {"transition__kind": "cut"},
    {"sources__standby": False},
    {"sources__standby": True},
    {"obs__studio_mode": "leave"},
    {"obs__studio_mode": "drive"},
    {"queue__turn": 4.0},
    {"queue__turn": 3600.0},
    {"queue__after_turn": "requeue"},
]


class PeopleRules(RandomWorld):
    """Streamers and operators always do something; the ingest server where it is one of the troubles."""

    # --- streamers -------------------------------------------------------------------------------------------

    @rule(
        name=NAMES,
        first_frame=st.sampled_from([0.1, 0.1, 0.1, 1.0, None]),
        audio=st.sampled_from(["AAC", "AAC", ""]),
        video=st.sampled_from(["H264", "H264", "HEVC"]),
    )
    def publish_or_end(self, name: str, first_frame: float | None, audio: str, video: str) -> None:
        async def work() -> None:
            if name in self.w.live:
                await self.w.unpublish(name)
            elif await self.w.publish(name):
                # None: sound alone, or a codec that this OBS cannot play.
                self.w.obs.streams[self.w.url(name)].first_frame_after = first_frame
                client = self.w.clients[name]
                client.audio, client.video = audio, video if first_frame is None and audio == "" else "H264"
                if first_frame is None and audio:
                    client.video = ""

        self.do(self.at_once(work()))

    @rule(name=NAMES, seconds=st.sampled_from([0.3, 2.0]), times=st.integers(2, 4))
    def encoder_reconnects(self, name: str, seconds: float, times: int) -> None:
        async def work() -> None:
            for _ in range(times):
                await self.w.unpublish(name) if name in self.w.live else None
                await asyncio.sleep(0.2)
                await self.w.publish(name)
                await asyncio.sleep(seconds)

        self.do(self.at_once(work(), 20.0))

    @rule(name=NAMES, up=st.sampled_from([1.0, 4.0]), down=st.sampled_from([0.1, 2.0]))
    def encoder_flaps(self, name: str, up: float, down: float) -> None:
        """Every few seconds, until this comes again."""

        async def work() -> None:
            while True:
                with suppress(OSError):
                    if name in self.w.live:
                        await self.w.unpublish(name)
                        await asyncio.sleep(down)
                    await self.w.publish(name)
                await asyncio.sleep(up)

        self.go_on(f"encoder of {name}", work)

    @rule(name=st.sampled_from(STRANGERS), param=st.sampled_from(["", "?key=guessed", "?stream_key="]))
    def stranger_without_a_key(self, name: str, param: str) -> None:
        async def work() -> None:
            if await self.w.srs.publish("live", name, param) is not None:
                assert "on_publish" in self.w.srs.lost
                self.w.obs.streams[self.w.url(name)] = Stream(0.1)

        self.do(self.at_once(work()))

    @rule(name=NAMES, other=NAMES)
    def on_somebodys_path_with_ones_own_key(self, name: str, other: str) -> None:
        """The server asks before it finds a path busy."""

        async def work() -> None:
            if name != other and "on_publish" not in self.w.srs.lost:
                for who in (name, other):
                    self.w.add_streamer(who)
                stream = self.w.streamers.stream(other)
                assert await self.w.srs.publish("live", stream, f"?key={key_of(name)}") is None

        self.do(self.at_once(work()))

    @rule(name=NAMES)
    def freeze_or_thaw(self, name: str) -> None:
        if name in self.w.live and name in self.w.clients:
            stream = self.w.obs.streams[self.w.url(name)]
            self.call(lambda: setattr(stream, "frozen", not stream.frozen))

    # --- operators -------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.w.running.dead)
    @rule(what=st.sampled_from(["skip", "skip", "hold", "release"]))
    def operate(self, what: str) -> None:
        self.do(self.at_once(self.w.ask("POST", f"/queue/{what}")))

    @precondition(lambda self: not self.w.running.dead)
    @rule(name=NAMES, what=st.sampled_from(["move?position=0", "move?position=2", "kick?seconds=5", "let-in", ""]))
    def operate_on(self, name: str, what: str) -> None:
        if what == "" or what.startswith("kick"):
            self.viewer.out[name] = self.w.loop.now + SENT_AWAY
        self.removed |= {name} if what == "" else set()
        method, path = ("POST", f"/queue/{name}/{what}") if what else ("DELETE", f"/queue/{name}")
        self.do(self.at_once(self.w.ask(method, path)))

    @precondition(lambda self: not self.w.running.dead)
    @rule()
    def manual_stream(self) -> None:
        async def work() -> None:
            self.w.obs.streams[HAND_TEST] = Stream(0.1)
            body = {"rtmp_url": HAND_TEST, "scene_name": SCENE}
            await self.w.ask("POST", "/debug/test-dynamic-source-switch", body)

        self.do(self.at_once(work()))

    @precondition(lambda self: not self.w.running.dead and (self.w.running, 1) in self.w.loop.signals)
    @rule(changes=st.sampled_from(RELOADS))
    def reload(self, changes: dict[str, object]) -> None:
        self.call(lambda: self.w.reload(**changes))

    # --- the ingest server -----------------------------------------------------------------------------------

    @precondition(lambda self: "ingest" in self.troubles)
    @rule(how=st.sampled_from([{"on_publish"}, {"on_unpublish"}, {"on_publish", "on_unpublish"}, set()]))
    def lose_hooks(self, how: set[str]) -> None:
        self.w.srs.lost = how

    @precondition(lambda self: "ingest" in self.troubles)
    @rule(how=st.sampled_from(list(Lists)))
    def spoil_lists(self, how: Lists) -> None:
        self.w.srs.lists = how

    @precondition(lambda self: "ingest" in self.troubles)
    @rule(what=st.sampled_from(["500", "nonsense", "silent", "late", "half", "well"]))
    def spoil_api(self, what: str) -> None:
        faults = self.w.srs.faults
        self.call(faults.mend)
        match what:
            case "500":
                faults.answer(500)
            case "nonsense":
                faults.answer(200, b'{"code": 0, "streams": [1, {"publish"')
            case "silent":
                self.call(faults.hang)
            case "late":
                faults.delay = 3.0
            case "half":
                faults.half = True

    @precondition(lambda self: "ingest" in self.troubles)
    @rule()
    def restart_srs(self) -> None:
        self.viewer.excuse(LISTS if self.listed else FOR_GOOD, kept=True, named=True)
        for name in sorted(self.w.live & set(self.w.clients)):
            self.call(lambda name=name: self.w.freeze(name))  # type: ignore[misc]  # bound as it is now
        self.w.clients.clear()
        self.w.srs.restart()
