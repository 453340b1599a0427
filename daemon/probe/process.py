"""One run of ffmpeg: started, read, bounded, ended."""

import asyncio
import contextlib
import functools
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from daemon.probe.lines import CHUNK

MOST_DATA: Final = 256 * 1024 * 1024
"""Bytes that a run may allocate: a picture of absurd size ends it, and nothing else."""
TICKS: Final = os.sysconf("SC_CLK_TCK")
ENDS_WITHIN: Final = 2.0
"""Seconds until one that was asked to end is made to."""

Take = Callable[[bytes], None]


class Run:
    """One ffmpeg, its pipes read by ``takes``. ``wait`` returns when it has ended."""

    def __init__(self, process: asyncio.subprocess.Process, readers: Sequence[asyncio.Task[None]]) -> None:
        self._process = process
        self._readers = readers
        self.pid = process.pid

    @classmethod
    async def start(
        cls,
        argv: Callable[[dict[str, int]], Sequence[str]],
        stdin: bytes,
        pipes: Mapping[str, Take],
        others: tuple[Take, Take],
    ) -> "Run":
        """Start it; ``others`` read its standard output and error.

        Raises OSError where there is no ffmpeg, or no descriptor is left.
        """
        ends = {}
        try:
            for name in pipes:
                ends[name] = os.pipe()
            process = await asyncio.create_subprocess_exec(
                *guarded(argv({name: write for name, (_, write) in ends.items()})),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=[write for _, write in ends.values()],
                limit=CHUNK,
            )
        except BaseException:
            for read, write in ends.values():
                os.close(read)
                os.close(write)
            raise
        for _, write in ends.values():
            os.close(write)
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
        readers = [asyncio.create_task(_read_pipe(ends[name][0], take)) for name, take in pipes.items()]
        for stream, take in zip((process.stdout, process.stderr), others, strict=True):
            assert stream is not None  # noqa: S101  # they were asked for
            readers.append(asyncio.create_task(_read(stream, take)))
        assert process.stdin is not None  # noqa: S101  # it was asked for
        with contextlib.suppress(OSError):
            process.stdin.write(stdin)
            await process.stdin.drain()
            process.stdin.close()
        return cls(process, readers)

    async def wait(self) -> int:
        """Its exit code, once all that it has said is read."""
        code = await self._process.wait()
        await asyncio.wait(self._readers, timeout=ENDS_WITHIN)
        self._stop_reading()
        return code

    async def end(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._stop_reading()
        await asyncio.gather(*self._readers, return_exceptions=True)

    @property
    def cpu(self) -> float:
        """Seconds of a processor that it has taken."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / TICKS
        return 0.0

    def _stop_reading(self) -> None:
        for reader in self._readers:
            reader.cancel()


def guarded(argv: Sequence[str]) -> list[str]:
    """The same, gone with the probe however that ends, and with no more rights than it."""
    return [*_guard(), *argv]


@functools.cache
def _guard() -> tuple[str, ...]:
    """Nothing where it is not allowed. It is not under the probe's own unit, whose control group ends all of it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    guard = (setpriv, "--pdeathsig", "KILL", "--no-new-privs")
    tried = subprocess.run([*guard, "true"], capture_output=True, check=False)  # noqa: S603  # our own words alone
    return guard if tried.returncode == 0 else ()


async def _read_pipe(descriptor: int, take: Take) -> None:
    reader = asyncio.StreamReader(limit=CHUNK)
    file = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), file
    )
    try:
        await _read(reader, take)
    finally:
        transport.close()


async def _read(reader: asyncio.StreamReader, take: Take) -> None:
    while data := await reader.read(CHUNK):
        take(data)
