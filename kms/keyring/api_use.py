"""Using service keys over HTTP, one by one and in batches. Asked again it does the same again, and no answer is kept."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

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
from kms.keyring.service import Keyring
from kms.keyring.together import Done
from kms.keyring.use import USES, Item, Result
from kms.keyring.wire import (
    LONGEST_BODY,
    BatchIn,
    BatchItemIn,
    BatchItemOut,
    BatchOut,
    CiphertextOut,
    DataKeyIn,
    DataKeyOut,
    DecryptIn,
    EncryptIn,
    MacIn,
    MacMade,
    PlaintextOut,
    RandomIn,
    RandomOut,
    RefusedItem,
    SignatureMade,
    SignIn,
    VerifyIn,
    VerifyMacIn,
    VersionSeen,
)
from kms.service import KeyCentre
from yinxin.authz import Denied
from yinxin.crypto.errors import BadSignature
from yinxin.errors import YinxinError
from yinxin.text import Text
from yinxin.web import Api, Bid, Caller, Known, QuickAnswer, Wished
from yinxin.wire import Words, base64_text

#: what a system's token must be for
SCOPE = "kms.use"

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
        quick=_Quick(keyring, "encrypt", _to_encrypt, _ciphertext),
        summary=Text("加密", "Encrypt"),
        problems=(*_USING, PlaintextTooLong, VersionUsedUp),
    )
    def encrypt(name: str, body: EncryptIn, caller: Caller) -> CiphertextOut:
        return _ciphertext(keyring.use(caller.actor, name, "encrypt", _to_encrypt(body)))

    @api.post(
        "/service-keys/<name>/plaintexts",
        unkept=True,
        scope=SCOPE,
        quick=_Quick(keyring, "decrypt", _to_decrypt, _plaintext),
        summary=Text("解密", "Decrypt"),
        problems=(*_USING, *_OPENING),
    )
    def decrypt(name: str, body: DecryptIn, caller: Caller) -> PlaintextOut:
        return _plaintext(keyring.use(caller.actor, name, "decrypt", _to_decrypt(body)))

    @api.post(
        "/service-keys/<name>/rewrapped-ciphertexts",
        unkept=True,
        scope=SCOPE,
        summary=Text("将密文重新加密到最新版本", "Rewrap a ciphertext to the newest version"),
        problems=(*_USING, *_OPENING, VersionUsedUp),
    )
    def rewrap(name: str, body: DecryptIn, caller: Caller) -> CiphertextOut:
        return _ciphertext(keyring.use(caller.actor, name, "rewrap", _to_decrypt(body)))

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
        quick=_Quick(keyring, "sign", _to_sign, _signature),
        summary=Text("签名", "Sign"),
        problems=(*_USING, NoDigestHere, FaultySignature),
    )
    def sign_by_service_key(name: str, body: SignIn, caller: Caller) -> SignatureMade:
        return _signature(keyring.use(caller.actor, name, "sign", _to_sign(body)))

    @api.post(
        "/service-keys/<name>/verified-signatures",
        unkept=True,
        scope=SCOPE,
        quick=_Quick(keyring, "verify", _to_verify, _seen),
        summary=Text("验证签名", "Verify a signature"),
        problems=(*_USING, NoDigestHere, BadSignature),
    )
    def verify(name: str, body: VerifyIn, caller: Caller) -> VersionSeen:
        return _seen(keyring.use(caller.actor, name, "verify", _to_verify(body)))


def _macs(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.post(
        "/service-keys/<name>/macs",
        unkept=True,
        scope=SCOPE,
        quick=_Quick(keyring, "mac", _to_mac, _mac),
        summary=Text("计算消息鉴别码", "Make a MAC"),
        problems=_USING,
    )
    def make_mac(name: str, body: MacIn, caller: Caller) -> MacMade:
        return _mac(keyring.use(caller.actor, name, "mac", _to_mac(body)))

    @api.post(
        "/service-keys/<name>/verified-macs",
        unkept=True,
        scope=SCOPE,
        quick=_Quick(keyring, "verify-mac", _to_verify_mac, _seen),
        summary=Text("核对消息鉴别码", "Verify a MAC"),
        problems=(*_USING, BadSignature),
    )
    def verify_mac(name: str, body: VerifyMacIn, caller: Caller) -> VersionSeen:
        return _seen(keyring.use(caller.actor, name, "verify-mac", _to_verify_mac(body)))


def _others(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.post(
        "/service-keys/<name>/batches",
        unkept=True,
        scope=SCOPE,
        limit=LONGEST_BODY,
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


class _Quick:
    """The operation for a caller who is known already, together with whoever asks at the same time."""

    def __init__(
        self,
        keyring: Keyring,
        operation: str,
        item_of: Callable[[Any], Item],
        answer_of: Callable[[Result], BaseModel],
    ) -> None:
        self._together = keyring.together
        self._operation = operation
        self._window = keyring.together.windows[USES[operation].lasting]
        self._item_of = item_of
        self._answer_of = answer_of

    def __call__(self, known: Known, bid: Bid, body: Any, **path: str) -> QuickAnswer | None:
        done = self._together.use(known, path["name"], self._operation, self._item_of(body), bid.request)
        return None if done is None else self._tell(done)

    def wished(self, known: Known, bid: Bid, body: Any, **path: str) -> Wished | None:
        wish = self._together.wish(known, path["name"], self._operation, self._item_of(body), bid.request)
        return None if wish is None else Wished(self._window, wish, self._tell)

    def _tell(self, done: Done) -> QuickAnswer:
        return QuickAnswer(self._answer_of(done.result), done.entry)


def _to_encrypt(body: EncryptIn) -> Item:
    return Item(data=body.plaintext_base64, context=body.context_base64, version=body.version)


def _to_decrypt(body: DecryptIn) -> Item:
    return Item(ciphertext=body.ciphertext, context=body.context_base64)


def _to_sign(body: SignIn) -> Item:
    return Item(data=body.data_base64, hashed=body.digest, version=body.version)


def _to_verify(body: VerifyIn) -> Item:
    return Item(data=body.data_base64, given=body.signature_base64, hashed=body.digest, version=body.version)


def _to_mac(body: MacIn) -> Item:
    return Item(data=body.data_base64, version=body.version)


def _to_verify_mac(body: VerifyMacIn) -> Item:
    return Item(data=body.data_base64, given=body.mac_base64, version=body.version)


def _ciphertext(done: Result) -> CiphertextOut:
    return CiphertextOut(ciphertext=done.ciphertext, version=done.version)


def _plaintext(done: Result) -> PlaintextOut:
    return PlaintextOut(plaintext_base64=base64_text(done.octets), version=done.version)


def _signature(done: Result) -> SignatureMade:
    return SignatureMade(signature_base64=base64_text(done.octets), version=done.version)


def _mac(done: Result) -> MacMade:
    return MacMade(mac_base64=base64_text(done.octets), version=done.version)


def _seen(done: Result) -> VersionSeen:
    return VersionSeen(version=done.version)


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
