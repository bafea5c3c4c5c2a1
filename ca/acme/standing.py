"""How orders and authorizations stand now, from what is written of them and from the time (RFC 8555 7.1.6)."""

from collections.abc import Sequence
from datetime import datetime

from ca.acme.look import authorizations
from ca.acme.models import AuthorizationRow, AuthorizationState, OrderRow, OrderState
from yinxin.store import Within


def of_authorization(row: AuthorizationRow, now: datetime) -> str:
    """Its status: what is written, unless its time is over."""
    if row.expires > now or row.state not in (AuthorizationState.PENDING, AuthorizationState.VALID):
        return str(row.state)
    return "expired" if row.state == AuthorizationState.VALID else str(AuthorizationState.INVALID)


def of_order(row: OrderRow, authorizations: Sequence[AuthorizationRow], now: datetime) -> str:
    """Its status; an open order is what its authorizations make of it."""
    if row.state != OrderState.OPEN:
        return str(row.state)
    statuses = {of_authorization(each, now) for each in authorizations}
    if row.expires <= now or not statuses <= {"pending", "valid"}:
        return "invalid"
    return "pending" if "pending" in statuses else "ready"


def authorizations_of(within: Within, row: OrderRow) -> list[AuthorizationRow]:
    """An order's authorizations, in its order."""
    found = authorizations(within, row.authorizations)
    return [found[id_] for id_ in row.authorizations]
