"""The seal of an archive: a note, signed with the log's keys, over the file's digest and the entries that left the log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.errors import ArchiveBroken
from audit.archive.models import ArchiveRow, SealedRow
from audit.models import EntryRow
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.store import Sql, Within
from yinxin.text import Text
from yinxin.tlog import Note, NoteVerifier


@dataclass(frozen=True, slots=True)
class Header:
    """What the log keeps of an entry that stands in an archive."""

    index: int
    event: str
    time: datetime
    verb: str
    outcome: str
    leaf_sha256: bytes
    leaf_sm3: bytes
    #: of records that have a number
    source: str | None = None
    number: int | None = None

    def line(self) -> bytes:
        """One line of the list that is sealed."""
        leaves = f"{self.leaf_sha256.hex()} {self.leaf_sm3.hex()}"
        numbered = "" if self.source is None else f" {self.source} {self.number}"
        header = f"{self.index} {self.event} {rfc3339(self.time)} {self.verb} {self.outcome}"
        return f"{header} {leaves}{numbered}\n".encode()


def seal_name(origin: str) -> str:
    """The name that seals are signed under."""
    return f"{origin}/archive"


def seal_text(origin: str, name: str, size: int, headers: Sequence[Header], digest: bytes) -> str:
    """What is signed: name, entries, the list of what the log keeps of them, and the file."""
    listed = INTL.hash.digest(b"".join(each.line() for each in headers)).hex()
    span = f"{size} {len(headers)} {headers[0].index} {headers[-1].index}"
    return f"{seal_name(origin)}\n{name}\n{span}\n{listed}\n{digest.hex()}\n"


def verify_seal(text: str, note: Note, verifiers: Iterable[NoteVerifier]) -> None:
    """Raise an error of `yinxin.tlog`, or ValueError, unless the note says `text` and each of the log's keys signed it."""
    trusted = [NoteVerifier(seal_name(each.name), each.public_key) for each in verifiers]
    if note.text != text or len(note.verify(trusted, strict=True)) != len(trusted):
        raise ValueError(note.text)


_SEALED = cast("sa.Table", SealedRow.__table__).c
_ARCHIVE = Sql(sa.select(_SEALED.archive).where(_SEALED.index == sa.bindparam("of")))


def archive_of(within: Within, index: int) -> str | None:
    """The archive in which an entry's content stands; None while it is in the log."""
    return next(iter(_ARCHIVE.scalars(within, {"of": index})), None)


def headers_of(session: Session, archive: str) -> list[Header]:
    """What the log keeps of the entries of an archive, in order."""
    kept = {"source": SealedRow.source, "number": SealedRow.number}
    columns = [kept[name] if name in kept else getattr(EntryRow, name) for name in Header.__slots__]
    query = sa.select(*columns).join(SealedRow, SealedRow.index == EntryRow.index)
    return [
        Header(*row)
        for row in session.execute(query.where(SealedRow.archive == archive).order_by(EntryRow.index))
    ]


def check_archives(session: Session, origin: str, verifiers: Mapping[str, NoteVerifier]) -> int:
    """Hold every archive that the log names against its seal; how many. Raises ArchiveBroken."""
    keys = [NoteVerifier(origin, each.public_key) for each in verifiers.values()]
    named = counted = 0
    for row in session.scalars(sa.select(ArchiveRow).order_by(ArchiveRow.made, ArchiveRow.name)):
        headers = headers_of(session, row.name)
        if not headers or (row.count, row.first, row.last) != (
            len(headers),
            headers[0].index,
            headers[-1].index,
        ):
            raise ArchiveBroken(archive=row.name, part=Text("条数", "its entries"))
        try:
            verify_seal(
                seal_text(origin, row.name, row.size, headers, row.digest), Note.decode(row.note), keys
            )
        except (YinxinError, ValueError) as error:
            raise ArchiveBroken(archive=row.name, part=Text("签名", "its signature")) from error
        named, counted = named + 1, counted + len(headers)
    if session.scalar(sa.select(sa.func.count()).select_from(SealedRow)) != counted:
        raise ArchiveBroken(archive="-", part=Text("没有归档的条目", "entries without an archive"))
    return named
