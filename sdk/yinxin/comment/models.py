"""The table of opinions: only ever added to. `flow` and `item` name the record, `entry` the opinion's place in the audit log."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base

#: characters of one opinion
LONGEST = 4000


class CommentRow(Base):
    """What somebody in a post had to say: an answer to `parent`, or in the place of `corrects`, or neither."""

    __tablename__ = "comment"
    # the opinions on a record that an organ may read, in order
    __table_args__ = (sa.Index("ix_comment_flow_item_organ", "flow", "item", "organ"),)

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    flow: Mapped[str] = mapped_column(sa.String(40))
    item: Mapped[str] = mapped_column(sa.String(40))
    organ: Mapped[str] = mapped_column(sa.String(80))
    post: Mapped[str | None] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    parent: Mapped[str | None] = mapped_column(sa.ForeignKey("comment.id"))
    corrects: Mapped[str | None] = mapped_column(sa.ForeignKey("comment.id"), unique=True)
    text: Mapped[str] = mapped_column(sa.String(LONGEST))
    at: Mapped[datetime]
    entry: Mapped[str] = mapped_column(sa.String(40))
