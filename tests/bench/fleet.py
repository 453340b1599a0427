"""Many channels on one machine: ``python -m tests.bench.fleet --channels 10,25,50,100``.

Daemons and PostgreSQL are real, two daemons a channel; each channel has a fake OBS, and its hooks are made up. Measured
are: processor and memory of each daemon at rest, PostgreSQL's share, hooks over all channels, and how long it takes
until a half of the owners, killed at once, are replaced. Writes JSON, and a plot beside it.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from daemon.shared.postgres import Postgres as Store
from daemon.shared.streamers import put_streamers
from daemon.streamers.store import StreamerRow, hash_key
from daemon.studio.ports import free_port
from daemon.studio.postgres import Postgres
from daemon.studio.process import environment
from tests.bench.figures import percentile
from tests.support import until
from tests.svg import GRID, INK, MUTED, Svg

TICK = os.sysconf("SC_CLK_TCK")
REST = 20.0
"""Seconds for which daemons are watched at rest."""
HOOK_SECONDS = 10.0
RATE = 2000
STREAMERS = 100
MOST_STARTING = 6
WITHIN = 180.0


@dataclass
class Figures:
    """Of one number of channels."""

    channels: int
    cpu: float = 0.0
    """Per cent of one core that an owner and its heir take together at rest."""
    owner_mb: float = 0.0
    """Proportional set size of an owner."""
    heir_mb: float = 0.0
    postgres_cpu: float = 0.0
    """Per cent of one core, all its processes."""
    postgres_mb: float = 0.0
    statements: float = 0.0
    """That PostgreSQL carries out in a second at rest."""
    hooks: float = 0.0
    """In a second, answered."""
    hook_p50: float = 0.0
    """Milliseconds."""
    hook_p99: float = 0.0
    killed: int = 0
    taken_over: float = 0.0
    """Seconds until all of the killed owners were replaced."""


class Daemon:
    """One process."""

    def __init__(self, folder: Path, channel: str, obs: tuple[int, str], store: str) -> None:
        self.port = free_port()
        self.channel = channel
        folder.mkdir(parents=True)
        settings = {
            "CHANNEL": channel,
            "HTTP__PORT": str(self.port),
            "OBS__PORT": str(obs[0]),
            "OBS__PASSWORD": obs[1],
            "STORE__PATH": str(folder / "a.db"),
            "STORE__URL": store,
            "LOG__FILE": "",
            "LOG__LEVEL": "warning",
            "HEALTH__REPORT_DIR": "",
            "INGEST__RTMP_URL": "rtmp://127.0.0.1:1/{app}/{stream}",
        }
        self._environ = environment() | {f"MOTHERSTREAM_{name}": value for name, value in settings.items()}
        self._log = folder / "log"
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daemon", "run"], env=self._environ, cwd=self._folder, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def cpu_seconds(pids: Sequence[int]) -> float:
    """That they have taken so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def pss(pid: int) -> float:
    """Megabytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(pid: int) -> list[int]:
    """It, and those that it has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in found)]


async def serve_obs(count: int, told: Path) -> None:
    """So many fake OBS in one process."""
    from tests.fakes import FakeObs  # noqa: PLC0415  # for this process alone

    async with AsyncExitStack() as stack:
        every = [await stack.enter_async_context(FakeObs()) for _ in range(count)]
        unfinished = told.with_suffix(".new")
        await asyncio.to_thread(unfinished.write_text, json.dumps([(obs.port, obs.password or "") for obs in every]))
        await asyncio.to_thread(unfinished.rename, told)
        await asyncio.Event().wait()


def serving(count: int, told: Path) -> subprocess.Popen[bytes]:
    """The same as a program of its own."""
    return subprocess.Popen([sys.executable, "-m", "tests.bench.fleet", "--serve", str(count), "--told", str(told)])


async def wait_for(path: Path) -> Any:
    await until(path.exists, 60.0)
    return json.loads(path.read_text())


async def measure(count: int) -> Figures:
    """All of it for so many channels."""
    figures = Figures(count)
    folder = Path(tempfile.mkdtemp(prefix="motherstream-fleet-"))
    postgres = Postgres(folder / "postgres", {"max_connections": str(2 * count + 30)})
    await postgres.start()
    told = folder / "obs.json"
    fakes = serving(count, told)
    owners: list[Daemon] = []
    heirs: list[Daemon] = []
    store = Store(postgres.url(), within=20.0)
    try:
        ports = await wait_for(told)
        now = time.time()
        rows = [StreamerRow(f"s{n}", None, True, now, now, hash_key(f"{n:032}")) for n in range(STREAMERS)]
        await put_streamers(store, rows)
        for name, into in (("owner", owners), ("heir", heirs)):
            for number in range(count):
                into.append(Daemon(folder / f"{name}{number}", f"c{number}", tuple(ports[number]), postgres.url()))
            for first in range(0, count, MOST_STARTING):
                for each in into[first : first + MOST_STARTING]:
                    each.start()
                await until_lives(store, "owner" if name == "owner" else "heir", min(count, first + MOST_STARTING))
        await asyncio.sleep(5.0)
        await at_rest(figures, owners, heirs, postgres)
        await hooks(figures, owners)
        await killed(figures, owners, store, min(50, max(1, count // 2)))
    finally:
        for each in (*owners, *heirs):
            each.kill()
        fakes.kill()
        await store.close()
        await postgres.kill()
    return figures


async def until_lives(store: Store, role: str, count: int) -> None:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        row = await store.row(
            "SELECT count(*) AS n FROM motherstream.member WHERE body LIKE $1 AND seen_at > now() - interval '4 s'",
            f'%"role": "{role}"%',
        )
        if row is not None and row["n"] >= count:
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"{count} {role}s do not live")


async def at_rest(figures: Figures, owners: list[Daemon], heirs: list[Daemon], postgres: Postgres) -> None:
    daemons = [each.pid for each in (*owners, *heirs)]
    assert postgres.process.pid is not None
    servers = children(postgres.process.pid)
    counted = "SELECT sum(xact_commit) FROM pg_stat_database"
    before, theirs, done = cpu_seconds(daemons), cpu_seconds(servers), int(await postgres.query(counted))
    began = time.monotonic()
    await asyncio.sleep(REST)
    passed = time.monotonic() - began
    figures.cpu = 100 * (cpu_seconds(daemons) - before) / passed / figures.channels
    figures.postgres_cpu = 100 * (cpu_seconds(servers) - theirs) / passed
    figures.statements = (int(await postgres.query(counted)) - done) / passed
    figures.owner_mb = sum(pss(each.pid) for each in owners) / len(owners)
    figures.heir_mb = sum(pss(each.pid) for each in heirs) / len(heirs)
    figures.postgres_mb = sum(pss(pid) for pid in servers)


def hook(number: int, action: str) -> bytes:
    """As SRS sends it."""
    said = {"action": action, "client_id": f"s{number}", "app": "live", "stream": f"s{number}"}
    body = json.dumps({**said, "param": f"?key={number:032}"}).encode()
    head = (
        f"POST /hooks/srs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body


async def hooks(figures: Figures, owners: list[Daemon]) -> None:
    """Publishes and unpublishes of one streamer, over all channels in turn, at a steady rate."""
    took: list[float] = []
    end = time.monotonic() + HOOK_SECONDS

    async def one(number: int) -> None:
        daemon, published = owners[number % len(owners)], False
        reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
        every = STREAMERS / RATE
        due = time.monotonic() + every * (number / STREAMERS)
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            writer.write(hook(number, "on_unpublish" if published else "on_publish"))
            began = time.monotonic()
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
            took.append(time.monotonic() - began)
            published = not published
            due = max(due + every, time.monotonic() - 1.0)
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(STREAMERS)))
    figures.hooks = len(took) / (time.monotonic() - began)
    figures.hook_p50, figures.hook_p99 = (1000 * percentile(took, share) for share in (0.5, 0.99))


async def killed(figures: Figures, owners: list[Daemon], store: Store, count: int) -> None:
    before = {row["channel"]: row["epoch"] for row in await store.rows("SELECT channel, epoch FROM motherstream.lease")}
    victims = owners[:count]
    began = time.monotonic()
    for each in victims:
        os.kill(each.pid, signal.SIGKILL)
    left = {each.channel for each in victims}
    while left and time.monotonic() - began < WITHIN:
        # In charge is who has the lease and says so, which an owner does once it leads the show.
        for row in await store.rows(
            "SELECT channel, epoch, body FROM motherstream.lease JOIN motherstream.member USING (channel, run)"
            " WHERE expires_at > now()"
        ):
            said = json.loads(row["body"])
            is_new = row["epoch"] > before.get(row["channel"], 0) and said.get("role") == "owner"
            if is_new and "obs" not in said["problems"]:
                left.discard(row["channel"])
        await asyncio.sleep(0.1)
    figures.killed = count
    figures.taken_over = time.monotonic() - began if not left else float("inf")


def plot(found: Sequence[Figures], path: Path) -> None:
    """Cost against the number of channels: a straight line, if all is well."""
    svg = Svg(640, 300, title="What many channels on one machine cost at rest")
    most = max(each.channels for each in found)
    tops = (
        max(each.cpu * each.channels for each in found),
        max((each.owner_mb + each.heir_mb) * each.channels for each in found),
    )
    for panel, (title, top, values) in enumerate(
        (
            ("processor, % of one core", tops[0], [each.cpu * each.channels for each in found]),
            ("memory, MB", tops[1], [(each.owner_mb + each.heir_mb) * each.channels for each in found]),
        )
    ):
        left, bottom, width, height = 50 + 320 * panel, 250, 240, 190
        svg.text(left, 30, f"All daemons at rest: {title}")
        svg.line(left, bottom, left + width, bottom, stroke=GRID)
        svg.line(left, bottom, left, bottom - height, stroke=GRID)
        svg.text(left - 4, bottom - height, f"{top:.0f}", fill=MUTED, anchor="end")
        points = [
            (left + width * each.channels / most, bottom - height * value / top)
            for each, value in zip(found, values, strict=True)
        ]
        for (x, y), each in zip(points, found, strict=True):
            svg.circle(x, y, 4, fill=INK)
            svg.text(x, bottom + 18, str(each.channels), fill=MUTED, anchor="middle")
        svg.line(left, bottom, *points[-1], stroke=MUTED)
    svg.write(path)


async def _main(counts: Sequence[int], out: Path) -> None:
    found = []
    for count in counts:
        figures = await measure(count)
        found.append(figures)
        print(json.dumps(asdict(figures)), flush=True)
        await asyncio.to_thread((out / "fleet.json").write_text, json.dumps([asdict(each) for each in found], indent=1))
    plot(found, out / "fleet.svg")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    parser.add_argument("--channels", default="10,25,50,100")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--told", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.serve:
        asyncio.run(serve_obs(arguments.serve, arguments.told))
    else:
        asyncio.run(_main([int(part) for part in arguments.channels.split(",")], arguments.out))
