"""A file of ours as an answer: piece by piece, in ranges (RFC 9110 section 14), with its digest (RFC 9530)."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request

#: octets that are read and sent at a time
CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer that is a file on disk; `sha256` (hexadecimal) is its digest, and by it a reader knows it again."""

    path: Path
    media_type: str
    name: str
    sha256: str


class _Pieces:
    """The file from wherever it is sought to, as werkzeug's ranges want it; opened when the first piece is wanted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def seekable(self) -> bool:
        """Whether a range may begin anywhere."""
        return True

    def seek(self, at: int) -> int:
        """Begin at `at`."""
        return self._opened().seek(at)

    def tell(self) -> int:
        """Where the next piece begins."""
        return self._opened().tell()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> "_Pieces":
        return self

    def __next__(self) -> bytes:
        if data := self._opened().read(CHUNK):
            return data
        raise StopIteration

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self._path.open("rb")
        return self._file


def sent(stored: Stored) -> Response:
    """The whole, the range that is asked for (206), or that it has not changed (304); 416 for a range that it has not.

    It is always handed out as a file to keep: nothing that somebody sent is shown as a page of ours.
    """
    size = stored.path.stat().st_size
    answer = Response(_Pieces(stored.path), mimetype=stored.media_type)
    answer.content_length = size
    answer.set_etag(stored.sha256)
    digest = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
    answer.headers["Repr-Digest"] = f"sha-256=:{digest}:"
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(stored.name, safe='')}"
    answer.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    return answer
