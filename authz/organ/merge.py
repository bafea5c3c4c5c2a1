"""Organs that become one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.active import active, no_tenant
from authz.directory.errors import NothingToMerge, OrganUnderItself
from authz.directory.models import SuccessionRow
from authz.directory.past import Difference, alter
from authz.directory.tree import is_under, keep_apart, uproot
from authz.models import OrganRow, PostRow
from authz.organ.move import recode
from yinxin.store import Act


def merge(
    act: Act,
    organs: Sequence[str],
    into: str,
    at: datetime,
    *,
    divisions: Mapping[str, str] | None = None,
) -> tuple[Difference, ...]:
    """Let `organs` go up in `into`: what is below them and their posts, with whoever holds them, go over.

    The merged organs stay on record below their successor, so that what they left is in its reach. `divisions` are
    new codes of organs that go over. Raises UnknownOrgan, OrganEnded, NothingToMerge, OrganUnderItself when the
    successor lies below one of them, TenantBoundary, UnknownReference, BadDivision, DivisionOutside.
    """
    session = act.session
    active(session, into)
    differences: tuple[Difference, ...] = ()
    merged = [organ for organ in dict.fromkeys(organs) if organ != into]
    if not merged:
        raise NothingToMerge(into=into)
    for organ in merged:
        row = active(session, organ)
        if is_under(session, into, organ):
            raise OrganUnderItself(organ=organ, parent=into)
        keep_apart(session, organ, into)
        no_tenant(row)
        differences += hand_over(act, organ, into, at)
        differences += alter(act, row, at, parent=into, status="merged")
        uproot(session, organ, into)
        succeed(act, organ, into, at, "merged")
    return differences + recode(act, into, divisions or {}, at)


def hand_over(act: Act, organ: str, into: str, at: datetime) -> tuple[Difference, ...]:
    """Give the organs below `organ` and its posts that go on to `into`."""
    session = act.session
    differences: tuple[Difference, ...] = ()
    for child in children(session, organ):
        differences += alter(act, child, at, parent=into)
        uproot(session, child.id, into)
    for post in going_on(session, organ):
        differences += alter(act, post, at, organ=into)
    return differences


def children(session: Session, organ: str) -> Sequence[OrganRow]:
    """The organs right below, ended ones too: what they left goes where the organ's own goes."""
    return session.scalars(sa.select(OrganRow).where(OrganRow.parent == organ).order_by(OrganRow.id)).all()


def going_on(session: Session, organ: str) -> Sequence[PostRow]:
    """The organ's posts that were not given up."""
    query = sa.select(PostRow).where(PostRow.organ == organ, PostRow.ended.is_(None))
    return session.scalars(query.order_by(PostRow.id)).all()


def succeed(act: Act, predecessor: str, successor: str, at: datetime, how: str) -> None:
    """Record that one organ came of another."""
    act.session.add(SuccessionRow(predecessor=predecessor, successor=successor, at=at, how=how, entry=act.id))
    act.session.flush()
