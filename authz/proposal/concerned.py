"""Whom a proposal concerns: they have no part in deciding it, in whatever post, by whatever certificate, for whomever they act."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.look import in_force
from authz.directory.models import DelegationRow
from authz.models import AppointmentRow, CertificateBinding, OrganClosure, PostRow
from authz.proposal.context import Context
from authz.proposal.errors import ApproverConcerned
from authz.proposal.models import ProposalRow
from yinxin.act import Actor
from yinxin.proposal import Concerned


@dataclass(frozen=True, slots=True)
class Barred:
    """The people and posts that have no part in it, and the organs whose people have none."""

    people: frozenset[str]
    posts: frozenset[str]
    organs: frozenset[str]

    def among(self, session: Session, people: Collection[str], at: datetime) -> frozenset[str]:
        """Those of `people` who are barred."""
        found = self.people & frozenset(people)
        if self.organs:
            belonging = (
                sa.select(AppointmentRow.person)
                .join(PostRow, PostRow.id == AppointmentRow.post)
                .join(OrganClosure, OrganClosure.organ == PostRow.organ)
                .where(
                    OrganClosure.ancestor.in_(self.organs),
                    AppointmentRow.person.in_(sorted(people)),
                    in_force(at),
                )
            )
            found |= frozenset(session.scalars(belonging))
        return found


def barred(ctx: Context, row: ProposalRow) -> Barred:
    """Those of its content as things are now; raises what reading the content raises, and what its kind does."""
    known = ctx.kinds.get(row.kind)
    return resolved(ctx, known.concerned(ctx.content(row)) if known is not None else Concerned(), row.holder)


def resolved(ctx: Context, concerned: Concerned, holder: str) -> Barred:
    """The people behind posts and certificates, and the holder it is about."""
    people = {*concerned.people, holder} - {""}
    holding = sa.select(AppointmentRow.person).where(
        AppointmentRow.post.in_(concerned.posts), in_force(ctx.store.clock.now())
    )
    bound = sa.select(CertificateBinding.person).where(
        CertificateBinding.fingerprint.in_(concerned.certificates)
    )
    with ctx.store.read() as session:
        people |= set(session.scalars(holding)) if concerned.posts else set()
        people |= set(session.scalars(bound)) if concerned.certificates else set()
    return Barred(frozenset(people), concerned.posts, concerned.organs)


def apart_from_concerned(ctx: Context, row: ProposalRow, actor: Actor) -> None:
    """Raise ApproverConcerned for whoever it concerns, and for whoever acts in her place by a delegation of hers."""
    keep_apart(ctx, barred(ctx, row), row.id, actor)


def deciding_in(session: Session, person: str, post: str, at: datetime) -> frozenset[str]:
    """Whose will it is when somebody decides in a post: her own, and that of whoever delegated the post to her."""
    hers = sa.and_(AppointmentRow.person == person, AppointmentRow.post == post, in_force(at))
    lent = sa.select(DelegationRow.delegator).join(
        AppointmentRow, AppointmentRow.delegation == DelegationRow.id
    )
    return frozenset({person, *session.scalars(lent.where(hers))})


def keep_apart(ctx: Context, found: Barred, id_: str, actor: Actor) -> None:
    """The same for people that were found already."""
    now = ctx.store.clock.now()
    with ctx.store.read() as session:
        deciding = deciding_in(session, actor.id, actor.post or "", now)
        concerned = actor.post in found.posts or found.among(session, deciding, now)
    if concerned:
        raise ApproverConcerned(person=actor.id, proposal=id_)
