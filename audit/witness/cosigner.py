"""This site as a witness of other sites' logs (c2sp.org/tlog-witness).

It cosigns a checkpoint only when the log has signed it and proves that it continues the one cosigned last. What was
cosigned last moves forward in one compare-and-swap, is on disk before the answer leaves, and is remembered in a file
apart from the database. A cosignature leaves no entry in our own log: two sites that witness each other would
otherwise make each other's logs grow for ever; the stored note is the record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from audit.checkpoint_file import CheckpointFile
from audit.errors import CheckpointFileMissing, StateBroken
from audit.witness.errors import (
    LogNotWitnessed,
    NeverCosigned,
    NotContinued,
    NotSignedByLog,
    SizeMoved,
    WitnessClockBehind,
    WitnessRolledBack,
)
from audit.witness.models import SuspectRow, WitnessedLogRow, WitnessedRow
from yinxin.act import SYSTEM
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL, SM, Suite
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Store
from yinxin.text import Text
from yinxin.tlog import (
    BadNoteSignature,
    Checkpoint,
    CosignatureSigner,
    CosignatureVerifier,
    NotConsistent,
    Note,
    NoteVerifier,
    Signature,
    Submission,
    UntrustedNote,
    verify_consistency,
)
from yinxin.tlog.submission import encode_lines

SUSPECT = "audit.suspect-log"
#: one record of a kind for each log in this time: whoever has seen a checkpoint can submit it with a bad proof
_QUIET = timedelta(hours=1)
#: a checkpoint that was cosigned less than this ago is not signed anew
_AGAIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class WitnessedLog:
    """A log that is witnessed here, and how far."""

    origin: str
    tree: str
    keys: tuple[NoteVerifier, ...]
    stopped: bool
    size: int
    root: bytes | None
    #: when it was cosigned last
    at: datetime | None


def tree_of(key: CosignatureVerifier) -> str:
    """The hash of the trees that a witness's key cosigns here."""
    return (SM if key.public_key.suite is SM else INTL).hash.name


def address_of(origin: str) -> str:
    """Where a witness serves its newest checkpoint of a log."""
    return INTL.hash.digest(origin.encode()).hex()


class Cosigner:
    """The witness of one site. Shared by the threads of a process; any number of processes may have one."""

    def __init__(self, store: Store, signers: Iterable[CosignatureSigner], folder: Path) -> None:
        """`folder` holds what was cosigned last, apart from the database; it is made when first needed."""
        self._store = store
        self._signers = tuple(signers)
        self.folder = folder

    @property
    def keys(self) -> tuple[CosignatureVerifier, ...]:
        """What others verify our cosignatures with."""
        return tuple(each.verifier for each in self._signers)

    def add(self, data: bytes) -> bytes:
        """Cosign the checkpoint of a submission; the signature lines.

        Raises MalformedSubmission, MalformedNote, LogNotWitnessed, NotSignedByLog, SizeMoved, NotContinued,
        WitnessClockBehind, WitnessRolledBack, CheckpointFileMissing, and what the signers raise; then nothing was cosigned.
        """
        submission = Submission.decode(data)
        note, checkpoint = submission.checkpoint, Checkpoint.parse(submission.checkpoint.text)
        # 1. The log is one of ours, and has signed it. The file is read before the database, which is never behind it.
        file = self._file(checkpoint.origin)
        remembered = file.read()
        log = self._witnessed(checkpoint.origin)
        suite, own = _signed(note, log)
        # 2. It continues what was cosigned last.
        _never_behind(file, remembered, log)
        fork = checkpoint.size == log.size and log.root not in (None, checkpoint.root)
        if fork:
            self._suspect(log, checkpoint, data, proven=True)
        if submission.old != log.size:
            raise SizeMoved(size=log.size)
        if not _continues(suite, log, checkpoint, submission.hashes):
            if not fork:
                self._suspect(log, checkpoint, data, proven=False)
            raise NotContinued(size=checkpoint.size, held=log.size)
        # 3. Signed; nobody sees this unless the next step finds nothing in between.
        now = self._store.clock.now()
        if log.at is not None and now < log.at.replace(microsecond=0):
            raise WitnessClockBehind(origin=log.origin, at=rfc3339(log.at))
        if log.at is not None and checkpoint.size == log.size and now - log.at < _AGAIN:
            return self._said(log, note.text)
        lines = [each.sign(checkpoint, now) for each in self._signers if tree_of(each.verifier) == log.tree]
        cosigned = Note(note.text, (*own, *lines))
        step("audit.cosign.1-signed")
        # 4. Moved forward, if it still is where it was.
        self._move(log, checkpoint, cosigned, now)
        step("audit.cosign.2-moved")
        # 5. Remembered apart from the database.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.advance({log.tree: cosigned})
        step("audit.cosign.3-remembered")
        return encode_lines(note.text, lines)

    def _said(self, log: WitnessedLog, text: str) -> bytes:
        """What was just said of this very checkpoint: whoever has seen it can submit it, and must not keep the HSM busy."""
        stored = Note.decode(self.newest(address_of(log.origin)))
        if stored.text != text:
            raise SizeMoved(size=self._witnessed(log.origin).size)  # another request has moved it on
        own = {(each.name, each.key_id) for each in self.keys}
        return encode_lines(text, [each for each in stored.signatures if (each.name, each.key_id) in own])

    def newest(self, address: str) -> bytes:
        """The newest cosigned checkpoint of the log whose name has this SHA-256 (hex); raises NeverCosigned."""
        with self._store.read() as session:
            note = session.scalar(sa.select(WitnessedRow.note).where(WitnessedRow.address == address[:64]))
        if note is None:
            raise NeverCosigned
        return note

    def logs(self) -> tuple[WitnessedLog, ...]:
        """The logs that are or were witnessed here, by name."""
        with self._store.read() as session:
            rows = session.execute(_WITNESSED.order_by(WitnessedLogRow.origin)).all()
            return tuple(_log(*row) for row in rows)

    def check(self) -> None:
        """Hold what was cosigned last of each log against the note that says it, and against the file apart.

        Raises StateBroken, WitnessRolledBack, CheckpointFileMissing.
        """
        for each in self.logs():
            # the file before the database, which is never behind it
            remembered = self._file(each.origin).read()
            with self._store.read() as session:
                log = _log(*session.execute(_WITNESSED.where(WitnessedLogRow.origin == each.origin)).one())
                note = session.scalar(sa.select(WitnessedRow.note).where(WitnessedRow.origin == each.origin))
            if note is not None and not self._vouched(log, note):
                raise StateBroken(
                    table=Text("联署过的检查点", "the checkpoints cosigned here"),
                    row=each.origin,
                    reason=Text(
                        "不是其日志或本见证方签名的那一个",
                        "it is not the one that its log or this witness signed",
                    ),
                )
            _never_behind(self._file(each.origin), remembered, log)

    def _vouched(self, log: WitnessedLog, data: bytes) -> bool:
        """Whether the stored note says what the row says, on the word of the log's keys of today or of our own."""
        own = {(key.name, key.key_id): key for key in self.keys}
        try:
            note = Note.decode(data)
            checkpoint = Checkpoint.parse(note.text)
            if (checkpoint.origin, checkpoint.size, checkpoint.root) != (log.origin, log.size, log.root):
                return False
            lines = [each for each in note.signatures if (each.name, each.key_id) in own]
            for each in lines:
                own[each.name, each.key_id].verify(each, checkpoint)
            if not lines:
                Checkpoint.open(note, log.keys)
        except YinxinError:
            return False
        return True

    def suspects(self) -> int:
        """How many records there are of checkpoints that prove a fork of a log witnessed here."""
        with self._store.read() as session:
            return (
                session.scalar(sa.select(sa.func.count()).select_from(SuspectRow).where(SuspectRow.proven))
                or 0
            )

    def _witnessed(self, origin: str) -> WitnessedLog:
        with self._store.read() as session:
            row = session.execute(_WITNESSED.where(WitnessedLogRow.origin == origin)).first()
            if row is None or row[0].stopped is not None:
                raise LogNotWitnessed(origin=origin[:255])
            return _log(*row)

    def _file(self, origin: str) -> CheckpointFile:
        return CheckpointFile(self.folder / address_of(origin))

    def _move(self, log: WitnessedLog, checkpoint: Checkpoint, note: Note, now: datetime) -> None:
        """Compare and swap. Like the sequencer, this writes on the engine: what it writes is the record."""
        values = {
            "size": checkpoint.size,
            "root": checkpoint.root,
            "note": note.encode(),
            "at": now,
        }
        try:
            with self._store.engine.begin() as connection:
                if log.root is None:
                    first = {"origin": log.origin, "address": address_of(log.origin)}
                    connection.execute(sa.insert(WitnessedRow).values(**first, **values))
                    return
                moved = connection.execute(
                    sa.update(WitnessedRow)
                    .where(
                        WitnessedRow.origin == log.origin,
                        WitnessedRow.size == log.size,
                        WitnessedRow.root == log.root,
                    )
                    .values(**values)
                )
                if moved.rowcount == 1:
                    return
        except IntegrityError:
            pass  # another request cosigned this log's first checkpoint
        raise SizeMoved(size=self._witnessed(log.origin).size)

    def _suspect(self, log: WitnessedLog, checkpoint: Checkpoint, data: bytes, *, proven: bool) -> None:
        """Keep what may be a proof that the log misbehaves, and put it on the record."""
        now = self._store.clock.now()
        recent = sa.select(SuspectRow.id).where(
            SuspectRow.origin == log.origin, SuspectRow.proven == proven, SuspectRow.at > now - _QUIET
        )
        with self._store.read() as session:
            if session.scalar(recent.limit(1)) is not None:
                return
        facts: dict[str, Any] = {"size": checkpoint.size, "held": log.size, "proven": proven}
        with self._store.act(SYSTEM, SUSPECT, f"log:{log.origin}", **facts) as act:
            row = SuspectRow(id=act.id, origin=log.origin, submission=data, at=now, **facts)
            act.session.add(row)


_WITNESSED = sa.select(WitnessedLogRow, WitnessedRow.size, WitnessedRow.root, WitnessedRow.at).outerjoin(
    WitnessedRow, WitnessedRow.origin == WitnessedLogRow.origin
)


def _log(row: WitnessedLogRow, size: int | None, root: bytes | None, at: datetime | None) -> WitnessedLog:
    keys = tuple(NoteVerifier.decode(line) for line in row.keys.split("\n"))
    return WitnessedLog(row.origin, row.tree, keys, row.stopped is not None, size or 0, root, at)


def _never_behind(file: CheckpointFile, notes: Mapping[str, Note] | None, log: WitnessedLog) -> None:
    """Hold the database against what the file remembers; raises WitnessRolledBack, CheckpointFileMissing."""
    if notes is None:
        return
    if log.tree not in notes:
        raise CheckpointFileMissing(file=str(file.path), reason="KeyError")
    remembered = Checkpoint.parse(notes[log.tree].text)
    behind = remembered.size > log.size
    if behind or (remembered.size == log.size and remembered.root != log.root):
        raise WitnessRolledBack(
            file=str(file.path), remembered=remembered.size, held=log.size, origin=log.origin
        )


def _signed(note: Note, log: WitnessedLog) -> tuple[Suite, list[Signature]]:
    """The suite of the log's keys that signed, and their lines; other lines are dropped."""
    try:
        _, suite = Checkpoint.open(note, log.keys)
    except (UntrustedNote, BadNoteSignature) as error:
        raise NotSignedByLog(origin=log.origin) from error
    known = {(each.name, each.key_id) for each in log.keys}
    lines: dict[tuple[str, bytes], Signature] = {}
    for each in note.signatures:
        if (each.name, each.key_id) in known:
            lines.setdefault((each.name, each.key_id), each)  # a repeated line was not verified
    return suite, list(lines.values())


def _continues(suite: Suite, log: WitnessedLog, checkpoint: Checkpoint, proof: tuple[bytes, ...]) -> bool:
    empty = suite.hash.digest(b"")
    if checkpoint.size == 0 and checkpoint.root != empty:
        return False
    old_root = empty if log.size == 0 else log.root or b""
    try:
        verify_consistency(
            suite.hash, log.size, checkpoint.size, old_root=old_root, new_root=checkpoint.root, proof=proof
        )
    except NotConsistent:
        return False
    return True
