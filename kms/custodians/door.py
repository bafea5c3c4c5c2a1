"""The door of a sealed installation: a Unix socket on which custodians enter shares, each from her own terminal.

It is open to the platform's own user and root. While a start waits it takes shares; afterwards it gives the key to the
commands of that user, which otherwise could open nothing. Each visit is one line of JSON each way.
"""

import json
import os
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from kms.custodians.errors import AlreadyWaiting, NobodyWaits, StrangerAtTheDoor
from yinxin.errors import Invalid, YinxinError, registered
from yinxin.text import Text

#: its name in the data directory
DOOR = Path("run", "custodians.sock")
#: octets of one line, and the seconds in which it must have been said
_LONGEST, _PATIENCE = 1 << 16, 5.0

Request = Mapping[str, Any]
Answer = dict[str, Any]


class NotUnderstood(Invalid):
    """A line that is none of ours."""

    code = "kms.not_understood"
    zh = "无法理解该请求：请使用同一版本的 yinxin kms custodians 命令。"
    en = "This request is not understood: use the commands yinxin kms custodians of the same version."


class Door:
    """The listening side; a context manager. Raises AlreadyWaiting where another process listens."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / DOOR

    def __enter__(self) -> Self:
        if self._path.exists():
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.connect(_named(self._path))
                raise AlreadyWaiting(folder=str(self._path.parent.parent))
            self._path.unlink()  # of a process that was killed
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # it has its name when it answers: whoever finds the door finds somebody behind it
        behind = self._path.with_name(f".door-{os.getpid()}")
        behind.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._socket.bind(_named(behind))
        finally:
            os.umask(before)
        try:
            self._socket.listen(16)
            os.link(behind, self._path)
        except FileExistsError:
            self._socket.close()
            raise AlreadyWaiting(folder=str(self._path.parent.parent)) from None
        finally:
            behind.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def answer(self, serve: Callable[[Request], Answer], timeout: float | None = None) -> bool:
        """Let one visitor in and answer her; False when nobody came in time. Nothing a visitor does raises."""
        self._socket.settimeout(timeout)
        try:
            visitor, _ = self._socket.accept()
        except TimeoutError:
            return False
        with visitor, suppress(OSError):  # who leaves before she is answered
            visitor.settimeout(_PATIENCE)
            visitor.sendall(json.dumps(self._said(visitor, serve)).encode() + b"\n")
        return True

    def _said(self, visitor: socket.socket, serve: Callable[[Request], Answer]) -> Answer:
        line = _line(visitor)  # first: whoever closes on what he has not read cuts his own answer off
        try:
            _, user, _ = struct.unpack("3i", visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if user not in (0, os.geteuid()):
                raise StrangerAtTheDoor
            try:
                request = json.loads(line)
            except (ValueError, RecursionError):  # no JSON, or nested without end
                request = None
            if not isinstance(request, dict) or not isinstance(request.get("do"), str):
                raise NotUnderstood
            return {"ok": True, **serve(request)}
        except YinxinError as error:
            facts = {
                name: {"zh": fact.zh, "en": fact.en} if isinstance(fact, Text) else fact
                for name, fact in error.facts.items()
            }
            return {"ok": False, "code": error.code, "facts": facts}


def visit(folder: Path, request: Request) -> Answer:
    """What the process at the door of this data directory answers; raises NobodyWaits, and what it refuses with."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2 * _PATIENCE)
        try:
            connection.connect(_named(folder / DOOR))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_line(connection))
        except (OSError, ValueError, RecursionError):
            answer = None
    if not isinstance(answer, dict):
        raise NobodyWaits(folder=str(folder))
    if answer.pop("ok", False):
        return answer
    kind = registered().get(answer["code"], NotUnderstood)
    facts = {name: Text(**fact) if isinstance(fact, dict) else fact for name, fact in answer["facts"].items()}
    raise kind(**facts)


def _line(connection: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n") and len(said) < _LONGEST:
        read = connection.recv(_LONGEST)
        if not read:
            break
        said += read
    return said


def _named(path: Path) -> str:
    """A name that fits into an address of 107 octets, however deep the data directory lies."""
    text = str(path)
    if len(os.fsencode(text)) < 100:
        return text
    relative = os.path.relpath(path)
    return relative if len(relative) < len(text) else text
