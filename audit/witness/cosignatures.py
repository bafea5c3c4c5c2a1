"""Cosignatures on this log's checkpoints, as they are stored; and the checkpoints that carry enough of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from audit.checkpoint import Signed, newest, note_of, of_size
from audit.models import CheckpointRow
from audit.witness.errors import CosignatureBroken
from audit.witness.models import CosignatureRow
from audit.witness.quorum import ever_named, in_force
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.store import Sql, Store, Within
from yinxin.tlog import Checkpoint, Cosigned, Note, Signature
from yinxin.tlog.policy import NONE

#: how many checkpoints with cosignatures are looked at for one that has enough, newest first
_LOOK = 500


def keep(store: Store, suite: Suite, size: int, given: Sequence[tuple[Cosigned, Signature]]) -> None:
    """Store what witnesses said of a checkpoint of ours; verified before. What is there already is there.

    Like the checkpointer it writes on the engine: a cosignature that were an entry would make a new checkpoint.
    """
    for cosigned, line in given:
        values = {"tree": suite.hash.name, "size": size, "name": line.name, "key_id": line.key_id.hex()}
        try:
            with store.engine.begin() as connection:
                connection.execute(
                    sa.insert(CosignatureRow).values(
                        **values, at=cosigned.at, value=line.value, received=store.clock.now()
                    )
                )
        except IntegrityError:
            continue


_COSIGNED = cast("sa.Table", CosignatureRow.__table__).c
_ON_TREE = _COSIGNED.tree == sa.bindparam("tree")
_LINES = Sql(
    sa.select(_COSIGNED.name, _COSIGNED.key_id, _COSIGNED.value)
    .where(_ON_TREE, _COSIGNED.size == sa.bindparam("of", type_=sa.BigInteger))
    .order_by(_COSIGNED.name, _COSIGNED.key_id, _COSIGNED.at)
)
_BY_SIZE = Sql(
    sa.select(_COSIGNED.size, _COSIGNED.name, _COSIGNED.key_id)
    .where(_ON_TREE, _COSIGNED.size >= sa.bindparam("covering", type_=sa.BigInteger))
    .order_by(_COSIGNED.size.desc())
    .limit(sa.bindparam("most", type_=sa.Integer()))
)


def lines_on(within: Within, suite: Suite, size: int) -> list[Signature]:
    """The last word of each witness on the checkpoint of `size`, by name."""
    rows = _LINES.all(within, {"tree": suite.hash.name, "of": size})
    last = {(name, key_id): _line(name, key_id, value) for name, key_id, value in rows}
    return list(last.values())


def with_cosignatures(within: Within, row: Signed, suite: Suite) -> Note:
    """A stored checkpoint's note with every cosignature on it; raises MalformedNote."""
    note = note_of(row, suite)
    return Note(note.text, (*note.signatures, *lines_on(within, suite, row.size)))


def newest_witnessed(within: Within, suite: Suite, *, covering: int = 0) -> Signed | None:
    """The newest checkpoint over `covering` entries at least that carries the quorum of the policy in force.

    None without a policy, and while too few have cosigned any.
    """
    policy = in_force(within, suite)
    if policy is None:
        return None
    if policy.quorum == NONE:
        return newest(within)
    names = {
        (each.verifier.name, each.verifier.key_id.hex()): each.name for each in policy.witnesses.values()
    }
    most = _LOOK * max(1, len(names))
    found = _BY_SIZE.all(within, {"tree": suite.hash.name, "covering": covering, "most": most})
    by_size: dict[int, dict[str, None]] = {}
    for size, name, key_id in found:
        if (name, key_id) in names:
            by_size.setdefault(size, {})[names[name, key_id]] = None
    for size, by in by_size.items():
        if policy.satisfied(by):
            return of_size(within, size)
    return None


def has_quorum(within: Within, suite: Suite, size: int) -> bool:
    """Whether the checkpoint of that size carries what the policy in force asks for; so does every one without a policy."""
    policy = in_force(within, suite)
    if policy is None:
        return True
    lines = {(each.name, each.key_id) for each in lines_on(within, suite, size)}
    by = {
        each.name: None
        for each in policy.witnesses.values()
        if (each.verifier.name, each.verifier.key_id) in lines
    }
    return policy.satisfied(by)


def last_of(session: Session, suite: Suite, name: str, key_id: str) -> tuple[int, datetime] | None:
    """The largest size that a witness has cosigned, and when it said so last."""
    row = session.execute(
        sa.select(CosignatureRow.size, CosignatureRow.at)
        .where(
            CosignatureRow.tree == suite.hash.name,
            CosignatureRow.name == name,
            CosignatureRow.key_id == key_id,
        )
        .order_by(CosignatureRow.size.desc(), CosignatureRow.at.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.size, row.at)


def check(session: Session, suite: Suite) -> int:
    """Verify every stored cosignature of a tree; how many there are. Raises CosignatureBroken with the first bad one."""
    keys = ever_named(session, suite)
    count = 0
    checkpoint: Checkpoint | None = None
    query = (
        sa.select(CosignatureRow).where(CosignatureRow.tree == suite.hash.name).order_by(CosignatureRow.size)
    )
    for row in session.scalars(query).yield_per(1000):
        broken = CosignatureBroken(size=row.size, witness=row.name)
        if checkpoint is None or checkpoint.size != row.size:
            stored = session.get(CheckpointRow, row.size)
            if stored is None:
                raise broken
            checkpoint = Checkpoint.parse(note_of(stored, suite).text)
        key = keys.get((row.name, row.key_id))
        try:
            held = (
                key is not None and key.verify(_line(row.name, row.key_id, row.value), checkpoint) == row.at
            )
        except YinxinError as error:
            raise broken from error
        if not held:
            raise broken
        count += 1
    return count


def _line(name: str, key_id: str, value: bytes) -> Signature:
    return Signature(name, bytes.fromhex(key_id), value)
