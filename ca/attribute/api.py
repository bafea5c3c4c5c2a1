"""Attribute certificates over HTTP."""

from flask import Blueprint
from pydantic import Field

from authz.errors import CannotBind, UnknownOrgan
from ca.attribute.errors import (
    AttributeCertificateOver,
    AttributeLintFailed,
    BadLifetime,
    BadTarget,
    CertificateNotInForce,
    NoAttributeAuthority,
    NotAPersonsCertificate,
    NothingInForce,
    NotRevocable,
    UnknownAttributeCertificate,
)
from ca.attribute.models import AttributeCertificateRow
from ca.attribute.request import MOST_TARGETS, AttributeRequest
from ca.attribute.service import COLUMNS, AttributeFilter, Standing, describe, told
from ca.errors import BadReason, IssuanceUnderWay, ReferenceReused, UnknownCertificate
from ca.service import Authority
from kms.errors import HsmGone
from yinxin.authz import Denied, Level
from yinxin.clock import rfc3339
from yinxin.crypto.errors import UnknownSuite
from yinxin.crypto.pem import encode
from yinxin.tables import Format, begun, lines
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, Raw, page_of
from yinxin.wire import Model

_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


class AttributeCertificateIn(Model):
    """A request for an attribute certificate."""

    reference: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,179}$")
    """The caller's own key for this request: asked again with the same one, the same attribute certificate comes back."""
    certificate: str = Field(min_length=1, max_length=120)
    """The holder's signing certificate, by serial number or SHA-256 fingerprint."""
    hours: int | None = Field(default=None, ge=1, le=8784)
    """Validity in hours; the usual one when left out. It ends sooner when something that is stated does."""
    targets: tuple[str, ...] = Field(default=(), max_length=MOST_TARGETS)
    """Verifiers it is meant for: addresses, urn: names or host names. None: any."""
    groups: tuple[str, ...] = Field(default=(), max_length=MOST_TARGETS)
    """Groups of verifiers it is meant for."""
    digest: bool = False
    """Whether it is bound to the very octets of the holder's certificate as well."""
    suite: str = Field(default="", max_length=20)
    """The suite it is signed in; that of the holder's key when left out."""


class GrantOut(Model):
    """A grant that is stated."""

    id: str
    template: str
    scope: str
    holder: str
    valid_from: str
    valid_to: str
    source: str


class ClaimsOut(Model):
    """What is stated."""

    person: str
    name: str
    post: str
    organ: str
    kind: str
    appointed_from: str
    appointed_to: str | None
    roles: list[str]
    clearance: Level
    grants: list[GrantOut]


class AttributeCertificateOut(Model):
    """An attribute certificate; `pem` once it is issued; `claims` and `bundle_pem` when it is asked for alone.

    The bundle holds the certificates above and today's revocation lists, for verifying without a connection.
    """

    serial: str
    authority: str
    reference: str
    state: Standing
    certificate: str
    person: str
    post: str
    organ: str
    fingerprint: str | None
    not_before: str
    not_after: str
    revocable: bool
    requested_by: str
    revoked_at: str | None
    reason: str | None
    pem: str | None = None
    bundle_pem: str | None = None
    claims: ClaimsOut | None = None


class AttributeRevocationIn(Model):
    """Why it is taken back: a reason of RFC 5280 5.3.1."""

    reason: str = Field(max_length=30)


class AttributeRevocationOut(Model):
    """A revocation in force; `crl_number` is missing while the new list cannot be signed."""

    serial: str
    revoked_at: str
    reason: str
    crl_number: int | None


class AttributeCertificateFilter(Model):
    """What to look for; without an organ, in the caller's own and those below."""

    person: str | None = Field(default=None, max_length=64)
    organ: str | None = Field(default=None, max_length=64)
    certificate: str | None = Field(default=None, max_length=40)
    """Serial number of the holder's certificate."""
    state: Standing | None = None

    @property
    def wanted(self) -> AttributeFilter:
        """The same for the service."""
        return AttributeFilter(self.person, self.organ, self.certificate, self.state)


class AttributeCertificateQuery(AttributeCertificateFilter, Paged):
    """What to look for, and which page of it."""


class AttributeExportQuery(AttributeCertificateFilter):
    """What to export, and how."""

    format: Format = "csv"
    """CSV (RFC 4180, cells that would begin a formula are marked as text), or JSON Lines."""


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """The operations on attribute certificates."""
    api = Api(
        "ca-attributes",
        "/api/ca/v1/attribute-certificates",
        Text("属性证书", "Attribute certificates"),
    )
    attributes = authority.attributes

    @api.post(
        "",
        status=201,
        summary=Text("出具属性证书", "Issue an attribute certificate"),
        problems=(
            BadLifetime,
            BadTarget,
            UnknownSuite,
            UnknownCertificate,
            NotAPersonsCertificate,
            CertificateNotInForce,
            NoAttributeAuthority,
            CannotBind,
            NothingInForce,
            AttributeLintFailed,
            ReferenceReused,
            IssuanceUnderWay,
            HsmGone,
            Denied,
        ),
    )
    def issue(body: AttributeCertificateIn, caller: Caller) -> AttributeCertificateOut:
        request = AttributeRequest.of(**body.model_dump())
        return _whole(authority, attributes.issue(caller.actor, request))

    @api.get(
        "", summary=Text("查询属性证书", "Search attribute certificates"), problems=(Denied, UnknownOrgan)
    )
    def search(query: AttributeCertificateQuery, caller: Caller) -> Page[AttributeCertificateOut]:
        after = query.begin(str) or ""
        found = attributes.search(caller.actor, query.wanted, after=after, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda row: row.serial, show=lambda row: _out(authority, row))

    @api.get(
        "/export",
        summary=Text("导出属性证书清单", "Export attribute certificates"),
        problems=(Denied, UnknownOrgan),
    )
    def export(query: AttributeExportQuery, caller: Caller) -> Raw:
        rows = begun(attributes.every(caller.actor, query.wanted))
        now = authority.ctx.store.clock.now()
        headers = {"Content-Disposition": f'attachment; filename="attribute-certificates.{query.format}"'}
        text = (line.encode() for line in lines((describe(row, now) for row in rows), COLUMNS, query.format))
        return Raw(text, _TYPES[query.format], headers)

    @api.get(
        "/<serial>",
        summary=Text("一份属性证书", "One attribute certificate"),
        problems=(UnknownAttributeCertificate, NoAttributeAuthority),
    )
    def show(serial: str, caller: Caller) -> AttributeCertificateOut:
        return _whole(authority, attributes.show(caller.actor, serial))

    @api.post(
        "/<serial>/revocation",
        status=201,
        summary=Text("撤销属性证书", "Revoke an attribute certificate"),
        problems=(
            UnknownAttributeCertificate,
            AttributeCertificateOver,
            NotRevocable,
            BadReason,
            Denied,
        ),
    )
    def revoke(serial: str, body: AttributeRevocationIn, caller: Caller) -> AttributeRevocationOut:
        done = attributes.revoke(caller.actor, serial, body.reason)
        return AttributeRevocationOut(
            serial=done.serial,
            revoked_at=rfc3339(done.revoked_at),
            reason=done.reason,
            crl_number=done.crl_number,
        )

    return (api.blueprint,)


def _out(authority: Authority, row: AttributeCertificateRow) -> AttributeCertificateOut:
    said = describe(row, authority.ctx.store.clock.now())
    pem = encode("ATTRIBUTE CERTIFICATE", row.der) if row.der is not None else None
    return AttributeCertificateOut(**said, pem=pem)


def _whole(authority: Authority, row: AttributeCertificateRow) -> AttributeCertificateOut:
    out = _out(authority, row)
    if row.der is None:
        return out
    claims = ClaimsOut.model_validate(told(row))
    return out.model_copy(update={"bundle_pem": authority.attributes.bundle(row), "claims": claims})
