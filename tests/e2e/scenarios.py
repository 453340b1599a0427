"""What can be played on the throw-away studio while it is monitored."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from daemon.studio import Publisher, PublishError, Studio, StudioError
from daemon.studio.channel import Channel, on_air
from daemon.studio.publisher import SLATE_HUE
from tests.e2e.timeline import Change, Note, Reading, Recorder, Run, aligned, reading_of
from tests.e2e.watching import Watcher

MARK_LAG = 0.1
"""Seconds that the mark in a recording runs behind the picture; see Obs.recording_position."""
BACK_WITHIN = 5.0
"""Seconds from the first answer of a restarted OBS to somebody on air."""
NEXT_WITHIN = 2.0
"""Seconds from a standstill to the next moving picture."""


@dataclass(slots=True)
class Stage:
    """The studio, the daemon, and what is written down about them."""

    studio: Studio
    channel: Channel
    recorder: Recorder
    watcher: Watcher
    say: Callable[[Sequence[Change]], None]
    seed: int = 1
    seconds: float = 45.0
    faults: list[str] = field(default_factory=list)
    """What did not go as it has to, in words."""
    checks: list[Callable[[], None]] = field(default_factory=list)
    """To be made when the recordings have been read."""
    _recordings: list[tuple[Path, float]] = field(default_factory=list)
    _offset: float | None = None

    @property
    def now(self) -> float:
        """Seconds since the timeline began."""
        return self.watcher.now

    def note(self, text: str) -> float:
        """Write down what is done now; the time."""
        now = self.now
        self.say(self.recorder.note(now, text))
        return now

    def fault(self, text: str) -> None:
        """It did not go as it has to."""
        self.faults.append(text)

    def expect_blank(self, start: float, end: float, why: str) -> None:
        """A blank picture in there is no fault."""
        self.recorder.timeline.expected.append(Run(start, end, why))

    async def record(self) -> None:
        """Begin a recording."""
        await self.studio.obs.start_recording()
        position = await self.studio.obs.recording_position()
        self._offset = self.now - position - MARK_LAG

    async def recorded(self, *, obs_was_killed: bool = False) -> None:
        """End the recording, or take what OBS's muxer has saved of it."""
        if self._offset is None:
            return
        offset, self._offset = self._offset, None
        if obs_was_killed:
            files = sorted(self.studio.obs.recordings.iterdir(), key=lambda path: path.stat().st_mtime)
            self._recordings.append((files[-1], offset))
        else:
            self._recordings.append((await self.studio.obs.stop_recording(), offset))

    async def read(self) -> list[Reading]:
        """Every recording, in the timeline's time."""
        cuts = self.recorder.timeline.cuts
        return [aligned(reading_of(await self.studio.analyse(path), offset), cuts) for path, offset in self._recordings]

    async def standby(self, within: float = 30.0) -> None:
        """Wait until the next one is ready."""
        await self.channel.until(lambda status: status["state"] == "STANDBY", within)

    async def begin(self, *names: str) -> dict[str, Publisher]:
        """Have them publish, the first one on air before the second begins, and record."""
        publishers = {}
        for name in names:
            publishers[name] = await self.publish(name)
            if name == names[0]:
                await self.channel.until_on_air(name)
        await self.record()
        return publishers

    async def publish(self, name: str) -> Publisher:
        """One more streamer."""
        self.note(f"{name} publishes")
        return await self.studio.publish(name)

    async def hold(self, seconds: float) -> None:
        """Let the show run."""
        await asyncio.sleep(seconds)


async def orderly(stage: Stage) -> None:
    """Turns pass from one to the next by skips."""
    await stage.begin("alice", "bob", "carol")
    for _ in range(6):
        await stage.standby()
        await stage.hold(2.2)
        stage.note("skip")
        await stage.channel.skip()
    await stage.standby()
    await stage.hold(1.0)


async def stalls(stage: Stage) -> None:
    """The one on air stands still without a word, three times; the next moving picture has to come soon."""
    publishers = await stage.begin("alice", "bob", "carol")
    for _ in range(3):
        await stage.standby()
        await stage.hold(2.2)
        name = on_air(await stage.channel.status())
        assert name is not None
        at = stage.note(f"{name} freezes")
        await publishers[name].freeze()
        await stage.channel.until(lambda status, name=name: on_air(status) not in (name, None))  # type: ignore[misc]  # bound as it is now
        await stage.hold(1.5)
        stage.note(f"{name} thaws")
        await publishers[name].thaw()
        stage.checks.append(lambda name=name, at=at: _next_picture(stage, name, at))  # type: ignore[misc]  # bound as it is now
    await stage.hold(2.0)


def _next_picture(stage: Stage, name: str, at: float) -> None:
    """Somebody else is seen soon after the picture stood still: what was buffered may play on first."""
    readings = stage.recorder.timeline.readings
    others = set(stage.recorder.timeline.hues) - {name}
    following = [run.start for reading in readings for run in reading.seen if run.what in others and run.start > at]
    if not following:
        stage.fault(f"{name} froze at {at:.2f} s, and nobody else was seen after that")
        return
    still = [run for reading in readings for run in reading.frozen if at < run.end <= min(following) + 0.1]
    if longest := max((run.length for run in still if run.length > NEXT_WITHIN), default=0.0):
        stage.fault(f"{name} froze at {at:.2f} s, and stood still for {longest:.2f} s, not {NEXT_WITHIN:g} s")


async def obs_restart(stage: Stage) -> None:
    """OBS is killed on air and started again."""
    await stage.begin("alice", "bob")
    await stage.standby()
    await stage.hold(2.0)
    stage.note("kill -9 OBS")
    await stage.studio.obs.kill()
    await stage.recorded(obs_was_killed=True)
    await stage.channel.until(lambda status: status["state"] == "RECOVERING")
    await stage.hold(1.0)
    stage.note("OBS starts")
    began = stage.now
    await stage.studio.obs.start()
    answered = stage.now
    # The watcher may have been let in before the studio's own client was content.
    answers = [run.start for run in stage.recorder.timeline.obs if run.what == "answers" and run.start >= began]
    answered = min([answered, *answers])
    stage.expect_blank(began, answered + BACK_WITHIN, f"OBS may take {BACK_WITHIN:g} s")
    await stage.record()
    await stage.channel.until(lambda status: on_air(status) is not None and status["state"] != "RECOVERING")
    await stage.standby()
    await stage.hold(max(2.0, answered + BACK_WITHIN + 1.0 - stage.now))
    stage.checks.append(lambda: _back(stage, answered))


def _back(stage: Stage, answered: float) -> None:
    """A streamer's picture was seen soon after OBS answered."""
    timeline = stage.recorder.timeline
    streamers = {name for name, hue in timeline.hues.items() if hue != SLATE_HUE}
    seen = [run.start for run in timeline.readings[-1].seen if run.what in streamers]
    took = f"{min(seen) - answered:.1f} s after it answered" if seen else "never"
    if not seen or min(seen) - answered > BACK_WITHIN:
        stage.fault(f"a streamer's picture came back {took}, not {BACK_WITHIN:g} s")
    timeline.notes.append(Note(min(seen, default=answered), f"the picture is back, {took}"))


CAST = ("alice", "bob", "carol", "dave")


async def chaotic(stage: Stage) -> None:
    """Publishers come and go, are killed and frozen, skips and hooks come while OBS is busy: by chance, from a seed."""
    await stage.begin(*CAST[:2])
    chance = random.Random(stage.seed)
    end = time.monotonic() + stage.seconds
    publishers = {publisher.name: publisher for publisher in stage.studio.publishers}
    publishers |= {name: stage.studio.publisher(name) for name in CAST if name not in publishers}
    frozen: set[str] = set()
    actions: Mapping[str, int] = {
        "come": 4,
        "stop": 2,
        "kill": 2,
        "freeze": 2,
        "thaw": 4,
        "skip": 3,
        "hooks": 2,
        "busy": 2,
    }
    while time.monotonic() < end:
        action = chance.choices(tuple(actions), tuple(actions.values()))[0]
        running = sorted(name for name, publisher in publishers.items() if publisher.running)
        moving = [name for name in running if name not in frozen]
        idle = sorted(set(publishers) - set(running))
        if action == "come" and idle:
            await _come(stage, publishers[chance.choice(idle)])
        elif action in ("stop", "kill") and len(moving) > 1:
            name = chance.choice(moving)
            stage.note(f"{action} {name}")
            await (publishers[name].stop() if action == "stop" else publishers[name].kill())
        elif action == "freeze" and len(moving) > 1:
            name = chance.choice(moving)
            stage.note(f"freeze {name}")
            await publishers[name].freeze()
            frozen.add(name)
        elif action == "thaw" and frozen:
            name = chance.choice(sorted(frozen))
            stage.note(f"thaw {name}")
            await publishers[name].thaw()
            frozen.discard(name)
        elif action == "skip":
            stage.note("skip")
            with contextlib.suppress(StudioError):  # nobody waits
                await stage.channel.post("/queue/skip")
        elif action == "hooks":
            await _hooks(stage, chance)
        elif action == "busy":
            await _busy(stage)
        else:
            continue
        await stage.hold(chance.uniform(0.4, 2.4))
    for name in frozen:
        await publishers[name].thaw()
    await stage.hold(3.0)


async def _come(stage: Stage, publisher: Publisher) -> None:
    stage.note(f"{publisher.name} publishes")
    try:
        await publisher.start()
    except PublishError:
        # The server still holds the stream of the publisher that was killed or dropped.
        stage.note(f"{publisher.name} turned away")


async def _hooks(stage: Stage, chance: random.Random) -> None:
    """Streams that are announced and gone again: 40 of them, beside the real ones."""
    stage.note("80 hooks")
    url = f"{stage.channel.url}/hooks/nginx-rtmp"
    async with aiohttp.ClientSession() as session:

        async def tell(call: str, number: int) -> None:
            form = {"app": "live", "name": f"ghost{number}", "addr": "127.0.0.1", "clientid": str(9000 + number)}
            async with session.post(url, data={**form, "call": call}) as answer:
                if answer.status >= 300:
                    stage.fault(f"a hook was answered {answer.status}")

        async def come_and_go(number: int) -> None:
            await tell("publish", number)
            await tell("publish_done", number)

        first = chance.randrange(1, 1_000_000)
        await asyncio.gather(*(come_and_go(first + number) for number in range(40)))


async def _busy(stage: Stage) -> None:
    """OBS has a lot else to answer."""
    stage.note("OBS is busy")
    wanted = {"sourceName": stage.studio.scene, "imageFormat": "png", "imageWidth": 640, "imageHeight": 360}
    calls: list[Awaitable[object]] = [stage.studio.obs.call("GetSourceScreenshot", wanted) for _ in range(12)]
    await asyncio.gather(*calls)


SCENARIOS: Mapping[str, Callable[[Stage], Awaitable[None]]] = {
    "orderly": orderly,
    "chaotic": chaotic,
    "stalls": stalls,
    "obs-restart": obs_restart,
}
