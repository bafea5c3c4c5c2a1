"""Saved questions: kept under a name, owned, shared among auditors, asked again. Each act on one is recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from audit.ask import READ, part_for
from audit.entries import Filters
from audit.question.errors import QuestionEmpty, QuestionNameTaken, QuestionNotFound
from audit.question.models import QuestionRow
from audit.service import Log
from yinxin.act import Actor

KEEP, SHARE, DELETE = "audit.keep-question", "audit.share-question", "audit.delete-question"


@dataclass(frozen=True, slots=True)
class Question:
    """A saved question; `days`: of the last so many days, counted when it is asked."""

    id: str
    name: str
    owner: str
    shared: bool
    filters: Filters
    days: int | None
    created: datetime

    @classmethod
    def of(cls, row: QuestionRow) -> Self:
        """A row as a value."""
        return cls(row.id, row.name, row.owner, row.shared, Filters.of(row.filters), row.days, row.created)

    def at(self, now: datetime) -> Filters:
        """What it asks for now."""
        if self.days is None:
            return self.filters
        return self.filters.within(now - timedelta(days=self.days), None)


def questions_for(log: Log, actor: Actor, *, after: str = "", limit: int = 100) -> tuple[Question, ...]:
    """Her own questions and those shared among the auditors of her tenant or of the host, by identifier; raises Denied."""
    part_for(log, actor)
    near = QuestionRow.tenant.is_not_distinct_from(_tenant(log, actor))
    query = (
        sa.select(QuestionRow)
        .where(near, sa.or_(QuestionRow.owner == actor.id, QuestionRow.shared), QuestionRow.id > after)
        .order_by(QuestionRow.id)
        .limit(limit)
    )
    with log.store.read() as session:
        return tuple(map(Question.of, session.scalars(query)))


def question_for(log: Log, actor: Actor, question: str) -> Question:
    """One that she may ask: her own, or a shared one. Raises Denied, QuestionNotFound."""
    part_for(log, actor)
    with log.store.read() as session:
        row = session.get(QuestionRow, question[:40])
        near = row is not None and row.tenant == _tenant(log, actor)
        if row is not None and near and (row.owner == actor.id or row.shared):
            return Question.of(row)
    error = QuestionNotFound(question=question[:80])
    log.store.refuse(actor, READ, f"question:{question[:40]}", error)
    raise error


def keep_for(
    log: Log, actor: Actor, name: str, filters: Filters, *, days: int | None = None, shared: bool = False
) -> Question:
    """Keep a question under a name; raises Denied, QuestionEmpty, QuestionNameTaken."""
    decision, _ = part_for(log, actor)
    row = QuestionRow(
        id=log.store.identifier(),
        name=name,
        owner=actor.id,
        shared=shared,
        filters=filters.fields(),
        days=days,
        created=log.store.clock.now(),
        tenant=_tenant(log, actor),
    )
    facts: dict[str, Any] = {"filters": row.filters, "shared": shared} | (
        {} if days is None else {"days": days}
    )
    with log.store.act(actor, KEEP, f"question:{row.id}", **facts) as act:
        act.decision = decision.record()
        if not row.filters and days is None:
            raise QuestionEmpty
        act.session.add(row)
        try:
            act.session.flush()
        except IntegrityError as error:
            raise QuestionNameTaken(name=name) from error
        return Question.of(row)


def share_for(log: Log, actor: Actor, question: str, *, shared: bool) -> Question:
    """Let the other auditors ask it, or no longer; hers alone. Raises Denied, QuestionNotFound."""
    decision, _ = part_for(log, actor)
    with log.store.act(actor, SHARE, f"question:{question[:40]}", shared=shared) as act:
        act.decision = decision.record()
        row = _own(act.session.get(QuestionRow, question[:40]), actor, question)
        row.shared = shared
        return Question.of(row)


def delete_for(log: Log, actor: Actor, question: str) -> None:
    """Delete one of her own; raises Denied, QuestionNotFound."""
    decision, _ = part_for(log, actor)
    with log.store.act(actor, DELETE, f"question:{question[:40]}") as act:
        act.decision = decision.record()
        act.session.delete(_own(act.session.get(QuestionRow, question[:40]), actor, question))


def _tenant(log: Log, actor: Actor) -> str | None:
    return None if actor.organ is None else log.around.tenant(actor.organ)


def _own(row: QuestionRow | None, actor: Actor, question: str) -> QuestionRow:
    if row is None or row.owner != actor.id:
        raise QuestionNotFound(question=question[:80])
    return row
