"""The certificate authority over HTTP, for officers and their systems."""

from functools import cache, partial
from typing import Literal

from flask import Blueprint
from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from authz.errors import CannotBind, UnknownOrgan, UnknownPerson, UnknownPost
from ca.errors import (
    AlreadyRevoked,
    BadReason,
    CloseFactors,
    CompromisedKey,
    FactorKnown,
    ForeignName,
    IssuanceUnderWay,
    KeyInUse,
    LintFailed,
    NotInForce,
    NotSuspended,
    ProfileRefuses,
    ReferenceReused,
    RocaKey,
    UnderARoot,
    UnfitExponent,
    UnfitPoint,
    UnknownAuthority,
    UnknownCertificate,
    UnknownHolder,
    UnknownProfile,
    WeakKey,
    WrongCount,
)
from ca.holders import ApplicationNeeded
from ca.inventory import HEXADECIMAL, Filter, Sort, Standing, describe, position
from ca.issue import Issued
from ca.models import CertificateRow
from ca.quick import QuickIssue
from ca.request import Holder, IssueRequest
from ca.revoke_many import Target
from ca.service import Authority
from ca.suspend import Hold
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import BadSignature, MalformedRequest
from yinxin.faults import BadValue
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, answering, page_of
from yinxin.wire import Instant, Model

#: no identifier has a control character; PostgreSQL takes no text with a NUL, and all that are asked for together would fail
_VISIBLE = r"^[^\x00-\x1f\x7f]*$"


class HolderIn(Model):
    """Who will hold the certificate."""

    kind: Literal["person", "organ", "service"]
    id: str = Field(min_length=1, max_length=64, pattern=_VISIBLE)
    post: str | None = Field(default=None, max_length=64, pattern=_VISIBLE)
    """The post in which a person holds it."""
    organ: str | None = Field(default=None, max_length=64, pattern=_VISIBLE)
    """The organ that runs a service."""


class CertificateIn(Model):
    """A request for a certificate."""

    reference: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,179}$")
    """The caller's own key for this request: asked again with the same one, the same certificate comes back."""
    profile: str = Field(max_length=60)
    csr_pem: str = Field(max_length=65536)
    """PKCS#10 in PEM."""
    holder: HolderIn
    days: int | None = Field(default=None, ge=1, le=36525)
    """Validity in days; the profile's own when left out."""


class RevocationIn(Model):
    """Why a certificate is revoked: a reason of RFC 5280 5.3.1."""

    reason: str = Field(max_length=30)


class CertificateOut(Model):
    """An issuance; `pem` and `chain_pem` are there once it is issued."""

    serial: str
    authority: str
    profile: str
    profile_hash: str
    reference: str
    state: Standing
    subject: str
    holder_kind: str
    holder: str
    post: str | None
    organ: str | None
    fingerprint: str | None
    key: str
    not_before: str
    not_after: str
    requested_by: str
    revoked_at: str | None
    reason: str | None
    pem: str | None = None
    chain_pem: str | None = None


class RevocationOut(Model):
    """A revocation in force; `crl_number` is missing while the new list cannot be signed."""

    serial: str
    revoked_at: str
    reason: str
    crl_number: int | None


class Nothing(Model):
    """An empty body."""


class HoldOut(Model):
    """A hold; `ended` is missing while it lasts, `crl_number` while the new list cannot be signed."""

    serial: str
    began: str
    ended: str | None
    crl_number: int | None


class RevocationsIn(Model):
    """Many certificates to revoke: of a person, of an organ and those below, or with a key; exactly one of the three."""

    reason: str = Field(max_length=30)
    person: str | None = Field(default=None, max_length=64)
    organ: str | None = Field(default=None, max_length=64)
    key: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the SubjectPublicKeyInfo, hexadecimal."""
    expected: int | None = Field(default=None, ge=1)
    """How many are to be revoked, as a dry run told; without it nothing is changed."""

    @model_validator(mode="after")
    def _one(self) -> "RevocationsIn":
        if sum(each is not None for each in (self.person, self.organ, self.key)) != 1:
            raise BadValue(
                "须且只能填写 person、organ、key 之一", "Give exactly one of person, organ and key"
            )
        return self


class RevocationsOut(Model):
    """What was, or without a confirmed number would be, revoked; `failed` names those that could not be."""

    carried_out: bool
    serials: list[str]
    failed: list[str]


class KeyCertificatesOut(Model):
    """The certificates for a key, its own first, up to and with the root; `authority` is its name when it is one."""

    certificates: list[str]
    authority: str | None


class CertificateFilter(Model):
    """What to look for; without an organ, in the caller's own and those below."""

    holder: str | None = Field(default=None, max_length=64)
    organ: str | None = Field(default=None, max_length=64)
    profile: str | None = Field(default=None, max_length=60)
    authority: str | None = Field(default=None, max_length=60)
    state: Standing | None = None
    name: str | None = Field(default=None, min_length=1, max_length=100)
    """Part of a name in the subject, a person's name among them, or of an alternative name."""
    prefix: str | None = Field(default=None, max_length=42, pattern=HEXADECIMAL)
    """How the serial number begins."""
    key: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the SubjectPublicKeyInfo, hexadecimal."""
    ends_from: Instant | None = None
    """Validity that ends at this instant or later."""
    ends_to: Instant | None = None
    """Validity that ends at this instant or before."""
    sort: Sort = "serial"
    """What the list is sorted by; with a dash, from the last to the first."""

    @property
    def wanted(self) -> Filter:
        """The same for the inventory."""
        return Filter(
            holder=self.holder,
            organ=self.organ,
            profile=self.profile,
            authority=self.authority,
            state=self.state,
            name=self.name,
            serial=self.prefix,
            key=self.key,
            ends_from=self.ends_from,
            ends_to=self.ends_to,
            sort=self.sort,
        )


class CertificateQuery(CertificateFilter, Paged):
    """What to look for, and which page."""

    serial: str | None = Field(default=None, max_length=120, pattern=HEXADECIMAL)
    """One certificate, by serial number or SHA-256 fingerprint."""


ISSUE_PROBLEMS = (
    UnknownProfile,
    ProfileRefuses,
    ForeignName,
    UnknownHolder,
    ApplicationNeeded,
    UnknownPerson,
    UnknownPost,
    UnknownOrgan,
    CannotBind,
    WeakKey,
    UnfitExponent,
    FactorKnown,
    RocaKey,
    CloseFactors,
    UnfitPoint,
    CompromisedKey,
    KeyInUse,
    LintFailed,
    ReferenceReused,
    IssuanceUnderWay,
    UnknownAuthority,
    MalformedRequest,
    BadSignature,
    Denied,
)


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """The operations of `authority` for officers; the protocols for everybody are in `ca.public`."""
    api = Api("ca", "/api/ca/v1", Text("数字认证中心", "Certificate authority"))

    @api.post(
        "/certificates",
        status=201,
        summary=Text("签发证书", "Issue a certificate"),
        problems=ISSUE_PROBLEMS,
        claimed_by_act=True,
        quick=QuickIssue(authority.ctx, asked_for, partial(_made, authority)),
    )
    def issue(body: CertificateIn, caller: Caller) -> CertificateOut:
        hold, made = answering(), cache(partial(_made, authority))

        def told(session: Session, issued: Issued) -> None:
            if hold is not None:
                hold.answer(session, 201, made(issued).model_dump_json().encode())

        return made(authority.issue(caller.actor, asked_for(body), told=told))

    @api.get(
        "/certificates", summary=Text("查询证书", "Search certificates"), problems=(Denied, UnknownOrgan)
    )
    def search(query: CertificateQuery, caller: Caller) -> Page[CertificateOut]:
        if query.serial is not None:
            row = authority.show(caller.actor, query.serial)
            return Page[CertificateOut](items=[_out(authority, row)])
        after = query.begin(str) or ""
        found = authority.search(caller.actor, query.wanted, after=after, limit=query.limit + 1)
        return page_of(
            found,
            query.limit,
            key=lambda row: position(row, query.sort),
            show=lambda row: _out(authority, row),
        )

    @api.get(
        "/own-certificate",
        summary=Text("本次登录所用的证书", "The certificate of this session"),
        problems=(UnknownCertificate,),
    )
    def own(caller: Caller) -> KeyCertificatesOut:
        found = authority.own(caller.actor)
        return KeyCertificatesOut(certificates=[each.pem for each in found], authority=None)

    @api.get(
        "/certificates/<serial>",
        summary=Text("一张证书", "One certificate"),
        problems=(UnknownCertificate, Denied),
    )
    def show(serial: str, caller: Caller) -> CertificateOut:
        return _whole(authority, authority.show(caller.actor, serial))

    @api.post(
        "/certificates/<serial>/revocation",
        status=201,
        summary=Text("撤销证书", "Revoke a certificate"),
        problems=(UnknownCertificate, AlreadyRevoked, BadReason, UnderARoot, Denied),
    )
    def revoke(serial: str, body: RevocationIn, caller: Caller) -> RevocationOut:
        done = authority.revoke(caller.actor, serial, body.reason)
        return RevocationOut(
            serial=done.serial,
            revoked_at=rfc3339(done.revoked_at),
            reason=done.reason,
            crl_number=done.crl_number,
        )

    _add_standing(api, authority)

    @api.get(
        "/keys/<spki_digest>",
        public=True,
        summary=Text("公钥对应的证书链", "The certificates for a key of an organ or service"),
        problems=(UnknownCertificate,),
    )
    def by_key(spki_digest: str) -> KeyCertificatesOut:
        found = authority.by_key(spki_digest)
        return KeyCertificatesOut(
            certificates=[each.pem for each in found.certificates], authority=found.authority
        )

    return (api.blueprint,)


def _add_standing(api: Api, authority: Authority) -> None:
    """Revoking many, suspending, resuming."""

    @api.post(
        "/revocations",
        status=201,
        summary=Text("批量撤销证书", "Revoke many certificates"),
        problems=(WrongCount, BadReason, Denied),
    )
    def revoke_many(body: RevocationsIn, caller: Caller) -> RevocationsOut:
        target = Target(body.person, body.organ, body.key)
        if body.expected is None:
            serials = [row.serial for row in authority.targeted(caller.actor, target)]
            return RevocationsOut(carried_out=False, serials=serials, failed=[])
        done, failed = authority.revoke_many(caller.actor, target, body.reason, body.expected)
        return RevocationsOut(
            carried_out=True,
            serials=[each.serial for each in done],
            failed=[serial for serial, _ in failed],
        )

    @api.post(
        "/certificates/<serial>/suspension",
        status=201,
        summary=Text("暂停证书", "Suspend a certificate"),
        problems=(UnknownCertificate, NotInForce, UnderARoot, Denied),
    )
    def suspend(serial: str, body: Nothing, caller: Caller) -> HoldOut:  # noqa: ARG001 - the contract: an empty object
        return _hold(authority.suspend(caller.actor, serial))

    @api.post(
        "/certificates/<serial>/resumption",
        status=201,
        summary=Text("恢复被暂停的证书", "Lift a certificate's suspension"),
        problems=(UnknownCertificate, NotSuspended, UnderARoot, Denied),
    )
    def resume(serial: str, body: Nothing, caller: Caller) -> HoldOut:  # noqa: ARG001 - the contract: an empty object
        return _hold(authority.resume(caller.actor, serial))


def asked_for(body: CertificateIn) -> IssueRequest:
    """What a body asks for."""
    holder = Holder(body.holder.kind, body.holder.id, body.holder.post, body.holder.organ)
    return IssueRequest(body.reference, body.profile, body.csr_pem.encode(), holder, body.days)


def _out(authority: Authority, row: CertificateRow) -> CertificateOut:
    return CertificateOut.model_validate(describe(row, authority.ctx.store.clock.now()))


def _made(authority: Authority, issued: Issued) -> CertificateOut:
    """What was issued, as it was stored."""
    parts = {"pem": issued.certificate.pem, "chain_pem": "".join(each.pem for each in issued.chain)}
    return _out(authority, issued.row).model_copy(update=parts)


def _hold(hold: Hold) -> HoldOut:
    ended = rfc3339(hold.ended) if hold.ended else None
    return HoldOut(serial=hold.serial, began=rfc3339(hold.began), ended=ended, crl_number=hold.crl_number)


def _whole(authority: Authority, row: CertificateRow) -> CertificateOut:
    out = _out(authority, row)
    if row.der is None:
        return out
    chain = authority.ctx.issuers.get(row.authority).chain
    parts = {"pem": Certificate(row.der).pem, "chain_pem": "".join(each.pem for each in chain)}
    return out.model_copy(update=parts)
