"""``motherstream-probe``: asks, measures, reports, once a second, until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from daemon import __version__
from daemon.config.model import Log
from daemon.core.redaction import Redactor
from daemon.observability import logging as logs
from daemon.probe.client import Daemon, DaemonError
from daemon.probe.pool import Pool

log = structlog.get_logger("daemon.probe")

URL: Final = "http://127.0.0.1:8000"
EVERY: Final = 1.0
"""Seconds between two reports."""
DROPPED_AFTER: Final = 30.0
"""Seconds without the daemon after which nothing is measured any more: there is nobody to tell."""
NICE: Final = 19
"""The least of all: OBS comes first."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        token = read_token(arguments.token_file, os.environ)
        check_url(arguments.url)
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"motherstream-probe: the token cannot be read: {error}\n")
        return 78
    except ValueError as error:
        sys.stderr.write(f"motherstream-probe: {error}\n")
        return 78
    if shutil.which("ffmpeg") is None:
        sys.stderr.write("motherstream-probe: there is no ffmpeg in PATH: install it (apt install ffmpeg)\n")
        return 78
    handle = logs.setup(Log(file=None), Redactor(*filter(None, [token])))
    try:
        give_way()
        return asyncio.run(run(arguments.url, token))
    finally:
        handle.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("motherstream-probe", description="Measures the sound and picture of each stream.")
    parser.add_argument(
        "--url", default=os.environ.get("MOTHERSTREAM_PROBE_URL", URL), help=f"the daemon's address ({URL})"
    )
    parser.add_argument("--token-file", type=Path, help="file with probe.token (or the credential probe.token)")
    parser.add_argument("--version", action="version", version=f"motherstream-probe {__version__}")
    return parser


def read_token(path: Path | None, environ: Mapping[str, str]) -> str:
    """The token: of the file, else of systemd's credential, else of the environment; empty for none.

    Raises OSError where it cannot be read, ValueError where it can be none.
    """
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    if path is None and credentials and (found := Path(credentials, "probe.token")).exists():
        path = found
    token = environ.get("MOTHERSTREAM_PROBE__TOKEN", "") if path is None else path.read_text(encoding="utf-8").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the token may hold no spaces, line ends or letters beyond ASCII")
    return token


def check_url(url: str) -> None:
    """Raises ValueError where that cannot be the daemon's address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or ".." in parts.hostname:
        raise ValueError("--url must be the daemon's address, such as http://127.0.0.1:8000, without a user")


def give_way() -> None:
    """Take the processors last, and all ffmpegs with it: a show that is rendered late is worse than a late figure.

    Linux may share the processors between terminals' sessions first (sched(7), autogroup): there the session's niceness
    is what counts, and it can be set where this process leads one.
    """
    try:
        os.nice(NICE)
        if os.getpid() != os.getsid(0) and os.getpid() != os.getpgid(0):
            os.setsid()
        if os.getpid() == os.getsid(0):
            Path("/proc/self/autogroup").write_text(str(NICE), encoding="ascii")
    except OSError:
        return  # no such thing here, or not ours to set: what was set holds


async def run(url: str, token: str) -> int:
    """Until it is told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("motherstream-probe starts", version=__version__, url=url)
    pool = Pool()
    async with aiohttp.ClientSession() as session:
        try:
            await _follow(Daemon(session, url, token), pool, stop)
        finally:
            await pool.stop()
    log.info("motherstream-probe has stopped")
    return 0


async def _follow(daemon: Daemon, pool: Pool, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    heard_at, trouble = loop.time(), ""
    while not stop.is_set():
        due = loop.time() + EVERY
        try:
            orders = await daemon.report({"streams": pool.reports()})
        except DaemonError as error:
            if str(error) != trouble:
                log.warning(f"The daemon does not take reports: {error}", reason=str(error))
            trouble = str(error)
            if loop.time() - heard_at > DROPPED_AFTER:
                await pool.follow([], previews=False)
        else:
            if trouble:
                log.info("The daemon takes reports again")
            heard_at, trouble = loop.time(), ""
            await pool.follow(orders["streams"], previews=orders["previews"])
        try:
            async with asyncio.timeout_at(due):
                await stop.wait()
        except TimeoutError:
            continue
