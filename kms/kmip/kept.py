"""What a client keeps here, as officers and auditors see it: everything but the keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kms.kmip.attributes import NAME, title_of
from kms.kmip.errors import KmipObjectUnknown
from kms.kmip.lifecycle import state_of
from kms.kmip.models import KmipAttributeRow, KmipObjectRow
from kms.kmip.ttlv import decode
from kms.kmip.words import Algorithm, ObjectType, State
from yinxin.clock import rfc3339
from yinxin.store import Store


@dataclass(frozen=True, slots=True)
class KmipObject:
    """An object of a client's. `recoverable` is until when its key can be brought back, if it was destroyed."""

    id: str
    client: str
    kind: str
    algorithm: str | None
    length: int
    state: State
    names: tuple[str, ...]
    imported: bool
    created: datetime
    destroyed: datetime | None
    recoverable: datetime | None

    def fields(self) -> dict[str, Any]:
        """The object as JSON."""
        return {
            "id": self.id,
            "client": self.client,
            "kind": self.kind,
            "algorithm": self.algorithm,
            "length": self.length,
            "state": spelt(self.state.name),
            "names": list(self.names),
            "imported": self.imported,
            "created": rfc3339(self.created),
            "destroyed": rfc3339(self.destroyed) if self.destroyed else None,
            "recoverable": rfc3339(self.recoverable) if self.recoverable else None,
        }


def spelt(name: str) -> str:
    """A word of the protocol as this platform spells words."""
    return name.lower().replace("_", "-")


def object_of(store: Store, id_: str) -> KmipObject:
    """One object, of whichever client; raises KmipObjectUnknown."""
    found = _objects(store, sa.select(KmipObjectRow).where(KmipObjectRow.id == id_[:26]))
    if not found or found[0].id != id_:
        raise KmipObjectUnknown(object=id_[:40])
    return found[0]


def objects_of(store: Store, client: str, *, after: str = "", limit: int | None = None) -> list[KmipObject]:
    """A client's objects by identifier, which is the order in which they were made; destroyed ones too."""
    row = KmipObjectRow
    chosen = sa.select(row).where(row.client == client, row.id > after).order_by(row.id).limit(limit)
    return _objects(store, chosen)


def _objects(store: Store, chosen: sa.Select[KmipObjectRow]) -> list[KmipObject]:
    given, now = KmipAttributeRow, store.clock.now()
    with store.read() as session:
        rows = session.scalars(chosen).all()
        titles: dict[str, list[str]] = {}
        named = sa.select(given.object, given.value).where(
            given.name == NAME, given.object.in_([each.id for each in rows])
        )
        for owner, value in session.execute(named.order_by(given.number)):
            titles.setdefault(owner, []).append(title_of(decode(value)) or "")
        return [_object(each, tuple(titles.get(each.id, ())), now) for each in rows]


def _object(row: KmipObjectRow, names: tuple[str, ...], now: datetime) -> KmipObject:
    return KmipObject(
        id=row.id,
        client=row.client,
        kind=spelt(ObjectType(row.object_type).name),
        algorithm=spelt(Algorithm(row.algorithm).name) if row.algorithm is not None else None,
        length=row.length,
        state=state_of(row, now),
        names=names,
        imported=row.imported,
        created=row.created,
        destroyed=row.destroyed,
        recoverable=row.wipe_at,
    )
