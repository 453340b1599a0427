"""Health of a picture that lies in a group, or in a scene within the scene: as of any other."""

from pathlib import Path

from tests.simulation.stage import on_air
from tests.simulation.world import SCENE, World


def test_the_picture_on_air_has_its_size_in_health_though_somebody_put_it_into_a_group(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        scene = w.obs.studio.scene(SCENE)
        (item,) = [item for item in scene.items if item.name == w.obs.program.on_air]
        w.obs.studio.group(scene, "CAMERAS", [item], enabled=True)
        await w.until(lambda: w.director.switchover.on_air_streamer == "alice")

        async def size() -> object:
            sample = await w.ask("GET", "/stream-health/current")
            return sample["input"], sample["media"]["width"]

        seen = []
        for _ in range(5):
            await w.until(lambda began=w.loop.now: w.loop.now >= began + 1.0)  # type: ignore[misc]  # bound
            seen.append(await size())
        assert seen[-1] == (w.obs.program.on_air, 1280), seen

    on_air(tmp_path, act)
