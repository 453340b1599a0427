"""A root is whole or not there, and nothing stays mounted, however its making ends. The downloads alone are made up."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.support import fake
from tests.matrix import machine, roots
from tests.matrix.roots import STAMP, HinderedError, RootError, Roots
from tests.matrix.systems import PACKAGES, SYSTEMS, System

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and mounts take root")

TRIXIE, SID = SYSTEMS
LAYOUT = "for place in proc sys dev tmp etc/apt/apt.conf.d etc/dpkg/dpkg.cfg.d usr/sbin; do mkdir -p $root/$place; done"
MIRROR = "http://mirror.example/debian"

MAKER = """
import sys
from pathlib import Path
from tests.matrix import machine, roots
from tests.matrix.systems import SYSTEMS

machine.mirror = lambda: "http://mirror.example/debian"
machine.reaches = lambda mirror, suite: True
roots.KEYRING = "/dev/null"
with roots.Roots(Path(sys.argv[1]), print).held(SYSTEMS[0]):
    pass
"""


class Archive:
    """A debootstrap and a chroot of the test's own, which write down what they are asked to do."""

    def __init__(self, folder: Path) -> None:
        self.said = folder / "said"
        self.cache = folder / "cache"
        self.bin = folder / "bin"
        self.said.touch()
        self.told: list[str] = []
        self.reached = True
        self.debootstrap(LAYOUT)
        self.chroot()

    def debootstrap(self, *lines: str) -> None:
        fake(self.bin, "debootstrap", [f'echo "debootstrap $*" >>{self.said}', "root=$4", *lines])

    def chroot(self, *lines: str) -> None:
        fake(self.bin, "chroot", [f'echo "chroot $*" >>{self.said}', *lines])

    def lines(self) -> list[str]:
        return self.said.read_text().splitlines()

    def roots(self) -> Roots:
        return Roots(self.cache, self.told.append)

    def made(self, system: System = TRIXIE, *, fresh: bool = False) -> Path:
        with self.roots().held(system, fresh=fresh) as made:
            assert made.system is system
            return made.folder

    def left(self) -> set[str]:
        return {path.name for path in self.cache.iterdir()} - {"trixie.lock", "trixie.log", "sid.lock", "sid.log"}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    archive = Archive(tmp_path)
    monkeypatch.setenv("PATH", f"{archive.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(machine, "mirror", lambda: MIRROR)
    monkeypatch.setattr(machine, "reaches", lambda mirror, suite: archive.reached)
    monkeypatch.setattr(roots, "KEYRING", os.devnull)
    return archive


def mounted_in(folder: Path) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if f" {folder}" in line]


def until(condition: Callable[[], bool], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_a_root_is_made_once_of_this_machines_mirror_and_is_there_the_next_time(archive: Archive) -> None:
    folder = archive.made()
    first = archive.lines()
    assert first[0].startswith("debootstrap --variant=minbase ")
    assert first[0].endswith(f" trixie {archive.cache / 'trixie.new'} {MIRROR}")
    assert first[1].endswith("apt-get -q -o Acquire::Retries=3 update")
    assert first[2].endswith(f"--no-install-recommends {' '.join(PACKAGES)}")
    assert folder == archive.cache / "trixie"
    assert (folder / "usr/sbin/policy-rc.d").stat().st_mode & 0o111
    assert archive.made() == folder
    assert archive.lines() == first
    assert archive.left() == {"trixie"}
    assert archive.told == [
        f"Debian 13: {step}" for step in ("the base system", "the lists of packages", "OBS and the rest", "clearing up")
    ]
    assert mounted_in(archive.cache) == []


def test_a_download_that_breaks_off_leaves_nothing_and_is_told_with_its_last_words(archive: Archive) -> None:
    archive.chroot("case $* in *install*) echo E: Connection reset; exit 100 ;; esac")
    with pytest.raises(
        RootError, match=r"(?s)OBS and the rest ended with 100; .*trixie\.log has all.*Connection reset"
    ):
        archive.made()
    assert archive.left() == set()
    archive.chroot()
    assert archive.made().exists()


def test_another_recipe_makes_it_anew_and_so_does_whoever_asks_for_it(archive: Archive) -> None:
    folder = archive.made()
    (folder / "of-before").touch()
    archive.made(fresh=True)
    assert not (folder / "of-before").exists()
    (folder / STAMP).write_text(json.dumps({"recipe": "another", "made": time.time()}))
    (folder / "of-before").touch()
    archive.made()
    assert not (folder / "of-before").exists()
    assert archive.left() == {"trixie"}


def test_a_root_that_has_grown_old_is_used_all_the_same_where_it_cannot_be_made_anew(archive: Archive) -> None:
    folder = archive.made(SID)
    assert SID.lasts is not None
    (folder / STAMP).write_text(json.dumps({"recipe": SID.recipe, "made": time.time() - SID.lasts - 60}))
    archive.debootstrap("echo E: Release is expired; exit 1")
    assert archive.made(SID) == folder
    assert "cannot be made anew: the base system ended with 1" in archive.told[-1]
    archive.debootstrap(LAYOUT)
    archive.made(SID)
    stamp = roots.stamp(folder)
    assert stamp is not None
    assert time.time() - stamp.made < 60


def test_one_that_was_killed_between_the_two_steps_of_an_exchange_is_found_again(archive: Archive) -> None:
    folder = archive.made()
    folder.rename(roots.before(folder))
    before = archive.lines()
    assert archive.made().exists()
    assert archive.lines() == before
    assert archive.left() == {"trixie"}


def test_a_maker_that_is_killed_takes_all_with_it_and_the_next_one_begins_afresh(archive: Archive) -> None:
    archive.debootstrap(LAYOUT, "mount -t tmpfs tmpfs $root/tmp", "touch $root/tmp/mounted", "sleep 600")
    maker = subprocess.Popen([sys.executable, "-c", MAKER, str(archive.cache)], env=os.environ.copy())
    try:
        until(lambda: (archive.cache / "trixie.new" / "tmp").exists() and bool(archive.lines()))
    finally:
        maker.kill()
        maker.wait()
    with (archive.cache / "trixie.lock").open("rb") as lock:
        # Held by whatever of it still runs.
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert mounted_in(archive.cache) == []
    assert not (archive.cache / "trixie").exists()
    archive.debootstrap("[ ! -e $root ] || exit 1", LAYOUT)
    assert archive.made().exists()
    assert archive.left() == {"trixie"}


def test_a_folder_in_which_something_is_mounted_is_never_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "root" / "dev" / "kept"
    kept.mkdir(parents=True)
    monkeypatch.setattr(roots, "_mounts", lambda: [f"devtmpfs {tmp_path}/root/dev devtmpfs rw 0 0"])
    with pytest.raises(RootError, match="something is mounted in"):
        roots.remove(tmp_path / "root")
    assert kept.exists()


def test_without_room_nothing_is_begun(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "ROOM", 1 << 60)
    with pytest.raises(HinderedError, match="are needed: --cache names another place"):
        archive.made()
    assert archive.lines() == []


def test_without_a_way_to_the_archive_nothing_is_begun(archive: Archive) -> None:
    archive.reached = False
    with pytest.raises(HinderedError, match=f"{MIRROR} cannot be reached, or has no trixie"):
        archive.made()
    assert archive.lines() == []
    assert archive.left() == set()


def test_a_way_to_the_archive_that_is_lost_meanwhile_is_this_machines_affair(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter((True, False))
    monkeypatch.setattr(machine, "reaches", lambda mirror, suite: next(answers))
    archive.chroot("case $* in *install*) echo E: Connection timed out; exit 100 ;; esac")
    with pytest.raises(HinderedError, match="cannot be reached"):
        archive.made()
    assert archive.left() == set()


def test_a_step_that_takes_too_long_is_ended_and_leaves_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roots, "LONGEST", 0.5)
    archive.debootstrap(LAYOUT, "sleep 600")
    with pytest.raises(HinderedError, match="the base system was killed, or not done within"):
        archive.made()
    assert archive.left() == set()
