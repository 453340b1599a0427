"""Where most tests of faults begin: alice is on air, and bob stands by."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.fakes.obs_versions import OBS_29, Version
from tests.simulation.loop import simulated
from tests.simulation.world import World, world

Act = Callable[[World], Awaitable[None]]


def on_air(folder: Path, act: Act, **settings: object) -> None:
    """Play ``act`` from there. A key's dots are written as two underscores."""
    on_air_in(OBS_29, folder, act, **settings)


def on_air_in(version: Version, folder: Path, act: Act, **settings: object) -> None:
    """The same in an OBS of that version."""

    async def play() -> None:
        wanted = {key.replace("__", "."): value for key, value in settings.items()}
        async with world(folder, wanted, version=version) as w:
            await w.start()
            await w.publish("alice")
            await w.until(lambda: w.director.switchover.on_air_streamer == "alice")
            await w.publish("bob")
            ready = "STANDBY" if settings.get("sources__standby", True) else "IDLE"
            await w.until(lambda: w.director.switchover.state.name == ready and not w.amiss())
            await act(w)

    with simulated() as runner:
        runner.run(play())
