"""Submitting: an application that could never be granted is refused at once, with the field and the remedy."""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ca.context import Context
from ca.issue import open_profile
from ca.pair.issue import PairRequest
from ca.pair.issue import examined as of_pair
from ca.pair.transport import digest_of
from ca.registration.errors import RegistrationReused, TooManyOpen
from ca.registration.models import OPEN, RegistrationRow, State
from ca.request import IssueRequest, Order, examine
from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.store import as_good

VERB = "ca.apply"


def examined(ctx: Context, request: IssueRequest, *, pair: bool = False) -> Order:
    """The order that the application amounts to today; raises what `ca.request.examine` raises.

    Of a pair it is the order of its signing half; raises besides what `ca.pair.issue.examined` raises.
    """
    if pair:
        return of_pair(ctx, pair_of(request))
    order = examine(request, open_profile(ctx, request.profile), ctx.register, ctx.settings)
    ctx.issuers.issuing(order.authority)
    return order


def pair_of(request: IssueRequest) -> PairRequest:
    """The request for a pair whose signing half this one asks for."""
    return PairRequest(request.reference, request.profile, request.csr, request.holder, request.days)


def submit(
    ctx: Context,
    actor: Actor,
    request: IssueRequest,
    order: Order,
    decision: dict[str, object],
    *,
    pair: bool = False,
) -> RegistrationRow:
    """A new application, or the one that the reference already stands for; for authorised callers.

    Raises RegistrationReused, TooManyOpen.
    """
    digest = _digest(request, order, pair=pair)
    try:
        if (known := _known(ctx, actor, request.reference, digest)) is not None:
            return known
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"registration:{request.reference}", error)
        raise
    row = _row(ctx, actor, request, order)
    row.pair, row.request_digest = pair, digest
    try:
        subject = f"registration:{row.id}"
        with ctx.store.act(actor, VERB, subject, taken=as_good, key=order.spki_digest) as act:
            act.decision = decision
            act.facts |= {"profile": row.profile, "holder": f"{row.holder_kind}:{row.holder}", "pair": pair}
            _room(act.session, actor, ctx.settings.registration.most_open)
            act.session.add(row)
            act.session.flush()
            act.session.expunge(row)
    except IntegrityError:
        # the same reference, sent twice at the same moment
        known = _known(ctx, actor, request.reference, digest)
        if known is None:
            raise
        return known
    return row


def _digest(request: IssueRequest, order: Order, *, pair: bool) -> str:
    """SHA-256 of all that is asked for, hexadecimal: the same reference with another one is refused."""
    if not pair:
        return order.digest
    return INTL.hash.digest(b"pair" + digest_of(request.csr, order).encode()).hex()


def _known(ctx: Context, actor: Actor, reference: str, digest: str) -> RegistrationRow | None:
    query = sa.select(RegistrationRow).where(
        RegistrationRow.applicant == actor.id, RegistrationRow.reference == reference
    )
    with ctx.store.read() as session:
        row = session.scalars(query).one_or_none()
    if row is not None and row.request_digest != digest:
        raise RegistrationReused(reference=reference, registration=row.id)
    return row


def _room(session: Session, actor: Actor, most: int) -> None:
    waiting = sa.select(sa.func.count()).where(
        RegistrationRow.applicant == actor.id, RegistrationRow.state.in_(OPEN)
    )
    if (session.scalar(waiting) or 0) >= most:
        raise TooManyOpen(most=most)


def _row(ctx: Context, actor: Actor, request: IssueRequest, order: Order) -> RegistrationRow:
    if not isinstance(request.csr, bytes):
        raise TypeError("an application comes as a PKCS#10")
    now = ctx.store.clock.now()
    return RegistrationRow(
        id=ctx.store.identifier(),
        reference=request.reference,
        state=State.SUBMITTED,
        profile=order.profile.name,
        csr=CertificationRequest.load(request.csr).der,
        holder_kind=order.holder.kind,
        holder=order.holder.id,
        post=order.holder.post,
        organ=order.holder.organ or PLATFORM,
        days=request.days,
        applicant=actor.id,
        submitted=now,
        expires=now + ctx.settings.registration.lasts,
        checks=[],
    )
