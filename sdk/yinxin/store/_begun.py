"""An act under way, from its beginning until its transaction has ended."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from yinxin.act import Actor, Outcome
from yinxin.store._request import ENTRIES, MARK, REQUEST, Mark


@dataclass
class Act:
    """An act under way. Facts may be added until the transaction ends; `session` carries its changes.

    `within` is its transaction. The session is made when it is first asked for: an act whose statements are `Sql`
    does without, which saves a third of a millisecond.
    """

    id: str
    actor: Actor
    verb: str
    subject: str
    within: sa.Connection | Session | None
    outcome: Outcome = Outcome.DONE
    facts: dict[str, Any] = field(default_factory=dict)
    decision: dict[str, Any] | None = None
    further: list["Act"] = field(default_factory=list)
    #: what its record says of the rows it changed
    rows: str | None = None
    #: the request it is part of, and the list that tells that request what was recorded
    request: str | None = field(default_factory=REQUEST.get)
    told: list[str] | None = field(default_factory=ENTRIES.get)
    mark: Mark | None = field(default_factory=MARK.get)

    @cached_property
    def session(self) -> Session:
        """The session of its transaction; raises TypeError before that has begun."""
        if isinstance(self.within, Session):
            return self.within
        if self.within is None:
            raise TypeError(f"{self.verb} has not begun")
        # whatever savepoint is open: one of the session's own would be rolled back, with the record, when the session ends
        return Session(self.within, join_transaction_mode="rollback_only")

    @property
    def connection(self) -> sa.Connection:
        """The connection of its transaction, with everything written that the session holds."""
        if not isinstance(self.within, sa.Connection):
            self.session.flush()
            return self.session.connection()
        if "session" in vars(self):
            self.session.flush()
        return self.within

    def each(
        self,
        id_: str,
        subject: str,
        decision: dict[str, Any] | None = None,
        actor: Actor | None = None,
        /,
        **facts: Any,
    ) -> None:
        """A further record, `id_`, for one of many things that are done at once: same verb, same transaction.

        It belongs to the request in whose context this is called. A refusal of the whole is recorded once, in the
        act's own name.
        """
        one = Act(id_, actor or self.actor, self.verb, subject, self.within, self.outcome, facts, decision)
        self.further.append(one)
