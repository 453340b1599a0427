"""The monitor watches an OBS without touching it, on the fake; and its two scripts."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.core.ports import ObsGone
from daemon.studio import free_port
from tests.e2e.timeline import Cut, Recorder, Run
from tests.e2e.watching import Watcher
from tests.fakes import FakeObs, Stream
from tests.fakes.obs_client import GSTREAMER, SCENE, URL
from tests.support import until

HERE = Path(__file__).parent
MONITOR = HERE / "obs-stream-switch-monitor.py"
RUNNER = HERE / "run-monitored-test.sh"
ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


@pytest.fixture
async def obs() -> AsyncIterator[FakeObs]:
    async with FakeObs() as fake:
        fake.streams[URL] = Stream()
        for name in (ONE, TWO):
            fake.studio.create_input(fake.studio.scene(SCENE), name, "gstreamer-source", GSTREAMER)
        fake.studio.hide(TWO)
        yield fake


@pytest.fixture
async def recorder(obs: FakeObs) -> AsyncIterator[Recorder]:
    """One that is told by a watcher, which looks so seldom that it owes what it sees between to events."""
    recorder = Recorder("t")
    watcher = Watcher(recorder, began=time.monotonic(), scene=SCENE, prefix="GMOTHERSTREAM_", interval=0.2)
    task = asyncio.create_task(watcher.obs("127.0.0.1", obs.port, obs.password or ""))
    await until(lambda: len(recorder.timeline.inputs) == 2)
    yield recorder
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_cut_is_seen_as_one(obs: FakeObs, recorder: Recorder) -> None:
    obs.studio.show(TWO)
    obs.studio.hide(ONE)
    await until(lambda: len(recorder.timeline.cuts) >= 2)
    assert recorder.timeline.cuts[-1] == Cut(recorder.timeline.cuts[-1].at, (TWO,), (ONE,))


async def test_an_input_that_has_left_the_program_is_not_asked_about(obs: FakeObs, recorder: Recorder) -> None:
    await until(lambda: recorder.timeline.inputs[ONE].picture[-1].what == "moves")
    obs.studio.hide(ONE)
    await until(lambda: recorder.timeline.inputs[ONE].visibility[-1].what == "hidden")
    last = recorder.timeline.inputs[ONE].picture[-1]
    end = recorder.timeline.inputs[TWO].picture[-1].end
    await until(lambda: recorder.timeline.inputs[TWO].picture[-1].end > end + 0.5)
    assert recorder.timeline.inputs[ONE].picture[-1] == last


async def test_the_watcher_comes_back_when_obs_does(obs: FakeObs, recorder: Recorder) -> None:
    await obs.restart(leftovers=True, abrupt=True)
    await until(lambda: [run.what for run in recorder.timeline.obs] == ["answers", "gone", "answers"])
    await until(lambda: len(recorder.timeline.inputs[ONE].visibility) == 2)
    assert isinstance(recorder.timeline.inputs[ONE].visibility[-1], Run)


async def test_an_obs_that_is_not_there_is_told_and_not_waited_for() -> None:
    watcher = Watcher(Recorder("t"), began=0.0, scene=SCENE, prefix="G", interval=0.2)
    with pytest.raises(ObsGone):
        await watcher.obs("127.0.0.1", free_port(), "", patient=False)


async def test_the_monitor_watches_draws_and_counts(obs: FakeObs, tmp_path: Path) -> None:
    out, figures = tmp_path / "a.svg", tmp_path / "a.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(MONITOR), "--port", str(obs.port), "--duration", "5"),
        *("--out", str(out), "--json", str(figures)),
        env=os.environ | {"MOTHERSTREAM_OBS__PASSWORD": obs.password or ""},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert ONE in said.decode()
    assert "2 inputs" in said.decode()
    assert "</svg>" in out.read_text()
    assert ONE in figures.read_text()


def test_the_monitor_says_why_it_cannot_watch(tmp_path: Path) -> None:
    port = str(free_port())
    done = subprocess.run(
        (sys.executable, str(MONITOR), "--port", port, "--out", str(tmp_path / "x.svg")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"OBS at 127.0.0.1 port {port} cannot be watched: ")
    assert not (tmp_path / "x.svg").exists()


def test_shellcheck_finds_nothing_in_the_runner() -> None:
    done = subprocess.run(("shellcheck", str(RUNNER)), capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_runner_knows_its_scenarios() -> None:
    done = subprocess.run((str(RUNNER), "nonsense"), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    for scenario in ("orderly", "chaotic", "stalls", "obs-restart"):
        assert scenario in done.stderr
