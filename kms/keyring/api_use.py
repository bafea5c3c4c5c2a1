"""Using service keys over HTTP, one by one and in batches. Asked again it does the same again, and no answer is kept."""

from typing import Annotated, Literal

from pydantic import Field

from kms.errors import FaultySignature, HsmGone
from kms.keyring.errors import (
    BadCiphertext,
    CiphertextElsewhere,
    CiphertextNotOpened,
    NoDigestHere,
    OperationNotAllowed,
    PlaintextTooLong,
    ServiceKeyDestroyed,
    ServiceKeyEnding,
    ServiceKeyUnknown,
    VersionTooOld,
    VersionUnknown,
    VersionUsedUp,
)
from kms.keyring.use import Item, Result
from kms.service import KeyCentre
from yinxin.authz import Denied
from yinxin.crypto.errors import BadSignature
from yinxin.errors import YinxinError
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model, Octets, Words, base64_text

#: what a system's token must be for
SCOPE = "kms.use"
#: octets of one message, plaintext or context; what is longer is encrypted under a data key, or signed by its digest
LONGEST = 1 << 16
#: characters of a ciphertext of the longest plaintext
_LONGEST_TEXT = 1 << 17
#: items of a batch, and octets of its body
MOST_ITEMS = 500
_LONGEST_BODY = 1 << 23

Message = Annotated[Octets, Field(max_length=LONGEST)]
Context = Annotated[Octets, Field(max_length=1024)]
Given = Annotated[Octets, Field(max_length=8192)]
VersionNumber = Annotated[int, Field(ge=1, le=10**9 - 1)]
_EMPTY = b""


class EncryptIn(Model):
    """What to encrypt; the context must be given again to decrypt (such as `table:row`), and is kept nowhere."""

    plaintext_base64: Message
    context_base64: Context = _EMPTY
    version: VersionNumber | None = None
    """The newest when left out."""


class DecryptIn(Model):
    """A ciphertext, and the context it was encrypted in."""

    ciphertext: str = Field(max_length=_LONGEST_TEXT)
    context_base64: Context = _EMPTY


class DataKeyIn(Model):
    """A secret key for data that is encrypted elsewhere; `plain` gives it in the clear beside its ciphertext."""

    context_base64: Context = _EMPTY
    size: Literal[16, 32, 64] = 32
    plain: bool = True
    version: VersionNumber | None = None


class SignIn(Model):
    """What to sign: the message, or its digest (for SM2, e = SM3(ZA ‖ M); for ML-DSA, μ) as `digest` says."""

    data_base64: Message
    digest: bool = False
    version: VersionNumber | None = None


class VerifyIn(SignIn):
    """A signature, and what was signed."""

    signature_base64: Given


class MacIn(Model):
    """What to authenticate."""

    data_base64: Message
    version: VersionNumber | None = None


class VerifyMacIn(MacIn):
    """A MAC, and its message."""

    mac_base64: Given


class CiphertextOut(Model):
    """A ciphertext, which says its key and version."""

    ciphertext: str
    version: int


class PlaintextOut(Model):
    """What was encrypted."""

    plaintext_base64: str
    version: int


class DataKeyOut(CiphertextOut):
    """A data key; in the clear only where that was asked."""

    plaintext_base64: str | None


class SignatureMade(Model):
    """The signature in base64: DER for ECDSA and SM2, raw for the others."""

    signature_base64: str
    version: int


class MacMade(Model):
    """The MAC in base64, whole."""

    mac_base64: str
    version: int


class VersionSeen(Model):
    """It holds; the version it was verified with."""

    version: int


class RandomIn(Model):
    """How many octets."""

    size: int = Field(default=32, ge=1, le=4096)


class RandomOut(Model):
    """Random octets."""

    octets_base64: str


class BatchItemIn(Model):
    """One item: what the operation by itself takes, `data_base64` standing for plaintext and message alike."""

    data_base64: Message = _EMPTY
    context_base64: Context = _EMPTY
    ciphertext: str = Field(default="", max_length=_LONGEST_TEXT)
    given_base64: Given = _EMPTY
    """The signature or MAC to be verified."""
    digest: bool = False
    size: Literal[16, 32, 64] = 32
    plain: bool = True
    version: VersionNumber | None = None


class BatchIn(Model):
    """Many uses of one key: one decision, one record, an answer for each."""

    operation: Literal["encrypt", "decrypt", "rewrap", "data-key", "sign", "verify", "mac", "verify-mac"]
    items: tuple[BatchItemIn, ...] = Field(min_length=1, max_length=MOST_ITEMS)


class RefusedItem(Model):
    """What is wrong with one item."""

    code: str
    detail: Words


class BatchItemOut(Model):
    """One item's answer: what the operation gives, or what is wrong."""

    version: int | None = None
    ciphertext: str | None = None
    octets_base64: str | None = None
    """Plaintext, data key, signature or MAC."""
    problem: RefusedItem | None = None


class BatchOut(Model):
    """The answers, in the order of the items."""

    items: tuple[BatchItemOut, ...]


_USING = (
    *(ServiceKeyUnknown, OperationNotAllowed, ServiceKeyEnding, ServiceKeyDestroyed, Denied, HsmGone),
    *(VersionUnknown, VersionTooOld),
)
_OPENING = (BadCiphertext, CiphertextElsewhere, CiphertextNotOpened)


def add(api: Api, centre: KeyCentre) -> None:
    """Declare them."""
    _encryption(api, centre)
    _signatures(api, centre)
    _macs(api, centre)
    _others(api, centre)


def _encryption(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.post(
        "/service-keys/<name>/ciphertexts",
        unkept=True,
        scope=SCOPE,
        summary=Text("加密", "Encrypt"),
        problems=(*_USING, PlaintextTooLong, VersionUsedUp),
    )
    def encrypt(name: str, body: EncryptIn, caller: Caller) -> CiphertextOut:
        item = Item(data=body.plaintext_base64, context=body.context_base64, version=body.version)
        return _ciphertext(keyring.use(caller.actor, name, "encrypt", item))

    @api.post(
        "/service-keys/<name>/plaintexts",
        unkept=True,
        scope=SCOPE,
        summary=Text("解密", "Decrypt"),
        problems=(*_USING, *_OPENING),
    )
    def decrypt(name: str, body: DecryptIn, caller: Caller) -> PlaintextOut:
        item = Item(ciphertext=body.ciphertext, context=body.context_base64)
        done = keyring.use(caller.actor, name, "decrypt", item)
        return PlaintextOut(plaintext_base64=base64_text(done.octets), version=done.version)

    @api.post(
        "/service-keys/<name>/rewrapped-ciphertexts",
        unkept=True,
        scope=SCOPE,
        summary=Text("将密文重新加密到最新版本", "Rewrap a ciphertext to the newest version"),
        problems=(*_USING, *_OPENING, VersionUsedUp),
    )
    def rewrap(name: str, body: DecryptIn, caller: Caller) -> CiphertextOut:
        item = Item(ciphertext=body.ciphertext, context=body.context_base64)
        return _ciphertext(keyring.use(caller.actor, name, "rewrap", item))

    @api.post(
        "/service-keys/<name>/data-keys",
        unkept=True,
        scope=SCOPE,
        summary=Text("生成数据密钥", "Make a data key"),
        problems=(*_USING, PlaintextTooLong, VersionUsedUp),
    )
    def make_data_key(name: str, body: DataKeyIn, caller: Caller) -> DataKeyOut:
        item = Item(context=body.context_base64, size=body.size, plain=body.plain, version=body.version)
        done = keyring.use(caller.actor, name, "data-key", item)
        plain = base64_text(done.octets) if body.plain else None
        return DataKeyOut(ciphertext=done.ciphertext, version=done.version, plaintext_base64=plain)


def _signatures(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.post(
        "/service-keys/<name>/signatures",
        unkept=True,
        scope=SCOPE,
        summary=Text("签名", "Sign"),
        problems=(*_USING, NoDigestHere, FaultySignature),
    )
    def sign_by_service_key(name: str, body: SignIn, caller: Caller) -> SignatureMade:
        item = Item(data=body.data_base64, hashed=body.digest, version=body.version)
        done = keyring.use(caller.actor, name, "sign", item)
        return SignatureMade(signature_base64=base64_text(done.octets), version=done.version)

    @api.post(
        "/service-keys/<name>/verified-signatures",
        unkept=True,
        scope=SCOPE,
        summary=Text("验证签名", "Verify a signature"),
        problems=(*_USING, NoDigestHere, BadSignature),
    )
    def verify(name: str, body: VerifyIn, caller: Caller) -> VersionSeen:
        item = Item(
            data=body.data_base64, given=body.signature_base64, hashed=body.digest, version=body.version
        )
        return VersionSeen(version=keyring.use(caller.actor, name, "verify", item).version)


def _macs(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.post(
        "/service-keys/<name>/macs",
        unkept=True,
        scope=SCOPE,
        summary=Text("计算消息鉴别码", "Make a MAC"),
        problems=_USING,
    )
    def make_mac(name: str, body: MacIn, caller: Caller) -> MacMade:
        done = keyring.use(caller.actor, name, "mac", Item(data=body.data_base64, version=body.version))
        return MacMade(mac_base64=base64_text(done.octets), version=done.version)

    @api.post(
        "/service-keys/<name>/verified-macs",
        unkept=True,
        scope=SCOPE,
        summary=Text("核对消息鉴别码", "Verify a MAC"),
        problems=(*_USING, BadSignature),
    )
    def verify_mac(name: str, body: VerifyMacIn, caller: Caller) -> VersionSeen:
        item = Item(data=body.data_base64, given=body.mac_base64, version=body.version)
        return VersionSeen(version=keyring.use(caller.actor, name, "verify-mac", item).version)


def _others(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.post(
        "/service-keys/<name>/batches",
        unkept=True,
        scope=SCOPE,
        limit=_LONGEST_BODY,
        summary=Text("成批使用", "Use it many times at once"),
        problems=(*_USING, VersionUsedUp, FaultySignature),
    )
    def use_service_key(name: str, body: BatchIn, caller: Caller) -> BatchOut:
        items = [_item(each) for each in body.items]
        found = keyring.use_many(caller.actor, name, body.operation, items)
        return BatchOut(items=tuple(map(_answer, found)))

    @api.post(
        "/random-octets",
        unkept=True,
        scope=SCOPE,
        summary=Text("随机数", "Random octets"),
        problems=(Denied,),
    )
    def random_octets(body: RandomIn, caller: Caller) -> RandomOut:
        return RandomOut(octets_base64=base64_text(keyring.random(caller.actor, body.size)))


def _ciphertext(done: Result) -> CiphertextOut:
    return CiphertextOut(ciphertext=done.ciphertext, version=done.version)


def _item(given: BatchItemIn) -> Item:
    return Item(
        data=given.data_base64,
        context=given.context_base64,
        ciphertext=given.ciphertext,
        given=given.given_base64,
        version=given.version,
        hashed=given.digest,
        size=given.size,
        plain=given.plain,
    )


def _answer(found: Result | YinxinError) -> BatchItemOut:
    if isinstance(found, YinxinError):
        detail = Words(zh=found.text("zh"), en=found.text("en"))
        return BatchItemOut(problem=RefusedItem(code=found.code, detail=detail))
    octets = base64_text(found.octets) if found.octets or not found.ciphertext else None
    return BatchItemOut(version=found.version, ciphertext=found.ciphertext or None, octets_base64=octets)
