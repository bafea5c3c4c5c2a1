"""What a client may see, as conditions in SQL: only of what is in its part of the tree does anything become known.

A person belongs to the organs of the posts that she holds or will hold; when she holds none, to that of her last one;
when she never held any, to the organ that entered her. So writing asks (`authz.change.asked`), and so reading looks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from authz.appointment.end import unended
from authz.decide import Decisions
from authz.directory.look import in_force
from authz.models import AppointmentRow, OrganRow, PersonRow, PostRow
from authz.scim.client import ScimClient
from authz.scim.models import ExternalRow, RemovedRow
from yinxin.store import Columns

READ_VERB = "authz.scim-read"


@dataclass(frozen=True)
class Sight:
    """The conditions of one request: `client` looks at `at`."""

    client: ScimClient
    at: datetime
    #: posts in organs that the client sees; people whom an organ that it sees entered; organs that it sees
    posts: sa.ColumnElement[bool]
    entered: sa.ColumnElement[bool]
    organs: sa.ColumnElement[bool]

    @classmethod
    def of(cls, decisions: Decisions, client: ScimClient, at: datetime) -> "Sight":
        """Ask the policies; the answer is applied to each place where an organ stands."""
        condition = decisions.visible(client.actor, READ_VERB, "Directory")

        def seen(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
            return Columns(organ=column, level=sa.literal("public")).where(condition)

        return cls(
            client,
            at,
            posts=seen(PostRow.organ.expression),
            entered=seen(PersonRow.entered_by.expression),
            organs=seen(OrganRow.id.expression),
        )

    def held(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """The posts in sight that the person of the enclosing statement holds now."""
        return (
            sa.select(*columns)
            .select_from(AppointmentRow)
            .join(PostRow, PostRow.id == AppointmentRow.post)
            .where(AppointmentRow.person == PersonRow.id, in_force(self.at), self.posts)
            .correlate(PersonRow)
        )

    @property
    def people(self) -> sa.ColumnElement[bool]:
        """The people in sight, but for those who were removed."""
        mine = (
            sa.select(AppointmentRow.person).where(AppointmentRow.person == PersonRow.id).correlate(PersonRow)
        )
        going_on = mine.where(unended(self.at))
        seen = going_on.join(PostRow, PostRow.id == AppointmentRow.post).where(self.posts)
        last = (
            mine.with_only_columns(AppointmentRow.post)
            .order_by(AppointmentRow.valid_from.desc(), AppointmentRow.post.desc())
            .limit(1)
            .scalar_subquery()
        )
        belonged = sa.exists(sa.select(PostRow.id).where(PostRow.id == last, self.posts).correlate(PersonRow))
        removed = sa.exists(
            sa.select(RemovedRow.person)
            .where(RemovedRow.person == PersonRow.id, RemovedRow.at >= PersonRow.retired)
            .correlate(PersonRow)
        )
        return sa.and_(
            sa.or_(
                sa.exists(seen),
                sa.and_(sa.not_(sa.exists(going_on)), belonged),
                sa.and_(sa.not_(sa.exists(mine)), self.entered),
            ),
            sa.not_(removed),
        )

    @property
    def home(self) -> sa.ColumnElement[Any]:
        """The organ a person belongs to, as far as the client sees: of the first post held, else of the last, else who entered her."""
        mine = (
            sa.select(PostRow.organ)
            .select_from(AppointmentRow)
            .join(PostRow, PostRow.id == AppointmentRow.post)
            .where(AppointmentRow.person == PersonRow.id, self.posts)
            .correlate(PersonRow)
            .limit(1)
        )
        first = mine.where(in_force(self.at)).order_by(
            AppointmentRow.kind.desc(), AppointmentRow.valid_from, AppointmentRow.post
        )
        last = mine.order_by(AppointmentRow.valid_from.desc(), AppointmentRow.post.desc())
        entered = sa.case((self.entered, PersonRow.entered_by))
        return sa.func.coalesce(first.scalar_subquery(), last.scalar_subquery(), entered)

    def external(self, kind: str, subject: sa.ColumnElement[str]) -> sa.ScalarSelect[str]:
        """The client's own name for a thing."""
        return (
            sa.select(ExternalRow.external_id)
            .where(
                ExternalRow.client == self.client.id, ExternalRow.kind == kind, ExternalRow.subject == subject
            )
            .correlate_except(ExternalRow)
            .scalar_subquery()
        )
