"""The one way in which an application changes: from a state that is named, or not at all."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.registration.errors import WrongState
from ca.registration.models import OPEN, RegistrationRow, State
from yinxin.clock import Clock


def change(
    session: Session, clock: Clock, id_: str, before: tuple[State, ...], after: State, **values: Any
) -> RegistrationRow:
    """The application in its new state; raises WrongState when it was in none of `before`, or its time is over."""
    named = sa.update(RegistrationRow).where(RegistrationRow.id == id_, RegistrationRow.state.in_(before))
    if after is not State.EXPIRED and set(before) <= set(OPEN):
        named = named.where(RegistrationRow.expires > clock.now())
    done = session.execute(named.values(state=after, **values))
    row = session.get_one(RegistrationRow, id_, populate_existing=True)
    if done.rowcount != 1:  # type: ignore[attr-defined]
        over = row.state in OPEN and row.expires <= clock.now()
        state = State.EXPIRED if over else State(row.state)
        raise WrongState(registration=id_, state=state.value, needed=" / ".join(before))
    session.expunge(row)
    return row
