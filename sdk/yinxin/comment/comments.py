"""Giving and reading opinions, within the act and the query of the application whose record it is.

    COMMENTS = Comments("document")
    with DOCUMENTS.move(desk, id, "document.comment") as (act, row):
        COMMENTS.add(desk, act, id, "附件二的数字与正文不一致")
    thread = COMMENTS.thread(session, id, organ)

Who may is the application's to ask. An opinion is its organ's own: nobody of another organ reads it, whoever may read the record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from yinxin.comment.errors import NoSuchComment, NotYours
from yinxin.comment.models import CommentRow
from yinxin.flow import Core, Desk
from yinxin.store import Act


@dataclass(frozen=True, slots=True)
class Opinion:
    """An opinion as it is read: how deep in its thread, and what it said before it was corrected, the first wording first."""

    row: CommentRow
    depth: int
    before: tuple[CommentRow, ...]


@dataclass(frozen=True, slots=True)
class Comments:
    """The opinions on the records of one life."""

    flow: str

    def add(
        self,
        desk: Desk[Core],
        act: Act,
        item: str,
        text: str,
        *,
        parent: str | None = None,
        corrects: str | None = None,
    ) -> CommentRow:
        """Add one; the record of the act names it, and its words stay here. Raises NoSuchComment, NotYours."""
        actor = desk.caller.actor
        if parent is not None:
            self._one(act.session, item, parent, actor.organ)
        if corrects is not None:
            wrong = self._one(act.session, item, corrects, actor.organ)
            if wrong.person != actor.id or self._corrected(act.session, corrects):
                raise NotYours
            parent = wrong.parent
        row = CommentRow(id=desk.store.identifier(), flow=self.flow, item=item, text=text, entry=act.id)
        row.organ, row.post, row.person = actor.organ or "", actor.post, actor.id
        row.parent, row.corrects, row.at = parent, corrects, desk.store.clock.now()
        act.session.add(row)
        act.facts["opinion"] = row.id
        return row

    def thread(self, session: Session, item: str, organ: str) -> list[Opinion]:
        """What an organ said, each opinion after the one that it answers, in order of time; corrected ones with what they were."""
        mine = (CommentRow.flow == self.flow, CommentRow.item == item, CommentRow.organ == organ)
        rows = session.scalars(sa.select(CommentRow).where(*mine).order_by(CommentRow.id)).all()
        return list(_ordered(rows))

    def _one(self, session: Session, item: str, comment: str, organ: str | None) -> CommentRow:
        row = session.get(CommentRow, comment)
        if row is None or (row.flow, row.item, row.organ) != (self.flow, item, organ):
            raise NoSuchComment(comment=comment)
        return row

    def _corrected(self, session: Session, comment: str) -> bool:
        query = sa.select(CommentRow.id).where(CommentRow.corrects == comment)
        return session.scalars(query).first() is not None


def _ordered(rows: Sequence[CommentRow]) -> Iterator[Opinion]:
    by_id = {row.id: row for row in rows}
    newer = {row.corrects: row for row in rows if row.corrects}

    def first(row: CommentRow) -> CommentRow:
        while row.corrects:
            row = by_id[row.corrects]
        return row

    answers: dict[str | None, list[CommentRow]] = {}
    for row in rows:
        if not row.corrects:  # an answer to any wording belongs below the opinion
            answers.setdefault(first(by_id[row.parent]).id if row.parent else None, []).append(row)

    # not by recursion: how deep people answer each other is theirs
    waiting = [(row, 0) for row in reversed(answers.get(None, ()))]
    while waiting:
        row, depth = waiting.pop()
        wordings = [row]
        while wordings[-1].id in newer:
            wordings.append(newer[wordings[-1].id])
        yield Opinion(wordings[-1], depth, tuple(wordings[:-1]))
        waiting += [(each, depth + 1) for each in reversed(answers.get(row.id, ()))]
