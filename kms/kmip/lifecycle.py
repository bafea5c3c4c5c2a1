"""The states of an object (KMIP 1.2, 3.22). They follow from instants, so that one that comes does its work by itself.

```
             activation                deactivation, revocation
Pre-Active ─────────────▶ Active ─────────────────────────────▶ Deactivated
  │      └── compromise ──▶ │ compromise                           │ compromise      │ Destroy
  │                         ▼                                      │                 ▼
  │                     Compromised ◀──────────────────────────────┘             Destroyed
  │                         │ Destroy                                              │ compromise
  └── Destroy ─▶ Destroyed  └───────────────▶ Destroyed Compromised ◀──────────────┘
```
"""

from datetime import datetime

import sqlalchemy as sa

from kms.kmip.errors import KmipIllegalOperation, KmipWrongState
from kms.kmip.models import KmipObjectRow
from kms.kmip.words import Revocation, State
from yinxin.text import Text

#: revocations that say that others may know the key
_COMPROMISE = frozenset({Revocation.KEY_COMPROMISE, Revocation.CA_COMPROMISE})
#: states whose objects are there no more
GONE = frozenset({State.DESTROYED, State.DESTROYED_COMPROMISED})


def state_of(row: KmipObjectRow, now: datetime) -> State:
    """The state at `now`."""
    if row.destroyed is not None:
        return State.DESTROYED if row.compromised is None else State.DESTROYED_COMPROMISED
    if row.compromised is not None:
        return State.COMPROMISED
    if row.activation is None or row.activation > now:
        return State.PRE_ACTIVE
    if row.deactivation is not None and row.deactivation <= now:
        return State.DEACTIVATED
    return State.ACTIVE


def in_state(state: State, now: datetime) -> sa.ColumnElement[bool]:
    """The same as a condition on rows."""
    row = KmipObjectRow
    if state in GONE:
        compromised = row.compromised.is_not(None)
        return row.destroyed.is_not(None) & (
            compromised if state is State.DESTROYED_COMPROMISED else ~compromised
        )
    if state is State.COMPROMISED:
        return row.destroyed.is_(None) & row.compromised.is_not(None)
    sound = row.destroyed.is_(None) & row.compromised.is_(None)
    active = row.activation.is_not(None) & (row.activation <= now)
    if state is State.PRE_ACTIVE:
        return sound & sa.or_(row.activation.is_(None), row.activation > now)
    over = row.deactivation.is_not(None) & (row.deactivation <= now)
    if state is State.DEACTIVATED:
        return sound & active & over
    return sound & active & sa.or_(row.deactivation.is_(None), row.deactivation > now)


def activate(row: KmipObjectRow, now: datetime) -> None:
    """Pre-Active becomes Active; raises KmipWrongState."""
    _be(row, now, "Activate", State.PRE_ACTIVE)
    row.activation = row.changed = now
    if row.deactivation is not None and row.deactivation <= now:  # as was said before anybody activated it
        row.deactivation = now


def revoke(
    row: KmipObjectRow, now: datetime, reason: Revocation, message: str | None, occurred: datetime | None
) -> None:
    """Active becomes Deactivated, or with a compromise whatever is not compromised Compromised; raises KmipIllegalOperation."""
    state = state_of(row, now)
    if reason in _COMPROMISE:
        if row.compromised is not None:
            raise _never(row, Text("已处于泄露状态", "it is compromised already"))
        if occurred is not None and occurred > now:
            raise _never(row, Text("泄露时间在将来", "the compromise lies in the future"))
        row.compromised, row.compromise_occurrence = now, occurred or row.created
    elif state is State.ACTIVE:
        row.deactivation = now
    else:
        raise _never(row, Text(f"对象处于 {state.name} 状态", f"it is {state.name}"))
    row.revocation_code, row.revocation_message, row.changed = reason, message, now


def destroy(row: KmipObjectRow, now: datetime) -> None:
    """It is destroyed, unless it is Active or was destroyed before; raises KmipWrongState."""
    _be(row, now, "Destroy", State.PRE_ACTIVE, State.DEACTIVATED, State.COMPROMISED)
    row.destroyed = row.changed = now


def there(row: KmipObjectRow, now: datetime, operation: str) -> None:
    """Raise KmipWrongState for an object that was destroyed."""
    _be(row, now, operation, *(set(State) - GONE))


def _be(row: KmipObjectRow, now: datetime, operation: str, *states: State) -> None:
    state = state_of(row, now)
    if state not in states:
        raise KmipWrongState(object=row.id, state=state.name, operation=operation)


def _never(row: KmipObjectRow, rule: Text) -> KmipIllegalOperation:
    return KmipIllegalOperation(object=row.id, operation="Revoke", rule=rule)
