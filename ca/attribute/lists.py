"""The revocation list of an attribute authority (RFC 5755 section 6): whole, numbered without a gap, checked before it replaces.

Whoever asks for it while a revocation is missing, or half its time is over, causes a new one.
"""

import logging
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ca.attribute.errors import NoAttributeAuthority, UnknownAttributeAuthority
from ca.attribute.issue import list_url
from ca.attribute.models import AttributeCertificateRow, AttributeListRow
from ca.attribute.signatory import Signatory, signatory
from ca.context import Context
from ca.errors import CrlNotNewer
from ca.lint.lists import list_findings
from yinxin.act import SYSTEM
from yinxin.crypto.status import CertificateList, DistributionPoint, Reason, Revoked, build_crl, read_entries
from yinxin.crypto.suite import INTL
from yinxin.errors import Unavailable, YinxinError
from yinxin.steps import step
from yinxin.store import as_good
from yinxin.text import Text

_log = logging.getLogger("yinxin.ca")

VERB = "ca.attribute-list"
#: attempts while other processes make one at the same time
_TRIES = 4
Entries = list[tuple[int, Revoked]]


def in_force(ctx: Context, label: str) -> CertificateList:
    """The list of the authority with this label; raises UnknownAttributeAuthority, NoAttributeAuthority, CrlNotNewer, and what the security module raises, unless the list in force is complete."""
    for _ in range(_TRIES):
        now = ctx.store.clock.now()
        with ctx.store.read() as session:
            row = session.get(AttributeListRow, label)
            made = CertificateList(row.der) if row is not None else None
            entries = _entries(session, label, made)
        whole = made is not None and read_entries(made.entries) == entries
        if made is not None and whole and now < made.this_update + (made.next_update - made.this_update) / 2:
            return made
        try:
            if (renewed := _renew(ctx, label, made, entries, now)) is not None:
                return renewed
        except Unavailable:
            if made is not None and whole and now < made.next_update:
                return made
            raise
    raise CrlNotNewer(authority=label, reason=Text("多个进程同时生成", "several processes make it at once"))


def brought_up(ctx: Context, label: str) -> int | None:
    """The number of the list after a revocation; None when it cannot be made now: whoever asks for it next causes it."""
    try:
        return in_force(ctx, label).number
    except YinxinError:
        _log.exception("the revocation list of %s could not be made now", label)
        return None


def _entries(session: Session, label: str, made: CertificateList | None) -> Entries:
    """What the list says: an entry stays until it has been on one list made after its certificate's end (RFC 5280 3.3)."""
    row = AttributeCertificateRow
    query = sa.select(row.serial, row.revoked_at, row.reason).where(
        row.authority == label, row.revoked_at.is_not(None), row.revocable
    )
    if made is not None:
        query = query.where(row.not_after >= made.this_update - (made.next_update - made.this_update))
    found = session.execute(query.order_by(row.revoked_at, row.serial)).all()
    return [(int(each.serial, 16), _revoked(each.revoked_at, each.reason)) for each in found]


def _revoked(at: datetime, reason: str) -> Revoked:
    # unspecified is said by saying nothing (RFC 5280 5.3.1)
    told = None if reason == Reason.UNSPECIFIED else Reason(reason)
    return Revoked(at.replace(microsecond=0), told)


def _renew(
    ctx: Context, label: str, old: CertificateList | None, entries: Entries, now: datetime
) -> CertificateList | None:
    """The next list; None when another process made one meanwhile."""
    by = _authority(ctx, label)
    number = old.number + 1 if old is not None else 1
    this = now.replace(microsecond=0)
    scope = DistributionPoint((list_url(ctx, label),), only_attribute=True)
    made = CertificateList(
        build_crl(
            signer=by.signer,
            issuer=by.certificate,
            number=number,
            this_update=this,
            next_update=this + timedelta(hours=ctx.settings.attributes.list_hours),
            revoked=entries,
            scope=scope,
        )
    )
    _check(made, by, number, entries, scope)
    step("ca.attribute-list.1-signed")
    values = {"number": number, "this_update": this, "next_update": made.next_update, "der": made.der}
    row = AttributeListRow
    try:
        with ctx.store.act(SYSTEM, VERB, f"attribute-list:{label}", taken=as_good, number=number) as act:
            act.facts |= {"entries": len(entries), "list": INTL.hash.digest(made.der).hex()}
            if old is None:
                act.session.add(row(authority=label, **values))
                act.session.flush()
            else:
                same = sa.update(row).where(row.authority == label, row.number == old.number)
                changed = act.session.execute(same.values(values)).rowcount  # type: ignore[attr-defined]
                _follows(label, changed)
    except (IntegrityError, CrlNotNewer):
        return None
    return made


def _authority(ctx: Context, label: str) -> Signatory:
    try:
        return signatory(ctx, label=label)
    except NoAttributeAuthority:
        query = sa.select(AttributeCertificateRow.serial).where(AttributeCertificateRow.authority == label)
        with ctx.store.read() as session:
            if session.scalars(query.limit(1)).first() is None:
                raise UnknownAttributeAuthority(authority=label[:60]) from None
        raise


def _follows(label: str, changed: int) -> None:
    if changed != 1:
        raise CrlNotNewer(authority=label, reason=Text("已有更新的列表", "there is a newer one"))


def _check(
    made: CertificateList, by: Signatory, number: int, entries: Entries, scope: DistributionPoint
) -> None:
    """Read back and held to what it should say; raises CrlNotNewer."""
    try:
        made.verify(by.certificate)
    except YinxinError as error:
        raise CrlNotNewer(authority=by.label, reason=error) from error
    if found := list_findings(made, by.certificate, entries=True):
        raise CrlNotNewer(authority=by.label, reason="; ".join(map(str, found)))
    if (made.number, made.scope, read_entries(made.entries)) != (number, scope, entries):
        raise CrlNotNewer(authority=by.label, reason=Text("内容不符", "it says something else"))
