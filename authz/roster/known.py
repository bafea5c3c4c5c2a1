"""What the directory holds already, as far as rows can refer to it: identifiers, a few dozen bytes each."""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.models import OrganRow, PersonRow, PostRow


@dataclass
class Known:
    """Identifiers of the directory; those of the tables are added as they are read."""

    organs: set[str]
    posts: set[str]
    people: set[str]
    #: organ → (parent, division)
    tree: dict[str, tuple[str | None, str]]
    #: credit code → organ
    codes: dict[str, str]
    ended: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    retired: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, session: Session) -> "Known":
        """What is there now."""
        organs = session.execute(
            sa.select(OrganRow.id, OrganRow.parent, OrganRow.division, OrganRow.uscc, OrganRow.status)
        ).all()
        given_up = sa.select(PostRow.id).where(PostRow.ended.is_not(None))
        retired = sa.select(PersonRow.id).where(PersonRow.retired.is_not(None))
        return cls(
            organs={row.id for row in organs},
            posts=set(session.scalars(sa.select(PostRow.id))),
            people=set(session.scalars(sa.select(PersonRow.id))),
            tree={row.id: (row.parent, row.division) for row in organs},
            codes={row.uscc: row.id for row in organs if row.uscc},
            ended={row.id for row in organs if row.status != "active"},
            given_up=set(session.scalars(given_up)),
            retired=set(session.scalars(retired)),
        )
