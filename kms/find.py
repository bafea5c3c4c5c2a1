"""Reading the register of keys."""

from typing import cast

import sqlalchemy as sa

from kms.errors import KeyNotActive, KeyUnknown
from kms.info import KeyInfo
from kms.models import KeyRow, State
from yinxin.store import Sql, Store


def find_key(store: Store, label: str) -> KeyInfo | None:
    """The key of this label, whatever its state; None when there is none."""
    with store.look() as look:
        row = _LABELLED.first(look, {"label": label})
    return KeyInfo.of(row) if row is not None else None


_KEY = cast("sa.Table", KeyRow.__table__).c
_LABELLED = Sql(sa.select(*_KEY).where(_KEY.label == sa.bindparam("label")))


def active_key(store: Store, label: str) -> KeyInfo:
    """The key of this label, ready for use; raises KeyUnknown or KeyNotActive."""
    info = find_key(store, label)
    if info is None:
        raise KeyUnknown(label=label)
    if info.state is not State.ACTIVE:
        raise KeyNotActive(label=label, state=info.state.value)
    return info


def list_keys(store: Store, *, after: str = "", limit: int | None = None) -> list[KeyInfo]:
    """The keys whose label comes after `after`, by label; at most `limit`."""
    with store.read() as session:
        chosen = sa.select(KeyRow).where(KeyRow.label > after).order_by(KeyRow.label).limit(limit)
        return [KeyInfo.of(row) for row in session.scalars(chosen)]
