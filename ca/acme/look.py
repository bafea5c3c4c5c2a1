"""Rows of ACME as every request asks for them: by statements made once, past SQLAlchemy.

They read like the rows that they are, and cannot be changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa

from ca.acme.models import AccountRow, AuthorizationRow, OrderRow
from yinxin.store import Sql, Within, listed


def account(within: Within, id_: str) -> AccountRow | None:
    """The account of this identifier."""
    return cast("AccountRow | None", _one(within, _ACCOUNT, id_))


def order(within: Within, id_: str) -> OrderRow | None:
    """The order of this identifier."""
    return cast("OrderRow | None", _one(within, _ORDER, id_))


def order_of(within: Within, serial: str) -> OrderRow | None:
    """The order that the certificate of this serial number came of."""
    return cast("OrderRow | None", _one(within, _ORDER_OF, serial))


def authorization(within: Within, id_: str) -> AuthorizationRow | None:
    """The authorization of this identifier."""
    return cast("AuthorizationRow | None", _one(within, _AUTHORIZATION, id_))


def authorizations(within: Within, ids: Sequence[str]) -> Mapping[str, AuthorizationRow]:
    """Authorizations by identifier."""
    return {row.id: row for row in _AUTHORIZATIONS.all(within, {"ids": ids})}


def _one(within: Within, statement: Sql, key: str) -> Any:
    return statement.first(within, {"key": key})


_KEY: sa.BindParameter[str] = sa.bindparam("key")
_ACCOUNTS, _ORDERS, _PROOFS = (
    cast("sa.Table", each.__table__) for each in (AccountRow, OrderRow, AuthorizationRow)
)
_ACCOUNT = Sql(sa.select(_ACCOUNTS).where(_ACCOUNTS.c.id == _KEY))
_ORDER = Sql(sa.select(_ORDERS).where(_ORDERS.c.id == _KEY))
_ORDER_OF = Sql(sa.select(_ORDERS).where(_ORDERS.c.serial == _KEY))
_AUTHORIZATION = Sql(sa.select(_PROOFS).where(_PROOFS.c.id == _KEY))
_AUTHORIZATIONS = Sql(sa.select(_PROOFS).where(listed(_PROOFS.c.id, "ids")))
