"""A byte of the database is another one than was written, anywhere: the daemon starts, and no key is silently another.

A share of it with each run of the tests; MOTHERSTREAM_FLIPS=1000 (``make soak``) tries so many.
"""

import asyncio
import os
import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from daemon.streamers.store import StreamerRow, StreamerStore
from tests.fakes import Stream
from tests.simulation.harm import HARMS, Files, Harm
from tests.simulation.loop import simulated
from tests.simulation.world import World, world

FLIPS = int(os.environ.get("MOTHERSTREAM_FLIPS", "60"))
SEED = int(os.environ.get("MOTHERSTREAM_SEED", "4711"))
NAMES = ("alice", "bob", "carol")


class Evening:
    """What a show has left, to be harmed again and again."""

    def __init__(self, w: World, *, keys_are_played: bool = False) -> None:
        self.w = w
        self.keys_are_played = keys_are_played
        self.path = Path(str(w.settings["store.path"]))
        self.keys: dict[str, str] = {}
        self.files: Files = {}
        self.rows: tuple[StreamerRow, ...] = ()

    async def play(self) -> None:
        """A stop and a kill; keys that changed, hand-overs, some of it in the file and some in its log."""
        w, store = self.w, StreamerStore(self.path)
        self.keys = {name: store.add(name) for name in NAMES}
        await w.start()
        for name in NAMES:
            param = f"?key={self.keys[name]}"
            w.obs.streams[w.url(name) + (param if self.keys_are_played else "")] = Stream(0.1)
            client = await w.srs.publish("live", name, param)
            assert client is not None
            w.clients[name] = client
        await w.until(lambda: w.director.switchover.on_air_streamer == "alice")
        self.keys["bob"] = store.rotate("bob")
        await asyncio.sleep(5.0)
        for _ in range(3):
            await w.ask("POST", "/queue/skip")
            await asyncio.sleep(5.0)
        self.rows = store.list()
        self.files = {suffix: Path(f"{self.path}{suffix}").read_bytes() for suffix in ("", "-wal", ".backup")}
        await w.kill()

    def lay(self, files: Files) -> None:
        """Put these there, and nothing else."""
        for old in self.path.parent.glob(f"{self.path.name}*"):
            old.unlink()
        for suffix, body in files.items():
            Path(f"{self.path}{suffix}").write_bytes(body)

    async def start(self, harm: Harm, chance: random.Random) -> str:
        """Harm it and start: what came of it."""
        files = dict(self.files)
        what = harm(chance, files)
        self.lay(files)
        mark = len(self.w.lines)
        await self.w.start()
        try:
            found, life = StreamerStore(self.path).list(), self.w.running
            told = [line for line in self.w.lines[mark:] if line["log_level"] == "error"]
            assert {row.key_hash for row in found} <= {row.key_hash for row in self.rows}, f"{what}: a stranger's key"
            if set(found) != set(self.rows):
                assert [line for line in told if "key" in line["event"]], (
                    f"{what}: keys are lost, and nobody says so: {[row.name for row in found]}\n"
                    + "\n".join(self.w.tail())
                )
            checks = (await self.w.ask("GET", "/readyz"))["checks"]
            assert checks["journal"]["ok"], (what, checks)
            assert checks["keys"]["ok"], (what, checks)
            assert life.main is not None
            assert not life.main.done(), what
        finally:
            await self.w.kill()
        whole = "keys whole" if set(found) == set(self.rows) else "keys told"
        line_up = len(self.w.director.lineup)
        return f"{whole}, {'told' if told else 'nothing noticed'}, {line_up} in the line-up"


def test_wherever_a_bit_is_flipped_the_daemon_starts_and_keys_are_whole_or_it_is_told(tmp_path: Path) -> None:
    chance, came = random.Random(SEED), Counter[str]()

    async def act() -> None:
        async with world(tmp_path, {"queue.auth": "keys", "ingest.srs_api": ""}) as w:
            evening = Evening(w)
            await evening.play()
            for _ in range(FLIPS):
                came[await evening.start(chance.choice(HARMS), chance)] += 1

    with simulated() as runner:
        runner.run(act())
    assert came.total() == FLIPS
    print(f"{FLIPS} starts: {dict(came)}")


def as_of_the_earlier_version(path: Path) -> None:
    """Make the file what it was before rows bore marks."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        seq, state = db.execute("SELECT seq, state FROM snapshot ORDER BY seq DESC LIMIT 1").fetchone()
        db.execute("DROP TABLE snapshot")
        db.execute(
            "CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, state TEXT NOT NULL)"
        )
        db.execute("INSERT INTO snapshot VALUES (1, ?, ?)", (seq, state))
        for table in ("event", "handover", "stream", "streamer"):
            db.execute(f"ALTER TABLE {table} DROP COLUMN mark")
        db.execute("DROP TABLE meta")
        db.execute("PRAGMA user_version=1")
        db.execute("PRAGMA journal_mode=DELETE")


def harmed(chance: random.Random, path: Path) -> str:
    """Flip a bit of a row that a start reads; what it was, for people."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        rows = [
            (table, column, number)
            for table, column in (("snapshot", "state"), ("event", "body"), ("stream", "body"), ("stream", "session"))
            for (number,) in db.execute(f"SELECT rowid FROM {table}")
        ]
        table, column, number = chance.choice(rows)
        (text,) = db.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (number,)).fetchone()
        raw = bytearray(text.encode())
        place, bit = chance.randrange(len(raw)), 1 << chance.randrange(8)
        raw[place] ^= bit
        db.execute(f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE rowid = ?", (bytes(raw), number))
        return f"bit {bit} of {text[max(0, place - 20) : place + 20]!r} in {table}.{column}"


def test_the_same_with_the_database_of_an_earlier_version(tmp_path: Path) -> None:
    """It bears no marks: what can be read is believed as far as it reads."""
    chance = random.Random(SEED)

    async def act() -> None:
        # With the arguments in the URL, sessions have more to remember than their names.
        url = "rtmp://127.0.0.1:1935/{app}/{stream}{param}"
        async with world(tmp_path, {"queue.auth": "keys", "ingest.srs_api": "", "ingest.rtmp_url": url}) as w:
            evening = Evening(w, keys_are_played=True)
            await evening.play()
            # A snapshot, and events after it.
            await w.start()
            await w.stop()
            await w.start()
            await w.until(lambda: w.director.switchover.on_air_streamer != "")
            await w.ask("POST", "/queue/skip")
            await w.kill()
            as_of_the_earlier_version(evening.path)
            whole = {"": evening.path.read_bytes()}
            for _ in range(FLIPS // 2):
                evening.lay(whole)
                what = harmed(chance, evening.path)
                await w.start()
                try:
                    checks = (await w.ask("GET", "/readyz"))["checks"]
                    assert checks["journal"]["ok"], (what, checks)
                    main = w.running.main
                    assert main is not None
                    assert not main.done(), what
                finally:
                    await w.kill()

    with simulated() as runner:
        runner.run(act())
