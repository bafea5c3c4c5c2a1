"""Issuing: as for certificates, nothing is signed that was not linted and written down, nothing handed out not stored.

A crash between any two steps leaves nothing, or an intent that `tend` gives up: its serial number is revoked, and since
its octets were never handed out, nobody can show them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authz.policy_set import Template
from ca.attribute.errors import CertificateNotInForce, NotAPersonsCertificate, NothingInForce
from ca.attribute.lint import AttributeCase, judge
from ca.attribute.models import AttributeCertificateRow
from ca.attribute.request import AttributeRequest
from ca.attribute.signatory import Signatory, signatory
from ca.attribute.stated import stated
from ca.context import Context
from ca.errors import IntentLost, IssuanceUnderWay, Misissued, NoSerial, ReferenceReused
from ca.inventory import find, standing
from ca.issue import TRIES
from ca.lint import Cleared
from ca.models import CertificateRow, State
from ca.profile.versions import made_by
from ca.reconcile import REASON
from yinxin.act import Actor, Outcome
from yinxin.clock import rfc3339
from yinxin.crypto.attribute import AttributeCertificate, AttributeTemplate, Claims, Holder, to_be_signed
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import assemble, throwaway_sign
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import as_good
from yinxin.text import Text

_log = logging.getLogger("yinxin.ca")

VERB = "ca.issue-attribute-certificate"
ABANDON = "ca.abandon-attribute-certificate"
#: profiles whose certificates a person acts with
_STATES = {
    "revoked": Text("已撤销", "revoked"),
    "suspended": Text("已暂停", "suspended"),
    "expired": Text("已过期", "expired"),
}

#: the templates of the policies in force
Templates = Mapping[str, Template]


@dataclass(frozen=True)
class Order:
    """A request found good: whose certificate, who signs."""

    request: AttributeRequest
    digest: str
    row: CertificateRow
    holder: Certificate
    signatory: Signatory


@dataclass(frozen=True)
class _Prepared:
    """An attribute certificate complete but for its signature, and what it states."""

    certificate: AttributeCertificate
    cleared: Cleared


def list_url(ctx: Context, label: str) -> str:
    """Where the list of an attribute authority is found."""
    return f"{ctx.settings.public_url}/ca/{label}.acrl"


def examine(ctx: Context, request: AttributeRequest) -> Order:
    """Step one; raises BadLifetime, BadTarget, UnknownCertificate, NotAPersonsCertificate, CertificateNotInForce, NoAttributeAuthority."""
    request.sound(ctx.settings.attributes)
    row = find(ctx, request.certificate)
    profile = made_by(ctx, row)
    if row.holder_kind != "person" or row.post is None or row.organ is None or profile.binding != "signing":
        raise NotAPersonsCertificate(certificate=row.serial, profile=row.profile)
    state = standing(row, ctx.store.clock.now())
    if state != "issued" or row.der is None:
        told = _STATES.get(state, Text(state, state))
        raise CertificateNotInForce(certificate=row.serial, state=told)
    holder = Certificate(row.der)
    suite = request.suite or holder.public_key.suite.name
    return Order(request, request.fingerprint(row.serial), row, holder, signatory(ctx, suite=suite))


def issue(
    ctx: Context,
    actor: Actor,
    order: Order,
    templates: Templates,
    decision: Mapping[str, Any] | None = None,
) -> AttributeCertificateRow:
    """Steps two to five; the same reference gives the same attribute certificate, however often and parallel it is asked.

    Raises ReferenceReused, IssuanceUnderWay, CannotBind, NothingInForce, AttributeLintFailed, and what the security
    module raises.
    """
    try:
        if (known := _recall(ctx, actor, order)) is not None:
            return known
        # 2. what is on record, serial number, octets, lint; 3. all of it written down before the HSM is asked
        intended = _intend(ctx, actor, order, templates, decision)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"reference:{order.request.reference}", error)
        raise
    if isinstance(intended, AttributeCertificateRow):
        return intended
    serial = intended.certificate.name
    step("ca.issue-attribute-certificate.3-intended")
    try:
        # 4. exactly the linted octets are signed, and what came back verifies
        made = _sign(intended, order.signatory)
        step("ca.issue-attribute-certificate.4-signed")
        # 5. stored as issued; only then handed out
        row = _store(ctx, actor, made)
    except Exception:
        _give_up(ctx, actor, serial)
        raise
    step("ca.issue-attribute-certificate.5-stored")
    return row


def _recall(ctx: Context, actor: Actor, order: Order) -> AttributeCertificateRow | None:
    """What this reference became before; an intent that is too old is given up."""
    reference = order.request.reference
    query = sa.select(AttributeCertificateRow).where(
        AttributeCertificateRow.reference == reference, AttributeCertificateRow.state != State.ABANDONED
    )
    with ctx.store.read() as session:
        row = session.scalars(query).one_or_none()
    if row is None:
        return None
    if row.request_digest != order.digest:
        raise ReferenceReused(reference=reference, serial=row.serial)
    if row.state == State.ISSUED:
        return row
    age = (ctx.store.clock.now() - row.created).total_seconds()
    if age < ctx.settings.intent_seconds:
        raise IssuanceUnderWay(reference=reference, seconds=int(ctx.settings.intent_seconds - age) + 1)
    abandon(ctx, actor, row.serial)
    return None


def _intend(
    ctx: Context, actor: Actor, order: Order, templates: Templates, decision: Mapping[str, Any] | None
) -> _Prepared | AttributeCertificateRow:
    for _ in range(TRIES):
        serial = int.from_bytes(bytes([ctx.settings.node]) + ctx.store.randomness.token(16))
        now = ctx.store.clock.now()
        try:
            with ctx.store.act(
                actor,
                VERB,
                f"attribute-certificate:{serial:x}",
                outcome=Outcome.INTENT,
                taken=as_good,
            ) as act:
                act.decision = dict(decision) if decision else None
                # read in the very transaction that writes it down, so that what ended before is not stated
                person, post = order.row.holder, order.row.post or ""
                claims = stated(act.session, ctx.settings, templates, (person, post), now)
                prepared = _prepare(ctx, order, claims, serial, now)
                act.facts |= _facts(order, prepared, claims)
                act.session.add(_row(order, prepared, actor, now))
                act.session.flush()
        except IntegrityError:
            # another worker took the reference, or in the same instant the serial number
            if (known := _recall(ctx, actor, order)) is not None:
                return known
            continue
        return prepared
    raise NoSerial(tries=TRIES)


def _prepare(ctx: Context, order: Order, claims: Claims, serial: int, now: datetime) -> _Prepared:
    settings, authority = ctx.settings.attributes, order.signatory.certificate
    begins, ends = _period(ctx, order, claims, now)
    listed = ends - begins > timedelta(hours=settings.unlisted_hours)
    url = list_url(ctx, order.signatory.label)
    template = AttributeTemplate(
        holder=Holder.of(order.holder, order.holder.public_key.suite.hash if order.request.digest else None),
        claims=claims,
        not_before=begins,
        not_after=ends,
        targets=order.request.targets,
        crl_urls=(url,) if listed else (),
    )
    tbs = to_be_signed(template, authority=authority, serial=serial)
    made = AttributeCertificate(throwaway_sign(tbs, authority.public_key.signature_algorithm))
    case = AttributeCase(made, authority, order.holder, claims, settings, ctx.settings.node, url)
    cleared = judge(case, order.signatory.label)
    step("ca.issue-attribute-certificate.2-linted")
    return _Prepared(made, cleared)


def _period(ctx: Context, order: Order, claims: Claims, now: datetime) -> tuple[datetime, datetime]:
    """Within everything that is stated and both certificates; a little before now for readers whose clocks are behind."""
    first = now.replace(microsecond=0) - timedelta(seconds=ctx.settings.backdate_seconds)
    certificates = (order.holder, order.signatory.certificate)
    begins = max(
        first,
        claims.appointment.valid_from,
        *(each.valid_from for each in claims.grants),
        *(each.not_before for each in certificates),
    )
    # both ends are inside, and what is stated is over at its own end
    over = claims.ends or datetime.max.replace(tzinfo=UTC)
    wanted = first + order.request.lasts(ctx.settings.attributes) - timedelta(seconds=1)
    ends = min(wanted, over - timedelta(seconds=1), *(each.not_after for each in certificates))
    if ends <= now:
        raise NothingInForce(person=order.row.holder, post=order.row.post, ends=rfc3339(ends))
    return begins, ends


def _facts(order: Order, prepared: _Prepared, claims: Claims) -> dict[str, Any]:
    """What the record of an intent says."""
    return {
        "authority": order.signatory.label,
        "reference": order.request.reference,
        "certificate": order.row.serial,
        "holder": f"person:{order.row.holder}",
        "post": order.row.post,
        "organ": order.row.organ,
        "clearance": claims.clearance.level,
        "roles": [each.id for each in claims.roles],
        "grants": [each.id for each in claims.grants],
        "not_after": rfc3339(prepared.certificate.not_after),
        "tbs": INTL.hash.digest(prepared.certificate.tbs).hex(),
    }


def _row(order: Order, prepared: _Prepared, actor: Actor, now: datetime) -> AttributeCertificateRow:
    certificate = prepared.certificate
    return AttributeCertificateRow(
        serial=certificate.name,
        authority=order.signatory.label,
        signer=f"{order.signatory.certificate.serial:x}",
        reference=order.request.reference,
        request_digest=order.digest,
        state=State.INTENT,
        certificate=order.row.serial,
        person=order.row.holder,
        post=order.row.post,
        organ=order.row.organ,
        tbs=certificate.tbs,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        revocable=certificate.revocable,
        requested_by=actor.id,
        created=now,
    )


def _sign(prepared: _Prepared, by: Signatory) -> AttributeCertificate:
    """The one place where one is signed: only cleared octets, and only what was cleared leaves."""
    linted = prepared.certificate
    tbs = prepared.cleared.redeem(linted.tbs, by)
    signature = by.signer.sign(tbs)
    try:
        made = AttributeCertificate(assemble(tbs, by.certificate.public_key.signature_algorithm, signature))
        made.issued_by(by.certificate)
    except YinxinError as error:
        raise Misissued(serial=linted.name) from error
    if made.tbs != linted.tbs:
        raise Misissued(serial=linted.name)
    return made


def _store(ctx: Context, actor: Actor, made: AttributeCertificate) -> AttributeCertificateRow:
    row = AttributeCertificateRow
    with ctx.store.act(
        actor, VERB, f"attribute-certificate:{made.name}", fingerprint=made.fingerprint
    ) as act:
        complete = (
            sa.update(row)
            .where(row.serial == made.name, row.state == State.INTENT)
            .values(state=State.ISSUED, der=made.der, fingerprint=made.fingerprint)
        )
        if act.session.execute(complete).rowcount != 1:  # type: ignore[attr-defined]
            raise IntentLost(serial=made.name)
    with ctx.store.read() as session:
        return session.get_one(row, made.name)


def abandon(ctx: Context, actor: Actor, serial: str) -> None:
    """Give an intent up; nothing when it is none any more."""
    row = AttributeCertificateRow
    with ctx.store.act(actor, ABANDON, f"attribute-certificate:{serial}") as act:
        intent = sa.update(row).where(row.serial == serial, row.state == State.INTENT)
        values = {"state": State.ABANDONED, "revoked_at": ctx.store.clock.now(), "reason": REASON}
        act.facts["changed"] = act.session.execute(intent.values(values)).rowcount  # type: ignore[attr-defined]


def _give_up(ctx: Context, actor: Actor, serial: str) -> None:
    try:
        abandon(ctx, actor, serial)
    except Exception:  # noqa: BLE001 - the failure that brought us here is the one to raise
        _log.exception("intent %s could not be abandoned now; the timer will", serial)
