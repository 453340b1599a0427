"""Free TCP ports for programs that open theirs only seconds after it was chosen, as OBS does."""

import contextlib
import fcntl
import functools
import os
import random
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path

_reserved: set[int] = set()


def free_port() -> int:
    """A TCP port on loopback that is free, and that no studio on this machine is given while this process lives.

    It is one below those that the kernel gives to outgoing connections: between this look and its use another
    program's connection would take it now and then.

    Raises OSError where none is found.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    # Not from the generator that a test may have seeded: tests that run beside it would look in the same order.
    return first_free(random.SystemRandom().sample(range(10_000, max(first, 12_000)), 200))


def first_free(candidates: Iterable[int]) -> int:
    """The first of these ports that is free and not reserved; it is reserved then. Raises OSError where none is."""
    for port in candidates:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if _reserve(port):
                return port
    raise OSError("no free port was found")


def _reserve(port: int) -> bool:
    # By a lock on one byte of a file, which the kernel lets go with this process, however that ends. It does not lock
    # a process out of its own, hence the set.
    if port in _reserved:
        return False
    try:
        fcntl.lockf(_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    _reserved.add(port)
    return True


@functools.cache
def _file() -> int:
    # Open for good: a process that closes any descriptor of the file loses all its locks on it.
    path = Path(tempfile.gettempdir()) / f"motherstream-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
