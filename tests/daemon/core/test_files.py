"""What there is on the disk."""

from pathlib import Path

import pytest

from daemon.core.files import is_there


def test_what_is_missing_is_told_apart_from_what_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "to nothing").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert is_there(tmp_path)
    assert is_there(tmp_path / "file")
    for missing in ("nothing", "to nothing", "file/in it"):
        assert not is_there(tmp_path / missing)
    with pytest.raises(OSError, match="loop"):
        is_there(tmp_path / "loop")
