"""Keeping the index, within whatever transaction changes the object, and asking it, within whatever query says who may see.

    search.put(act.session, "Document", row.id, title=row.title, body=text)
    hits = search.Hits(session, "Document", Document.id, "预算 通知")
    query = hits.of(sa.select(Document)).where(COLUMNS.where(permitted))

What somebody may not see is left out by the query itself, so that neither a title nor a count tells of it.
"""

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from yinxin.search.models import WORDS, Entry
from yinxin.search.words import indexed, phrase, terms

Row = TypeVar("Row")
#: a word in the title counts so many times one in the body
TITLE = 10.0
#: of PostgreSQL, for D, C, B and A
_WEIGHTS = [0.1, 0.1, 0.1, 0.1 * TITLE]
#: no stemming, no stop words
_SIMPLE: sa.ColumnElement[str] = sa.literal_column("'simple'")


def put(session: Session, kind: str, object_: str, *, title: str, body: str) -> None:
    """Index an object anew; a part of the transaction."""
    words = {"title": indexed(title), "body": indexed(body)}
    if session.get_bind().dialect.name == "postgresql":
        vector = sa.func.setweight(_vector(words["title"]), sa.literal_column("'A'")).op("||")(
            _vector(words["body"])
        )
        made = postgresql.insert(Entry).values(kind=kind, object=object_, vector=vector)
        session.execute(
            made.on_conflict_do_update(
                index_elements=["kind", "object"], set_={"vector": made.excluded.vector}
            )
        )
        return
    made_ = sqlite.insert(Entry).values(kind=kind, object=object_).on_conflict_do_nothing()
    session.execute(made_)
    id_ = session.scalars(sa.select(Entry.id).where(Entry.kind == kind, Entry.object == object_)).one()
    session.execute(sa.delete(WORDS).where(WORDS.c.rowid == id_))
    session.execute(sa.insert(WORDS).values(rowid=id_, **words))


def missing(kind: str, key: InstrumentedAttribute[str]) -> sa.ColumnElement[bool]:
    """Whether an object, by its `key`, is not indexed: for the job that takes in what was there before the index."""
    return ~sa.exists().where(Entry.kind == kind, Entry.object == key)


class Hits:
    """The objects of a `kind` in which every term of a question occurs, the best first."""

    def __init__(self, session: Session, kind: str, key: InstrumentedAttribute[str], question: str) -> None:
        self.terms = terms(question)
        self._kind = kind
        self._key = key
        self._postgresql = session.get_bind().dialect.name == "postgresql"

    def of(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """`query` (a SELECT of the objects), of the hits alone, best first, and of equals the newest key first."""
        if not self.terms:
            return query.where(sa.false())
        query = query.join(Entry, sa.and_(Entry.kind == self._kind, Entry.object == self._key))
        if self._postgresql:
            asked = sa.func.to_tsquery(_SIMPLE, self._tsquery())
            rank = -sa.func.ts_rank(sa.cast(_WEIGHTS, postgresql.ARRAY(sa.REAL)), Entry.vector, asked)
            return query.where(Entry.vector.op("@@")(asked)).order_by(rank, self._key.desc())
        # the table's own name stands for the whole row of FTS5 (sqlite.org/fts5.html, section 3)
        whole: sa.ColumnElement[Any] = sa.literal_column(WORDS.name)
        found = sa.select(WORDS.c.rowid, sa.func.bm25(whole, TITLE, 1.0).label("rank"))
        # once and first: asked again for each object, it takes the square of their number
        words = found.where(whole.op("MATCH")(self._match())).cte("words").prefix_with("MATERIALIZED")
        return query.join(words, words.c.rowid == Entry.id).order_by(words.c.rank, self._key.desc())

    def _match(self) -> str:
        parts = []
        for term in self.terms:
            words, open_ = phrase(term)
            parts.append(f'"{" ".join(words)}"{" *" if open_ else ""}')
        return " AND ".join(parts)

    def _tsquery(self) -> str:
        parts = []
        for term in self.terms:
            words, open_ = phrase(term)
            parts.append(f"({' <-> '.join(words)}{':*' if open_ else ''})")
        return " & ".join(parts)


def _vector(words: str) -> Any:
    return sa.func.to_tsvector(_SIMPLE, words)
