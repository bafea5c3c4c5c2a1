"""Acts of several requests that share one transaction, each with its own record of what it did and of the rows it changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from yinxin.act import Actor, Outcome
from yinxin.store._begun import Act
from yinxin.store._prepared import ROWS
from yinxin.store._rows import Changed

if TYPE_CHECKING:
    from yinxin.store._act import Store


@dataclass
class Several:
    """The acts so far, in their order: a later one finds what an earlier one did, as if that were committed."""

    connection: sa.Connection
    _store: Store = field(repr=False)
    acts: list[Act] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._outside = Changed(self._store.accounted)
        self._begun = 0
        self.connection.execution_options(**{ROWS: self._outside})

    def close(self) -> None:
        """Raise UnrecordedChange where a row was changed by none of the acts.

        RuntimeError where one of them has not ended or raised, even if that was caught; TypeError where one has further records.
        """
        if self._begun != len(self.acts):
            raise RuntimeError("one of several acts was not finished")
        if any(each.further for each in self.acts):
            raise TypeError("an act with further records is recorded alone")
        self._outside.none()

    @contextmanager
    def act(self, actor: Actor, verb: str, subject: str, *, outcome: Outcome = Outcome.DONE) -> Iterator[Act]:
        """One of them, of the request in whose surroundings this is called; what it raises undoes all.

        A savepoint begins and ends between two of them or inside one; RuntimeError where one is open at an act's beginning or end.
        """
        self._no_savepoint(verb)
        store, changed = self._store, Changed(self._store.accounted)
        self._begun += 1
        act = Act(store.identifier(), actor, verb, subject, self.connection, outcome)
        self.connection.execution_options(**{ROWS: changed})
        try:
            yield act
            self._no_savepoint(verb)
            act.rows = changed.record(act.connection, act.id, store.randomness)
        finally:
            if "session" in vars(act):
                act.session.close()
            self.connection.execution_options(**{ROWS: self._outside})
        self.acts.append(act)

    def _no_savepoint(self, verb: str) -> None:
        """Rolled back, it would take rows away that the record has committed to."""
        if self.connection.in_nested_transaction():
            raise RuntimeError(f"{verb} began or ended within a savepoint")
