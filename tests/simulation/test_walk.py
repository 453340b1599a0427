"""A daemon that is killed at any moment of a hand-over is as it ought to be ten seconds after both sides are up.

Each scenario is played once to count its moments (see ``points``), then once for each of them, with SIGKILL at it and
a new start.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes import Stream
from tests.simulation.loop import simulated
from tests.simulation.points import Points
from tests.simulation.world import PREFIX, SCENE, SLATE, STATIC, World, world

CONVERGES_WITHIN = 10.0
GAP = 0.2
"""Seconds that nobody runs the daemon: a fade goes on for longer."""

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "soak"

# A hundred daemons each: on a machine that others load as well that takes a while.
pytestmark = pytest.mark.timeout(0 if THOROUGH else 600)

Act = Callable[[World], Awaitable[None]]


async def standing_by(world: World) -> None:
    """Alice is on air, and bob waits, ready if he is to be."""
    await world.start()
    await world.publish("alice")
    await world.until(lambda: world.director.switchover.on_air_streamer == "alice")
    await world.publish("bob")
    ready = world.settings.get("sources.standby", True) and world.settings.get("sources.mode") != "static"
    await world.until(
        lambda: not world.amiss() and world.director.switchover.state.name == ("STANDBY" if ready else "IDLE")
    )


async def alone(world: World) -> None:
    """Alice is on air, and nobody else is there."""
    await world.start()
    await world.publish("alice")
    await world.until(lambda: world.director.switchover.on_air_streamer == "alice")
    await world.well()


async def nobody(world: World) -> None:
    """The daemon runs, and nobody publishes."""
    await world.start()
    await world.until(lambda: world.director.switchover.state.name == "IDLE")
    await world.well()


async def skip(world: World) -> None:
    await world.ask("POST", "/queue/skip")
    await world.until(lambda: world.director.switchover.on_air_streamer == "bob")
    await world.well()


async def skip_in_vain(world: World) -> None:
    """Bob's cut fails: alice stays, and bob is made ready anew."""
    await world.ask("POST", "/queue/skip")
    await world.until(lambda: world.said("Failed to switch"))
    await world.well()


async def end(world: World) -> None:
    await world.unpublish("alice")
    await world.until(lambda: world.director.switchover.on_air_streamer != "alice")
    await world.well()


async def come(world: World) -> None:
    await world.publish("bob")
    await world.until(lambda: "bob" in world.live)
    await world.until(
        lambda: len(world.own) == 2 or world.settings.get("sources.mode") == "static" or len(world.live) == 1
    )
    await world.well()


async def restart(world: World) -> None:
    """Killed once already, and killed again while it finds its way back."""
    await world.kill()
    await world.start()
    await world.well()


async def obs_restarts(world: World) -> None:
    """OBS crashes and comes back as it was."""
    await world.obs.restart(leftovers=True, abrupt=True)
    await world.until(lambda: world.said("Lost OBS"))
    await world.well()


def refuse(world: World, kind: str, times: int) -> None:
    world.obs.faults.refuse(kind, 702, "no", times=times)


def keep_inputs(world: World) -> None:
    """Three removals fail, each by either way."""
    for kind in ("RemoveSceneItem", "RemoveInput"):
        refuse(world, kind, 3)


CREATED, CUT, REMOVED = "OBS has done CreateInput", "OBS has done SetSceneItemEnabled", "OBS has done RemoveSceneItem"
ADOPTED = "ObsReady is to be written"


@dataclass(frozen=True)
class Scenario:
    before: Act
    play: Act
    through: tuple[str, ...]
    """Moments that it leads through, among others."""
    settings: Mapping[str, object] = field(default_factory=dict)
    spoil: Callable[[World], object] = lambda world: None
    least: int = 20
    """Fewer moments than this it cannot have."""
    seamless: bool = True
    """The viewer sees neither a blank nor two own inputs."""


FADE = {"transition.kind": "fade", "transition.duration": 0.3}
SCENARIOS = {
    "cold": Scenario(standing_by, skip, (CREATED, CUT, REMOVED), {"sources.standby": False}),
    "standby": Scenario(standing_by, skip, (CUT, REMOVED, CREATED)),
    "made ready": Scenario(alone, come, (CREATED,)),
    "first": Scenario(nobody, come, (CREATED, CUT)),
    "the end of a stream": Scenario(standing_by, end, (CUT, REMOVED)),
    "fade": Scenario(standing_by, skip, ("OBS is to do SetInputVolume", REMOVED), FADE, seamless=False),
    "pooled": Scenario(standing_by, skip, ("OBS has done SetInputSettings", CUT), {"sources.mode": "pooled"}),
    "static": Scenario(
        standing_by, skip, ("OBS has done SetInputSettings",), {"sources.mode": "static"}, seamless=False
    ),
    "take-off": Scenario(alone, end, ("Unpublished is written", REMOVED), {"obs.slate": SLATE}, seamless=False),
    "from the slate": Scenario(nobody, come, (CREATED, CUT), {"obs.slate": SLATE}),
    "failed removals": Scenario(standing_by, skip, (CUT, "RemovalFailed is written", REMOVED), spoil=keep_inputs),
    "failed creation": Scenario(
        alone, come, ("CreationFailed is written", CREATED), spoil=lambda w: refuse(w, "CreateInput", 1)
    ),
    "failed cut": Scenario(
        standing_by,
        skip_in_vain,
        ("CutFailed is written", "OutgoingRestored is written", REMOVED),
        spoil=lambda w: refuse(w, "SetSceneItemEnabled", 1),
    ),
    "restart of the daemon": Scenario(
        standing_by, restart, ("ObsLost PolicyLoaded is to be written", ADOPTED, REMOVED)
    ),
    "restart of OBS": Scenario(standing_by, obs_restarts, ("ObsLost is written", ADOPTED, REMOVED), seamless=False),
}


async def play(folder: Path, scenario: Scenario, stop: int | None) -> list[str]:
    """Play it up to that moment, and see it come right again; the moments."""
    static = scenario.settings.get("sources.mode") == "static"
    async with world(folder, scenario.settings, prefix=STATIC if static else PREFIX) as w:
        if static:
            settings = {"pipeline": f'rtmpsrc location="{w.url("whoever")}" ! decodebin name=d'}
            w.obs.studio.create_input(w.obs.studio.scene(SCENE), STATIC, "gstreamer-source", settings, enabled=False)
            w.obs.streams[w.url("whoever")] = Stream(0.1)
        await scenario.before(w)
        scenario.spoil(w)
        mark = w.obs.program.mark()
        points = Points(w, stop, thorough=THOROUGH)
        with points.walking():
            acting = asyncio.ensure_future(scenario.play(w))
            killed = asyncio.ensure_future(points.killed.wait())
            await asyncio.wait({acting, killed}, return_when=asyncio.FIRST_COMPLETED)
        killed.cancel()
        if stop is None:
            await acting
            return points.seen
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)
        assert points.killed.is_set(), f"only {len(points.seen)} moments"
        await w.running.ended()
        await come_right(w, points, mark, seamless=scenario.seamless)
        return points.seen


async def come_right(w: World, points: Points, mark: int, *, seamless: bool) -> None:
    on_air = w.obs.program.on_air
    whose = w.streamer_of(on_air) if on_air else None
    await asyncio.sleep(GAP)
    w.obs.faults.clear()
    await w.start()
    await w.well(CONVERGES_WITHIN)
    await asyncio.sleep(1.0)
    await w.well(CONVERGES_WITHIN)
    program = w.director.switchover.program
    if seamless:
        w.obs.program.assert_seamless(mark)
    if whose and program and program.session and program.session.streamer == whose:
        assert w.obs.program.on_air == on_air, "another input of the same stream"
    for each in w.obs.inputs.values():
        assert (each.volume, each.filters) == (1.0, []), f"a fade has left something at {each.name}"
    holder = w.director.lineup.holder
    if points.turn and holder and holder.streamer == points.turn[0]:
        assert holder.turn_began == points.turn[1], "the turn's clock was set anew"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_daemon_killed_at_any_moment_of_a_hand_over_comes_right(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    with simulated() as runner:
        moments: list[str] = runner.run(play(tmp_path, scenario, None))
    assert len(moments) >= scenario.least
    for part in scenario.through:
        assert any(part in moment for moment in moments), part
    walked, failures = 0, []
    for stop, moment in enumerate(moments):
        with simulated() as runner:
            try:
                # The same run again: otherwise some moment may never be walked.
                assert runner.run(play(tmp_path, scenario, stop)) == moments[: stop + 1]
            except AssertionError as error:
                failures.append(f"{stop} {moment}: {error}")
            walked += 1
    assert not failures, "\n".join(failures)
    assert walked == len(moments)
