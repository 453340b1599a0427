"""Programs in a root of their own, or beside one that is being made: nothing of them outlives this process.

Each gets a mount namespace and a process namespace. The kernel unmounts with the last process of the one, and kills all
in the other with its first, which dies with this process: also where that is killed.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from daemon.studio.root import PATH
from tests.matrix import machine

NAMESPACES = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--propagation", "private"),
    *("--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--"),
)

ENTER = """\
set -e
root=$1
shift
mount --bind "$root" "$root"
for place in /proc /sys /dev; do
    mount --rbind "$place" "$root$place"
done
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then
        mkdir -p "$root$1"
    else
        mkdir -p "$root${1%/*}"
        [ -e "$root$1" ] || : >"$root$1"
    fi
    # Read-only, for it is this system's own: a package that is installed in a root would change it.
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro "$root$1"
    shift
done
shift
# Its mounts' own root, as switch_root(8) does it: nsenter(1) goes to that, not to where chroot(8) alone leads.
cd "$root"
mount --move . /
exec chroot . "$@"
"""

TRY = """\
set -e
mount -t tmpfs tmpfs "$1"
cd "$1"
mknod null c 1 3
: >null
mkdir proc
mount --rbind /proc proc
chroot / true
mount --move . /
"""
"""All that takes a permission when a root is made or entered, in a folder that is left as it was."""

Line = Callable[[str], None]


def refusal() -> str | None:
    """Why this user may make and enter no root on this machine; None where that is allowed."""
    with TemporaryDirectory(prefix="motherstream-root-") as folder:
        try:
            command = beside(("sh", "-c", TRY, "sh", folder))
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60.0, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    said = done.stderr.strip().splitlines()
    return None if done.returncode == 0 else said[-1] if said else f"exit code {done.returncode}"


def beside(command: Sequence[str]) -> tuple[str, ...]:
    """A command that sees this system, in namespaces of its own."""
    return (*NAMESPACES, *command)


def inside(
    root: Path,
    command: Sequence[str],
    *,
    folder: str = "/",
    shared: Sequence[Path] = (),
    environ: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """A command that runs in `folder` of a root, with the network.

    It reads the files and folders `shared` of this system, and cannot change them.
    """
    given = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"} | machine.environment(environ)
    enter = ("sh", "-c", ENTER, "sh", str(root), *map(str, shared), "--")
    start = ("env", "-i", "-C", folder, *(f"{name}={value}" for name, value in given.items()))
    return beside((*enter, *start, *command))


def run(command: Sequence[str], line: Line, *, within: float, keep: Sequence[int] = ()) -> int:
    """Run it to its end and hand each line of its output on. Its exit code; -9 where it took longer than `within`.

    The file descriptors `keep` stay open in it and in all that it starts: a lock on one is held as long as any runs.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=keep,
        start_new_session=True,
    )
    timer = threading.Timer(within, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        with process.stdout as output:
            for text in output:
                line(text.rstrip("\n"))
        return process.wait()
    finally:
        timer.cancel()
        process.send_signal(signal.SIGKILL)
        process.wait()
