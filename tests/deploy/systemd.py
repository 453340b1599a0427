"""A systemd of one's own: PID 1 of namespaces of its own, over a scratch copy of this machine's files.

What runs under it is confined by the very directives of its unit. Nothing of it is left: its writes go to a tmpfs,
its control groups below ones of its own, and its processes end with their PID 1. Network and clock are the machine's.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.deploy.support import PATH, ROOT, done, run
from tests.support import NotInTimeError, blocking_until

SYSTEMD: Final = Path("/lib/systemd/systemd")
CGROUPS: Final = Path("/sys/fs/cgroup")
USER: Final = 64_321
"""Of the user and the group motherstream, who need not be on this machine."""
PROBE: Final = 64_322
"""Of the probe's."""
STUBS: Final = ("sysinit", "basic", "multi-user", "network-online", "shutdown", "umount")
"""Targets that units wait for by default. Empty: nothing of the machine's own is to be started."""

CONSOLE: Final = "/run/test/service"
"""Where the service's own lines go, as there is no journal."""

# $1: an empty folder. As PID 1 of the new namespaces: builds the root in memory, moves into it, becomes systemd.
BOOT: Final = rf"""
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
root="$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --rbind /sys "$root/sys"
umount -R -l "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/run/test/units" "$root/run/credstore" "$root/opt/motherstream/bin" "$root/etc/motherstream"
cp {ROOT}/motherstream.service {ROOT}/deploy/motherstream@.service {ROOT}/deploy/motherstream-probe.service \
    "$root/run/test/units/"
for unit in motherstream motherstream@ motherstream-probe; do
    mkdir "$root/run/test/units/$unit.service.d"
    printf '[Service]\nStandardOutput=append:%s%%i\nStandardError=append:%s%%i\n' "{CONSOLE}-$unit" "{CONSOLE}-$unit" \
        >"$root/run/test/units/$unit.service.d/console.conf"
done
for stub in {" ".join(STUBS)}; do
    printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$stub" >"$root/run/test/units/$stub.target"
done
printf 'motherstream:x:{USER}:{USER}::/nonexistent:/usr/sbin/nologin\n' >>"$root/etc/passwd"
printf 'motherstream:x:{USER}:\n' >>"$root/etc/group"
printf 'motherstream-probe:x:{PROBE}:{PROBE}::/nonexistent:/usr/sbin/nologin\n' >>"$root/etc/passwd"
printf 'motherstream-probe:x:{PROBE}:\n' >>"$root/etc/group"
for part in src venv; do mkdir "$root/opt/motherstream/$part"; done
mount --bind {ROOT} "$root/opt/motherstream/src"
mount --bind {sys.prefix} "$root/opt/motherstream/venv"
cat >"$root/opt/motherstream/bin/motherstream" <<'END'
#!/bin/sh
export PYTHONPATH=/opt/motherstream/src
exec /opt/motherstream/venv/bin/python -m daemon "$@"
END
sed 's/-m daemon /-m daemon.probe /' "$root/opt/motherstream/bin/motherstream" \
    >"$root/opt/motherstream/bin/motherstream-probe"
chmod 755 "$root/opt/motherstream/bin/motherstream" "$root/opt/motherstream/bin/motherstream-probe"
cd "$root"
# As switch_root(8) does it; pivot_root(8) is not everywhere.
mount --move . /
# As at boot: systemd mounts credentials in a helper's namespace, from where they have to come through.
exec chroot . sh -c 'mount --make-rshared / && exec "$@"' sh \
    env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH=/run/test/units SYSTEMD_GENERATOR_PATH=/run/test/none \
    {SYSTEMD} --system --unit=multi-user.target --log-target=console --log-level=info --show-status=0
"""


class Systemd:
    """``with Systemd() as systemd`` has one running, which has started nothing yet."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="systemd-")
        self._group = f"motherstream-test-{os.getpid()}-{Path(self._folder.name).name[-8:]}"
        self._outer: subprocess.Popen[bytes] | None = None
        self.init = 0
        """Its PID, as this machine counts."""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    # --- what may be asked of it -----------------------------------------------------------------------------

    def ctl(self, *command: str, within: float = 30.0) -> str:
        """``systemctl``; what it said. It must end well."""
        return done(self._inside("systemctl", *command, within=within))

    def show(self, name: str, unit: str = "motherstream") -> str:
        """One property of a service."""
        return self.ctl("show", "--value", "--property", name, f"{unit}.service").strip()

    @property
    def pid(self) -> int:
        """Of the daemon as this machine counts; 0 where none runs."""
        inner = self.show("MainPID")
        if inner == "0":
            return 0
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                text = status.read_text()
                ids = next((line.split()[1:] for line in text.splitlines() if line.startswith("NSpid")), [])
                if ids[1:2] == [inner] and self._is_mine(int(ids[0])):
                    return int(ids[0])
        return 0

    def path(self, inside: str) -> Path:
        """Where a file of its own is to be found from here."""
        return Path(f"/proc/{self.init}/root{inside}")

    def put(self, inside: str, text: str, mode: int = 0o644) -> None:
        """Write a file there, root's own."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def told(self, unit: str = "motherstream") -> str:
        """What a service has written on standard error."""
        console = self.path(f"{CONSOLE}-{unit}")
        return console.read_text(errors="replace") if console.exists() else ""

    def said(self) -> str:
        """What systemd has written on its console."""
        return Path(self._folder.name, "console").read_text(errors="replace")

    # --- life ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        folder = Path(self._folder.name)
        (folder / "scratch").mkdir()
        enter = [f"mkdir -p {group} && echo $$ > {group}/cgroup.procs;" for group in self._groups()]
        script = " ".join([*(f"{{ {line} }} 2>/dev/null || :;" for line in enter), 'exec "$@"'])
        unshare = ("unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup")
        command = ("setpriv", "--pdeathsig", "KILL", "sh", "-c", script, "sh")
        with (folder / "console").open("wb") as console:
            self._outer = subprocess.Popen(
                [*command, *unshare, "sh", "-c", BOOT, "sh", str(folder / "scratch")],
                env={**os.environ, "PATH": PATH},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        ended = self._outer.poll
        try:
            blocking_until(self._is_up, give_up=lambda: ended() is not None, tell=lambda: self.said()[-1000:])
        except NotInTimeError as error:
            raise OSError(f"systemd does not start here: {error}") from None

    def _is_up(self) -> bool:
        assert self._outer is not None
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
            if children and Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n":
                self.init = int(children[0])
                return self._inside("systemctl", "is-active", "multi-user.target").stdout == "active\n"
        return False

    def _end(self) -> None:
        if self._outer is not None:
            # With its PID 1 everything in a PID namespace dies.
            if self.init:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.init, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._outer.pid, signal.SIGKILL)
            self._outer.wait()
        deadline = time.monotonic() + 5.0
        while (left := [group for group in self._groups() if group.exists()]) and time.monotonic() < deadline:
            for group in left:
                for folder in sorted(group.glob("**/"), reverse=True):
                    with contextlib.suppress(OSError):
                        folder.rmdir()
            time.sleep(0.02)
        self._folder.cleanup()

    def _groups(self) -> list[Path]:
        """Its own place in each hierarchy of control groups: one, or one for each controller."""
        tops = [CGROUPS] if (CGROUPS / "cgroup.procs").exists() else [top for top in CGROUPS.iterdir() if top.is_dir()]
        return [top / self._group for top in tops if not top.is_symlink()]

    def _is_mine(self, pid: int) -> bool:
        return Path(f"/proc/{pid}/ns/cgroup").samefile(f"/proc/{self.init}/ns/cgroup")

    def _inside(self, *command: str, within: float = 30.0) -> subprocess.CompletedProcess[str]:
        return run(
            "nsenter", "--target", str(self.init), "--pid", "--mount", "--", *command, cwd=Path("/"), within=within
        )


def write_config(systemd: Systemd, sections: Mapping[str, Mapping[str, object]], name: str = "motherstream") -> None:
    """The service's configuration file, as the installer leaves it: root's, for the service to read."""

    lines = []
    for section, keys in sections.items():
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
    systemd.put(f"/etc/motherstream/{name}.toml", "\n".join(lines) + "\n", 0o640)
    os.chown(systemd.path(f"/etc/motherstream/{name}.toml"), 0, USER)
