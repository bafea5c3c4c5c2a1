"""Law 6: nothing acknowledged is lost. The kills themselves are in tests/crash and in each module's crash tests.

Here is what they rest on: the database really is asked to be durable, and files are replaced whole.

Seen to fail when: `synchronous=FULL` becomes `NORMAL`; `yinxin.files.replace` does not sync the folder.
"""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from ops.platform import Platform
from yinxin.files import replace as put


def test_sqlite_is_asked_to_survive_a_power_cut(platform: Platform) -> None:
    with platform.store.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 2  # FULL
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1


def test_files_are_synced_before_they_take_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, renamed = os.fsync, Path.replace

    def synced(handle: int) -> None:
        order.append("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file")
        fsync(handle)

    def replaced(self: Path, target: Path) -> Path:
        order.append("rename")
        return renamed(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    put(tmp_path / "file", b"new")
    assert order == ["file", "rename", "folder"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        put(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
