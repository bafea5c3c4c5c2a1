"""Recovered encryption keys over HTTP. A recovery itself is a proposal (`/api/authz/v1/proposals`, kinds `kms.recover-…`)."""

from typing import Literal

from flask import Blueprint
from pydantic import Field

from kms.escrow.errors import RecoveryUnknown
from kms.escrow.service import Look
from kms.service import KeyCentre
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, base64_text


class EnvelopeOut(Model):
    """The encryption key, encrypted to the certificate that the proposal named."""

    envelope_base64: str


class PoolOut(Model):
    """Keys of one kind on standby. `state`: `full`, `filling`, `low` (below `low`), `off` (none are kept)."""

    algorithm: str
    level: int
    low: int
    high: int
    state: str


class LibrariesOut(Model):
    """The pools, and how many keys each library has, by algorithm."""

    pools: list[PoolOut]
    libraries: dict[str, dict[str, int]]


class LibraryQuery(Paged):
    """Which keys; what is left out is any."""

    standing: Literal["", "standby", "in-use", "history"] = ""
    algorithm: str = Field(default="", max_length=16)
    holder: str = Field(default="", max_length=80)
    organ: str = Field(default="", max_length=80)
    certificate: str = Field(default="", max_length=40)
    """Serial number of the certificate over it, hexadecimal."""


class UserKeyOut(Model):
    """An encryption key: everything but its secret. `key` is the SHA-256 of its SubjectPublicKeyInfo."""

    id: str
    algorithm: str
    standing: str
    holder: str | None
    organ: str | None
    key: str
    certificate: str | None
    created: str
    given: str | None
    expires: str | None
    ended: str | None
    why: str | None
    keep_until: str | None


class ApprovalOut(Model):
    """Who approved, in which post."""

    person: str
    post: str


class RecoveryOut(Model):
    """A recovery on the register. `facts` are those of its ground: the post; or authority, document, date, scope."""

    proposal: str
    ground: str
    state: str
    key: str
    holder: str | None
    organ: str
    recipient: str | None
    reason: str
    basis: str
    facts: dict[str, str]
    proposer: str
    created: str
    approvals: list[ApprovalOut]
    given_at: str | None
    given_by: str | None


class RegisterQuery(Paged):
    """Which recoveries: those of the caller's organ and below, or of her own keys."""

    own: bool = False


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations on recoveries."""
    api = Api("kms_recoveries", "/api/kms/v1", Text("密钥恢复", "Recovery of encryption keys"))

    @api.get(
        "/recovered-keys/<proposal>",
        summary=Text("取用恢复的加密密钥", "The envelope of a recovery that was carried out"),
        problems=(RecoveryUnknown, Denied),
    )
    def recovered(proposal: str, caller: Caller) -> EnvelopeOut:
        return EnvelopeOut(envelope_base64=base64_text(centre.escrow.recovered(caller.actor, proposal)))

    @api.get("/recoveries", summary=Text("恢复登记簿", "The register of recoveries"), problems=(Denied,))
    def recoveries(query: RegisterQuery, caller: Caller) -> Page[RecoveryOut]:
        listing = centre.escrow.own_register if query.own else centre.escrow.register_for
        found = listing(caller.actor, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(
            found,
            query.limit,
            key=lambda each: each.proposal,
            show=lambda each: RecoveryOut(**each.fields()),
        )

    @api.get(
        "/libraries",
        summary=Text("备用、在用、历史三库", "The libraries of encryption keys"),
        problems=(Denied,),
    )
    def libraries(caller: Caller) -> LibrariesOut:
        pools = centre.escrow.pools_for(caller.actor)
        return LibrariesOut(
            pools=[PoolOut(**each.fields()) for each in pools],
            libraries=centre.escrow.counts_for(caller.actor),
        )

    @api.get("/user-keys", summary=Text("加密密钥", "Encryption keys"), problems=(Denied,))
    def user_keys(query: LibraryQuery, caller: Caller) -> Page[UserKeyOut]:
        wanted = Look(query.standing, query.algorithm, query.holder, query.organ, query.certificate)
        after = query.begin(str) or ""
        found = centre.escrow.library_for(caller.actor, wanted, after=after, limit=query.limit + 1)
        return page_of(
            found, query.limit, key=lambda each: each.id, show=lambda each: UserKeyOut(**each.fields())
        )

    return (api.blueprint,)
