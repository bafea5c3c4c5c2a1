"""Issuance of a pair: both certificates or neither, and the encryption key in escrow before either is signed.

The steps are those of `ca.issue`, taken by the two together. A crash between any two leaves intents that `reconcile`
gives up, and perhaps a key in escrow that the next attempt under the same reference takes again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ca.context import Context
from ca.errors import IssuanceUnderWay, ReferenceReused
from ca.intent import facts_of, intent_row, keep_intents, keep_profile
from ca.issue import (
    VERB,
    Also,
    give_up,
    mark_issued,
    open_profile,
    recall,
)
from ca.issuer import Issuer
from ca.keycheck import held, unburdened
from ca.pair.errors import NoPair, PairEnded
from ca.pair.models import PairRow
from ca.pair.transport import digest_of, requested, transport_of
from ca.prepare import Prepared, prepare
from ca.profile import Profile
from ca.request import Application, Holder, IssueRequest, Order, examine
from ca.sign import sign
from kms.escrow import Escrow, UserKey, Why, encryption_algorithm
from kms.escrow.pool import Wanted
from yinxin.act import Actor, Outcome
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.names import Name
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import as_good
from yinxin.text import Text

#: transactions begun while others take the same reference
_TRIES = 3


@dataclass(frozen=True, slots=True)
class PairRequest:
    """A request for a pair: `csr` brings the signing key; `profile` is the signing profile.

    A signing key that opens nothing brings a transport key in its PKCS#10. `renews` names the pair whose place it takes: that one's key goes into the history.
    """

    reference: str
    profile: str
    csr: bytes | Application
    holder: Holder
    days: int | None = None
    renews: str | None = None


@dataclass(frozen=True)
class _Half:
    order: Order
    issuer: Issuer
    prepared: Prepared


def encryption_profile(ctx: Context, signing: str) -> Profile:
    """The profile of the other half; raises UnknownProfile, NoPair."""
    ctx.profiles[signing]  # an unknown name is told as such
    found = {profile.pair_of: profile for profile in ctx.profiles.values() if profile.pair_of}
    if signing not in found:
        raise NoPair(profile=signing, known=", ".join(str(each) for each in found))
    return found[signing]


def issue_pair(
    ctx: Context,
    escrow: Escrow,
    actor: Actor,
    request: PairRequest,
    decision: Mapping[str, Any] | None = None,
    *,
    also: Also | None = None,
) -> PairRow:
    """The pair for a request that its caller has authorised; the same reference gives the same pair.

    `also` joins the transaction that stores it, and is told the signing certificate. Raises NoPair, CannotReceive,
    TransportNeeded, TransportUnwanted, and what `ca.issue.issue` and `Escrow.give` raise; then neither certificate exists.
    """
    try:
        # 1. the signing half is good, its key can open an envelope, the reference is new
        order, issuer = _signing_half(ctx, request)
        known = _recall(ctx, actor, request, order, issuer)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"pair:{request.reference}", error)
        raise
    if known is not None:
        return known
    # 2. the encryption key, durably in escrow before anything says its public part
    key = escrow.give(actor, _wanted(request, order), decision)
    step("ca.issue-pair.2-escrowed")
    try:
        # 3. both halves linted
        halves = _prepared(ctx, request, order, issuer, key)
        step("ca.issue-pair.3-linted")
        # 4. both intents in one transaction
        taken = _intended(ctx, actor, request, halves, decision)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"pair:{request.reference}", error)
        raise
    if taken is not None:
        return taken
    step("ca.issue-pair.4-intended")
    try:
        # 5. both signed and verified
        certificates = [sign(half.prepared, half.issuer) for half in halves]
        step("ca.issue-pair.5-signed")
        # 6. both stored and bound, the pair written, what it renews superseded: in one transaction, or none of it
        made = tuple(zip(halves, certificates, strict=True))
        row = _stored(ctx, escrow, actor, request, made=made, key=key, also=also)
    except Exception:
        for half in halves:
            give_up(ctx, actor, half.prepared.serial)
        raise
    step("ca.issue-pair.6-stored")
    return row


def find(ctx: Context, name: str) -> PairRow | None:
    """The pair of this reference, or of a certificate's serial number; None when there is none."""
    query = sa.select(PairRow).where(
        sa.or_(PairRow.reference == name, PairRow.signing == name, PairRow.encryption == name)
    )
    with ctx.store.read() as session:
        return session.scalars(query).one_or_none()


def examined(ctx: Context, request: PairRequest) -> Order:
    """What the signing half amounts to today; raises NoPair, and what is raised of a request that could never give a pair."""
    return _signing_half(ctx, request)[0]


def _signing_half(ctx: Context, request: PairRequest) -> tuple[Order, Issuer]:
    profile = open_profile(ctx, request.profile)
    encryption_profile(ctx, request.profile)
    asked = IssueRequest(
        f"{request.reference}/signing", request.profile, request.csr, request.holder, request.days
    )
    order = examine(asked, profile, ctx.register, ctx.settings)
    transport_of(request.csr, order.public_key)
    return order, ctx.issuers.issuing(order.authority)


def _recall(ctx: Context, actor: Actor, request: PairRequest, order: Order, issuer: Issuer) -> PairRow | None:
    """The pair that the reference already gave; a stale attempt of either half is abandoned on the way."""
    known = find(ctx, request.reference)
    if known is not None and known.reference == request.reference:
        if known.request_digest != digest_of(request.csr, order):
            raise ReferenceReused(reference=request.reference, serial=known.signing)
        return known
    recall(ctx, actor, order, issuer)
    return None


def _wanted(request: PairRequest, order: Order) -> Wanted:
    key = order.public_key
    algorithm = encryption_algorithm(key.suite.encryption_for(key.kind))
    holder = order.holder
    return Wanted(request.reference, algorithm, holder.kind, holder.id, holder.organ or "")


def _prepared(
    ctx: Context, request: PairRequest, order: Order, issuer: Issuer, key: UserKey
) -> tuple[_Half, _Half]:
    profile = encryption_profile(ctx, request.profile)
    # its subject is whatever the directory says; possession is the key centre's
    asked = Application(key.public_key, Name.of({}))
    other = examine(
        IssueRequest(f"{request.reference}/encryption", profile.name, asked, request.holder, request.days),
        profile,
        ctx.register,
        ctx.settings,
    )
    return _half(ctx, order, issuer), _half(ctx, other, ctx.issuers.issuing(other.authority))


def _half(ctx: Context, order: Order, issuer: Issuer) -> _Half:
    store = ctx.store
    return _Half(order, issuer, prepare(order, issuer, ctx.settings, store.clock, store.randomness))


def _intended(
    ctx: Context,
    actor: Actor,
    request: PairRequest,
    halves: tuple[_Half, _Half],
    decision: Mapping[str, Any] | None,
) -> PairRow | None:
    """Write both intents; the pair itself when another worker under the same reference has made it meanwhile."""
    record = dict(decision) if decision else None
    try:
        subject = f"pair:{request.reference}"
        with ctx.store.act(actor, VERB, subject, outcome=Outcome.INTENT, taken=as_good) as act:
            act.decision = record
            held(act.session, [half.order for half in halves])
            for half in halves:
                unburdened(act.session, half.order)
                keep_profile(act.session, half.order)
                row = intent_row(actor, half.order, half.issuer, half.prepared, at=ctx.store.clock.now())
                keep_intents(act.session, (half.prepared, row))
                facts = facts_of(half.order, half.issuer, half.prepared)
                act.each(ctx.store.identifier(), f"certificate:{half.prepared.serial}", record, **facts)
            act.session.flush()
    except IntegrityError:
        order, issuer = halves[0].order, halves[0].issuer
        known = _recall(ctx, actor, request, order, issuer)
        if known is None:
            raise IssuanceUnderWay(reference=request.reference, seconds=1) from None
        return known
    return None


def _stored(
    ctx: Context,
    escrow: Escrow,
    actor: Actor,
    request: PairRequest,
    *,
    made: Sequence[tuple[_Half, Certificate]],
    key: UserKey,
    also: Also | None,
) -> PairRow:
    (signing, signed), (encryption, certificate) = made
    order, now = signing.order, ctx.store.clock.now()
    transport = transport_of(request.csr, order.public_key)
    row = PairRow(
        reference=request.reference,
        signing=signing.prepared.serial,
        encryption=encryption.prepared.serial,
        user_key=key.id,
        transport=transport.spki if transport is not None else None,
        request=requested(request.csr) if transport is not None else None,
        request_digest=digest_of(request.csr, order),
        holder_kind=order.holder.kind,
        holder=order.holder.id,
        organ=order.holder.organ,
        created=now,
    )
    with ctx.store.act(actor, VERB, f"pair:{request.reference}", user_key=key.id) as act:
        for half, each in made:
            mark_issued(act.session, half.order, each, at=now)
            facts = {"fingerprint": each.fingerprint, "reference": half.order.reference}
            act.each(ctx.store.identifier(), f"certificate:{half.prepared.serial}", None, **facts)
        act.session.add(row)
        act.session.flush()
        escrow.certified(act.session, key.id, row.encryption, certificate.not_after)
        if request.renews is not None:
            act.facts["renews"] = request.renews
            _supersede(act.session, escrow, request.renews, row)
        if also is not None:
            also(act.session, signed)
        act.session.expunge(row)
    return row


def _supersede(session: Session, escrow: Escrow, reference: str, by: PairRow) -> None:
    old = session.get(PairRow, reference, with_for_update=True)
    if old is None or old.superseded_by is not None:
        state = Text("已被换发", "renewed already")
        raise PairEnded(pair=reference, state=state, act=Text("换发", "renewed"))
    old.superseded_by = by.reference
    escrow.to_history(session, old.user_key, Why.REPLACED)
