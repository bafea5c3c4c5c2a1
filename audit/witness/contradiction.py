"""What a witness's refusal means: that it has seen another history of this log, proved by our own signature or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.checkpoint import signed_size
from audit.tree import stored
from audit.witness.models import ContradictionRow, CosignatureRow
from yinxin.act import SYSTEM
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.store import Store
from yinxin.text import Text
from yinxin.tlog import Checkpoint, CosignatureVerifier, Note, NoteVerifier, root

FOUND = "audit.find-contradiction"


class Kind(StrEnum):
    """`rolled-back`: the witness has seen more entries than there are. `forked`: it has seen others."""

    ROLLED_BACK = "rolled-back"
    FORKED = "forked"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """That a witness contradicts this log. `proven`: by a checkpoint that the log's own key has signed."""

    tree: str
    witness: str
    kind: Kind
    size: int
    theirs: int
    proven: bool
    at: datetime

    def text(self) -> Text:
        """What was found, as a part of a sentence."""
        proof = (
            Text("有本日志密钥签名的检查点为证", "a checkpoint signed by this log's own key proves it")
            if self.proven
            else Text("未取得签名的证据", "no signed evidence of it could be had")
        )
        if self.kind is Kind.ROLLED_BACK:
            return Text(
                f"{self.tree} 日志被回滚，它见过 {self.theirs} 条，现签发到 {self.size} 条；{proof.zh}",
                f"the log ({self.tree}) was rolled back, it has seen {self.theirs} entries and {self.size} are signed; {proof.en}",
            )
        return Text(
            f"{self.tree} 日志分叉，现有 {self.size} 条不是它见过的 {self.theirs} 条的延续；{proof.zh}",
            f"the log ({self.tree}) forked, the {self.size} entries do not continue the {self.theirs} it has seen; {proof.en}",
        )


def judge(session: Session, suite: Suite, own: NoteVerifier, shown: bytes | None) -> tuple[bool, bool]:
    """What the checkpoint that a witness shows says of our log: (it is signed by our key, it contradicts us)."""
    if shown is None:
        return False, False
    try:
        checkpoint, _ = Checkpoint.open(Note.decode(shown), [own])
    except YinxinError:
        return False, False
    if checkpoint.size > signed_size(session):
        return True, True
    try:
        return True, checkpoint.root != root(suite.hash, checkpoint.size, stored(session, suite))
    except KeyError:
        return True, True


def record(
    store: Store, origin: str, witness: CosignatureVerifier, found: Contradiction, note: bytes | None
) -> None:
    """Raise the alarm about the log `origin`: a row, and an entry; the same finding once.

    Without proof one of a kind is enough, as long as it stands: a witness could name another size each time.
    """
    key_id = witness.key_id.hex()
    with store.read() as session:
        if not found.proven and any(
            (each.tree, each.witness, each.kind, each.proven)
            == (found.tree, found.witness, found.kind, False)
            for each in standing(session, [origin])
        ):
            return
        known = session.scalar(
            sa.select(ContradictionRow.id).where(
                ContradictionRow.origin == origin,
                ContradictionRow.witness == witness.name,
                ContradictionRow.key_id == key_id,
                ContradictionRow.kind == found.kind.value,
                ContradictionRow.theirs == found.theirs,
                ContradictionRow.note.is_not(None) == found.proven,
            )
        )
    if known is not None:
        return
    facts: dict[str, Any] = {
        "tree": found.tree,
        "kind": found.kind.value,
        "size": found.size,
        "theirs": found.theirs,
    }
    with store.act(SYSTEM, FOUND, f"witness:{witness.name}", **facts, proven=found.proven) as act:
        row = ContradictionRow(
            id=act.id, origin=origin, witness=witness.name, key_id=key_id, at=found.at, note=note, **facts
        )
        act.session.add(row)


def standing(session: Session, origins: Sequence[str]) -> tuple[Contradiction, ...]:
    """The alarms about logs of these names, oldest first.

    A proven one stands for ever. One without proof ends when the same witness cosigns again afterwards: had it seen
    another history, it could not.
    """
    later = (
        sa.select(CosignatureRow.size)
        .where(
            CosignatureRow.tree == ContradictionRow.tree,
            CosignatureRow.name == ContradictionRow.witness,
            CosignatureRow.key_id == ContradictionRow.key_id,
            CosignatureRow.received > ContradictionRow.at,
        )
        .exists()
    )
    rows = session.scalars(
        sa.select(ContradictionRow)
        .where(ContradictionRow.origin.in_(origins), sa.or_(ContradictionRow.note.is_not(None), ~later))
        .order_by(ContradictionRow.at, ContradictionRow.id)
    )
    return tuple(
        Contradiction(
            row.tree, row.witness, Kind(row.kind), row.size, row.theirs, row.note is not None, row.at
        )
        for row in rows
    )
