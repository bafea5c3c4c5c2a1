"""The key centre over HTTP: the register, public keys, and signatures by the keys that sign for callers."""

from typing import Annotated

from flask import Blueprint
from pydantic import Field, model_validator

from kms.errors import BadDigest, FaultySignature, HsmGone, KeyNotActive, KeyUnknown, PurposeNotRemote
from kms.info import KeyInfo
from kms.service import KeyCentre
from kms.sign import SigningRequest
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.faults import BadValue
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, Octets, base64_text

#: octets; a longer message is hashed by the caller
_LONGEST_MESSAGE = 1 << 16


class KeyOut(Model):
    """A key. `public_key` is the DER SubjectPublicKeyInfo in base64; keys that wrap others have none."""

    label: str
    purpose: str
    algorithm: str
    suite: str
    owner: str
    place: str
    state: str
    created: str
    key_id: str | None
    public_key: str | None


class TokenOut(Model):
    """A token: how it is, and, when it answers, which kinds of key it has itself and which are kept beside it."""

    label: str
    number: int
    in_use: bool
    error: str | None
    serial: str = ""
    manufacturer: str = ""
    library: str = ""
    native: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    shares: bool = False
    mechanisms: tuple[str, ...] = ()
    #: those of them that it says are done in hardware
    hardware: tuple[str, ...] = ()


class TokensOut(Model):
    """How the key centre is, and each of its tokens; none when no token answers."""

    ok: bool
    text_zh: str
    text_en: str
    tokens: list[TokenOut]


class SignatureIn(Model):
    """What to sign: either the digest (for SM2, e = SM3(ZA ‖ M); for ML-DSA, μ) or a short message; and what it is for."""

    digest_base64: Octets | None = None
    message_base64: Annotated[Octets | None, Field(max_length=_LONGEST_MESSAGE)] = None
    purpose: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    """The act it is for, such as `document.seal`; recorded."""
    subject: str = Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9._:/-]{1,180}$")
    """What is signed, as `kind:identifier`; recorded."""

    @model_validator(mode="after")
    def _one(self) -> "SignatureIn":
        if (self.digest_base64 is None) == (self.message_base64 is None):
            raise BadValue(
                "digest_base64 与 message_base64 须且只须填写一项",
                "Give either digest_base64 or message_base64, not both",
            )
        return self


class SignatureOut(Model):
    """The signature in base64: DER for ECDSA and SM2, raw for the others; and the audit entry that records it."""

    signature_base64: str
    algorithm: str
    entry: str


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations of `centre`."""
    api = Api("kms", "/api/kms/v1", Text("密钥管理中心", "Key centre"))

    @api.get(
        "/tokens", summary=Text("密码机令牌及其能力", "The tokens, and what they can do"), problems=(Denied,)
    )
    def tokens(caller: Caller) -> TokensOut:
        health = centre.health_for(caller.actor)
        return TokensOut(
            ok=health.ok,
            text_zh=health.text.zh,
            text_en=health.text.en,
            tokens=[TokenOut(**each) for each in health.facts.get("tokens", ())],
        )

    @api.get("/keys", summary=Text("密钥登记簿", "The register of keys"), problems=(Denied,))
    def keys(query: Paged, caller: Caller) -> Page[KeyOut]:
        after = query.begin(str) or ""
        found = centre.register_for(caller.actor, after=after, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.label, show=_out)

    @api.get(
        "/keys/<label>",
        summary=Text("公钥", "A public key"),
        problems=(KeyUnknown, KeyNotActive, Denied),
    )
    def key(label: str, caller: Caller) -> KeyOut:
        return _out(centre.key_for(caller.actor, label))

    @api.post(
        "/keys/<label>/signatures",
        status=201,
        summary=Text("签名", "Sign"),
        problems=(KeyUnknown, KeyNotActive, PurposeNotRemote, Denied, BadDigest, HsmGone, FaultySignature),
    )
    def sign(label: str, body: SignatureIn, caller: Caller) -> SignatureOut:
        digest, message = body.digest_base64, body.message_base64
        content = digest if digest is not None else message or b""
        request = SigningRequest(content, digest is not None, body.subject, body.purpose)
        signed = centre.sign_for(caller.actor, label, request)
        return SignatureOut(
            signature_base64=base64_text(signed.signature), algorithm=signed.algorithm, entry=signed.entry
        )

    return (api.blueprint,)


def _out(key: KeyInfo) -> KeyOut:
    public_key = key.public_key
    return KeyOut(
        label=key.label,
        purpose=key.purpose.value,
        algorithm=key.algorithm,
        suite=key.suite,
        owner=key.owner,
        place=key.place.value,
        state=key.state.value,
        created=rfc3339(key.created),
        key_id=public_key.key_id.hex() if public_key else None,
        public_key=base64_text(public_key.spki) if public_key else None,
    )
