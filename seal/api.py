"""Seals over HTTP: the registers, a seal's standing, and its uses under approval."""

from typing import Annotated

from flask import Blueprint
from pydantic import AwareDatetime, Field

from kms.errors import BadDigest, FaultySignature, HsmGone
from seal.change import Reason
from seal.errors import (
    KeeperElsewhere,
    NoSealMaker,
    NoSealOfOrgan,
    NotApproved,
    NotBoundInSuite,
    SealMoved,
    SealNotInUse,
    SealUnknown,
    UseOver,
    UseUnknown,
)
from seal.find import Filter, Registered, Use, UseFilter
from seal.service import Seals
from seal.use import Purpose
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Instant, Model, Octets, base64_text

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SealOut(Model):
    """A seal of the register; `seal` is the structure that its maker signed (GB/T 38540), there when it is asked for alone."""

    id: str
    organ: str
    sort: str
    name: str
    holder: str | None
    keeper: str
    state: str
    reason: str | None
    sha256: str
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    created: AwareDatetime
    changed: AwareDatetime
    replaces: str | None
    certificates: list[str]
    """SHA-256 fingerprints of the certificates that may use it."""
    width: int | None = None
    """Width of its picture in mm."""
    height: int | None = None
    seal: str | None = None
    """DER in base64."""
    certificates_pem: list[str] = Field(default_factory=list)


class UseOut(Model):
    """One use of a seal."""

    id: str
    seal: str
    organ: str
    subject: str
    title: str
    approval: str
    """The audit entry that approved it."""
    approved_by: str
    impressions: int
    person: str
    post: str | None
    begun: AwareDatetime
    times: int
    """How often it was begun: more than once where sealing was cut short."""
    finished: AwareDatetime | None
    sha256: str | None
    """Digest of what was sealed, as it came out."""
    sm3: str | None


class SealQuery(Paged):
    """Which seals; no organ is the own one with those below."""

    organ: str = Field(default="", max_length=64)
    state: str = Field(default="", max_length=16)
    sort: str = Field(default="", max_length=16)
    name: str = Field(default="", max_length=60)


class UseQuery(Paged):
    """Which uses; no organ is the own one with those below."""

    organ: str = Field(default="", max_length=64)
    seal: str = Field(default="", max_length=40)
    person: str = Field(default="", max_length=80)
    subject: str = Field(default="", max_length=200)
    since: Instant | None = None
    until: Instant | None = None

    def wanted(self) -> UseFilter:
        """The conditions."""
        return UseFilter(self.organ, self.seal, self.person, self.subject, self.since, self.until)


class SuspensionIn(Model):
    """Why it is taken out of use."""

    reason: Reason


class KeeperIn(Model):
    """Who keeps it from here on."""

    post: str = Field(min_length=1, max_length=64)


class UseIn(Model):
    """What a seal is to be put on."""

    subject: str = Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9._:/-]{1,180}$")
    """What is sealed, as the log names it: `document:…`."""
    title: str = Field(min_length=1, max_length=400)
    """Its title, for the register."""
    approval: str = Field(min_length=1, max_length=40)
    """The audit entry of the sign-off or approval."""
    impressions: int = Field(default=1, ge=1, le=1000)
    """How often it is put on."""


class SignatureIn(Model):
    """What to sign: the digest (for SM2, e = SM3(ZA ‖ M)), by the seal's key of this suite."""

    suite: str = Field(min_length=1, max_length=16)
    digest_base64: Octets


class SignatureOut(Model):
    """The signature, DER in base64."""

    signature_base64: str


class ResultIn(Model):
    """What came out, by its digests."""

    sha256: _Digest
    sm3: _Digest


class StatusListOut(Model):
    """How the seals of this site stand, signed by their maker: CMS, DER in base64."""

    list_base64: str


def routes(seals: Seals) -> tuple[Blueprint, ...]:
    """The operations of `seals`."""
    api = Api("seal", "/api/seal/v1", Text("印章", "Seals"))
    _add_seals(api, seals)
    _add_uses(api, seals)
    return (api.blueprint,)


def _add_seals(api: Api, seals: Seals) -> None:
    @api.get("/seals", summary=Text("印章登记簿", "The register of seals"), problems=(Denied,))
    def list_seals(query: SealQuery, caller: Caller) -> Page[SealOut]:
        wanted = Filter(query.organ, query.state, query.sort, query.name)
        found = seals.search(caller.actor, wanted, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_line)

    @api.get("/seals/<id_>", summary=Text("印章", "A seal"), problems=(SealUnknown, Denied))
    def show_seal(id_: str, caller: Caller) -> SealOut:
        return _whole(seals.show(caller.actor, id_))

    @api.get(
        "/organs/<organ>/seal",
        summary=Text("机关在用的公章", "The seal that an organ uses"),
        problems=(NoSealOfOrgan, Denied),
    )
    def seal_of_organ(organ: str, caller: Caller) -> SealOut:
        return _whole(seals.of_organ(caller.actor, organ))

    @api.post(
        "/seals/<id_>/suspension",
        status=200,
        summary=Text("停用印章", "Suspend a seal"),
        problems=(SealUnknown, SealMoved, Denied),
    )
    def suspend_seal(id_: str, body: SuspensionIn, caller: Caller) -> SealOut:
        return _line(seals.suspend(caller.actor, id_, body.reason))

    @api.post(
        "/seals/<id_>/keeper",
        status=200,
        summary=Text("移交保管", "Hand a seal over to another keeper"),
        problems=(SealUnknown, SealMoved, KeeperElsewhere, Denied),
    )
    def hand_over_seal(id_: str, body: KeeperIn, caller: Caller) -> SealOut:
        return _line(seals.hand_over(caller.actor, id_, body.post))

    @api.get(
        "/status-list",
        summary=Text("印章状态清单", "How the seals of this site stand, signed by their maker"),
        problems=(NoSealMaker,),
    )
    def seal_status_list(caller: Caller) -> StatusListOut:  # noqa: ARG001 - whoever is signed in
        return StatusListOut(list_base64=base64_text(seals.status_list()))


def _add_uses(api: Api, seals: Seals) -> None:
    @api.get("/uses", summary=Text("用印登记簿", "The register of uses"), problems=(SealUnknown, Denied))
    def list_uses(query: UseQuery, caller: Caller) -> Page[UseOut]:
        found = seals.uses(caller.actor, query.wanted(), after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_use)

    @api.post(
        "/seals/<id_>/uses",
        status=201,
        summary=Text("登记用印", "Begin a use"),
        problems=(SealUnknown, SealNotInUse, NotApproved, Denied),
    )
    def begin_use(id_: str, body: UseIn, caller: Caller) -> UseOut:
        purpose = Purpose(body.subject, body.title, body.approval, body.impressions)
        return _use(seals.begin_use(caller.actor, id_, purpose))

    @api.post(
        "/uses/<id_>/signatures",
        status=201,
        summary=Text("用印签名", "Sign as the seal"),
        problems=(
            UseUnknown,
            UseOver,
            SealNotInUse,
            NotBoundInSuite,
            Denied,
            BadDigest,
            HsmGone,
            FaultySignature,
        ),
    )
    def sign_as_seal(id_: str, body: SignatureIn, caller: Caller) -> SignatureOut:
        signature = seals.sign(caller.actor, id_, body.suite, body.digest_base64)
        return SignatureOut(signature_base64=base64_text(signature))

    @api.post(
        "/uses/<id_>/result",
        status=200,
        summary=Text("完成用印", "Finish a use"),
        problems=(UseUnknown, UseOver, Denied),
    )
    def finish_use(id_: str, body: ResultIn, caller: Caller) -> UseOut:
        return _use(seals.finish_use(caller.actor, id_, sha256=body.sha256, sm3=body.sm3))


def _line(found: Registered) -> SealOut:
    return SealOut.model_validate(found.fields())


def _whole(found: Registered) -> SealOut:
    picture = found.structure.picture
    more = {
        "width": picture.width,
        "height": picture.height,
        "seal": base64_text(found.der),
        "certificates_pem": [each.certificate.pem for each in found.bindings],
    }
    return SealOut.model_validate(found.fields() | more)


def _use(found: Use) -> UseOut:
    return UseOut.model_validate(found.fields())
