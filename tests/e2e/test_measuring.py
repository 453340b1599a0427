"""One stream measured by a real ffmpeg, without a studio: how exactly, what becomes of odd ones, and of the process."""

import asyncio
import os
import random
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from daemon.core.probing import Report
from daemon.probe.ffmpeg import LAST_OF_SOUND, hearing
from daemon.probe.lines import Frames
from daemon.probe.sound import Sound
from daemon.probe.stream import Stream
from daemon.studio import Canvas, Publisher, free_port
from daemon.studio.publisher import Encoding, look
from tests.support import until

pytestmark = [pytest.mark.timeout(120)]

VALID: TypeAdapter[Report] = TypeAdapter(Report)

PICTURE = "testsrc2=s=320x180:r=30[out0]"
TONE = "sine=f=440:r=48000,volume=2[out1]"
FLV = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ar", "48000", "-f", "flv")

# --- how exactly -------------------------------------------------------------------------------------------------

SINES = [f"sine=f={frequency}:r=48000,volume={level}" for frequency in (60, 440, 1000, 8000) for level in (0.05, 1, 6)]
NOISES = [f"anoisesrc=c={colour}:a={level}:s=1" for colour in ("white", "pink", "brown") for level in (0.02, 0.3)]
STEREO = [
    "sine=f=440:r=48000,volume=4,pan=stereo|c0=c0|c1=0.1*c0",
    "sine=f=440:r=48000,volume=4,pan=stereo|c0=c0|c1=-1*c0",
    "anoisesrc=c=pink:a=0.3:s=2,pan=stereo|c0=c0|c1=0*c0",
    "sine=f=1000:r=44100,volume=3,aformat=channel_layouts=stereo",
    "sine=f=1000:r=22050,volume=3",
]
CHANGING = [
    "sine=f=440:r=48000,volume='4*gt(mod(t,2),1)':eval=frame",
    "sine=f=440:r=48000,volume='4*gt(mod(t,3),2)':eval=frame",
    "anoisesrc=c=pink:a=0.4:s=3,volume='min(1,t/8)':eval=frame",
    "anoisesrc=c=pink:a=0.4:s=4,volume='if(lt(t,4),1,0.03)':eval=frame",
    "anoisesrc=c=white:a=0.2:s=5,tremolo=f=3:d=0.9",
    "sine=f=300:b=4:r=48000,volume=5",
    "aevalsrc='0.5*sin(2*PI*(200+300*t)*t)':s=48000",
    "aevalsrc='0.9*sin(2*PI*440*t)*exp(-3*mod(t,1))':s=48000",
    "anoisesrc=c=pink:a=1:s=6,acompressor=threshold=0.05:ratio=20",
]
SIGNALS = [*SINES, *NOISES, *STEREO, *CHANGING]


def filtered(graph: str, filters: str) -> str:
    """What ffmpeg says of ten seconds of it."""
    done = subprocess.run(
        [
            "ffmpeg",
            "-nostdin",
            "-hide_banner",
            "-f",
            "lavfi",
            "-i",
            graph,
            "-t",
            "10",
            "-af",
            filters,
            "-f",
            "null",
            "-",
        ],
        capture_output=True,
        check=True,
    )
    return done.stdout.decode() + done.stderr.decode()


def test_there_are_thirty_signals() -> None:
    assert len(set(SIGNALS)) >= 30


@pytest.mark.parametrize("graph", SIGNALS)
def test_loudness_is_that_of_ffmpeg_s_own_meter(graph: str) -> None:
    expected = float(re.findall(r"I: +(-?[\d.]+) LUFS", filtered(graph, "ebur128"))[-1])
    sound = Sound()
    frames = Frames(sound.add, LAST_OF_SOUND)
    frames.feed(filtered(graph, hearing(1)).encode())
    assert sound.measured()["loudness"] == pytest.approx(expected, abs=0.5)


# --- streams -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(*options: str) -> AsyncIterator[str]:
    """A stream in real time, for one who plays it, and from its begin for the next."""
    port = free_port()
    begin = ("ffmpeg", "-nostdin", "-loglevel", "quiet", "-re", "-f", "lavfi")
    argv = (*begin, *options, *FLV, f"tcp://127.0.0.1:{port}?listen=1")

    async def serve() -> None:
        while True:
            server = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                await server.wait()
            finally:
                if server.returncode is None:
                    server.kill()
                    await server.wait()

    task = asyncio.create_task(serve())
    try:
        yield f"tcp://127.0.0.1:{port}"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def rubbish(parts: Callable[[], bytes]) -> AsyncIterator[str]:
    """Whoever connects is sent that, and again when it comes again."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(parts())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def falling_silent(data: bytes) -> AsyncIterator[str]:
    """Whoever connects first is sent that, and nobody anything more; connections stay, as a server's do."""
    left = [data]

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop() if left else b"")
        kept.append(writer)

    kept: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in kept:
            writer.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def measuring(url: str, *, room: bool = True) -> AsyncIterator[Stream]:
    order = {"session": "srs:1", "streamer": "alice", "url": url}
    stream = Stream(order, previews=True, may_decode_all=lambda session: room)  # type: ignore[arg-type]  # an order
    stream.start()
    try:
        yield stream
    finally:
        await stream.stop()


def told(stream: Stream) -> Report:
    report = stream.report()
    assert report is not None
    return VALID.validate_python(report)


async def is_measured(stream: Stream, condition: Callable[[Report], object], within: float = 30.0) -> Report:
    def holds() -> bool:
        return stream.report() is not None and bool(condition(told(stream)))

    await until(holds, within)
    return told(stream)


async def test_a_stream_is_measured_and_its_url_is_on_no_command_line() -> None:
    async with served("-i", f"{PICTURE};{TONE}", "-g", "30") as url, measuring(url) as stream:
        report = await is_measured(stream, lambda r: r["sound"] and r["sound"]["loudness"] and r["picture"])
        assert report["video"] is not None
        assert (report["video"]["codec"], report["video"]["width"], report["video"]["height"]) == ("h264", 320, 180)
        assert report["audio"] == {"codec": "aac", "rate": 48000, "channels": "mono"}
        await is_measured(stream, lambda r: r["drift"] is not None and abs(r["drift"]) < 0.4)
        report = await is_measured(stream, lambda r: r["video"] and r["video"]["fps"])
        assert report["video"] is not None
        # At first it may come faster: it is sent from its last key frame on.
        await is_measured(stream, lambda r: r["video"] and r["video"]["fps"] == pytest.approx(30.0, abs=3.0))
        assert stream._run is not None
        pid = stream._run.pid
        assert url.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert not Path(f"/proc/{pid}").exists(), "it is gone with the stream"


async def test_key_frames_that_are_far_apart_have_all_frames_decoded() -> None:
    far = ("-i", f"{PICTURE};{TONE}", "-g", "600")
    async with served(*far) as url, measuring(url) as stream:
        await until(lambda: stream.decodes_all, 20.0)
        await is_measured(stream, lambda r: r["picture"] and r["picture"]["motion"])
    async with served(*far) as url, measuring(url, room=False) as stream:
        await is_measured(stream, lambda r: r["sound"] and r["sound"]["loudness"])
        assert not stream.decodes_all, "there is no room for it"


async def test_the_only_key_frame_of_a_stream_is_seen() -> None:
    async with served("-i", f"{PICTURE};{TONE}", "-g", "9000", "-sc_threshold", "0") as url, measuring(url) as stream:
        await is_measured(stream, lambda r: r["picture"] and r["picture"]["light"] > 100)


async def test_light_is_told_in_video_levels() -> None:
    dark = "color=c=0x1c1c1c:s=320x180:r=30[out0]"  # 28 of 255 is 40 in video levels
    async with served("-i", f"{dark};{TONE}", "-g", "30") as url, measuring(url) as stream:
        report = await is_measured(stream, lambda r: r["picture"])
        assert report["picture"] is not None
        assert report["picture"]["light"] == pytest.approx(40, abs=2)


async def test_an_ffmpeg_that_is_held_up_tells_of_no_silence_and_of_no_low_bitrate() -> None:
    async with served("-i", f"{PICTURE};{TONE}", "-g", "30") as url, measuring(url) as stream:
        await is_measured(stream, lambda r: r["sound"] and r["sound"]["loudness"] and r["kbps"])
        assert stream._run is not None
        os.kill(stream._run.pid, signal.SIGSTOP)
        seen: list[Report] = []
        while not seen or seen[-1]["state"] != "stopped":
            seen.append(told(stream))
            await asyncio.sleep(0.1)
        assert not any(each["sound"] and each["sound"]["level"] is None for each in seen)
        assert seen[-1]["kbps"] is None


async def test_of_a_stream_that_ends_it_is_told_since_when_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.probe.stream.DEAD_AFTER", 3.0)
    monkeypatch.setattr("daemon.probe.stream.REFUSED", 2.0)
    async with falling_silent(flv(4.0)) as url, measuring(url) as stream:
        await is_measured(stream, lambda r: r["state"] == "playing")
        await is_measured(stream, lambda r: r["state"] == "stopped" and r["seconds"] > 6.0)


async def test_a_picture_that_changes_its_size_in_mid_stream_is_measured_on(tmp_path: Path) -> None:
    url = f"tcp://127.0.0.1:{free_port()}"
    encoding = Encoding(canvas=Canvas(640, 360), resized=Canvas(320, 180), resized_after=6.0)
    publisher = Publisher(look("alice", 0), f"{url}?listen=1", log=tmp_path / "log", encoding=encoding)
    async with measuring(url) as stream:
        started = asyncio.create_task(publisher.start())
        try:
            await is_measured(stream, lambda r: r["video"] and r["video"]["width"] == 640 and r["picture"])
            pid = stream._run.pid if stream._run else None
            await is_measured(
                stream, lambda r: r["video"] and (r["video"]["width"], r["video"]["height"]) == (320, 180)
            )
            report = await is_measured(stream, lambda r: r["sound"] and r["sound"]["loudness"])
            assert report["state"] == "playing"
            assert stream._run is not None
            assert stream._run.pid == pid, "it is one stream, played once"
        finally:
            await started
            await publisher.stop()


@pytest.mark.parametrize(("graph", "missing"), [(PICTURE, "audio"), (TONE.replace("out1", "out0"), "video")])
async def test_a_stream_without_one_of_the_tracks_is_measured_as_far_as_it_goes(graph: str, missing: str) -> None:
    async with served("-i", graph, "-g", "30") as url, measuring(url) as stream:
        report = await is_measured(stream, lambda r: r["state"] == "playing" and r["kbps"])
        assert report[missing] is None  # type: ignore[literal-required]  # one of the two


def flv(seconds: float) -> bytes:
    argv = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", f"{PICTURE};{TONE}", "-t", str(seconds)]
    return subprocess.run([*argv, *FLV, "-"], capture_output=True, check=True).stdout


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_sent_ends_neither_the_stream_nor_the_probe(seed: int) -> None:
    chance = random.Random(seed)
    good = flv(2.0)

    def parts() -> bytes:
        match seed:
            case 0:
                return chance.randbytes(200_000)
            case 1:
                return good[: len(good) // 3]
            case 2:
                return good[: len(good) // 2] + chance.randbytes(300_000)
            case 3:
                return bytes(byte if chance.random() > 0.01 else chance.randrange(256) for byte in good)
            case 4:
                return good + good[:13] + good[1000:]
            case _:
                return b"FLV\x01\x05\x00\x00\x00\x09" + b"\xff" * 400_000

    files = len(list(Path("/proc/self/fd").iterdir()))
    async with rubbish(parts) as url, measuring(url) as stream:
        tries: set[int] = set()

        def twice() -> bool:
            if stream.report() is not None:
                told(stream)
            if stream._run is not None:
                tries.add(stream._run.pid)
            return len(tries) >= 2

        await until(twice, 30.0)
        assert stream._task is not None
        assert not stream._task.done()
    assert len(list(Path("/proc/self/fd").iterdir())) <= files + 3
