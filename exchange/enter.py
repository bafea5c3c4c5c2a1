"""Putting messages on record: of either direction, many at once, each row written as the database takes it best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange.errors import Forked
from exchange.header import Header
from exchange.models import ChainRow, Direction, MessageRow, PartRow, State
from exchange.packs import Slot
from yinxin.store import Sql, listed

_MESSAGE, _PART = cast("sa.Table", MessageRow.__table__), cast("sa.Table", PartRow.__table__)
_ENTER = Sql(sa.insert(_MESSAGE), *_MESSAGE.c.keys())
_ENTER_PART = Sql(sa.insert(_PART), *_PART.c.keys())
_USED = Sql(
    sa.select(_MESSAGE.c.seq)
    .where(
        _MESSAGE.c.direction == sa.bindparam("direction"),
        _MESSAGE.c.peer == sa.bindparam("peer"),
        listed(_MESSAGE.c.id, "ids"),
    )
    .order_by(_MESSAGE.c.seq)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Entered:
    """A message that is put on record: its key, where it stands, and where its parts begin if they are in a pack."""

    header: Header
    key: bytes
    state: State
    reference: str | None = None
    error: str | None = None
    packed: Slot | None = None


def locked_chain(session: Session, direction: Direction, peer: str) -> ChainRow:
    """How far a direction has come; nobody else moves it until the transaction ends."""
    chain = session.get(ChainRow, (direction, peer), with_for_update=True)
    if chain is None:
        raise LookupError(f"no chain for {peer}")  # made with its peer, and never removed
    return chain


def enter(session: Session, direction: Direction, entries: Sequence[Entered], now: datetime) -> None:
    """Put messages and their parts on record; `now` is when they were made or came. Raises Forked for an identifier used before."""
    by_peer: dict[str, list[Entered]] = {}
    for each in entries:
        header = each.header
        peer = header.recipient_site if direction is Direction.OUT else header.sender_site
        by_peer.setdefault(peer, []).append(each)
    for peer, theirs in by_peer.items():
        ids = [each.header.id for each in theirs]
        # what we call our own messages nobody else chooses
        if direction is Direction.IN:
            if len(set(ids)) < len(ids):
                raise Forked(peer=peer, seq=theirs[0].header.seq)
            if used := _USED.scalars(session, {"direction": direction, "peer": peer, "ids": ids}):
                raise Forked(peer=peer, seq=used[0])
        _ENTER.run_many(session, [_row(direction, peer, each, now) for each in theirs])
        if parts := [row for each in theirs for row in _parts(direction, peer, each)]:
            _ENTER_PART.run_many(session, parts)


def _row(direction: Direction, peer: str, entry: Entered, now: datetime) -> Mapping[str, Any]:
    header, place = entry.header, entry.packed
    return {
        "direction": direction.value,
        "peer": peer,
        "seq": header.seq,
        "id": header.id,
        "reference": entry.reference,
        "header": header.encoded,
        "digest": header.digest,
        "key": entry.key,
        "sender": header.sender,
        "recipient": header.recipient,
        "kind": header.kind,
        "object": header.object,
        "grade": header.grade,
        "state": entry.state.value,
        "error": entry.error,
        "at": now,
        "settled": now if entry.state is State.REFUSED else None,
        "pack": place and place.pack,
        "pack_at": None if place is None else place.at,
    }


def _parts(direction: Direction, peer: str, entry: Entered) -> Sequence[Mapping[str, Any]]:
    """A row for each part that is a file by itself."""
    if entry.packed is not None:
        return ()
    return [
        {
            "direction": direction.value,
            "peer": peer,
            "seq": entry.header.seq,
            "number": number,
            "digest": part.digest,
            "size": part.size,
        }
        for number, part in enumerate(entry.header.parts)
    ]
