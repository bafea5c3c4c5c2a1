"""Recoveries of encryption keys over HTTP; the envelope itself is fetched from the authority, which knows the forms."""

from flask import Blueprint
from pydantic import Field

from kms.escrow.errors import BadRecovery, NotAlone, RecoveryClosed, RecoveryUnknown, UserKeyUnknown
from kms.escrow.recovery import Basis, Recovery, Wish
from kms.service import KeyCentre
from yinxin.authz import PLATFORM, Denied
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedCertificate
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model


class RecoveryIn(Model):
    """A wish to have an encryption key again."""

    key: str = Field(max_length=26)
    """Identifier of the key in escrow, as a pair names it."""
    basis: Basis
    reason: str = Field(max_length=2000)
    """On what it rests; recorded."""
    recipient_pem: str = Field(max_length=65536)
    """Certificate of whoever shall have the key, in PEM."""


class RecoveryOut(Model):
    """A recovery as it stands: open, delivered, refused or expired."""

    id: str
    key: str
    organ: str
    basis: Basis
    reason: str
    recipient: str
    """Fingerprint of the certificate for which the key is wanted."""
    recipient_subject: str
    """The name in it."""
    requested_by: str
    created: str
    expires: str
    needed: int
    approved_by: list[str]
    state: str
    delivered_at: str | None


class RecoveryQuery(Paged):
    """Recoveries of this organ and those below it; of the caller's own when left out."""

    organ: str | None = Field(default=None, max_length=64)


class Nothing(Model):
    """No further facts."""


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations on recoveries."""
    api = Api("kms_recoveries", "/api/kms/v1", Text("密钥恢复", "Recovery of encryption keys"))
    escrow = centre.escrow

    @api.post(
        "/recoveries",
        status=201,
        summary=Text("申请恢复加密密钥", "Ask for a recovery"),
        problems=(UserKeyUnknown, BadRecovery, MalformedCertificate, Denied),
    )
    def request(body: RecoveryIn, caller: Caller) -> RecoveryOut:
        recipient = Certificate.load(body.recipient_pem.encode())
        id_ = escrow.request(caller.actor, Wish(body.key, body.basis, body.reason, recipient))
        return _out(escrow.requested(id_))

    @api.get("/recoveries", summary=Text("密钥恢复登记", "The register of recoveries"), problems=(Denied,))
    def recoveries(query: RecoveryQuery, caller: Caller) -> Page[RecoveryOut]:
        organ = query.organ or caller.actor.organ or PLATFORM
        after = query.begin(str) or ""
        found = escrow.recoveries(caller.actor, organ, after=after, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_out)

    @api.get(
        "/recoveries/<recovery>", summary=Text("一次恢复", "One recovery"), problems=(RecoveryUnknown, Denied)
    )
    def show(recovery: str, caller: Caller) -> RecoveryOut:
        return _out(escrow.recovery(caller.actor, recovery))

    @api.post(
        "/recoveries/<recovery>/approval",
        status=201,
        summary=Text("批准恢复", "Approve a recovery"),
        problems=(RecoveryUnknown, RecoveryClosed, NotAlone, Denied),
    )
    def approve(recovery: str, body: Nothing, caller: Caller) -> RecoveryOut:  # noqa: ARG001 - the contract
        return _out(escrow.approve(caller.actor, recovery))

    @api.post(
        "/recoveries/<recovery>/refusal",
        status=201,
        summary=Text("拒绝恢复", "Refuse a recovery"),
        problems=(RecoveryUnknown, RecoveryClosed, Denied),
    )
    def refuse(recovery: str, body: Nothing, caller: Caller) -> RecoveryOut:  # noqa: ARG001 - the contract
        return _out(escrow.refuse(caller.actor, recovery))

    return (api.blueprint,)


def _out(recovery: Recovery) -> RecoveryOut:
    return RecoveryOut.model_validate(recovery.fields())
