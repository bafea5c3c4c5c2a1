"""What is indexed: one entry for an object, with its words where the engine looks them up.

SQLite keeps the words in an FTS5 table of its own, row for row; PostgreSQL in the entry, under a GIN index.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import LONG, Base, housekeeping


class Entry(Base):
    """An object of a `kind` in the index; nothing of it is business data that is not kept elsewhere."""

    __tablename__ = "search_entry"
    __table_args__ = (
        sa.UniqueConstraint("kind", "object"),
        sa.Index("ix_search_entry_vector", "vector", postgresql_using="gin"),
        {"info": housekeeping},
    )

    id: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    object: Mapped[str] = mapped_column(sa.String(80))
    #: of PostgreSQL: the words of title (weight A) and body (D)
    vector: Mapped[Any] = mapped_column(
        sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=True
    )


#: SQLite's words; `rowid` is the entry's identifier. Not on the product's metadata: a virtual table is made otherwise
WORDS = sa.Table(
    "search_words",
    sa.MetaData(),
    sa.Column("rowid", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text),
    sa.Column("body", sa.Text),
    info=housekeeping,
)
#: the words are ASCII already; an option would have the engine keep no positions, and phrases need them
CREATE_WORDS = "CREATE VIRTUAL TABLE search_words USING fts5(title, body, tokenize = 'ascii')"


def _made(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    """Tables that are made without a migration have their words too."""
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text(CREATE_WORDS))


sa.event.listen(Entry.__table__, "after_create", _made)
