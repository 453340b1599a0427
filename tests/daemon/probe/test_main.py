"""The program around the measuring: its token, its end, and what it makes of the daemon's answers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from daemon.core.probing import MOST_STREAMS, Order, Report
from daemon.probe import main as program
from daemon.probe.client import LARGEST, Daemon, DaemonError
from daemon.probe.main import main, read_token
from daemon.probe.pool import PREVIEWS_MOST, Pool
from daemon.probe.stream import Stream
from daemon.studio import free_port
from tests.daemon.quality.reports import report
from tests.support import until

NOTHING = {"streams": [], "previews": False, "left_out": 0}


@asynccontextmanager
async def answering(*answers: web.Response) -> AsyncIterator[str]:
    """A daemon that gives these, and the last one for ever; its address."""
    left = list(answers)

    async def answer(request: web.Request) -> web.Response:
        found = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(body=found.body, status=found.status, headers=found.headers)

    app = web.Application()
    app.router.add_post("/probe", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def refusal(*answers: web.Response) -> str:
    """What is said of such an answer."""
    async with answering(*answers) as url, aiohttp.ClientSession() as session:
        with pytest.raises(DaemonError) as caught:
            await Daemon(session, url, "t").report({"streams": []})
    await asyncio.sleep(0)  # what is closed is gone with the loop's next turn
    return str(caught.value)


def test_the_token_is_of_the_file_else_of_the_credential_else_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "probe.token").write_text("of-the-credential\n")
    (tmp_path / "other").write_text("of-the-file\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "MOTHERSTREAM_PROBE__TOKEN": "of-the-environment"}
    assert read_token(tmp_path / "other", environ) == "of-the-file"
    assert read_token(None, environ) == "of-the-credential"
    (tmp_path / "probe.token").unlink()
    assert read_token(None, environ) == "of-the-environment"
    assert read_token(None, {}) == ""


def test_without_its_token_or_without_ffmpeg_it_says_so_and_is_not_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["--token-file", str(tmp_path / "none")]) == 78
    assert "the token cannot be read" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == 78
    assert "install it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            web.json_response({"error": {"message": "a token is needed"}}, status=401),
            "refuses with 401: a token is needed",
        ),
        (web.Response(text="<html>", status=502), "refuses with 502: no reason given"),
        (web.Response(text="[]", status=500), "refuses with 500: no reason given"),
        (web.Response(body=b"[" * 200_000, status=500), "refuses with 500: no reason given"),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "refuses with 302"),
        (web.Response(text="{}"), "makes no sense"),
        (web.Response(body=b"\xff\xfe"), "makes no sense"),
        (web.Response(body=b"[" * (LARGEST + 10)), "makes no sense"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_answer_that_is_none_is_told_in_one_line(answer: web.Response, said: str) -> None:
    told = await refusal(answer)
    assert said in told
    assert "\n" not in told


async def test_nobody_there_is_told_without_the_address() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(DaemonError, match="no answer"):
            await Daemon(session, f"http://user:secret@127.0.0.1:{free_port()}", "").report({"streams": []})


async def test_trouble_with_the_daemon_is_logged_once_and_so_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "EVERY", 0.01)
    no = web.json_response({"error": {"message": "no"}}, status=403)
    with capture_logs() as lines:
        async with answering(no, no, no, web.json_response(NOTHING)) as url:
            task = asyncio.create_task(program.run(url, ""))
            await until(lambda: any("again" in line["event"] for line in lines))
            os.kill(os.getpid(), signal.SIGTERM)
            assert await task == 0
    said = [line["event"] for line in lines]
    assert sum("does not take reports" in line for line in said) == 1
    assert said[-1] == "motherstream-probe has stopped"


async def test_why_a_stream_cannot_be_measured_is_reported_and_logged_once() -> None:
    url = f"tcp://127.0.0.1:{free_port()}/secret"
    stream = Stream({"session": "s", "streamer": "alice", "url": url}, previews=False, may_decode_all=lambda _: False)
    with capture_logs() as lines:
        stream.start()
        try:
            await until(lambda: (told := stream.report()) is not None and told["problem"])
            told = stream.report()
        finally:
            await stream.stop()
    assert told is not None
    assert told["state"] == "opening"
    assert "cannot be measured" in told["problem"]
    assert "Connection refused" in told["problem"]
    assert "secret" not in json.dumps(told) + str(lines)
    assert len(lines) == 1


async def test_an_answer_in_pieces_is_read_whole() -> None:
    orders = [{"session": f"srs:{n}", "streamer": f"s{n}", "url": "rtmp://127.0.0.1/live/x"} for n in range(60)]
    body = json.dumps({**NOTHING, "streams": orders}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        for piece in (head.encode(), body[:1448], body[1448:3000], body[3000:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()
        await writer.wait_closed()
        answered.set()

    answered = asyncio.Event()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, aiohttp.ClientSession() as session:
        port = server.sockets[0].getsockname()[1]
        told = await Daemon(session, f"http://127.0.0.1:{port}", "").report({"streams": []})
        await answered.wait()
    assert len(told["streams"]) == 60


@pytest.mark.parametrize(
    ("token", "url", "said"),
    [
        ("two\nlines", "http://127.0.0.1:8000", "the token may hold"),
        ("s\u00e9cret", "http://127.0.0.1:8000", "the token may hold"),
        ("t", "http://user:pw@127.0.0.1:8000", "--url must be"),
        ("t", "http://a..b:8000", "--url must be"),
        ("t", "127.0.0.1:8000", "--url must be"),
        ("t", "http://[::1", "Invalid IPv6 URL"),
    ],
)
def test_a_token_or_an_address_that_is_none_is_refused_at_the_start(
    token: str, url: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(token)
    assert main(["--token-file", str(tmp_path / "token"), "--url", url]) == 78
    told = capsys.readouterr().err
    assert said in told
    assert "pw" not in told


def test_no_more_are_measured_than_can_be_told_and_previews_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    class Played:
        decodes_all = False

        def __init__(self, order: Order, **_: object) -> None:
            self.order = order

        def start(self) -> None:
            """Nothing to do."""

        def report(self) -> Report:
            return report(self.order["session"], preview="x" * 40_000)

    monkeypatch.setattr("daemon.probe.pool.Stream", Played)
    pool = Pool()
    orders: list[Order] = [{"session": str(n), "streamer": "x", "url": "u"} for n in range(5000)]

    async def grow() -> None:
        for _ in range(100):
            await pool.follow(orders, previews=True)

    asyncio.run(grow())
    shown: set[str] = set()
    for _ in range(MOST_STREAMS):
        reports = pool.reports()
        assert len(reports) == MOST_STREAMS
        previews = [each for each in reports if each["preview"]]
        assert sum(len(each["preview"] or "") for each in previews) <= PREVIEWS_MOST
        shown |= {each["session"] for each in previews}
    assert len(shown) == MOST_STREAMS


def test_it_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "daemon.probe", "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"motherstream-probe ")
