"""Rewrapping: what lies under an earlier generation is opened and wrapped under the current one, batch by batch.

A ciphertext and the name of its key are changed in one statement that asks for what was read, so a row lies under the
old key or the new one and never between, whatever else happens to it and whenever the process dies. The secret is in
the memory of the process that has the module for that moment, and nowhere else in the clear.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kms.engine import Engine, ProtectedKey
from kms.engine.engine import Rewrapping
from kms.engine.gcm import NONCE
from kms.generation.held import Held
from kms.info import KeyInfo
from kms.models import GenerationRow
from yinxin.act import SYSTEM
from yinxin.steps import step
from yinxin.store import Store

VERB = "kms.rewrap"
#: ciphertexts that move together: one commit, one record
BATCH = 500
#: of them, those that one call of the module moves: nobody else's call waits for more, and a slow module keeps its deadline
AT_ONCE = 20


@dataclass(slots=True)
class Gone:
    """How far a pass has come."""

    moved: int = 0
    unopened: int = 0
    #: whether every table was gone through to its end
    through: bool = True
    #: ciphertexts that did not open, by table and key
    which: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Move:
    """From which key to which, and with what."""

    store: Store
    engine: Engine
    old: KeyInfo
    new: KeyInfo


def rewrap(move: Move, held: Sequence[Held], until: datetime) -> Gone:
    """Move what lies under the old key, table by table, until all is gone through or `until` has come; raises as `Token.use`."""
    gone = Gone(through=False)
    for _ in batches(move, held, gone):
        if move.store.clock.now() >= until:
            return gone
    gone.through = True
    return gone


def batches(move: Move, held: Sequence[Held], gone: Gone) -> Iterator[int]:
    """The same a batch at a time: yields after each how many have moved."""
    for each in held:
        after: Any = None
        while rows := _rows(move.store, each, move.old.label, after):
            _change(move, each, _wrapped(move, each, rows, gone), gone)
            after = _key(each, rows[-1])
            yield gone.moved


def left(store: Store, held: Sequence[Held], label: str) -> dict[str, int]:
    """Ciphertexts that lie under the key of this label, by table."""
    with store.read() as session:
        return {
            each.table.name: session.scalar(
                sa.select(sa.func.count()).select_from(each.table).where(each.table.c.kek == label)
            )
            or 0
            for each in held
        }


def _rows(store: Store, each: Held, label: str, after: Any) -> Sequence[sa.Row[Any]]:
    query = sa.select(each.table).where(each.table.c.kek == label)
    if after is not None:
        query = query.where(each.key > after)
    with store.read() as session:
        return session.execute(query.order_by(each.key).limit(BATCH)).all()


def _key(each: Held, row: sa.Row[Any]) -> Any:
    return row._mapping[each.key]  # noqa: SLF001 - SQLAlchemy's public name for it


def _wrapped(move: Move, each: Held, rows: Sequence[sa.Row[Any]], gone: Gone) -> list[dict[str, Any]]:
    """The rows' new ciphertexts; what does not open stays as it is, and is counted."""
    changes, old, new = [], move.old, move.new
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        wanted = [
            Rewrapping(
                ProtectedKey(str(_key(each, row)), each.bound(row, old.label), row.nonce, row.blob),
                each.bound(row, new.label),
                move.store.randomness.token(NONCE),
            )
            for row in part
        ]
        found = move.engine.rewrap(old.reference, new.reference, wanted)
        for row, asked, blob in zip(part, wanted, found, strict=True):
            if not blob:
                gone.unopened += 1
                gone.which.append(f"{each.table.name}:{asked.lying.label}")
                continue
            now = {"new_kek": new.label, "new_nonce": asked.nonce, "new_blob": blob}
            changes.append({"old_key": _key(each, row), "old_nonce": row.nonce, **now})
    return changes


def _change(move: Move, each: Held, changes: Sequence[dict[str, Any]], gone: Gone) -> None:
    if not changes:
        return
    step("kms.rewrap.1-wrapped")
    table, parameter, old = each.table, sa.bindparam, move.old.label
    # a nonce is never used twice, so it says that the ciphertext is the one that was read
    change = (
        sa.update(table)
        .where(each.key == parameter("old_key"), table.c.kek == old, table.c.nonce == parameter("old_nonce"))
        .values(kek=parameter("new_kek"), nonce=parameter("new_nonce"), blob=parameter("new_blob"))
    )
    generation = sa.update(GenerationRow).where(GenerationRow.label == old)
    with move.store.act(SYSTEM, VERB, f"generation:{old}", table=table.name, to=move.new.label) as act:
        moved = act.session.connection().execute(change, list(changes)).rowcount
        act.session.execute(generation.values(moved=GenerationRow.moved + moved))
        act.facts["number"] = moved
    gone.moved += moved
    step("kms.rewrap.2-moved")
