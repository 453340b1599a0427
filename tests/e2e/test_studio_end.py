"""However a studio ends, or fails to start: it says why, and nothing of it is left behind."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from daemon.studio import MissingProgramsError, StartError, Studio
from daemon.studio import process as studio_process
from daemon.studio.root import VARIABLE
from daemon.studio.workspace import sweep
from tests.e2e.support import alive, left_behind, processes_of
from tests.support import until

pytestmark = pytest.mark.real


async def test_missing_programs_are_all_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_process, "SEARCH_PATH", "/nonexistent")
    with pytest.raises(MissingProgramsError) as refusal:
        await Studio().__aenter__()
    assert "apt-get install ffmpeg nginx-light obs-studio util-linux xvfb" in str(refusal.value)


async def test_a_failed_start_quotes_the_log_and_leaves_nothing() -> None:
    folders: list[Path] = []
    studio = Studio(hook_url="ftp://127.0.0.1/nowhere", progress=lambda _: folders.append(studio.folder))
    with pytest.raises(StartError, match=r"nginx ended with status 1; the end of its log:\n.*emerg"):
        await studio.__aenter__()
    assert await asyncio.to_thread(left_behind, folders[0]) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/;evil on", "http://127.0.0.1/ x", "http://h/{"])
async def test_a_hook_url_cannot_write_nginx_configuration(url: str) -> None:
    with pytest.raises(ValueError, match="hook URL"):
        await Studio(hook_url=url).__aenter__()


async def test_leaving_by_an_exception_leaves_no_process_and_no_folder() -> None:
    folders: list[Path] = []

    async def fails_inside() -> None:
        async with Studio() as studio:
            folders.append(studio.folder)
            await studio.publish("alice")
            await studio.obs.start_recording()
            assert len(await asyncio.to_thread(processes_of, studio.folder)) >= 3
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        await fails_inside()
    assert await asyncio.to_thread(left_behind, folders[0]) == []


@pytest.mark.parametrize("awaited", ["nginx-rtmp listens", "alice publishes"])
async def test_cancelling_at_any_time_leaves_nothing(awaited: str) -> None:
    folders: list[Path] = []
    reached = asyncio.Event()

    def progress(line: str) -> None:
        folders.append(studio.folder)
        if line.startswith(awaited):
            reached.set()

    async def run() -> None:
        async with studio:
            await studio.publish("alice")
            await asyncio.Event().wait()

    studio = Studio(progress=progress)
    task = asyncio.create_task(run())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(left_behind, folders[0]) == []


SCRIPT = """
import asyncio, json
from daemon.studio import Studio

async def main():
    async with Studio() as studio:
        alice = await studio.publish("alice")
        await studio.obs.start_recording()
        display = studio.obs.display.removeprefix(":")
        print(json.dumps({"folder": str(studio.folder), "alice": alice.pid, "display": display}), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("number", "root"),
    [(signal.SIGINT, ""), (signal.SIGKILL, ""), (signal.SIGKILL, "/")],
    ids=["int", "kill", "in a root"],
)
async def test_an_interrupted_or_killed_interpreter_takes_the_studio_with_it(
    number: signal.Signals, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Any other studio on this machine that starts meanwhile would clear up first.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path), VARIABLE: root},
    )
    assert runner.stdout is not None
    try:
        started = json.loads(await runner.stdout.readline())
        folder = Path(started["folder"])
        assert folder.parent == tmp_path
        socket = Path(f"/tmp/.X11-unix/X{started['display']}")
        # Neither publishers nor the X server name the folder.
        assert alive(started["alice"])
        assert socket.exists()
    finally:
        os.kill(runner.pid, number)
        await runner.communicate()

    def runs_on() -> bool:
        return alive(started["alice"]) or socket.exists() or bool(processes_of(folder))

    async def gone() -> bool:
        return not await asyncio.to_thread(runs_on)

    await until(gone)
    # A killed interpreter clears nothing up; the next studio does that for it.
    left = await asyncio.to_thread(left_behind, folder)
    assert left == ([str(folder)] if number == signal.SIGKILL else [])
    await asyncio.to_thread(sweep)
    assert await asyncio.to_thread(left_behind, folder) == []


async def test_what_is_to_be_kept_is_kept_and_nothing_runs_on() -> None:
    async with Studio(keep=True) as studio:
        folder = studio.folder
        await studio.obs.start_recording()
        path = await studio.obs.stop_recording()
    try:
        await asyncio.to_thread(sweep)
        assert path.stat().st_size > 0
        assert await asyncio.to_thread(left_behind, folder) == [str(folder)]
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)
