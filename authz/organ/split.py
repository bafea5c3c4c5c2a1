"""One organ that becomes several, or gives up a part of itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import Field

from authz.directory.active import active, no_tenant
from authz.directory.errors import NotOfTheOrgan, SplitIncomplete
from authz.directory.file import Entry, OrganEntry
from authz.directory.past import Difference, alter
from authz.directory.tree import uproot
from authz.models import OrganRow, PostRow
from authz.organ.found import found
from authz.organ.merge import children, going_on, succeed
from authz.organ.move import codes_hold
from yinxin.store import Act

_Row = TypeVar("_Row", OrganRow, PostRow)


class Part(Entry):
    """A new organ that comes of the split, with the posts and the organs below that go over to it."""

    organ: OrganEntry
    posts: tuple[str, ...] = ()
    children: tuple[str, ...] = Field(default=())


def split(act: Act, organ: str, parts: Sequence[Part], at: datetime, *, ends: bool) -> tuple[Difference, ...]:
    """Found each part and hand over what belongs to it; with `ends` the organ is no more afterwards.

    What an ended organ left behind is kept by the first part. Raises UnknownOrgan, OrganEnded, NotOfTheOrgan for a
    post or organ that is not the organ's own or is given twice, DivisionOutside, SplitIncomplete when it ends and something of it went
    nowhere or there are no parts, TenantBoundary, and what `found` raises.
    """
    session = act.session
    row = active(session, organ)
    if not parts:
        raise SplitIncomplete(organ=organ, left="-")
    posts = {each.id: each for each in going_on(session, organ)}
    below = {each.id: each for each in children(session, organ) if each.status == "active"}
    differences: tuple[Difference, ...] = ()
    for part in parts:
        differences += found(act, part.organ, at)
        for post in part.posts:
            differences += alter(act, _take(posts, post, organ), at, organ=part.organ.id)
        for child in part.children:
            differences += alter(act, _take(below, child, organ), at, parent=part.organ.id)
            uproot(session, child, part.organ.id)
        codes_hold(session, part.organ.id)
        succeed(act, organ, part.organ.id, at, "split")
    if ends:
        no_tenant(row)
        if left := sorted([*posts, *below]):
            raise SplitIncomplete(organ=organ, left=", ".join(left))
        heir = parts[0].organ.id
        differences += alter(act, row, at, parent=heir, status="split")
        uproot(session, organ, heir)
    return differences


def _take(of: dict[str, _Row], wanted: str, organ: str) -> _Row:
    if wanted not in of:
        raise NotOfTheOrgan(organ=organ, subject=wanted)
    return of.pop(wanted)
