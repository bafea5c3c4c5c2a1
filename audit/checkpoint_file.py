"""The newest checkpoint, kept in a file apart from the database: the memory that a restored database cannot erase.

It only ever moves forward: `advance` compares and swaps under a lock. The file is canonical JSON with one signed note
for each tree, by the name of its hash.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from audit.errors import CheckpointFileMissing
from yinxin import canonical, files
from yinxin.errors import YinxinError
from yinxin.tlog import Checkpoint, Note


class CheckpointFile:
    """One file; its folder must exist and be writable. Safe between threads and processes of one machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Note] | None:
        """The notes by hash name, None when there is no file; raises CheckpointFileMissing when it is damaged."""
        try:
            content = canonical.decode(self.path.read_bytes())
            return {name: Note.decode(text.encode()) for name, text in content.items()}
        except FileNotFoundError:
            return None
        except (YinxinError, OSError, AttributeError) as error:
            raise CheckpointFileMissing(file=str(self.path), reason=type(error).__name__) from error

    def advance(self, notes: Mapping[str, Note]) -> None:
        """Put `notes` in the file unless it already holds a checkpoint of that size or more; durable on return."""
        with self._locked():
            present = self.read()
            if present is None or _size(present) < _size(notes):
                texts = {name: note.encode().decode() for name, note in notes.items()}
                files.replace(self.path, canonical.encode(texts))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(
            self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _size(notes: Mapping[str, Note]) -> int:
    return min(Checkpoint.parse(note.text).size for note in notes.values())
