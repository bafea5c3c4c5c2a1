"""Which proofs there are, the record of each, and which of them end soon."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from audit.checkpoint import note_of
from audit.models import CheckpointRow, StampRow
from audit.renewal.errors import KeptFileLost, NoRecord, NotYetStamped, RenewalBroken
from audit.renewal.keep import read
from audit.renewal.models import BranchRow, KeptRow, LinkRow
from audit.tree import TREES
from yinxin.crypto import der
from yinxin.crypto.timestamps import Token
from yinxin.errors import YinxinError
from yinxin.evidence.record import Ages, EvidenceRecord, HashPath, Link, fits

CHECKPOINT, ARCHIVE = "checkpoint", "archive"


@dataclass(frozen=True, order=True)
class Proof:
    """What is proved: a checkpoint (`sha256/1234`), an archive or a bundle, by name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Standing:
    """A proof and its last link: position, chain's hash, and whether that hash ends soon; position -1 when it has none yet."""

    proof: Proof
    position: int
    hash: str
    rehash: bool


def checkpoint_name(tree: str, size: int) -> str:
    """How a checkpoint is named as a proof."""
    return f"{tree}/{size}"


def content(session: Session, proof: Proof, look_in: Iterable[str] = ()) -> bytes:
    """The data of a proof; raises NoRecord, KeptFileLost."""
    if proof.kind != CHECKPOINT:
        kept = session.get(KeptRow, (proof.kind, proof.name))
        if kept is None:
            raise NoRecord(kind=proof.kind, name=proof.name)
        return read(kept, look_in)
    row = _stamp(session, proof)
    checkpoint = session.get(CheckpointRow, row.size)
    if checkpoint is None:
        raise NoRecord(kind=proof.kind, name=proof.name)
    suite = next(each for each in TREES if each.hash.name == row.tree)
    return note_of(checkpoint, suite).text.encode()


def record(session: Session, proof: Proof) -> EvidenceRecord:
    """The evidence record of a proof; raises NoRecord, NotYetStamped, RenewalBroken."""
    query = (
        sa.select(BranchRow, LinkRow)
        .join(LinkRow, LinkRow.number == BranchRow.link)
        .where(BranchRow.kind == proof.kind, BranchRow.name == proof.name)
        .order_by(BranchRow.position)
    )
    rows = session.execute(query).all()
    chains: list[list[Link]] = []
    try:
        for place, (branch, row) in enumerate(rows):
            held = Link.read(row.data) if row.data else Link(Token.load(_stamp(session, proof).token))
            link = Link(held.token, decode_path(branch.path), held.certificates, held.crls)
            if branch.position != place or (place == 0) > branch.opens:
                raise RenewalBroken(kind=proof.kind, name=proof.name, reason=f"{place + 1}")
            if branch.opens:
                chains.append([])
            chains[-1].append(link)
    except (YinxinError, ValueError) as error:
        code = error.code if isinstance(error, YinxinError) else type(error).__name__
        raise RenewalBroken(kind=proof.kind, name=proof.name, reason=code) from error
    if not chains and proof.kind == CHECKPOINT:
        return EvidenceRecord(((Link(Token.load(_stamp(session, proof).token)),),))
    if not chains and session.get(KeptRow, (proof.kind, proof.name)) is not None:
        raise NotYetStamped(kind=proof.kind, name=proof.name)
    if not chains:
        raise NoRecord(kind=proof.kind, name=proof.name)
    return EvidenceRecord(tuple(map(tuple, chains)))


def _stamp(session: Session, proof: Proof) -> StampRow:
    tree, _, size = proof.name.partition("/")
    row = session.get(StampRow, (tree, int(size))) if size.isdecimal() and len(size) < 19 else None
    if row is None:
        raise NoRecord(kind=proof.kind, name=proof.name)
    return row


def unentered(session: Session, limit: int) -> list[StampRow]:
    """Timestamped checkpoints that are no proofs yet: the newest of them were stamped since the last look."""
    name = StampRow.tree + "/" + sa.cast(StampRow.size, sa.String)
    known = sa.exists().where(BranchRow.kind == CHECKPOINT, BranchRow.name == name)
    query = sa.select(StampRow).where(~known).order_by(StampRow.tree, StampRow.size).limit(limit)
    return list(session.scalars(query))


def unbegun(session: Session, limit: int) -> list[Standing]:
    """What is in keeping and has no timestamp yet."""
    known = sa.exists().where(BranchRow.kind == KeptRow.kind, BranchRow.name == KeptRow.name)
    query = sa.select(KeptRow.kind, KeptRow.name).where(~known).order_by(KeptRow.kind, KeptRow.name)
    return [Standing(Proof(*row), -1, "", rehash=True) for row in session.execute(query.limit(limit))]


def ending(session: Session, ages: Ages, before: datetime, limit: int | None = None) -> list[Standing]:
    """Proofs whose last link ends before an instant, oldest links first."""
    query = _ending(session, ages, before)
    rows = session.execute(query.order_by(LinkRow.number, BranchRow.kind, BranchRow.name).limit(limit))
    return [
        Standing(Proof(kind, name), position, hash_, rehash=_ended(ages, [hash_], before))
        for kind, name, position, hash_ in rows
    ]


def count_ending(session: Session, ages: Ages, before: datetime) -> int:
    """How many proofs end before an instant."""
    query = _ending(session, ages, before)
    return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0


def _ending(session: Session, ages: Ages, before: datetime) -> sa.Select[str, str, int, str]:
    algorithms = [
        each
        for each in session.scalars(sa.select(LinkRow.algorithms).distinct())
        if _ended(ages, each.split(), before)
    ]
    hashes = [
        each for each in session.scalars(sa.select(LinkRow.hash).distinct()) if _ended(ages, [each], before)
    ]
    later = aliased(BranchRow)
    renewed = sa.exists().where(
        later.kind == BranchRow.kind,
        later.name == BranchRow.name,
        later.position == BranchRow.position + 1,
    )
    return (
        sa.select(BranchRow.kind, BranchRow.name, BranchRow.position, LinkRow.hash)
        .join(LinkRow, LinkRow.number == BranchRow.link)
        .where(
            sa.or_(LinkRow.ends < before, LinkRow.algorithms.in_(algorithms), LinkRow.hash.in_(hashes)),
            ~renewed,
        )
    )


def _ended(ages: Ages, names: Iterable[str], before: datetime) -> bool:
    found = ages.first(names)
    return found is not None and found[0] < before


def check(session: Session) -> int:
    """Hold every stored record against its data and itself; how many. Raises RenewalBroken.

    Whether its authorities are to be believed is the reader's to judge. A file that is away is passed over here: health names it.
    """
    count = 0
    for proof in every(session):
        try:
            found = record(session, proof)
            fits(found, content(session, proof))
        except KeptFileLost:
            pass
        except (NoRecord, YinxinError) as error:
            if isinstance(error, RenewalBroken):
                raise
            raise RenewalBroken(kind=proof.kind, name=proof.name, reason=error.code) from error
        count += 1
    return count


def every(session: Session) -> Iterator[Proof]:
    """Every proof that has a record."""
    query = sa.select(BranchRow.kind, BranchRow.name).where(BranchRow.position == 0)
    for row in session.execute(query.order_by(BranchRow.kind, BranchRow.name)).all():
        yield Proof(*row)


def missing(session: Session) -> list[str]:
    """Files in keeping that are not where they were put; whether they are the same their renewal finds out."""
    query = sa.select(KeptRow.file).order_by(KeptRow.kind, KeptRow.name)
    return [file for file in session.scalars(query) if not Path(file).is_file()]


def encode_path(path: HashPath) -> bytes:
    """A path as it is stored."""
    return der.sequence(*(der.sequence(*map(der.octets, group)) for group in path)) if path else b""


def decode_path(data: bytes) -> HashPath:
    """The same, read; raises MalformedDer."""
    groups = der.elements(data) if data else []
    return tuple(
        tuple(der.content(each, der.OCTET_STRING) for each in der.elements(group)) for group in groups
    )
