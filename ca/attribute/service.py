"""Attribute certificates as one service: issued, shown, listed, taken back, and their lists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from authz.directory.tree import reached
from ca.attribute.bundle import bundle
from ca.attribute.errors import UnknownAttributeCertificate
from ca.attribute.issue import VERB as ISSUE
from ca.attribute.issue import Templates, examine, issue
from ca.attribute.lists import in_force
from ca.attribute.models import AttributeCertificateRow
from ca.attribute.request import AttributeRequest
from ca.attribute.revoke import VERB as REVOKE
from ca.attribute.revoke import AttributeRevocation, revoke
from ca.attribute.tend import tend
from ca.context import Context
from ca.inventory import normal
from ca.models import State
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.clock import rfc3339
from yinxin.crypto.attribute import AttributeCertificate, Claims
from yinxin.errors import YinxinError

READ = "ca.read"
#: `revoked` and `expired` are issued too; `issued` means in force
Standing = Literal["issued", "revoked", "expired", "intent", "abandoned"]
#: columns of an export
COLUMNS = (
    *("serial", "state", "person", "post", "organ", "certificate", "authority", "not_before", "not_after"),
    *("revocable", "revoked_at", "reason", "requested_by", "reference", "fingerprint"),
)
#: rows that an export reads at a time
_PAGE = 500


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """What to look for; None is anything."""

    person: str | None = None
    #: this organ and all below it
    organ: str | None = None
    #: serial number of the holder's certificate
    certificate: str | None = None
    state: Standing | None = None


class Attributes:
    """The attribute authorities of this site. `templates` gives those of the policies in force."""

    def __init__(self, ctx: Context, decider: Decider, templates: Callable[[], Templates]) -> None:
        self._ctx = ctx
        self._decider = decider
        self._templates = templates

    def issue(self, actor: Actor, request: AttributeRequest) -> AttributeCertificateRow:
        """Issue, if the policies permit it; see `ca.attribute.issue`. Raises Denied."""
        try:
            order = examine(self._ctx, request)
        except YinxinError as error:
            self._ctx.store.refuse(actor, ISSUE, f"reference:{request.reference[:80]}", error)
            raise
        resource = _resource(request.reference, order.row.holder, order.row.organ or PLATFORM)
        decision = self._decider.require(actor, ISSUE, resource)
        return issue(self._ctx, actor, order, self._templates(), decision.record())

    def revoke(self, actor: Actor, name: str, reason: str) -> AttributeRevocation:
        """Take back by serial number or fingerprint, if the policies permit it. Raises UnknownAttributeCertificate, Denied."""
        try:
            row = self._find(name)
        except YinxinError as error:
            self._ctx.store.refuse(actor, REVOKE, f"attribute-certificate:{name[:80]}", error)
            raise
        decision = self._decider.require(actor, REVOKE, _resource(row.serial, row.person, row.organ))
        return revoke(self._ctx, actor, row, reason, decision.record())

    def show(self, actor: Actor, name: str) -> AttributeCertificateRow:
        """One, by serial number or fingerprint; one that is not the actor's to see is as unknown as one that is not there."""
        row = self._find(name)
        resource = _resource(row.serial, row.person, row.organ)
        if not self._decider.check(actor, READ, resource).allowed:
            raise UnknownAttributeCertificate(certificate=name[:80])
        return row

    def search(
        self, actor: Actor, wanted: AttributeFilter, *, after: str = "", limit: int = 100
    ) -> tuple[AttributeCertificateRow, ...]:
        """A page by serial number: of one's own, or of an organ and those below it (the actor's own unless named). Raises Denied."""
        organ = wanted.organ or actor.organ or PLATFORM
        own = wanted.person == actor.id and wanted.organ is None
        self._decider.require(actor, READ, _resource("*", actor.id if own else "", organ))
        row, now = AttributeCertificateRow, self._ctx.store.clock.now()
        query = sa.select(row).where(row.serial > after, *_conditions(wanted, now))
        if not own:
            below = reached(organ)
            query = query.where(row.organ.in_(below))
        with self._ctx.store.read() as session:
            return tuple(session.scalars(query.order_by(row.serial).limit(limit)))

    def every(self, actor: Actor, wanted: AttributeFilter) -> Iterator[AttributeCertificateRow]:
        """All that match, page by page as they are taken; raises as `search`, before the first."""
        page = self.search(actor, wanted, limit=_PAGE)
        while page:
            yield from page
            more = len(page) == _PAGE
            page = self.search(actor, wanted, after=page[-1].serial, limit=_PAGE) if more else ()

    def bundle(self, row: AttributeCertificateRow) -> str:
        """See `ca.attribute.bundle`."""
        return bundle(self._ctx, row)

    def list(self, label: str) -> bytes:
        """The revocation list in force of an attribute authority, DER; see `ca.attribute.lists`."""
        return in_force(self._ctx, label).der

    def tend(self) -> int:
        """See `ca.attribute.tend`."""
        return tend(self._ctx, self._templates())

    def _find(self, name: str) -> AttributeCertificateRow:
        text = normal(name)
        row = AttributeCertificateRow
        column = row.fingerprint if len(text) == 64 else row.serial
        with self._ctx.store.read() as session:
            found = session.scalars(sa.select(row).where(column == text)).one_or_none()
        if found is None:
            raise UnknownAttributeCertificate(certificate=name[:80])
        return found


def standing(row: AttributeCertificateRow, now: datetime) -> Standing:
    """How it stands."""
    if row.state == State.INTENT:
        return "intent"
    if row.state == State.ABANDONED:
        return "abandoned"
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.not_after < now else "issued"


def describe(row: AttributeCertificateRow, now: datetime) -> dict[str, Any]:
    """The row as JSON, without octets."""
    return {
        "serial": row.serial,
        "authority": row.authority,
        "reference": row.reference,
        "state": standing(row, now),
        "certificate": row.certificate,
        "person": row.person,
        "post": row.post,
        "organ": row.organ,
        "fingerprint": row.fingerprint,
        "not_before": rfc3339(row.not_before),
        "not_after": rfc3339(row.not_after),
        "revocable": row.revocable,
        "requested_by": row.requested_by,
        "revoked_at": rfc3339(row.revoked_at) if row.revoked_at else None,
        "reason": row.reason,
    }


def told(row: AttributeCertificateRow) -> dict[str, Any] | None:
    """What it states, as JSON; None for one without its signature."""
    return _claims(AttributeCertificate(row.der).claims) if row.der is not None else None


def _claims(claims: Claims) -> dict[str, Any]:
    ends = claims.appointment.valid_to
    return {
        "person": claims.appointment.person,
        "name": claims.appointment.person_name,
        "post": claims.appointment.post.id,
        "organ": claims.appointment.organ.id,
        "kind": claims.appointment.kind,
        "appointed_from": rfc3339(claims.appointment.valid_from),
        "appointed_to": rfc3339(ends) if ends else None,
        "roles": [each.id for each in claims.roles],
        "clearance": claims.clearance.level,
        "grants": [
            {
                "id": each.id,
                "template": each.template.id,
                "scope": each.scope.id,
                "holder": each.holder,
                "valid_from": rfc3339(each.valid_from),
                "valid_to": rfc3339(each.valid_to),
                "source": each.source,
            }
            for each in claims.grants
        ],
    }


def _conditions(wanted: AttributeFilter, now: datetime) -> list[sa.ColumnElement[bool]]:
    row = AttributeCertificateRow
    given = [
        column == value
        for column, value in ((row.person, wanted.person), (row.certificate, wanted.certificate))
        if value is not None
    ]
    issued = row.state == State.ISSUED
    states: dict[Standing, sa.ColumnElement[bool]] = {
        "intent": row.state == State.INTENT,
        "abandoned": row.state == State.ABANDONED,
        "revoked": sa.and_(issued, row.revoked_at.is_not(None)),
        "expired": sa.and_(issued, row.revoked_at.is_(None), row.not_after < now),
        "issued": sa.and_(issued, row.revoked_at.is_(None), row.not_after >= now),
    }
    return [*given, states[wanted.state]] if wanted.state else given


def _resource(id_: str, person: str, organ: str) -> Resource:
    return Resource("AttributeCertificate", id_, organ, attributes={"person": person})
