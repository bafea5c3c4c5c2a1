"""Where the secret of a version is: made, opened for one call, and used where it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from kms.create import KEK_ALGORITHM
from kms.engine import Engine, ProtectedKey
from kms.engine.gcm import NONCE
from kms.errors import FaultySignature, WrappedKeyAltered
from kms.info import KeyInfo, Wrapped
from kms.keyring.errors import (
    BadServiceKey,
    CiphertextNotOpened,
    NoDigestHere,
    PlaintextTooLong,
    ServiceKeyDestroyed,
)
from kms.keyring.find import version_of
from kms.keyring.key import ServiceKey, Version, about, bound
from kms.keyring.models import ServiceKeyVersionRow
from kms.mechanisms import known_to
from kms.models import Place, Purpose
from kms.sign import KeySigner
from kms.wrap import unwrap_octets, wrap_octets
from yinxin.act import Actor
from yinxin.crypto import operations
from yinxin.crypto.errors import BadSignature, CannotDecrypt, UnsupportedAlgorithm
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.public_key import public_key
from yinxin.store import Store
from yinxin.text import Text

#: kinds whose every use a module can make with a key that stays in it, and that key's algorithm there
IN_MODULE: Mapping[str, str] = {
    "aes-256-gcm": KEK_ALGORITHM,
    "ecdsa-p256": "ecdsa-p256",
    "ecdsa-p384": "ecdsa-p384",
    "ed25519": "ed25519",
    "ml-dsa-44": "ml-dsa-44",
    "ml-dsa-65": "ml-dsa-65",
    "ml-dsa-87": "ml-dsa-87",
}


class Keys(Protocol):
    """The keys of the centre itself, as the key centre gives them."""

    engine: Engine

    def wrapping_key(self, actor: Actor) -> KeyInfo:
        """The one that wraps new secrets, made when it is first needed."""
        ...

    def key(self, label: str) -> KeyInfo:
        """The active key of this label; raises KeyUnknown or KeyNotActive."""
        ...

    def signer(self, label: str) -> KeySigner:
        """A signer with the key of this label; raises as `key`."""
        ...

    def create(self, actor: Actor, *, label: str, purpose: Purpose, algorithm: str, owner: str) -> KeyInfo:
        """A key of this label, made once however often this is called."""
        ...


def label_of(key: ServiceKey, version: int) -> str:
    """The label of the module's own key for this version."""
    return f"service.{key.name}.{version}"


def make(
    store: Store, keys: Keys, actor: Actor, key: ServiceKey, version: int, *, given: bytes | None = None
) -> ServiceKeyVersionRow:
    """A new version's row, to be stored: with a new secret, or with the one that is `given`.

    A crash before the row is stored leaves nothing, or in the module a key that the next making of the same version
    takes. Raises MalformedKey for another kind of secret, and as `Token.use`.
    """
    created = store.clock.now()
    if key.place is Place.HSM:
        algorithm = IN_MODULE[key.kind.name]
        if algorithm not in known_to(keys.engine.facts().mechanisms):
            reason = Text("密码机不支持该算法", "the module does not know the algorithm")
            raise BadServiceKey(field="place", reason=reason)
        info = keys.create(
            actor,
            label=label_of(key, version),
            purpose=Purpose.SERVICE,
            algorithm=algorithm,
            owner=key.owner,
        )
        spki = info.public_key.spki if info.public_key else None
        return _row(store.identifier(), key, version, created, spki=spki)
    secret, spki = operations.generate(key.kind) if given is None else operations.read(key.kind, given)
    try:
        kek = keys.wrapping_key(actor)
        wrapped = wrap_octets(
            keys.engine, kek, bound(about(key, version), kek.label), secret, store.randomness
        )
    finally:
        cleanse(secret)
    return _row(
        store.identifier(), key, version, created, spki=spki, wrapped=wrapped, imported=given is not None
    )


def _row(
    id_: str,
    key: ServiceKey,
    version: int,
    created: datetime,
    *,
    spki: bytes | None,
    wrapped: Wrapped | None = None,
    imported: bool = False,
) -> ServiceKeyVersionRow:
    return ServiceKeyVersionRow(
        id=id_,
        key=key.id,
        version=version,
        about=about(key, version),
        created=created,
        imported=imported,
        spki=spki,
        kek=wrapped.kek if wrapped else None,
        nonce=wrapped.nonce if wrapped else None,
        blob=wrapped.blob if wrapped else None,
        destroyed=None,
    )


class Hand:
    """One key in use for one call: its versions are looked up and opened as they are needed, and cleansed by `close`."""

    def __init__(
        self, store: Store, keys: Keys, key: ServiceKey, versions: dict[int, Version] | None = None
    ) -> None:
        """`versions` are those that were read while the key was exactly what it is, and takes in what is read."""
        self.key = key
        self._store = store
        self._keys = keys
        self._versions = {} if versions is None else versions
        self._secrets: dict[int, bytes] = {}
        self._signers: dict[int, KeySigner] = {}
        self._infos: dict[int, KeyInfo] = {}
        self._loaded: dict[int, bytes | PrivateKey] = {}
        self._public: dict[int, PublicKey] = {}

    def close(self) -> None:
        """Overwrite what was opened, and let the library's keys go, which overwrites theirs."""
        self._loaded.clear()
        while self._secrets:
            cleanse(self._secrets.popitem()[1])

    def seal(self, version: int, plaintext: bytes, binding: bytes) -> bytes:
        """Ciphertext bound to `binding`; raises PlaintextTooLong, or as `Token.use`."""
        kind = self.key.kind
        most = operations.longest_plaintext(kind)
        if most is not None and len(plaintext) > most:
            raise PlaintextTooLong(size=len(plaintext), name=self.key.name, algorithm=kind.name, most=most)
        if self._native(version):
            info = self._info(version)
            sealed = wrap_octets(self._keys.engine, info, binding, plaintext, self._store.randomness)
            return sealed.nonce + sealed.blob
        secret = None if kind.paired else self._secret(version)
        return operations.seal(kind, secret, self._version(version).spki, plaintext, binding)

    def unseal(self, version: int, sealed: bytes, binding: bytes) -> bytes:
        """What `seal` was given; raises CiphertextNotOpened, or as `Token.use`."""
        try:
            if not self._native(version):
                return operations.unseal(self.key.kind, self._secret(version), sealed, binding)
            info = self._info(version)
            parts = ProtectedKey(info.label, binding, sealed[:NONCE], sealed[NONCE:])
            return self._keys.engine.decrypt(info.reference, parts)
        except (CannotDecrypt, WrappedKeyAltered) as error:
            if isinstance(error, WrappedKeyAltered) and not self._native(version):
                raise  # it is the key itself that does not open
            raise CiphertextNotOpened(name=self.key.name) from None

    def sign(self, version: int, message: bytes, *, hashed: bool) -> bytes:
        """A signature that its own public key verifies; raises NoDigestHere, FaultySignature, or as `Token.use`."""
        try:
            if self._native(version):
                signer = self._signer(version)
                return signer.sign_prehashed(message) if hashed else signer.sign(message)
            signature = operations.sign(self.key.kind, self._pair(version), message, hashed=hashed)
            self._check(version, signature, message, hashed=hashed)
        except (UnsupportedAlgorithm, ValueError):
            raise NoDigestHere(name=self.key.name, algorithm=self.key.kind.name) from None
        except BadSignature as error:
            raise FaultySignature(label=self.key.name) from error
        return signature

    def verify(self, version: int, signature: bytes, message: bytes, *, hashed: bool) -> None:
        """Raise BadSignature unless it is this version's; NoDigestHere."""
        try:
            self._check(version, signature, message, hashed=hashed)
        except UnsupportedAlgorithm:
            raise NoDigestHere(name=self.key.name, algorithm=self.key.kind.name) from None
        except BadSignature:
            raise BadSignature(what=self.key.name) from None

    def mac(self, version: int, message: bytes) -> bytes:
        """The whole MAC; raises as `Token.use`."""
        return operations.mac(self.key.kind, self._secret(version), message)

    def verify_mac(self, version: int, given: bytes, message: bytes) -> None:
        """Raise BadSignature unless it is this version's MAC."""
        try:
            operations.verify_mac(self.key.kind, self._secret(version), given, message)
        except BadSignature:
            raise BadSignature(what=self.key.name) from None

    def _check(self, version: int, signature: bytes, message: bytes, *, hashed: bool) -> None:
        operations.verify(self.key.kind, self._key(version), signature, message, hashed=hashed)

    def _key(self, version: int) -> PublicKey:
        """The public key of a pair, read once for all who use it."""
        if version not in self._public:
            self._public[version] = public_key(self._version(version).spki or b"")
        return self._public[version]

    def _pair(self, version: int) -> bytes | PrivateKey:
        """The secret of a pair, read once."""
        if version not in self._loaded:
            self._loaded[version] = operations.loaded(self.key.kind, self._secret(version))
        return self._loaded[version]

    def _info(self, version: int) -> KeyInfo:
        """The module's own key for this version, looked up once."""
        if version not in self._infos:
            self._infos[version] = self._keys.key(label_of(self.key, version))
        return self._infos[version]

    def _signer(self, version: int) -> KeySigner:
        """A signer with it, likewise."""
        if version not in self._signers:
            self._signers[version] = self._keys.signer(label_of(self.key, version))
        return self._signers[version]

    def _native(self, version: int) -> bool:
        """Whether the module holds it; a pair's public half never needs the module."""
        return self.key.place is Place.HSM and self._version(version).wrapped is None

    def _version(self, version: int) -> Version:
        if version not in self._versions:
            self._versions[version] = version_of(self._store, self.key, version)
        return self._versions[version]

    def _secret(self, version: int) -> bytes:
        if version not in self._secrets:
            wrapped = self._version(version).wrapped
            if wrapped is None:
                raise ServiceKeyDestroyed(name=self.key.name)
            kek = self._keys.key(wrapped.kek)
            binding = bound(about(self.key, version), kek.label)
            name = f"{self.key.name}:{version}"
            self._secrets[version] = unwrap_octets(self._keys.engine, kek, binding, wrapped, name)
        return self._secrets[version]
