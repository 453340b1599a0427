"""Rules of the random search: what befalls the daemon, its file and its disk, other daemons beside it, and time."""

import asyncio
import random
import sqlite3
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from daemon.journal.journal import Journal
from daemon.streamers.store import StreamerError, StreamerStore
from tests.simulation.harm import HARMS
from tests.simulation.loop import as_it_is
from tests.simulation.random_world import EVERYBODY, RandomWorld
from tests.simulation.world import Life

LATEST = 400.0
"""Seconds that all writes take which may wait for a disk of five seconds each, and a try that failed."""
ENDS = 12.0
"""Seconds that an orderly end may take."""
STARTED = 8.0
"""Seconds until a daemon that was started has read what there is."""
RESTORED = 20.0
"""The same where its file is not what it was."""

befallen = precondition(lambda self: "daemon" in self.troubles)


class DaemonRules(RandomWorld):
    """Each where that is one of the troubles, but for time."""

    @befallen
    @rule(gap=st.sampled_from([0.0, 0.4, 3.0]), kill=st.booleans())
    def restart_daemon(self, gap: float, kill: bool) -> None:
        async def work() -> None:
            self.viewer.excuse(ENDS + gap + STARTED)
            if kill:
                await self.kill()
            else:
                assert await self.w.stop() == 0
            await asyncio.sleep(gap)
            await self.w.start()
            self.viewer.excuse(STARTED)

        self.do(work())

    @befallen
    @rule(gap=st.sampled_from([0.0, 2.0]), how=st.sampled_from(["rubbish", "gone", *HARMS]), seed=st.integers(0, 99))
    def damage_the_file(self, gap: float, how: Any, seed: int) -> None:
        """While the daemon does not run. Its copy may be too young to have everybody's key: they are added again."""

        async def work() -> None:
            if not self._file.with_name(f"{self._file.name}.backup").exists():
                return
            await self.kill()
            self._harm(how, random.Random(seed))
            await asyncio.sleep(gap)
            self._forgotten()
            await self.w.start()
            self._add_all()
            self.keyless = False
            self._forgotten()

        self.do(work())

    @befallen
    @rule(how=st.sampled_from(["rubbish", "gone"]))
    def damage_the_file_while_it_is_used(self, how: str) -> None:
        async def work() -> None:
            self._harm(how, random.Random(0))
            self._forgotten()
            await asyncio.sleep(5.0)
            if self._is_sound():
                self._add_all()
            else:
                self.keyless = True  # so late is the disk

        self.do(work())

    @befallen
    @rule(seconds=st.sampled_from([0.5, 8.0]))
    def the_disk_is_full(self, seconds: float) -> None:
        def around(work: Any, args: tuple[Any, ...]) -> Any:
            with mock.patch.object(Journal, "_usable", side_effect=sqlite3.OperationalError("database is full")):
                return work(*args)

        async def work() -> None:
            self.w.around, self.unwritten = around, True
            await asyncio.sleep(seconds)
            self.w.around = as_it_is

        self.do(work())

    @befallen
    @rule(takes=st.sampled_from([0.0, 0.3, 5.0]))
    def the_disk_is_slow(self, takes: float) -> None:
        self.w.running.disk_takes, self.unwritten = takes, True

    @befallen
    @rule(other_port=st.booleans())
    def a_second_daemon_on_the_database(self, other_port: bool) -> None:
        """It says who has it, and ends."""

        async def work() -> None:
            changes = {"http__port": self.w.loop.free_port()} if other_port else {}
            life = self._another("second.toml", **changes)
            assert await asyncio.wait_for(life.ended(), 30.0)

        self.do(work())

    @befallen
    @rule(api=st.booleans())
    def a_second_daemon_in_obs(self, api: bool) -> None:
        """Of the same prefix and in the same scene, with a database of its own; until this comes again."""
        if self.second is not None:
            self.do(self.end_the_second())
            return

        async def begin() -> None:
            own = {"http__port": self.w.loop.free_port(), "store__path": str(self._file.with_name("second.db"))}
            self.second = self._another("second.toml", **own, **({} if api else {"ingest__srs_api": ""}))

        self.do(begin())

    @rule(seconds=st.sampled_from([0.02, 0.1, 0.5, 2.0, 10.0]))
    def time_passes(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _file(self) -> Path:
        return Path(str(self.w.settings["store.path"]))

    def _another(self, name: str, **changes: object) -> Life:
        w = self.w
        keep, file = dict(w.settings), w.file
        w.file = file.with_name(name)
        w.write_settings(**changes)
        life = Life(w.file, lambda work, args: work(*args))
        life.start()
        w.settings, w.file = keep, file
        return life

    def _harm(self, how: Any, chance: random.Random) -> None:
        paths = {end: Path(f"{self._file}{end}") for end in ("", "-wal")}
        files = {end: path.read_bytes() for end, path in paths.items() if path.exists()}
        if callable(how) and all(files.get(end) for end in paths):
            how(chance, files)
            for end, body in files.items():
                paths[end].write_bytes(body)
            return
        for end in ("-wal", "-shm", ""):
            Path(f"{self._file}{end}").unlink(missing_ok=True)
        if how != "gone":
            self._file.write_bytes(b"no database" * 1000)

    async def calm(self) -> None:
        """See there."""
        self.w.running.disk_takes = 0.0
        if self.keyless:
            self.w.around = as_it_is
            await self.w.until(self._is_sound, LATEST)
            self._add_all()
        await super().calm()

    def _is_sound(self) -> bool:
        try:
            return bool(self._file.exists() and StreamerStore(self._file).list() is not None)
        except StreamerError:
            return False

    def _forgotten(self) -> None:
        """Who publishes may have been, and the copy may be too young to have everybody's key."""
        self.viewer.excuse(RESTORED, named=True)

    def _add_all(self) -> None:
        self.w.streamers.forget()
        for name in sorted(EVERYBODY):
            self.w.add_streamer(name)
