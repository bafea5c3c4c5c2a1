"""Making an archive: written, durable and read back before anything leaves the log; then all of it leaves, or nothing.

Who dies before the last step leaves a file that the log does not name, and the log as it was.
"""

import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.errors import ArchiveNotWritten, ArchiveUnderWay, NothingDue
from audit.archive.file import Archive
from audit.archive.models import ArchiveRow, SealedRow
from audit.archive.periods import due
from audit.archive.seal import Header, seal_text, verify_seal
from audit.checkpoint import newest, note_of
from audit.index.models import PostingRow
from audit.index.terms import terms_of
from audit.models import EntryRow
from audit.renewal.keep import enter
from audit.tree import TREES, stored
from yinxin import canonical, files
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto.suite import INTL, Suite
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import alone
from yinxin.tlog import Node, Note, NoteVerifier, inclusion_proof

if TYPE_CHECKING:
    from audit.service import Log

ARCHIVE = "audit.archive"
#: entries of one archive, and of one statement
MOST, _CHUNK = 5_000, 100


def make(
    log: "Log", actor: Actor, folder: Path, decision: Decision | None = None, *, most: int = MOST
) -> dict[str, Any]:
    """Seal up to `most` entries that are past their period into a file of `folder`; says which.

    Raises NothingDue, ArchiveUnderWay, ArchiveNotWritten; then the log is as it was.
    """
    with alone(log.store.engine, ARCHIVE) as mine:
        if not mine:
            raise ArchiveUnderWay
        return _make(log, actor, folder, decision, most)


def _make(log: "Log", actor: Actor, folder: Path, decision: Decision | None, most: int) -> dict[str, Any]:
    name = log.store.identifier()
    file = folder / f"{name}.yinxin-archive"
    # 1. Which, and what proves them: from one view of the log.
    with log.store.read() as session:
        archive = _gather(session, log, name, most)
    content = archive.encode()
    step("audit.archive.1-gathered")
    # 2. On the disk, under its name.
    try:
        files.replace(file, content, mode=0o600)
    except OSError as error:
        raise ArchiveNotWritten(file=str(file), reason=type(error).__name__) from error
    step("audit.archive.2-written")
    # 3. Read back, and every entry proved from the file alone.
    digest = INTL.hash.digest(content)
    try:
        again = file.read_bytes()
        if not hmac.compare_digest(INTL.hash.digest(again), digest):
            raise ArchiveNotWritten(file=str(file), reason="digest")
        Archive.decode(again).verify(log.verifiers)
    except (OSError, YinxinError) as error:
        raise ArchiveNotWritten(
            file=str(file), reason=getattr(error, "code", type(error).__name__)
        ) from error
    step("audit.archive.3-read-back")
    # 4. Sealed with the log's keys, and the signatures verified.
    headers = archive.headers()
    text = seal_text(log.settings.origin, name, archive.size, headers, digest)
    note = Note.sign(text, log.archivers)
    verify_seal(
        text, note, [NoteVerifier(log.settings.origin, each.public_key) for each in log.verifiers.values()]
    )
    step("audit.archive.4-signed")
    # 5. In one transaction: the seal, the record, and the entries' content out of the log.
    facts: dict[str, Any] = {
        "count": len(headers),
        "first": headers[0].index,
        "last": headers[-1].index,
        "digest": digest.hex(),
    }
    with log.store.act(actor, ARCHIVE, f"archive:{name}", **facts) as act:
        act.decision = None if decision is None else decision.record()
        act.session.add(
            ArchiveRow(
                name=name,
                made=log.store.clock.now(),
                size=archive.size,
                note=note.encode(),
                **(facts | {"digest": digest}),
            )
        )
        enter(act.session, "archive", name, at=log.store.clock.now(), digest=digest, file=file)
        act.session.flush()
        for at in range(0, len(headers), _CHUNK):
            _leave(act.session, name, headers[at : at + _CHUNK], archive)
    step("audit.archive.5-left")
    return {"archive": name, "file": str(file), **facts}


def _gather(session: Session, log: "Log", name: str, most: int) -> Archive:
    rows = due(session, log.store.clock.now(), log.settings.forward.receivers, most)
    signed = newest(session)
    if not rows or signed is None:
        raise NothingDue
    nodes = {
        suite.hash.name: _nodes(session, suite, [row.index for row in rows], signed.size) for suite in TREES
    }
    notes = {suite.hash.name: note_of(signed, suite).encode().decode() for suite in TREES}
    return Archive(
        name, log.settings.origin, signed.size, notes, nodes, {row.index: row.data for row in rows}
    )


def _nodes(session: Session, suite: Suite, indexes: Sequence[int], size: int) -> dict[Node, bytes]:
    """Every node that the proofs of these entries need, each once."""
    known: dict[Node, bytes] = {}
    fetch = stored(session, suite)

    def noted(wanted: Sequence[Node]) -> dict[Node, bytes]:
        known.update(fetch([node for node in wanted if node not in known]))
        return {node: known[node] for node in wanted}

    for index in indexes:
        inclusion_proof(suite.hash, index, size, noted)
    return known


def _leave(session: Session, name: str, headers: Sequence[Header], archive: Archive) -> None:
    """What the log keeps is the hashes and the header; the triggers let go of nothing else, and of no entry without its seal."""
    sealed = [
        {
            "index": each.index,
            "archive": name,
            "leaf_sha256": each.leaf_sha256,
            "leaf_sm3": each.leaf_sm3,
            "source": each.source,
            "number": each.number,
        }
        for each in headers
    ]
    session.execute(sa.insert(SealedRow), sealed)
    indexes = [each.index for each in headers]
    session.execute(
        sa.update(EntryRow)
        .where(EntryRow.index.in_(indexes))
        .values(data=b"", subject="", actor="", request=None)
        .execution_options(synchronize_session=False)
    )
    for index in indexes:
        terms = terms_of(canonical.decode(archive.entries[index]))
        session.execute(sa.delete(PostingRow).where(PostingRow.index == index, PostingRow.term.in_(terms)))
