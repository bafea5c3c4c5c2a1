"""Rows of ACME as every request asks for them: by statements made once, past the ORM.

They read like the rows that they are, and cannot be changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.acme.models import AccountRow, AuthorizationRow, OrderRow


def account(session: Session, id_: str) -> AccountRow | None:
    """The account of this identifier."""
    return cast("AccountRow | None", _one(session, _ACCOUNT, id_))


def order(session: Session, id_: str) -> OrderRow | None:
    """The order of this identifier."""
    return cast("OrderRow | None", _one(session, _ORDER, id_))


def order_of(session: Session, serial: str) -> OrderRow | None:
    """The order that the certificate of this serial number came of."""
    return cast("OrderRow | None", _one(session, _ORDER_OF, serial))


def authorization(session: Session, id_: str) -> AuthorizationRow | None:
    """The authorization of this identifier."""
    return cast("AuthorizationRow | None", _one(session, _AUTHORIZATION, id_))


def authorizations(session: Session, ids: Sequence[str]) -> Mapping[str, AuthorizationRow]:
    """Authorizations by identifier."""
    found = session.connection().execute(_AUTHORIZATIONS, {"ids": list(ids)})
    return {row.id: cast("AuthorizationRow", row) for row in found}


def _one(session: Session, statement: sa.Select[Any], key: str) -> Any:
    return session.connection().execute(statement, {"key": key}).one_or_none()


_KEY: sa.BindParameter[str] = sa.bindparam("key")
_ACCOUNTS, _ORDERS, _PROOFS = (
    cast("sa.Table", each.__table__) for each in (AccountRow, OrderRow, AuthorizationRow)
)
_ACCOUNT = sa.select(_ACCOUNTS).where(_ACCOUNTS.c.id == _KEY)
_ORDER = sa.select(_ORDERS).where(_ORDERS.c.id == _KEY)
_ORDER_OF = sa.select(_ORDERS).where(_ORDERS.c.serial == _KEY)
_AUTHORIZATION = sa.select(_PROOFS).where(_PROOFS.c.id == _KEY)
_AUTHORIZATIONS = sa.select(_PROOFS).where(_PROOFS.c.id.in_(sa.bindparam("ids", expanding=True)))
