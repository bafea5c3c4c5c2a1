"""Issuance: nothing is signed that was not linted and written down, nothing is handed out that is not stored.

A crash between any two steps leaves either nothing, or an intent that names serial number, octets, key and requester;
`reconcile` gives it up and revokes its serial number, so that whatever was signed is known and worthless.

Requests that meet in one process share their transactions (`yinxin.gather`, `ca.issue_many`); one that meets no other takes
the steps of this file, and so does each one that could not go with the others.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context as Surroundings
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from authz.bind import bind
from ca.context import Context
from ca.errors import IssuanceUnderWay, NoSerial, ProfileRefuses, ReferenceReused
from ca.intent import complete, facts_of, intent_row, keep_intents, keep_profile
from ca.issuer import Issuer
from ca.keycheck import blocked, held, unburdened
from ca.models import CertificateRow, State
from ca.permit import permit
from ca.prepare import Prepared, prepare
from ca.profile import Profile
from ca.reconcile import abandon
from ca.request import IssueRequest, Order, examine
from ca.sign import sign
from yinxin.act import Actor, Outcome
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Sql, as_good
from yinxin.text import Text

_log = logging.getLogger("yinxin.ca")

VERB = "ca.issue"
#: serial numbers tried before the random source is held to be broken
TRIES = 3

#: further changes in the transaction that stores the certificate
Also = Callable[[Session, Certificate], None]


@dataclass(frozen=True)
class Issued:
    """A certificate that is stored as issued."""

    serial: str
    certificate: Certificate
    #: from its issuer up to the root
    chain: tuple[Certificate, ...]
    #: as it is stored, by column
    values: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def row(self) -> CertificateRow:
        """As it is stored, for reading."""
        return cast("CertificateRow", SimpleNamespace(**self.values))


#: told in the transaction that stores the certificate what it will be, if that is committed
Told = Callable[[Session, Issued], None]


@dataclass(frozen=True)
class Wanted:
    """A request that its caller has authorised; `also` joins the transaction that stores its certificate.

    With `ask` the caller has not: the policies are asked where it is issued (`ca.permit`).
    """

    request: IssueRequest
    decision: Mapping[str, Any] | None = None
    also: Also | None = None
    told: Told | None = None
    ask: bool = False
    #: the holder may be one of `ca.request.RESERVED`
    reserved: bool = False


@dataclass(frozen=True)
class Asked:
    """A request, who asks, and the surroundings (request identifier, idempotency key) that its records belong to."""

    actor: Actor
    wanted: Wanted
    surroundings: Surroundings = field(default_factory=copy_context, repr=False)


def issue(
    ctx: Context,
    actor: Actor,
    request: IssueRequest,
    decision: Mapping[str, Any] | None = None,
    *,
    also: Also | None = None,
) -> Issued:
    """The certificate for a request that its caller has authorised; `decision` is the record of that. See `issue_wanted`.

    `also` joins the transaction that stores the certificate, once for each certificate that is made.
    """
    return issue_wanted(ctx, actor, Wanted(request, decision, also))


def issue_wanted(ctx: Context, actor: Actor, wanted: Wanted) -> Issued:
    """The certificate that is wanted, together with whoever asks at the same time.

    The same reference with the same request gives the certificate issued before. Raises what `examine` and `prepare`
    raise; ReferenceReused, IssuanceUnderWay, IntentLost, NoSerial; Denied when the policies had to be asked; and
    whatever the security module or store raises, in which case nothing was handed out.
    """
    asked = Asked(actor, wanted)
    answer = ctx.gatherer.join(asked, partial(_serve, ctx))
    if isinstance(answer, Exception):
        raise answer
    return answer or issue_alone(ctx, asked)


def _serve(ctx: Context, group: Sequence[Asked]) -> Sequence[Issued | Exception | None]:
    from ca.issue_many import issue_together

    return issue_together(ctx, group) if len(group) > 1 else [issue_alone(ctx, group[0])]


def issue_alone(ctx: Context, asked: Asked) -> Issued:
    """As `issue`, in transactions of its own."""
    actor, request, decision = asked.actor, asked.wanted.request, asked.wanted.decision
    register = ctx.register.ahead([request.holder])
    if asked.wanted.ask:
        decision = permit(ctx, actor, request, register)
    try:
        # 1. the request is good, the reference new
        profile = open_profile(ctx, request.profile)
        order = examine(request, profile, register, ctx.settings, reserved=asked.wanted.reserved)
        issuer = ctx.issuers.issuing(order.authority)
        known = recall(ctx, actor, order, issuer)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"reference:{request.reference}", error)
        raise
    return known or carry_out(
        ctx, actor, order, issuer, decision=decision, also=asked.wanted.also, told=asked.wanted.told
    )


def open_profile(ctx: Context, name: str) -> Profile:
    """The profile, if certificates of it are issued on request; raises UnknownProfile, ProfileRefuses."""
    profile = ctx.profiles[name]
    if profile.ceremony_only:
        reason = Text("只能在仪式中签发", "it is issued by the ceremony only")
        raise ProfileRefuses(profile=name, field="profile", reason=reason)
    if profile.escrow:
        reason = Text(
            f"加密密钥由密钥管理中心产生并托管，请申请双证书（{profile.pair_of}）",
            f"the key centre makes and keeps the key: ask for the pair of {profile.pair_of}",
        )
        raise ProfileRefuses(profile=name, field="profile", reason=reason)
    return profile


def recall(ctx: Context, actor: Actor, order: Order, issuer: Issuer) -> Issued | None:
    """What the reference already gave; None when it is free. A stale attempt is abandoned on the way."""
    with ctx.store.look() as look:
        row = _REFERRED.first(look, {"reference": order.reference})
    if row is None:
        return None
    if row.request_digest != order.digest:
        raise ReferenceReused(reference=order.reference, serial=row.serial)
    if row.der is not None:
        # by the generation that signed it then
        chain = issuer.chain if row.authority == issuer.name else ctx.issuers.get(row.authority).chain
        return Issued(row.serial, Certificate(row.der), chain, row._asdict())
    age = (ctx.store.clock.now() - row.created).total_seconds()
    if age < ctx.settings.intent_seconds:
        raise IssuanceUnderWay(reference=order.reference, seconds=int(ctx.settings.intent_seconds - age) + 1)
    abandon(ctx, actor, row.serial)
    return None


def carry_out(
    ctx: Context,
    actor: Actor,
    order: Order,
    issuer: Issuer,
    *,
    decision: Mapping[str, Any] | None = None,
    also: Also | None = None,
    told: Told | None = None,
) -> Issued:
    """Steps two to five for an order found good; `also` and `told` join the last transaction."""
    # 2. serial number, octets, lint; 3. all of it written down if the key is unburdened, before the HSM is asked
    intended = _intend(ctx, actor, order, issuer, decision)
    if isinstance(intended, Issued):
        return intended
    prepared, row = intended
    step("ca.issue.3-intended")
    try:
        # 4. the security module signs exactly the linted octets; the signature is verified before anything else
        issued = completed(row, sign(prepared, issuer), issuer)
        step("ca.issue.4-signed")
        # 5. stored as issued and bound to its holder in one transaction; only then handed out
        store_issued(ctx, actor, order, issued, also=also, told=told)
    except Exception:
        give_up(ctx, actor, prepared.serial)
        raise
    step("ca.issue.5-stored")
    return issued


def completed(row: Mapping[str, Any], certificate: Certificate, issuer: Issuer) -> Issued:
    """What an intent, `row`, becomes with its certificate."""
    made = {"state": State.ISSUED.value, "der": certificate.der, "fingerprint": certificate.fingerprint}
    chain = issuer.chain or (certificate,)
    return Issued(row["serial"], certificate, chain, {**row, **made})


def _intend(
    ctx: Context, actor: Actor, order: Order, issuer: Issuer, decision: Mapping[str, Any] | None
) -> tuple[Prepared, Mapping[str, Any]] | Issued:
    for _ in range(TRIES):
        prepared = _lint(ctx, actor, order, issuer)
        step("ca.issue.2-linted")
        facts = facts_of(order, issuer, prepared)
        subject = f"certificate:{prepared.serial}"
        try:
            with ctx.store.act(actor, VERB, subject, outcome=Outcome.INTENT, taken=as_good, **facts) as act:
                act.decision = dict(decision) if decision else None
                held(act.session, [order])
                unburdened(act.session, order)
                keep_profile(act.session, order)
                row = intent_row(actor, order, issuer, prepared, at=ctx.store.clock.now())
                keep_intents(act.session, (prepared, row))
        except IntegrityError:
            # another worker took the reference, or in the same instant the serial number
            if (known := recall(ctx, actor, order, issuer)) is not None:
                return known
            continue
        return prepared, row
    error = NoSerial(tries=TRIES)
    ctx.store.refuse(actor, VERB, f"reference:{order.reference}", error)
    raise error


def _lint(ctx: Context, actor: Actor, order: Order, issuer: Issuer) -> Prepared:
    try:
        return prepare(order, issuer, ctx.settings, ctx.store.clock, ctx.store.randomness)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"reference:{order.reference}", error)
        raise


def store_issued(
    ctx: Context, actor: Actor, order: Order, issued: Issued, *, also: Also | None, told: Told | None
) -> None:
    """Step five; raises IntentLost, CompromisedKey when the key was blocked meanwhile, and what binding raises."""
    certificate = issued.certificate
    with ctx.store.act(
        actor,
        VERB,
        f"certificate:{issued.serial}",
        fingerprint=certificate.fingerprint,
        reference=order.reference,
    ) as act:
        mark_issued(act.session, order, certificate, at=ctx.store.clock.now(), row=issued.values)
        if also is not None:
            also(act.session, certificate)
        if told is not None:
            told(act.session, issued)


def mark_issued(
    session: Session,
    order: Order,
    certificate: Certificate,
    *,
    at: datetime,
    row: Mapping[str, Any] | None = None,
) -> None:
    """Within the caller's act: the intent becomes a certificate, bound to its holder; `row` as in `complete`. Raises as `store_issued`."""
    holder = order.holder
    blocked(session, [order.public_key])
    complete(session, [certificate], [row] if row is not None else ())
    if holder.kind == "person" and holder.post is not None:
        bind(session, certificate, holder.id, holder.post, at=at, purpose=order.profile.binding)


_ROW = cast("sa.Table", CertificateRow.__table__).c
_REFERRED = Sql(
    sa.select(*_ROW).where(_ROW.reference == sa.bindparam("reference"), _ROW.state != State.ABANDONED)
)


def give_up(ctx: Context, actor: Actor, serial: str) -> None:
    """Abandon at once what failed; when even that fails, `reconcile` will."""
    try:
        abandon(ctx, actor, serial)
    except Exception:  # noqa: BLE001 - the failure that brought us here is the one to raise
        _log.exception("intent %s could not be abandoned now; reconcile will", serial)
