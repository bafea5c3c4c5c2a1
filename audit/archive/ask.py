"""Archives in somebody's name: listed, checked and proved from by whoever may, and each time recorded."""

from dataclasses import dataclass

import sqlalchemy as sa

from audit.archive.errors import BadArchive
from audit.archive.file import Archive
from audit.archive.models import ArchiveRow
from audit.archive.seal import headers_of, seal_text, verify_seal
from audit.ask import CHECK, EXPORT, LOG, READ, decider_of, may_read
from audit.personal.check import hold_archived
from audit.service import Log
from yinxin import canonical
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.crypto.suite import INTL, Suite
from yinxin.text import Text
from yinxin.tlog import LogProof, Note, NoteVerifier


@dataclass(frozen=True, slots=True)
class Verified:
    """An archive that holds: what the log says of it, and how many personal fields of its entries are open here, and erased."""

    row: ArchiveRow
    opened: int
    erased: int


def archives_for(log: Log, actor: Actor) -> tuple[ArchiveRow, ...]:
    """Every archive that was sealed, oldest first, for whoever may read the log; raises Denied."""
    decision = may_read(log, actor)
    with log.store.read() as session:
        rows = session.scalars(sa.select(ArchiveRow).order_by(ArchiveRow.made, ArchiveRow.name))
        found = tuple(rows)
    with log.store.act(actor, READ, LOG, archives=len(found)) as act:
        act.decision = decision.record()
    return found


def verified_for(log: Log, actor: Actor, content: bytes) -> Verified:
    """Hold a file against the log's keys and against the seal that the log keeps of it, for whoever may have the log checked.

    Raises Denied, BadArchive, OpeningBroken, and what verifying a note raises. What is found, good or bad, is recorded.
    """
    decision = decider_of(log).require(actor, CHECK, Resource("AuditLog", LOG, PLATFORM))
    with log.store.refusing(actor, CHECK, "archive"):
        found = Archive.decode(content)
    with log.store.act(actor, CHECK, f"archive:{found.name}", digest=INTL.hash.digest(content).hex()) as act:
        act.decision = decision.record()
        verified = _verified(log, found, content)
        act.facts |= {
            "count": verified.row.count,
            "opened": verified.opened,
            "erased": verified.erased,
        }
    return verified


def proved_for(log: Log, actor: Actor, content: bytes, event: str, suite: Suite) -> LogProof:
    """The proof of one entry out of a file, held against the log's keys, for whoever may export that entry's proof.

    Raises Denied, BadArchive, NotInArchive, and what verifying a proof raises.
    """
    with log.store.refusing(actor, EXPORT, f"entry:{event[:40]}"):
        found = Archive.decode(content)
        proof = found.prove(event, suite)
        proof.verify(log.verifiers.values())
    organ = canonical.decode(proof.entry)["actor"].get("organ", PLATFORM)
    decision = decider_of(log).require(actor, EXPORT, Resource("AuditEntry", event, organ))
    with log.store.act(actor, EXPORT, f"entry:{event}", suite=suite.name, archive=found.name) as act:
        act.decision = decision.record()
    return proof


def _verified(log: Log, found: Archive, content: bytes) -> Verified:
    found.verify(log.verifiers)
    digest = INTL.hash.digest(content)
    with log.store.read() as session:
        row = session.get(ArchiveRow, found.name)
        if row is None:
            raise BadArchive(part=Text("日志没有封存这个归档", "the log sealed no such archive"))
        headers = headers_of(session, found.name)
        if row.digest != digest or headers != found.headers():
            raise BadArchive(part=Text("与日志封存的不同", "the log sealed another"))
        keys = [NoteVerifier(log.settings.origin, each.public_key) for each in log.verifiers.values()]
        text = seal_text(log.settings.origin, row.name, row.size, headers, digest)
        verify_seal(text, Note.decode(row.note), keys)
        return Verified(row, *hold_archived(session, found.entries, log.around))
