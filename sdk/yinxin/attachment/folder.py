"""The folder that holds the files: parts on their way, and whole contents by their digest.

| path | holds |
| --- | --- |
| `parts/UPLOAD` | what has arrived of an upload |
| `contents/ab/abcdef…-UPLOAD` | a whole file: its SHA-256, and the upload that brought it |

A content's name is never used twice, so that whoever throws one away cannot hit one that has come since.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from yinxin.attachment.errors import PartLarger, UploadBusy, WrongOffset
from yinxin.attachment.kinds import FileKind, Judge
from yinxin.crypto.suite import INTL, SM
from yinxin.files import sync_folder
from yinxin.store import StoreFull

#: octets that are read, hashed and written at a time
CHUNK = 1 << 20
#: no room, or none for us
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Measured:
    """A file as it is: octets, digests (hexadecimal), and whether it is of the kind it should be."""

    size: int
    sha256: str
    sm3: str
    fits: bool


class Folder:
    """The store's folder, made when something is first put there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def part(self, upload: str) -> Path:
        """Where an upload's octets gather."""
        return self.root / "parts" / upload

    def received(self, upload: str) -> int:
        """How many octets of it have arrived."""
        try:
            return self.part(upload).stat().st_size
        except FileNotFoundError:
            return 0

    @staticmethod
    def name(sha256: str, upload: str) -> str:
        """The place of a whole file below the root."""
        return f"contents/{sha256[:2]}/{sha256}-{upload}"

    def append(self, upload: str, offset: int, stream: BinaryIO, limit: int) -> int:
        """Write what the stream gives behind the first `offset` octets, at most `limit`; how many there are now.

        On disk when this returns. Raises WrongOffset, UploadBusy, PartLarger, StoreFull; of a part that is too long or finds no
        room nothing stays, of one that breaks off what had come: it is gone on from there.
        """
        path = self.part(upload)
        _make(path.parent)
        with path.open("ab", buffering=0) as file, _held(file, upload, path):
            began = file.seek(0, os.SEEK_END)
            if began != offset:
                raise WrongOffset(upload=upload, received=began)
            try:
                _copy(stream, file, limit)
            except _Longer as error:
                file.truncate(began)
                raise PartLarger(upload=upload, limit=limit) from error
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                file.truncate(began)
                raise StoreFull from error
            finally:
                os.fsync(file.fileno())
            return file.tell()

    @contextmanager
    def closed(self, upload: str, path: Path) -> Iterator[None]:
        """Nobody adds to `path` or takes back from it meanwhile, nor does whoever had it open before; raises UploadBusy.

        What is measured is so what is published: a part that still arrives could else change it in between or afterwards.
        """
        try:
            file = path.open("rb")
        except FileNotFoundError:  # somebody else is just giving it its place
            raise UploadBusy(upload=upload) from None
        with file, _held(file, upload, path):
            yield

    def measure(self, path: Path, kind: FileKind) -> Measured:
        """Read the file once, from disk to end."""
        judge, sha256, sm3, size = Judge(kind), INTL.hash.running(), SM.hash.running(), 0
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                size += len(data)
                for each in (sha256, sm3, judge):
                    each.update(data)
        return Measured(size, sha256.digest().hex(), sm3.digest().hex(), judge.fits())

    def publish(self, upload: str, name: str) -> None:
        """Give a whole upload its place among the contents; nothing is done when it has it already."""
        target = self.root / name
        if target.exists():
            return
        _make(target.parent)
        self.part(upload).rename(target)
        sync_folder(target.parent)

    def discard(self, upload: str) -> None:
        """Throw an upload's octets away."""
        self.part(upload).unlink(missing_ok=True)

    def contents(self) -> Iterator[tuple[str, Path]]:
        """Every whole file, its place and path."""
        for each in sorted((self.root / "contents").glob("??/*")):
            yield str(each.relative_to(self.root)), each

    def parts(self) -> Iterator[Path]:
        """The octets of every upload on its way."""
        yield from sorted((self.root / "parts").glob("*"))


class _Longer(Exception):
    """More octets than were to come."""


def _copy(stream: BinaryIO, file: Any, limit: int) -> None:
    left = limit
    while data := stream.read(CHUNK):
        left -= len(data)
        if left < 0:
            raise _Longer
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


@contextmanager
def _held(file: Any, upload: str, path: Path) -> Iterator[None]:
    """Of two that are at one upload at once, one is told to come again; the lock goes with the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # it may have got its place among the contents, or gone, since it was opened
        there = os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        there = False
    if not there:
        raise UploadBusy(upload=upload)
    yield


def _make(folder: Path) -> None:
    """A folder that survives a power cut, its names too, and that nobody else looks into."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in (folder.parent, folder.parent.parent):
        sync_folder(each)
