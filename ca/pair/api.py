"""Pairs over HTTP."""

from typing import Literal

from flask import Blueprint
from pydantic import Field

from authz.errors import CannotBind, UnknownOrgan, UnknownPerson, UnknownPost
from ca.errors import (
    CompromisedKey,
    IssuanceUnderWay,
    KeyInUse,
    LintFailed,
    ProfileRefuses,
    ReferenceReused,
    UnknownProfile,
    WeakKey,
)
from ca.holders import ApplicationNeeded
from ca.pair.envelope import Dialect
from ca.pair.errors import (
    CannotReceive,
    KeyOfAnother,
    NoPair,
    PairEnded,
    TransportNeeded,
    TransportUnwanted,
    UnknownDialect,
    UnknownPair,
)
from ca.pair.issue import PairRequest
from ca.pair.service import Pair
from ca.request import Holder
from ca.service import Authority
from kms.errors import HsmGone
from yinxin.authz import Denied
from yinxin.crypto.errors import BadSignature, MalformedRequest
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model, base64_text


class PairIn(Model):
    """A request for a pair. The key centre makes the encryption key and keeps it in escrow."""

    reference: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,159}$")
    """The caller's own key for this request: asked again with the same one, the same pair comes back."""
    profile: str = Field(max_length=60)
    """The signing profile; its encryption profile goes with it."""
    csr_pem: str = Field(max_length=65536)
    """PKCS#10 of the signing key, in PEM; one that only signs (ML-DSA) brings a transport key in it."""
    holder_kind: Literal["person", "organ"]
    holder: str = Field(min_length=1, max_length=64)
    post: str | None = Field(default=None, max_length=64)
    """The post in which a person holds it."""
    days: int | None = Field(default=None, ge=1, le=36525)
    renews: str | None = Field(default=None, max_length=180)
    """Reference of the pair whose place it takes."""


class PairOut(Model):
    """A pair; the two are revoked, suspended and renewed together."""

    reference: str
    signing: str
    encryption: str
    subject: str
    state: str
    user_key: str
    superseded_by: str | None
    not_after: str
    created: str
    signing_pem: str
    encryption_pem: str
    chain_pem: str


class EnvelopeIn(Model):
    """The form of the envelope; the usual one for the key when left out."""

    dialect: Dialect | None = None


class EnvelopeOut(Model):
    """The encryption key, encrypted to the signing key."""

    envelope_base64: str


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """The operations on pairs."""
    api = Api("ca_pairs", "/api/ca/v1", Text("双证书", "Pairs of certificates"))

    @api.post(
        "/pairs",
        status=201,
        summary=Text("签发双证书", "Issue a pair"),
        problems=(
            UnknownProfile,
            NoPair,
            CannotReceive,
            TransportNeeded,
            TransportUnwanted,
            ProfileRefuses,
            ApplicationNeeded,
            UnknownPerson,
            UnknownPost,
            UnknownOrgan,
            CannotBind,
            WeakKey,
            CompromisedKey,
            KeyInUse,
            LintFailed,
            ReferenceReused,
            IssuanceUnderWay,
            UnknownPair,
            PairEnded,
            MalformedRequest,
            BadSignature,
            HsmGone,
            Denied,
        ),
    )
    def issue(body: PairIn, caller: Caller) -> PairOut:
        asked = PairRequest(
            body.reference,
            body.profile,
            body.csr_pem.encode(),
            Holder(body.holder_kind, body.holder, body.post),
            body.days,
            body.renews,
        )
        return _out(authority.pairs.issue(caller.actor, asked))

    @api.get("/pairs/<path:name>", summary=Text("一对证书", "One pair"), problems=(UnknownPair, Denied))
    def show(name: str, caller: Caller) -> PairOut:
        return _out(authority.pairs.show(caller.actor, name))

    @api.post(
        "/pair-envelopes/<path:name>",
        status=201,
        summary=Text("取用加密密钥的信封", "Fetch the envelope with the encryption key"),
        problems=(UnknownPair, PairEnded, KeyOfAnother, UnknownDialect, HsmGone, Denied),
    )
    def envelope(name: str, body: EnvelopeIn, caller: Caller) -> EnvelopeOut:
        sealed = authority.pairs.envelope(caller.actor, name, body.dialect)
        return EnvelopeOut(envelope_base64=base64_text(sealed))

    return (api.blueprint,)


def _out(pair: Pair) -> PairOut:
    return PairOut(
        **pair.fields(),
        signing_pem=pair.signing.pem,
        encryption_pem=pair.encryption.pem,
        chain_pem="".join(each.pem for each in pair.chain),
    )
