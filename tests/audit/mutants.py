"""The log with one fault of our own making, put in at test time: every one of them must be caught."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from audit.checkpoint import Checkpointer
from audit.checkpoint_file import CheckpointFile
from audit.models import CheckpointRow
from yinxin import files
from yinxin.steps import step
from yinxin.store import Store
from yinxin.store import _engine as engines
from yinxin.store._number import Taken

Patch = Callable[[Any, str, Any], None]


def no_sync(patch: Patch, mode: str = "OFF") -> None:
    """SQLite does not wait for the disk."""
    make = engines._sqlite

    def hasty(url: Any, pool: int, *, reading: bool = False, synchronous: str = "FULL") -> Any:
        return make(url, pool, reading=reading, synchronous=mode)

    patch(engines, "_sqlite", hasty)


def in_place(patch: Patch) -> None:
    """The checkpoint file is written over, not replaced."""
    patch(files, "replace", lambda file, data, **_: file.write_bytes(data))


def unsynced_file(patch: Patch) -> None:
    """The checkpoint file is replaced, and nothing synchronised."""

    def replace(file: Any, data: bytes, **_: Any) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_bytes(data)
        fresh.replace(file)

    patch(files, "replace", replace)


def publish_first(patch: Patch) -> None:
    """A checkpoint is published before it is remembered apart from the database."""
    kept: list[Any] = []
    advance, insert = CheckpointFile.advance, Checkpointer._insert

    def later(self: Any, notes: Any) -> None:
        kept.append(notes)

    def first(self: Any, size: int, notes: Any) -> None:
        insert(self, size, notes)
        step("mutant.published")
        advance(self._file, kept.pop())

    patch(CheckpointFile, "advance", later)
    patch(Checkpointer, "_insert", first)


def publish_unentered(patch: Patch) -> None:
    """A checkpoint stands in the database that covers entries which are not there yet."""
    insert = Checkpointer._insert

    def ahead(self: Any, size: int, notes: Any) -> None:
        insert(self, size, notes)
        with self._store.engine.begin() as connection:
            row = {f"note_{name}": note.encode() for name, note in notes.items()}
            connection.execute(
                sa.insert(CheckpointRow).values(size=size + 1, time=self._store.clock.now(), **row)
            )

    patch(Checkpointer, "_insert", ahead)


def acknowledge_first(patch: Patch) -> None:
    """An act is acknowledged; its record is written when the next one comes."""
    waiting: list[Any] = []
    record = Store._record

    def later(self: Any, session: Any, *records: Any) -> Taken:
        taken = record(self, session, *waiting.pop()) if waiting else Taken(1, 1, 0)
        waiting.append(records)
        return taken

    patch(Store, "_record", later)


MUTANTS: dict[str, Callable[[Patch], None]] = {
    "off": no_sync,
    "normal": lambda patch: no_sync(patch, "NORMAL"),
    "in-place": in_place,
    "unsynced-file": unsynced_file,
    "publish-first": publish_first,
    "publish-unentered": publish_unentered,
    "acknowledge-first": acknowledge_first,
}
