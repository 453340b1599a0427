"""Another system's root folder, in which the studio's OBS runs: a Debian of another release, with the OBS that it has.

OBS alone goes there. The X server, the RTMP server and the publishers stay this system's; they meet on loopback, in
/tmp and in the studio's folder. `make matrix` makes such roots; so does debootstrap by hand.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from daemon.studio.errors import StudioError
from daemon.studio.process import find_program

VARIABLE = "MOTHERSTREAM_OBS_ROOT"
"""Names a root for every studio that is not told of one, so that tests need not know of it."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The mounts are made in a namespace of the program's own, which the kernel takes away with its last process: nothing
# has to be unmounted, whatever is killed. Each step is an exec, so the process id is the program's, and the signal that
# it gets when its parent dies stays set.
ENTER = """\
set -e
chroot=$1 root=$2 folder=$3
shift 3
for place in /proc /sys /dev /tmp; do
    mount --rbind "$place" "$root$place"
done
case $folder in
/tmp/*) ;;
*)
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
    ;;
esac
exec "$chroot" "$root" "$@"
"""


class Root:
    """The root folder `folder`, which has OBS. Raises StudioError where it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The absolute links of a root lead elsewhere from outside, so that a link counts, wherever it leads.
        if not os.path.lexists(folder / "usr/bin/obs"):
            raise StudioError(f"{folder} has no usr/bin/obs; `make matrix` makes roots in which OBS can run")
        if os.geteuid() != 0:
            raise StudioError(f"only root can run OBS in {folder}, which takes chroot(8) and mount(8)")

    @classmethod
    def named(cls, folder: Path | None, environ: Mapping[str, str] = os.environ) -> "Root | None":
        """The root of that folder, else the one that the environment names, else none."""
        text = environ.get(VARIABLE, "")
        if folder is None and text:
            folder = Path(text)
        return None if folder is None else cls(folder.resolve())

    def command(self, argv: Sequence[str], shared: Path) -> tuple[str, ...]:
        """`argv` to be run in the root, which has the folder `shared` at the same place as this system has it."""
        enter = ("unshare", "--mount", "--propagation", "private", "--", "sh", "-c", ENTER, "sh")
        # It is in sbin, which is not on every path.
        chroot = find_program("chroot") or "chroot"
        return (*enter, chroot, str(self.folder), str(shared.resolve()), "env", f"PATH={PATH}", *argv)
