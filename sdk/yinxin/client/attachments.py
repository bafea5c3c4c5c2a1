"""Files of any size: sent in parts and fetched in ranges, each held to its digest; what broke off goes on where it stopped."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yinxin.client._http import Connection, segment
from yinxin.client.errors import NotTheFile
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError
from yinxin.uploads import AttachmentOut, UploadIn, UploadOut

_PATH = "/api/attachment/v1/uploads"
#: octets asked for at a time
_RANGE = 8 << 20
_CHUNK = 1 << 20
#: a part that arrived, and whose answer did not
_ELSEWHERE = "attachment.wrong_offset"

Progress = Callable[[int, int], None]


class Attachments:
    """Calls to the store of attachments. An upload belongs to nothing until an application attaches it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upload(self, file: Path, *, name: str | None = None, progress: Progress | None = None) -> str:
        """Send a file, in parts; the upload's identifier, to be attached by its sender.

        Called again for the same file it goes on where it broke off. `progress` is told the octets that have arrived, and
        how many there are. Raises the platform's refusals: kind, size, content.
        """
        begun = self._begin(file, name or file.name)
        with file.open("rb") as stream:
            while begun.received < begun.size:
                stream.seek(begun.received)
                begun = self._part(begun, stream.read(min(begun.part, begun.size - begun.received)))
                if progress is not None:
                    progress(begun.received, begun.size)
        if not begun.complete:
            begun = self._answer("POST", f"{_PATH}/{segment(begun.id)}/completion")
        return begun.id

    def show(self, upload: str) -> UploadOut:
        """How far an upload has come."""
        return self._answer("GET", f"{_PATH}/{segment(upload)}")

    def fetch(self, path: str, attachment: AttachmentOut, file: Path) -> None:
        """Write the attachment at the platform's address `path` to `file`, which is there when this returns, whole.

        What an earlier call left half done (`file` with the ending .part) is gone on with. Raises NotTheFile when what
        came is not what the record names.
        """
        half = file.with_name(f"{file.name}.part")
        with half.open("ab") as stream:
            if stream.tell() > attachment.size:
                stream.truncate(0)
            while (at := stream.seek(0, os.SEEK_END)) < attachment.size:
                end = min(at + _RANGE, attachment.size) - 1
                headers = {"Range": f"bytes={at}-{end}", "If-Range": f'"{attachment.sha256}"'}
                got = self._connection.send("GET", path, headers=headers).content
                if len(got) != end - at + 1:
                    raise NotTheFile(name=attachment.name)
                stream.write(got)
            stream.flush()
            os.fsync(stream.fileno())
        if _digests(half) != (attachment.sha256, attachment.sm3):
            half.unlink()
            raise NotTheFile(name=attachment.name)
        half.replace(file)

    def _begin(self, file: Path, name: str) -> UploadOut:
        sha256, sm3 = _digests(file)
        wanted = UploadIn(name=name, size=file.stat().st_size, sha256=sha256, sm3=sm3)
        return self._answer("POST", _PATH, json=wanted.model_dump())

    def _part(self, upload: UploadOut, octets: bytes) -> UploadOut:
        path = f"{_PATH}/{segment(upload.id)}/content"
        headers = {"Content-Type": "application/octet-stream"}
        try:
            return self._answer(
                "PUT", path, params={"offset": upload.received}, content=octets, headers=headers
            )
        except YinxinError as error:
            if error.code != _ELSEWHERE:
                raise
            return self.show(upload.id)

    def _answer(self, method: str, path: str, **call: Any) -> UploadOut:
        return UploadOut.model_validate(self._connection.json(method, path, **call))


def _digests(file: Path) -> tuple[str, str]:
    """SHA-256 and SM3, hexadecimal, read piece by piece."""
    sha256, sm3 = INTL.hash.running(), SM.hash.running()
    with file.open("rb") as stream:
        while data := stream.read(_CHUNK):
            sha256.update(data)
            sm3.update(data)
    return sha256.digest().hex(), sm3.digest().hex()
