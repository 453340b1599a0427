"""Makes the roots, and keeps them: one folder each in the cache, whole or not there at all.

A root is made in a folder beside its place and renamed when it is whole. A lock says who makes it and who uses it; the
programs that make it hold that lock too, so that nobody begins again while anything of a killed maker still runs.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.matrix import inside, machine
from tests.matrix.systems import PACKAGES, System

ROOM = 6 * 1024**3
"""Bytes that have to be free to make one: it takes 2 GB, and as much again on the way there."""

STAMP = "motherstream-root.json"
"""In a root that is whole: what it was made of, and when."""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

LONGEST = 900.0
"""Seconds that one step of the making may take. All of them take five minutes on two cores."""

Say = Callable[[str], None]


class RootError(Exception):
    """A root cannot be made. Says what was tried, and how that ended."""


class HinderedError(RootError):
    """This machine lacks what it takes: room, a program, time, a way to the archive. It says nothing of the project."""


@dataclass(frozen=True, slots=True)
class Made:
    """A root that is there."""

    system: System
    folder: Path
    obs: str
    """The version of its OBS, as Debian has it."""
    python: str
    lock: int
    """The file descriptor of the lock that is held: for programs that have to hold it as well."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a root was made of, and when (seconds since the epoch)."""

    recipe: str
    made: float


class Roots:
    """Those in the folder `cache`. What goes on is told to `say`, in a line each."""

    def __init__(self, cache: Path, say: Say) -> None:
        self.cache = cache
        self._say = say

    @contextmanager
    def held(self, system: System, *, fresh: bool = False) -> Iterator[Made]:
        """Its root, made where it is not there, is of another recipe, or is too old (or `fresh`), and kept meanwhile.

        Where one that is only too old cannot be made anew, the old one is taken. Raises RootError where there is none,
        HinderedError among them where that is this machine's doing.
        """
        self.cache.mkdir(parents=True, exist_ok=True)
        folder = self.cache / system.suite
        with (self.cache / f"{system.suite}.lock").open("wb") as lock:
            self._lock(lock, system)
            if not folder.exists() and before(folder).exists():
                before(folder).rename(folder)  # killed between the two steps of an exchange
            state = stamp(folder)
            if state is None or state.recipe != system.recipe:
                self._make(system, folder, lock)
            elif fresh or (system.lasts is not None and time.time() - state.made > system.lasts):
                try:
                    self._make(system, folder, lock)
                except RootError as error:
                    self._say(f"{system.name}: the root of before is used, for it cannot be made anew: {error}")
            yield Made(system, folder, version(folder, "obs-studio"), version(folder, "python3"), lock.fileno())

    def _lock(self, lock: IO[bytes], system: System) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._say(f"{system.name}: waiting for another run that uses its root")
            fcntl.flock(lock, fcntl.LOCK_EX)

    def _make(self, system: System, folder: Path, lock: IO[bytes]) -> None:
        new, old = folder.with_name(f"{folder.name}.new"), before(folder)
        for left in (new, old):
            remove(left)
        if (free := shutil.disk_usage(self.cache).free) < ROOM:
            raise HinderedError(
                f"{self.cache} has {free / 1e9:.1f} GB free; {ROOM / 1e9:.0f} are needed: --cache names another place"
            )
        if shutil.which("debootstrap") is None or not Path(KEYRING).exists():
            raise HinderedError("on Debian: apt-get install debootstrap debian-archive-keyring")
        try:
            mirror = machine.mirror()
            self._reach(mirror, system)
            try:
                self._build(system, mirror, new, lock)
            except RootError:
                # A way to the archive that is gone meanwhile is why.
                self._reach(mirror, system)
                raise
            (new / STAMP).write_text(json.dumps({"recipe": system.recipe, "made": time.time()}))
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        except machine.MachineError as error:
            raise HinderedError(str(error)) from error
        finally:
            remove(new)
            remove(old)

    def _reach(self, mirror: str, system: System) -> None:
        if not machine.reaches(mirror, system.suite):
            raise HinderedError(f"{mirror} cannot be reached, or has no {system.suite}")

    def _build(self, system: System, mirror: str, new: Path, lock: IO[bytes]) -> None:
        log = self.cache / f"{system.suite}.log"
        log.unlink(missing_ok=True)
        step = _Step(system, log, lock, self._say)
        bootstrap = ("debootstrap", "--variant=minbase", f"--keyring={KEYRING}", system.suite, str(new), mirror)
        step("the base system", inside.beside(("env", *machine.proxies(), *bootstrap)))
        self._teach(new)
        policy = new / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\n# Nothing is started in this root.\nexit 101\n")
        policy.chmod(0o755)
        apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "Acquire::Retries=3")
        for what, arguments in (
            ("the lists of packages", ("update",)),
            ("OBS and the rest", ("-y", "install", "--no-install-recommends", *PACKAGES)),
            ("clearing up", ("clean",)),
        ):
            step(what, inside.inside(new, (*apt, *arguments), shared=machine.NETWORK))

    def _teach(self, new: Path) -> None:
        """Have its apt fetch as this machine's does, and trust whom it trusts."""
        settings = machine.fetching()
        bundle = machine.ca_bundle(settings)
        if bundle is not None:
            shutil.copy(bundle, new / "etc/apt/machine.pem")
            # The last one counts.
            settings += 'Acquire::https::CAInfo "/etc/apt/machine.pem";\n'
        (new / "etc/apt/apt.conf.d/10machine").write_text(settings)
        # A root that is not whole is thrown away, so that nothing has to be on the disk before it is renamed.
        (new / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n")


class _Step:
    """One step of the making after the other, with a sign of life every few seconds."""

    EVERY = 10.0

    def __init__(self, system: System, log: Path, lock: IO[bytes], say: Say) -> None:
        self._system = system
        self._log = log
        self._lock = lock
        self._say = say
        self._began = time.monotonic()

    def __call__(self, what: str, command: tuple[str, ...]) -> None:
        last: list[str] = []
        told = time.monotonic()
        self._say(f"{self._system.name}: {what}")

        def line(text: str) -> None:
            nonlocal told
            log.write(f"{text}\n")
            last.append(text)
            del last[:-12]
            if time.monotonic() - told >= self.EVERY:
                told = time.monotonic()
                self._say(f"{self._system.name}: {told - self._began:4.0f} s  {text[:90]}")

        with self._log.open("a") as log:
            code = inside.run(command, line, within=LONGEST, keep=(self._lock.fileno(),))
        if code == -signal.SIGKILL:
            raise HinderedError(f"{what} was killed, or not done within {LONGEST:.0f} s")
        if code:
            tail = "\n".join(f"    {text}" for text in last)
            raise RootError(f"{what} ended with {code}; {self._log} has all of it, and this is its end:\n{tail}")


def before(root: Path) -> Path:
    """Where a root stands that is about to be replaced."""
    return root.with_name(f"{root.name}.old")


def stamp(root: Path) -> Stamp | None:
    """What a whole root says of itself; None where there is none."""
    try:
        read = json.loads((root / STAMP).read_text())
        return Stamp(str(read["recipe"]), float(read["made"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def version(root: Path, package: str) -> str:
    """Of a package in a root, without what Debian has added to it; "?" where it is not there."""
    query = ("dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "-W", "-f", "${Version}", package)
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.stdout.rpartition(":")[2].partition("+")[0].partition("-")[0] or "?"


def remove(folder: Path) -> None:
    """A folder with all in it. Nothing is mounted there: what was, went with the last program that saw it."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.ismount(folder) or any(line.split()[1].startswith(f"{folder}/") for line in _mounts()):
            raise RootError(f"something is mounted in {folder}: unmount it, it is not removed")
        shutil.rmtree(folder)


def _mounts() -> list[str]:
    return Path("/proc/mounts").read_text().splitlines()
