"""The one way in which an application changes: from a state that is named, or not at all."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.registration.errors import WrongState
from ca.registration.models import OPEN, STATES, RegistrationRow, State
from yinxin.clock import Clock
from yinxin.text import Text


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
        words = [STATES[each] for each in before]
        needed = Text("或".join(each.zh for each in words), " or ".join(each.en for each in words))
        raise WrongState(registration=id_, state=STATES[state], needed=needed)
    session.expunge(row)
    return row
