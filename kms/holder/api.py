"""People's signing keys over HTTP. What holds a PIN is asked without a kept answer: not even its digest is stored."""

from typing import Annotated, Literal

from flask import Blueprint
from pydantic import Field, SecretStr, model_validator

from kms.errors import BadDigest, FaultySignature, HsmGone
from kms.holder.errors import (
    BadHolderPin,
    HolderKeyEnded,
    HolderKeyExists,
    HolderKeyLocked,
    HolderKeyMoved,
    HolderKeyUnknown,
    HolderPasskeyKnown,
    NoPasskeySecret,
    NotAPerson,
    PasskeyNotAdded,
    WrongHolderPasskey,
    WrongHolderPin,
)
from kms.holder.key import HolderKey, Use
from kms.holder.lock import LONGEST_PIN, Unlock
from kms.holder.sign import Signing
from kms.service import KeyCentre
from yinxin.authz import Denied, StepUpRequired
from yinxin.crypto.jose import encode64
from yinxin.crypto.suite import suite
from yinxin.faults import BadValue
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, Octets, base64_text

Pin = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_PIN)]
Purpose = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
Subject = Annotated[str, Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9._:/-]{1,180}$")]


class HolderKeyIn(Model):
    """A key that is wanted: of which suite, and under which PIN."""

    suite: Literal["intl", "sm", "pq"] = "intl"
    pin: Pin


class HolderKeyOut(Model):
    """A key; `public_key` is the DER SubjectPublicKeyInfo in base64. `state`: active, pin-locked (its passkey still opens it), locked or ended.

    `attempts_left`: at the PIN; `passkey`: whether one was added, and `passkey_attempts_left` at it.
    """

    id: str
    holder: str
    organ: str
    suite: str
    algorithm: str
    state: str
    attempts_left: int
    passkey: bool
    passkey_attempts_left: int | None
    created: str
    ended: str | None
    key_id: str
    public_key: str


class HolderKeysOut(Model):
    """All of a person's keys, oldest first; few, so there are no pages."""

    items: list[HolderKeyOut]


class Whose(Model):
    """Whose keys: the caller's own when left out."""

    holder: str = Field(default="", max_length=64)


class PasskeyAnswer(Model):
    """What the browser answered (AuthenticationResponseJSON, as text, with the `prf` result), and the nonce it was for."""

    nonce: str = Field(max_length=100)
    credential: SecretStr = Field(max_length=20_000)


class HolderSignatureIn(Model):
    """One signature: what `PublicKey.prehash` gave (for SM2, e = SM3(ZA ‖ M); for ML-DSA, μ), what it is for, and what opens the key."""

    digest_base64: Annotated[Octets, Field(max_length=64)]
    purpose: Purpose
    """The act it is for, such as `document.sign-off`; recorded."""
    subject: Subject
    """What is signed, as `kind:identifier`; recorded."""
    pin: Pin | None = None
    passkey: PasskeyAnswer | None = None
    """In the place of the PIN: what a passkey answered to the challenge for this very signature."""

    @model_validator(mode="after")
    def _one(self) -> "HolderSignatureIn":
        if (self.pin is None) == (self.passkey is None):
            raise BadValue("pin 与 passkey 须且只须填写一项", "Give either pin or passkey, not both")
        return self


class ChallengeIn(Model):
    """The signature that a passkey is to say yes to; all three left out: that it may be added to the key."""

    digest_base64: Annotated[Octets | None, Field(max_length=64)] = None
    purpose: Purpose | None = None
    subject: Subject | None = None

    @model_validator(mode="after")
    def _whole(self) -> "ChallengeIn":
        if len({each is None for each in (self.digest_base64, self.purpose, self.subject)}) != 1:
            raise BadValue(
                "digest_base64、purpose、subject 须同时填写或同时省略",
                "Give digest_base64, purpose and subject together, or none of them",
            )
        return self

    @property
    def wanted(self) -> Signing | None:
        """The signature; None for adding a passkey."""
        if self.digest_base64 is None or self.purpose is None or self.subject is None:
            return None
        return Signing(self.digest_base64, self.purpose, self.subject)


class ChallengeOut(Model):
    """What `navigator.credentials.get` is called with: the challenge, and the salt for its `prf` extension (both base64url)."""

    nonce: str
    challenge: str
    salt: str


class PasskeyIn(Model):
    """A passkey's answer, and the PIN that lets it be added."""

    pin: Pin
    passkey: PasskeyAnswer


class HolderSignatureOut(Model):
    """The signature in base64: DER for ECDSA and SM2, raw for ML-DSA; and the audit entry that records it."""

    signature_base64: str
    algorithm: str
    entry: str


class PinIn(Model):
    """The present PIN and the next."""

    pin: Pin
    new_pin: Pin


class HolderUseOut(Model):
    """A signature that was made; `digest` in hexadecimal."""

    entry: str
    at: str
    way: str
    purpose: str
    subject: str
    digest: str


_KNOWN = (HolderKeyUnknown, Denied)
_OPENED = (
    *(*_KNOWN, HolderKeyEnded, HolderKeyLocked, HolderKeyMoved, WrongHolderPin),
    *(BadDigest, FaultySignature, HsmGone),
)


_BY_PASSKEY = (WrongHolderPasskey, NoPasskeySecret, PasskeyNotAdded)


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations on people's signing keys."""
    api = Api("kms_holder", "/api/kms/v1", Text("个人签名密钥", "Holder keys"))
    _keys(api, centre)
    _uses(api, centre)
    _passkeys(api, centre)
    return (api.blueprint,)


def _keys(api: Api, centre: KeyCentre) -> None:
    holders = centre.holders

    def out(key: HolderKey) -> HolderKeyOut:
        return HolderKeyOut.model_validate(key.fields(holders.most))

    @api.get("/holder-keys", summary=Text("个人签名密钥", "A person's signing keys"))
    def holder_keys(query: Whose, caller: Caller) -> HolderKeysOut:
        found = holders.keys_of(caller.actor, query.holder or caller.actor.id)
        return HolderKeysOut(items=[out(each) for each in found])

    @api.post(
        "/holder-keys",
        status=201,
        unkept=True,
        summary=Text("建立个人签名密钥", "Make a signing key of one's own"),
        problems=(HolderKeyExists, BadHolderPin, NotAPerson, Denied, StepUpRequired, HsmGone),
    )
    def create_holder_key(body: HolderKeyIn, caller: Caller) -> HolderKeyOut:
        return out(holders.create(caller.actor, suite(body.suite), body.pin.get_secret_value()))

    @api.get("/holder-keys/<key>", summary=Text("一个个人签名密钥", "One signing key"), problems=_KNOWN)
    def holder_key(key: str, caller: Caller) -> HolderKeyOut:
        return out(holders.show(caller.actor, key))

    @api.post(
        "/holder-keys/<key>/pin",
        unkept=True,
        summary=Text("更改口令", "Change the PIN"),
        problems=(*_OPENED, BadHolderPin),
    )
    def change_holder_pin(key: str, body: PinIn, caller: Caller) -> HolderKeyOut:
        old, new = body.pin.get_secret_value(), body.new_pin.get_secret_value()
        holders.change_pin(caller.actor, key, old, new)
        return out(holders.show(caller.actor, key))

    @api.delete(
        "/holder-keys/<key>",
        summary=Text("停用个人签名密钥，其私钥即被销毁", "End a signing key; its secret is destroyed"),
        problems=(*_KNOWN, HolderKeyEnded),
    )
    def end_holder_key(key: str, caller: Caller) -> None:
        holders.end(caller.actor, key)


def _uses(api: Api, centre: KeyCentre) -> None:
    holders = centre.holders

    @api.post(
        "/holder-keys/<key>/signatures",
        status=201,
        unkept=True,
        summary=Text("以个人签名密钥签名一次", "Sign once with one's own key"),
        problems=(*_OPENED, *_BY_PASSKEY),
    )
    def sign_as_holder(key: str, body: HolderSignatureIn, caller: Caller) -> HolderSignatureOut:
        wanted = Signing(body.digest_base64, body.purpose, body.subject)
        if body.pin is not None:
            done = holders.sign(caller.actor, key, Unlock.pin(body.pin.get_secret_value()), wanted)
        else:
            done = holders.sign_by_passkey(caller.actor, key, wanted, **_answer(body.passkey))
        return HolderSignatureOut(
            signature_base64=base64_text(done.signature), algorithm=done.algorithm, entry=done.entry
        )

    @api.get("/holder-keys/<key>/uses", summary=Text("使用登记", "What a key has signed"), problems=_KNOWN)
    def holder_key_uses(key: str, query: Paged, caller: Caller) -> Page[HolderUseOut]:
        found = holders.uses(caller.actor, key, before=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_use)


def _use(use: Use) -> HolderUseOut:
    return HolderUseOut.model_validate(use.fields())


def _passkeys(api: Api, centre: KeyCentre) -> None:
    holders = centre.holders

    @api.post(
        "/holder-keys/<key>/challenges",
        unkept=True,
        summary=Text("取得通行密钥的挑战码", "What a passkey is asked"),
        problems=(*_KNOWN, NoPasskeySecret),
    )
    def holder_challenge(key: str, body: ChallengeIn, caller: Caller) -> ChallengeOut:
        asked = holders.challenge(caller.actor, key, body.wanted)
        return ChallengeOut(nonce=asked.nonce, challenge=encode64(asked.challenge), salt=encode64(asked.salt))

    @api.post(
        "/holder-keys/<key>/passkey",
        status=201,
        unkept=True,
        summary=Text("添加通行密钥", "Let the key open by a passkey too"),
        problems=(*_OPENED, *_BY_PASSKEY, HolderPasskeyKnown, StepUpRequired),
    )
    def add_holder_passkey(key: str, body: PasskeyIn, caller: Caller) -> HolderKeyOut:
        holders.add_passkey(caller.actor, key, body.pin.get_secret_value(), **_answer(body.passkey))
        return HolderKeyOut.model_validate(holders.show(caller.actor, key).fields(holders.most))

    @api.delete(
        "/holder-keys/<key>/passkey",
        summary=Text("删除通行密钥", "Let the key open by the PIN alone again"),
        problems=(*_KNOWN, PasskeyNotAdded, HolderKeyEnded),
    )
    def remove_holder_passkey(key: str, caller: Caller) -> None:
        holders.remove_passkey(caller.actor, key)


def _answer(given: PasskeyAnswer | None) -> dict[str, str]:
    assert given is not None  # noqa: S101 - the model has seen that one of the two is there
    return {"nonce": given.nonce, "credential": given.credential.get_secret_value()}
