"""People of power: nobody alone makes them, and nobody alone gives another person the means to act as one of them."""

from collections.abc import Collection
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from authz.change.roles import SENSITIVE
from authz.grant.look import to_come
from authz.models import AppointmentRow, OrganClosure, PostRole, PostRow
from yinxin.store import Instant, Sql, Within, listed


def people_of_power(within: Within, people: Collection[str], at: datetime) -> frozenset[str]:
    """Those of these people who have power at `at` or will have it: by a post's sensitive role, or by a grant.

    The post may be held, or come by an appointment that begins later; the grant may be hers, the post's, or that of the
    post's organ or one above it, in force or yet to begin.
    """
    if not people:
        return frozenset()
    posts: dict[str, set[str]] = {each: set() for each in people}
    for person, post in _HELD.all(within, {"people": sorted(posts), "at": at}):
        posts[person].add(post)
    everywhere = {"posts": sorted(set().union(*posts.values()))}
    sensitive = set(_SENSITIVE.scalars(within, everywhere))
    holders = {each: {f"post:{each}"} for each in everywhere["posts"]}
    for post, organ in _ABOVE.all(within, everywhere):
        holders[post].add(f"organ:{organ}")
    asked = {f"person:{each}" for each in people}.union(*holders.values())
    granted = to_come(within, asked, at)
    powerful = sensitive | {post for post, names in holders.items() if names & granted}
    return frozenset(each for each in people if f"person:{each}" in granted or posts[each] & powerful)


# asked at every issuance
_APPOINTMENT, _CLOSURE, _ROLE, _POST = (
    cast("sa.Table", each.__table__).c for each in (AppointmentRow, OrganClosure, PostRole, PostRow)
)
_AT: sa.BindParameter[datetime] = sa.bindparam("at", type_=Instant())
_HELD = Sql(
    sa.select(_APPOINTMENT.person, _APPOINTMENT.post)
    .distinct()
    .where(
        listed(_APPOINTMENT.person, "people"),
        sa.or_(_APPOINTMENT.valid_to.is_(None), _APPOINTMENT.valid_to > _AT),
    )
)
_SENSITIVE = Sql(
    sa.select(_ROLE.post).where(
        listed(_ROLE.post, "posts"), sa.or_(*(_ROLE.role == each for each in sorted(SENSITIVE)))
    )
)
_ABOVE = Sql(
    sa.select(_POST.id, _CLOSURE.ancestor)
    .join_from(PostRow.__table__, OrganClosure.__table__, _CLOSURE.organ == _POST.organ)
    .where(listed(_POST.id, "posts"))
)
