"""Static files of status, for nginx: lists, authorities' certificates, and the kept OCSP answers of all certificates.

A file is written under another name and renamed, so that it is whole or not there. At a revocation the answer's file
goes first, before the revocation is committed: without it nginx asks the responder, which is never behind. A list
never goes back in number.
"""

import base64
import fcntl
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ca.context import Context
from ca.status import changes
from ca.status.line import Line
from ca.status.models import AnswerRow, ChangeRow, CrlRow
from yinxin import files
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertId, CertificateList, OcspRequest
from yinxin.errors import YinxinError

_log = logging.getLogger("yinxin.ca")

#: changes followed in one go
_AT_ONCE = 1000


def answer_path(serial: str, own: Certificate) -> str | None:
    """Where the answer for a certificate lies below the folder: as the path of a GET spells the question, decoded.

    None for the one in two hundred whose spelling has two slashes in a row, or one at its end: no file has such a name,
    and these are left to the responder.
    """
    name = base64.b64encode(OcspRequest.build([CertId.of(int(serial, 16), own)])).decode()
    return None if "//" in name or name.endswith("/") else f"ocsp/{name}"


def a_list(ctx: Context, line: Line, number: int, der: bytes, delta: bytes | None) -> None:
    """Publish a list that is in force, unless a newer one is there already."""
    folder = _folder(ctx)
    if folder is None:
        return
    with _alone(folder):
        file = _file(folder, line)
        if _number(file) >= number:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        # a delta to the list that is there is good with it; a list without its delta would not be
        if delta is not None:
            files.replace(folder / "crl" / f"{line.path}.delta.crl", delta)
        files.replace(file, der)


def number(ctx: Context, line: Line) -> int:
    """The number of the list that is published; 0 where there is none."""
    folder = _folder(ctx)
    return _number(_file(folder, line)) if folder is not None else 0


def withdraw(ctx: Context, authority: str, serials: Iterable[str]) -> None:
    """Take published answers away; called before a change is committed, and again after."""
    if (folder := _folder(ctx)) is None:
        return
    own = ctx.issuers.get(authority).chain[0]
    for serial in serials:
        if (path := answer_path(serial, own)) is not None:
            (folder / path).unlink(missing_ok=True)


def answers(ctx: Context, authority: str, signed: Iterable[tuple[str, int, bytes]]) -> None:
    """Publish answers that were stored, each (serial number, its certificate's newest change then, answer)."""
    if (folder := _folder(ctx)) is None:
        return
    own = ctx.issuers.get(authority).chain[0]
    written: dict[str, int] = {}
    for serial, change, answer in signed:
        if (path := answer_path(serial, own)) is None:
            continue
        _put(folder / path, answer)
        written[serial] = change
    # what changed while it was written goes again
    query = sa.select(AnswerRow.serial, AnswerRow.change).where(AnswerRow.serial.in_(written))
    with ctx.store.read() as session:
        now = {row.serial: row.change for row in session.execute(query)}
    withdraw(ctx, authority, [serial for serial, change in written.items() if now.get(serial) != change])


def follow(ctx: Context) -> None:
    """Take away what changed since this was last called, by whomever; after every commit, and by the timer."""
    folder = _folder(ctx)
    if folder is None:
        return
    try:
        with _alone(folder):
            mark = folder / ".through"
            through = int(mark.read_text("ascii")) if mark.exists() else 0
            while changed := _since(ctx, through):
                for _, serial, authority in changed:
                    withdraw(ctx, authority, [serial])
                through = changed[-1][0]
                files.replace(mark, str(through).encode())
    except (YinxinError, OSError, ValueError):
        _log.exception("published answers could not be taken away now; the timer will")


def everything(ctx: Context) -> None:
    """Make the folder say what the tables say: changes, certificates, lists in force; for the timer."""
    folder = _folder(ctx)
    if folder is None:
        return
    follow(ctx)
    for name in ctx.issuers.names():
        file = folder / "ca" / f"{name}.crt"
        own = ctx.issuers.get(name).chain[0].der
        if not file.exists() or file.read_bytes() != own:
            file.parent.mkdir(parents=True, exist_ok=True)
            files.replace(file, own)
    columns = (CrlRow.authority, CrlRow.shard, CrlRow.number)
    with ctx.store.read() as session:
        rows = list(session.execute(sa.select(*columns).where(CrlRow.der.is_not(None))))
    for authority, shard, number in rows:
        line = Line(authority, shard)
        if _number(_file(folder, line)) < number:
            with ctx.store.read() as session:
                row = session.get(CrlRow, (authority, shard, number))
                der, delta = (row.der, row.delta) if row else (None, None)
            if der is not None:
                a_list(ctx, line, number, der, delta)


def _since(ctx: Context, through: int) -> list[tuple[int, str, str]]:
    columns = (ChangeRow.sequence, ChangeRow.serial, ChangeRow.authority)
    with ctx.store.read() as session:
        newest = changes.newest(session)
        if newest == through:
            return []
        # tables that come from a backup are behind what was followed: from the beginning, then
        after = through if through < newest else 0
        query = sa.select(*columns).where(ChangeRow.sequence > after).order_by(ChangeRow.sequence)
        return [(each[0], each[1], each[2]) for each in session.execute(query.limit(_AT_ONCE))]


def _folder(ctx: Context) -> Path | None:
    name = ctx.settings.status.publish_folder
    return Path(name) if name else None


def _file(folder: Path, line: Line) -> Path:
    return folder / "crl" / f"{line.path}.crl"


def _number(file: Path) -> int:
    try:
        return CertificateList(file.read_bytes()).number
    except (OSError, YinxinError):
        return 0


def _put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{os.getpid()}.{file.name[-40:]}")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fdatasync(stream.fileno())
    temporary.replace(file)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process and thread at a time in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
