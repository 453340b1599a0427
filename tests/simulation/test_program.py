"""The whole daemon beside an OBS in studio mode, or on another scene: what it says is what viewers see."""

import asyncio
from pathlib import Path

import pytest

from tests.simulation.loop import simulated
from tests.simulation.stage import on_air
from tests.simulation.world import World, world


async def until_on_air(w: World, streamer: str) -> None:
    await w.until(lambda: w.director.switchover.on_air_streamer == streamer, 20.0)


@pytest.mark.parametrize("policy", ["leave", "drive"])
@pytest.mark.parametrize("frames", [0, 9], ids=["cut", "fade"])
def test_in_studio_mode_every_hand_over_is_seen_without_a_blank(tmp_path: Path, policy: str, frames: int) -> None:
    async def act(w: World) -> None:
        mode = w.obs.studio.mode
        mode.transition_frames = frames
        mark = w.obs.program.mark()
        mode.switch(True)
        for streamer in ("bob", "alice", "bob"):
            await w.until(lambda: w.director.switchover.state.name == "STANDBY", 20.0)
            await w.ask("POST", "/queue/skip")
            await until_on_air(w, streamer)
            program = w.director.switchover.program
            assert program is not None
            assert w.obs.program.on_air == program.input
            assert (await w.ask("GET", "/status"))["program"]["shown"] is True
        assert w.obs.program.blanks(mark, rendered_only=True) == []
        assert mode.on is (policy == "drive")
        # OBS dies of these where studio mode is being switched on.
        assert not {"GetCurrentProgramScene", "GetCurrentPreviewScene"} & {kind for kind, _ in w.obs.requests}

    on_air(tmp_path, act, obs__studio_mode=policy)


def test_from_the_slate_on_everybody_is_seen_in_a_copy_of_a_copy(tmp_path: Path) -> None:
    """Our scene lies in the one that is shown, and studio mode duplicates sources."""

    async def play() -> None:
        async with world(tmp_path, {"obs.studio_mode": "drive"}) as w:
            await w.start()
            big = w.obs.studio.create_scene("BIG")
            w.obs.studio.add_item(big, w.obs.studio.scene("MOTHERSTREAM"))
            w.obs.studio.set_program("BIG")
            await asyncio.sleep(3.0)
            w.obs.studio.mode.sources = True
            w.obs.studio.mode.switch(True)
            await asyncio.sleep(3.0)
            for streamer in ("alice", "bob"):
                await w.publish(streamer)
                if streamer == "bob":
                    await w.until(lambda: w.director.switchover.state.name == "STANDBY", 20.0)
                    await w.ask("POST", "/queue/skip")
                await until_on_air(w, streamer)
                assert w.director.switchover.program is not None
                assert w.obs.program.on_air == w.director.switchover.program.input
                assert (await w.ask("GET", "/status"))["program"]["shown"] is True
            for streamer in ("bob", "alice"):
                await w.unpublish(streamer)
            await w.until(lambda: w.obs.program.on_air is None, 30.0)

    with simulated() as runner:
        runner.run(play())


def test_another_scene_is_in_status_readyz_health_and_the_picture_of_the_page(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.studio.create_scene("BREAK")
        w.obs.studio.set_program("BREAK")
        await w.until(lambda: w.said("viewers do not see alice: OBS's Program shows the scene 'BREAK'"), 3.0)
        status = await w.ask("GET", "/status")
        assert (status["program"]["scene"], status["program"]["shown"]) == ("BREAK", False)
        ready = await w.ask("GET", "/readyz")
        assert not ready["ready"]
        assert "BREAK" in ready["checks"]["program"]["detail"]
        await w.until(lambda: w.said("Stream health: program_elsewhere"), 10.0)
        w.obs.studio.set_program("MOTHERSTREAM")
        await w.until(lambda: w.said("viewers see alice again"), 3.0)
        assert (await w.ask("GET", "/readyz"))["checks"]["program"]["ok"]

    on_air(tmp_path, act)
