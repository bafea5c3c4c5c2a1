"""Applications over HTTP, for applicants and officers."""

from typing import Annotated

from flask import Blueprint
from pydantic import Field

from authz.errors import UnknownOrgan
from ca.api import ISSUE_PROBLEMS, HolderIn, Nothing
from ca.enrolment.errors import HalfOfPair, ProvedByAcme, RenewalDiffers
from ca.errors import UnknownCertificate
from ca.pair.errors import CannotReceive, NoPair, TransportNeeded, TransportUnwanted
from ca.registration.errors import (
    BadCheck,
    NotRenewable,
    NotYourRegistration,
    RegistrationReused,
    TooEarly,
    TooManyOpen,
    UnknownRegistration,
    WrongState,
)
from ca.registration.find import Wanted, describe
from ca.registration.models import State
from ca.registration.vet import LONGEST, MOST, Check
from ca.request import Holder, IssueRequest
from ca.service import Authority
from yinxin.authz import Denied
from yinxin.crypto.errors import (
    CertificateRevoked,
    DigestMismatch,
    Expired,
    MalformedSignature,
    RevocationUnknown,
)
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, Octets

Said = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class RegistrationIn(Model):
    """An application for a certificate."""

    reference: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}$")
    """The applicant's own key for it: asked again with the same one, the same application comes back."""
    profile: str = Field(max_length=60)
    csr_pem: str = Field(max_length=65536)
    """PKCS#10 in PEM."""
    holder: HolderIn
    days: int | None = Field(default=None, ge=1, le=36525)
    """Validity in days; the profile's own when left out."""
    pair: bool = False
    """Whether a pair is applied for: `profile` is its signing half, and `csr_pem` brings the signing key."""


class CheckInOut(Model):
    """One thing that was checked, and what was found."""

    subject: Said
    finding: Said


class VettingIn(Model):
    """What was checked."""

    checks: list[CheckInOut] = Field(min_length=1, max_length=MOST)


class RefusalIn(Model):
    """Why the application is refused; its applicant reads it."""

    reason: Said


class RegistrationOut(Model):
    """An application; `serial` is there once its certificate is issued: of a pair, whose reference is `registration/` and `id`, the signing one's."""

    id: str
    reference: str
    state: State
    profile: str
    holder_kind: str
    holder: str
    post: str | None
    organ: str
    days: int | None
    pair: bool
    applicant: str
    submitted: str
    expires: str
    vetted_by: str | None
    vetted_at: str | None
    checks: list[CheckInOut]
    decided_by: str | None
    decided_at: str | None
    reason: str | None
    serial: str | None


class RenewalIn(Model):
    """A request for a certificate's successor, and the old key's word for it."""

    csr_pem: str = Field(max_length=65536)
    """PKCS#10 in PEM: the same key or another one."""
    signature: Annotated[Octets, Field(max_length=65536)]
    """Detached CMS signature (DER in base64) by the old certificate over `yinxin.renewal.renewal_statement` of the CSR's DER."""
    supersede: bool = False
    """With another key: revoke the old certificate as superseded once its successor is issued."""


class RenewalOut(Model):
    """A certificate that was issued, a successor or the first, and the certificates above it."""

    serial: str
    pem: str
    chain_pem: str


class RegistrationQuery(Paged):
    """What to look for; without an organ, in the caller's own and those below. `applicant` oneself: one's own."""

    organ: str | None = Field(default=None, max_length=64)
    state: State | None = None
    applicant: str | None = Field(default=None, max_length=64)
    holder: str | None = Field(default=None, max_length=80)


PAIR_PROBLEMS = (NoPair, CannotReceive, TransportNeeded, TransportUnwanted)
RENEWAL_PROBLEMS = (
    NotRenewable,
    TooEarly,
    RenewalDiffers,
    HalfOfPair,
    ProvedByAcme,
    UnknownCertificate,
    CertificateRevoked,
    Expired,
    DigestMismatch,
    MalformedSignature,
    RevocationUnknown,
    *ISSUE_PROBLEMS,
)


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """The operations on applications."""
    api = Api(
        "ca-registrations", "/api/ca/v1/registrations", Text("证书申请", "Applications for certificates")
    )
    registrations = authority.registrations

    @api.post(
        "",
        status=201,
        summary=Text("申请证书", "Apply for a certificate"),
        problems=(RegistrationReused, TooManyOpen, *PAIR_PROBLEMS, *ISSUE_PROBLEMS),
    )
    def submit(body: RegistrationIn, caller: Caller) -> RegistrationOut:
        holder = Holder(body.holder.kind, body.holder.id, body.holder.post, body.holder.organ)
        request = IssueRequest(body.reference, body.profile, body.csr_pem.encode(), holder, body.days)
        row = registrations.submit(caller.actor, request, pair=body.pair)
        return RegistrationOut.model_validate(describe(row))

    @api.get("", summary=Text("查询证书申请", "Search applications"), problems=(Denied, UnknownOrgan))
    def search(query: RegistrationQuery, caller: Caller) -> Page[RegistrationOut]:
        wanted = Wanted(query.organ, query.state, query.applicant, query.holder)
        after = query.begin(str) or ""
        found = registrations.search(caller.actor, wanted, after=after, limit=query.limit + 1)
        return page_of(
            found,
            query.limit,
            key=lambda row: row.id,
            show=lambda row: RegistrationOut.model_validate(describe(row)),
        )

    @api.get(
        "/<registration>",
        summary=Text("一份证书申请", "One application"),
        problems=(UnknownRegistration, Denied),
    )
    def show(registration: str, caller: Caller) -> RegistrationOut:
        return RegistrationOut.model_validate(describe(registrations.show(caller.actor, registration)))

    @api.get(
        "/<registration>/certificate",
        summary=Text("申请所得的证书", "The certificate of an application"),
        problems=(UnknownRegistration, WrongState, Denied),
    )
    def certificate(registration: str, caller: Caller) -> RenewalOut:
        own, *above = registrations.certificate(caller.actor, registration)
        chain = "".join(each.pem for each in above)
        return RenewalOut(serial=f"{own.serial:x}", pem=own.pem, chain_pem=chain)

    @api.post(
        "/<registration>/vetting",
        status=201,
        summary=Text("核验证书申请", "Vet an application"),
        problems=(UnknownRegistration, WrongState, BadCheck, Denied),
    )
    def vet(registration: str, body: VettingIn, caller: Caller) -> RegistrationOut:
        checks = [Check(each.subject, each.finding) for each in body.checks]
        return RegistrationOut.model_validate(describe(registrations.vet(caller.actor, registration, checks)))

    @api.post(
        "/<registration>/approval",
        status=201,
        summary=Text("批准证书申请并签发", "Approve an application and issue"),
        problems=(UnknownRegistration, WrongState, *PAIR_PROBLEMS, *ISSUE_PROBLEMS),
    )
    def approve(registration: str, body: Nothing, caller: Caller) -> RegistrationOut:  # noqa: ARG001 - the contract: an empty object
        return RegistrationOut.model_validate(describe(registrations.approve(caller.actor, registration)))

    @api.post(
        "/<registration>/refusal",
        status=201,
        summary=Text("驳回证书申请", "Refuse an application"),
        problems=(UnknownRegistration, WrongState, BadCheck, Denied),
    )
    def refuse(registration: str, body: RefusalIn, caller: Caller) -> RegistrationOut:
        done = registrations.refuse(caller.actor, registration, body.reason)
        return RegistrationOut.model_validate(describe(done))

    @api.post(
        "/<registration>/withdrawal",
        status=201,
        summary=Text("撤回证书申请", "Withdraw an application"),
        problems=(UnknownRegistration, WrongState, NotYourRegistration),
    )
    def withdraw(registration: str, body: Nothing, caller: Caller) -> RegistrationOut:  # noqa: ARG001 - the contract: an empty object
        return RegistrationOut.model_validate(describe(registrations.withdraw(caller.actor, registration)))

    renewals = Api("ca-renewals", "/api/ca/v1/renewals", Text("自助换发", "Renewal by holders"))

    @renewals.post(
        "",
        status=201,
        public=True,
        summary=Text("换发自己的证书", "Renew one's own certificate"),
        problems=RENEWAL_PROBLEMS,
    )
    def renew(body: RenewalIn) -> RenewalOut:
        issued = authority.renew_own(body.csr_pem.encode(), body.signature, supersede=body.supersede)
        chain = "".join(each.pem for each in issued.chain)
        return RenewalOut(serial=issued.serial, pem=issued.certificate.pem, chain_pem=chain)

    return api.blueprint, renewals.blueprint
