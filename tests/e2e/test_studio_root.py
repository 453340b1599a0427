"""OBS in the root folder of another system. This system's own stands in for it; `make matrix` takes real others."""

import asyncio
import os
from pathlib import Path

import pytest

from daemon.studio import Studio, StudioError
from daemon.studio.root import VARIABLE, Root
from tests.e2e.support import left_behind
from tests.support.mounts import mounted


def folder_with_obs(tmp_path: Path) -> Path:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/obs").touch()
    return tmp_path


def test_a_folder_without_obs_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=f"{tmp_path} has no usr/bin/obs; `make matrix`"):
        Studio(obs_root=tmp_path)


def test_whoever_may_not_mount_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StudioError, match="only root can run OBS in"):
        Studio(obs_root=folder_with_obs(tmp_path))


def test_the_environment_names_a_root_for_whoever_names_none(tmp_path: Path) -> None:
    named, other = folder_with_obs(tmp_path / "a"), folder_with_obs(tmp_path / "b")
    assert Root.named(None, {}) is None
    for folder, expected in ((None, named), (other, other)):
        root = Root.named(folder, {VARIABLE: str(named)})
        assert root is not None
        assert root.folder == expected


@pytest.mark.real
async def test_obs_in_a_root_is_driven_as_any_other_and_leaves_no_mount(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = tmp_path_factory.getbasetemp().parent
    before = mounted(others)
    (tmp_path / "obs-nothing.so").write_bytes(b"no plugin")
    async with Studio(obs_root=Path("/"), obs_plugins={"obs-nothing": tmp_path}) as studio:
        folder = studio.folder
        process = Path(f"/proc/{studio.obs.pid}")
        assert "obs" in (process / "comm").read_text()
        assert (process / "ns/mnt").readlink() != Path("/proc/self/ns/mnt").readlink()
        log = "\n".join(path.read_text() for path in folder.rglob("logs/*.txt"))
        assert "obs-nothing" in log
        await studio.obs.start_recording()
        recording = await studio.obs.stop_recording()
        assert recording.stat().st_size > 0
        await studio.obs.restart()
        assert mounted(others) == before
    assert await asyncio.to_thread(left_behind, folder) == []
    assert mounted(others) == before
