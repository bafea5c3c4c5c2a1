"""Which roots are believed: those that ceremonies put into the folder `trust/`, whatever the tables say.

Whoever writes in the database can enter an authority of her own, root and all. She can put no file there.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed


def believed(folder: Path, among: Iterable[Certificate]) -> list[Certificate]:
    """Those of these certificates that stand in the folder, in their order."""
    there = frozenset(each for path in sorted(folder.glob("*.pem")) for each in _of(path))
    return [each for each in among if each in there]


def _of(path: Path) -> tuple[Certificate, ...]:
    """The certificates of a file, each version of it read once; what is none, or is there no more, gives none."""
    with suppress(OSError):
        known = path.stat()
        return _read(path, known.st_ino, known.st_mtime_ns, known.st_size)
    return ()


@lru_cache(maxsize=256)
def _read(path: Path, *_version: int) -> tuple[Certificate, ...]:
    with suppress(Malformed):
        return tuple(Certificate.load_many(path.read_bytes()))
    return ()
