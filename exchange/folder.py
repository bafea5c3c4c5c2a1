"""The folder of sealed parts: a large one is a file by the digest of its octets, small ones lie together in packs (`exchange.packs`).

| path | holds |
| --- | --- |
| `coming/PEER-DIGEST` | what has arrived of a part from a peer, to go on from |
| `parts/ab/DIGEST` | a whole part |
| `packs/abcdef/NAME` | parts of messages that were put on disk together |

A part is placed before the message that names it is on record, so a file that no message names is nobody's, and one
that a message names is there.
"""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from exchange.errors import PartAltered, TooLarge, WrongPlace
from exchange.frames import Limited
from exchange.header import Part
from exchange.packs import Slot
from yinxin.crypto.suite import Suite
from yinxin.files import sync_folder
from yinxin.store import StoreFull

_CHUNK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Folder:
    """The store's folder, made when something is first put there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str) -> Path:
        """The place of a whole part."""
        return self.root / "parts" / digest[:2] / digest

    def packed(self, name: str) -> Path:
        """The place of a pack."""
        # a name begins with the time it was made: its first six characters are the same for a quarter of an hour
        return self.root / "packs" / name[:6] / name

    def has(self, part: Part) -> bool:
        """Whether the whole part is here, by its size; `check` reads it."""
        try:
            return self.path(part.digest).stat().st_size == part.size
        except FileNotFoundError:
            return False

    def received(self, peer: str, digest: str) -> int:
        """How many octets of a part have arrived from a peer."""
        try:
            return self._coming(f"{peer}-{digest}").stat().st_size
        except FileNotFoundError:
            return 0

    def write(self, suite: Suite, name: str, octets: Iterable[bytes], most: int) -> Part:
        """Keep a part of our own, on disk when this returns; `name` is unique while it is written. Raises TooLarge, StoreFull."""
        coming, running, size = self._coming(name), suite.hash.running(), 0
        _make(coming.parent)
        try:
            with _refusing_full(), coming.open("wb") as file:
                for each in octets:
                    size += len(each)
                    if size > most:
                        raise TooLarge(size=size, limit=most)
                    running.update(each)
                    file.write(each)
                file.flush()
                os.fsync(file.fileno())
            part = Part(running.digest().hex(), size)
            self._place(coming, part)
        finally:
            coming.unlink(missing_ok=True)
        return part

    def pack(self, name: str, octets: Iterable[bytes]) -> None:
        """Keep parts together under a name that nobody else uses, on disk when this returns. Raises StoreFull."""
        path = self.packed(name)
        _make(path.parent)
        with _refusing_full(), path.open("xb") as file:
            file.writelines(octets)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)

    def take(self, peer: str, suite: Suite, part: Part, offset: int, stream: BinaryIO) -> bool:
        """Take octets of a part behind the first `offset`; whether it is whole now, and then it is in its place.

        What `peer` brings stands by itself until it is whole: another who brings the same part neither waits for it nor spoils it.
        Raises WrongPlace, TooLarge, StoreFull; PartAltered when the whole is not what its digest says, and then nothing stays.
        """
        if self.has(part):
            return True
        coming = self._coming(f"{peer}-{part.digest}")
        _make(coming.parent)
        with coming.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WrongPlace(digest=part.digest, received=file.tell()) from None
            if self.has(part):  # another brought the rest meanwhile
                coming.unlink(missing_ok=True)
                return True
            if file.tell() != offset:
                raise WrongPlace(digest=part.digest, received=file.tell())
            with _refusing_full():
                try:
                    _copy(stream, file, part.size - offset, part.size)
                finally:
                    file.flush()
                    os.fsync(file.fileno())
            if file.tell() < part.size:
                return False
            with coming.open("rb") as whole:
                sound = _sound(suite, whole, part)
            if not sound:
                coming.unlink()
                raise PartAltered(digest=part.digest)
            self._place(coming, part)
        return True

    def check(self, suite: Suite, part: Part, slot: Slot | None = None) -> None:
        """Read a whole part and compare; raises PartAltered."""
        with self.open(part, slot) as stream:
            if not _sound(suite, stream, part):
                raise PartAltered(digest=part.digest)

    @contextmanager
    def open(self, part: Part, slot: Slot | None = None, *, behind: int = 0) -> Iterator[BinaryIO]:
        """A part for reading, its first `behind` octets left out; raises PartAltered when the whole is not in its place."""
        path = self.path(part.digest) if slot is None else self.packed(slot.pack)
        first = 0 if slot is None else slot.at
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            raise PartAltered(digest=part.digest) from None
        with stream:
            size = os.fstat(stream.fileno()).st_size
            if size < first + part.size or (slot is None and size != part.size):
                raise PartAltered(digest=part.digest)
            stream.seek(first + behind)
            yield cast("BinaryIO", Limited(stream, max(0, part.size - behind)))

    def stretch(self, first: Slot, parts: Sequence[Part]) -> bytes:
        """The octets of parts that lie in a pack one behind the other; raises PartAltered when they are not there whole."""
        size = sum(each.size for each in parts)
        try:
            with self.packed(first.pack).open("rb") as stream:
                stream.seek(first.at)
                octets = stream.read(size)
        except FileNotFoundError:
            raise PartAltered(digest=parts[0].digest) from None
        if len(octets) < size:
            raise PartAltered(digest=parts[-1].digest)
        return octets

    def sweep(self, known: Iterable[str], before: float) -> int:
        """Remove what is not `known` and was written before an instant (seconds since the epoch); how many files."""
        kept, gone = set(known), 0
        for each in (
            *self.root.glob("parts/??/*"),
            *self.root.glob("packs/*/*"),
            *self.root.glob("coming/*"),
        ):
            if each.name not in kept and each.stat().st_mtime < before:
                each.unlink(missing_ok=True)
                gone += 1
        return gone

    def _coming(self, name: str) -> Path:
        return self.root / "coming" / name

    def _place(self, coming: Path, part: Part) -> None:
        target = self.path(part.digest)
        _make(target.parent)
        coming.rename(target)
        sync_folder(target.parent)


def _sound(suite: Suite, stream: BinaryIO, part: Part) -> bool:
    running = suite.hash.running()
    while data := stream.read(_CHUNK):
        running.update(data)
    return running.digest().hex() == part.digest


def _copy(stream: BinaryIO, file: BinaryIO, left: int, limit: int) -> None:
    while data := stream.read(_CHUNK):
        left -= len(data)
        if left < 0:
            raise TooLarge(size=limit - left, limit=limit)
        file.write(data)


@contextmanager
def _refusing_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull from error
        raise


def _make(folder: Path) -> None:
    """A folder that survives a power cut, its names too, and that nobody else looks into."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in (folder.parent, folder.parent.parent):
        sync_folder(each)
