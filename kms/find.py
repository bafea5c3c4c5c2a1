"""Reading the register of keys."""

from typing import Any, cast

import sqlalchemy as sa

from authz.models import OrganRow
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


def of_no_tenant(organ: Any) -> sa.ColumnElement[bool]:
    """That what this column names as its organ lies in no tenant: the registers of the installation show nobody a tenant's."""
    tenants = sa.select(OrganRow.id).where(OrganRow.tenant.is_not(None))
    return sa.or_(organ.is_(None), organ.not_in(tenants))


def list_keys(
    store: Store, *, after: str = "", limit: int | None = None, tenants: bool = True
) -> list[KeyInfo]:
    """The keys whose label comes after `after`, by label; at most `limit`; without `tenants` none that is a tenant's."""
    chosen = sa.select(KeyRow).where(KeyRow.label > after).order_by(KeyRow.label).limit(limit)
    if not tenants:
        chosen = chosen.where(of_no_tenant(KeyRow.owner))
    with store.read() as session:
        return [KeyInfo.of(row) for row in session.scalars(chosen)]
