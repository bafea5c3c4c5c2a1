"""The security module in this process, and beside it the keys that it does not know."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pkcs11 import Attribute, ObjectClass
from pkcs11.exceptions import AttributeTypeInvalid, NoSuchKey, PKCS11Error

from kms.engine import gcm, share
from kms.engine.engine import HeldKey, KeyReference, ProtectedKey, Rewrapping, SharedKey, TokenStanding
from kms.errors import KeyLost, WrappedKeyAltered
from kms.generate import KINDS, find_or_make
from kms.mechanisms import NATIVE, from_signed, read_any_public_key, to_sign
from kms.token import Token, objects
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse


class LocalEngine(Token):
    """`kms.engine.Engine` on a PKCS#11 token. The keys beside it are in this process's memory while they are used."""

    def tokens(self) -> list[TokenStanding]:
        """See `Engine.tokens`: the one there is, or what `Token.use` raises."""
        facts = self.facts()
        return [TokenStanding(0, facts.label, True, None, facts)]

    def inventory(self) -> list[HeldKey]:
        """See `Engine.inventory`."""
        return self.use(lambda session: list(_held(session)))

    def make_key(self, key: KeyReference) -> bytes | None:
        """See `Engine.make_key`."""
        native = NATIVE[key.algorithm]
        made = self.use(lambda session: find_or_make(session, native, key.identifier, key.label))
        return made.spki if made else None

    def destroy(self, key: KeyReference) -> None:
        """See `Engine.destroy`."""

        def away(session: Any) -> None:
            for kind in KINDS:
                for each in objects(session, key.identifier, kind):
                    each.destroy()

        self.use(away)
        self.forget(key.identifier)

    def receiver(self) -> bytes:
        """See `Engine.receiver`."""
        return self.use(share.receiver)

    def make_shared(self, key: KeyReference, receiver: bytes, vault: bytes) -> SharedKey:
        """See `Engine.make_shared`."""
        made = self.use(lambda session: share.make_shared(session, key, receiver, vault))
        self.forget(key.identifier)
        return made

    def take_shared(self, key: KeyReference, shared: SharedKey) -> bytes | None:
        """See `Engine.take_shared`."""
        taken = self.use(lambda session: share.take_shared(session, key, shared))
        self.forget(key.identifier)
        return taken

    def pass_on(self, shared: SharedKey, receiver: bytes) -> SharedKey:
        """See `Engine.pass_on`."""
        return self.use(lambda session: share.pass_on(session, shared, receiver))

    def sign(self, key: KeyReference, content: bytes) -> bytes:
        """See `Engine.sign`."""
        native = NATIVE[key.algorithm]
        prepared = to_sign(native, PublicKey.load(key.spki or b""), content) if native.digests else content
        raw = self.use_key(
            key.label,
            key.identifier,
            native.kind,
            lambda found: bytes(found.sign(prepared, mechanism=native.use)),
        )
        return from_signed(native, raw)

    def encrypt(self, kek: KeyReference, nonce: bytes, bound: bytes, octets: bytes) -> bytes:
        """See `Engine.encrypt`."""
        return self.use_key(
            kek.label,
            kek.identifier,
            ObjectClass.SECRET_KEY,
            lambda secret: gcm.encrypt(secret, nonce, bound, octets),
        )

    def decrypt(self, kek: KeyReference, protected: ProtectedKey) -> bytes:
        """See `Engine.decrypt`."""
        return self.use_key(
            kek.label,
            kek.identifier,
            ObjectClass.SECRET_KEY,
            lambda secret: _decrypted(secret, protected),
        )

    def rewrap(self, old: KeyReference, new: KeyReference, wanted: list[Rewrapping]) -> list[bytes]:
        """See `Engine.rewrap`; what is opened is in this process's memory until it is wrapped again."""
        sought = old

        def all_of_them(session: Any) -> list[bytes]:
            nonlocal sought
            keys = []
            for sought in (old, new):
                keys.append(self._handle(session, sought.identifier, ObjectClass.SECRET_KEY))
            before, after = keys
            return [_rewrapped(before, after, each) for each in wanted]

        try:
            return self.use(all_of_them)
        except NoSuchKey:
            raise KeyLost(label=sought.label) from None

    def make_protected(
        self, kek: KeyReference, algorithm: str, nonce: bytes, bound: bytes
    ) -> tuple[bytes, bytes]:
        """See `Engine.make_protected`."""
        key = PrivateKey.generate(algorithm)
        pkcs8 = key.pkcs8()
        try:
            return key.public_key.spki, self.encrypt(kek, nonce, bound, pkcs8)
        finally:
            cleanse(pkcs8)

    def sign_protected(self, kek: KeyReference, protected: ProtectedKey, digest: bytes) -> bytes:
        """See `Engine.sign_protected`."""
        with self._opened_key(kek, protected) as key:
            return key.sign(digest) if key.public_key.algorithm == "ed25519" else key.sign_prehashed(digest)

    def open_envelope(
        self, kek: KeyReference, protected: ProtectedKey, envelope: bytes, recipient: bytes
    ) -> bytes:
        """See `Engine.open_envelope`."""
        with self._opened_key(kek, protected) as key:
            pkcs8 = key.pkcs8()
            try:
                return EnvelopedData.load(envelope).open(Certificate.load(recipient), pkcs8)
            finally:
                cleanse(pkcs8)

    @contextmanager
    def _opened_key(self, kek: KeyReference, protected: ProtectedKey) -> Iterator[PrivateKey]:
        pkcs8 = self.decrypt(kek, protected)
        try:
            # the ciphertext authenticates what was wrapped, and no signature leaves that the registered key does not verify
            key = PrivateKey.load(pkcs8, proved=True)
        finally:
            cleanse(pkcs8)
        yield key


def _decrypted(secret: Any, protected: ProtectedKey) -> bytes:
    try:
        return gcm.decrypt(secret, protected.nonce, protected.bound, protected.blob)
    except PKCS11Error:
        # Modules say it differently (SoftHSM: CKR_GENERAL_ERROR), so ask whether the key itself still works.
        gcm.prove_wrapping(secret)
        raise WrappedKeyAltered(label=protected.label) from None


def _rewrapped(old: Any, new: Any, wanted: Rewrapping) -> bytes:
    try:
        octets = _decrypted(old, wanted.lying)
    except WrappedKeyAltered:
        return b""
    try:
        return gcm.encrypt(new, wanted.nonce, wanted.bound, octets)
    finally:
        cleanse(octets)


def _held(session: Any) -> Iterator[HeldKey]:
    public = {
        bytes(each[Attribute.ID]): each
        for each in session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY})
    }
    spkis = {identifier: read_any_public_key(each) for identifier, each in public.items()}
    for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.SECRET_KEY):
        for each in session.get_objects({Attribute.CLASS: kind}):
            identifier = bytes(each[Attribute.ID])
            yield HeldKey(identifier, _stays(each), spkis.get(identifier))


def _stays(key: Any) -> bool:
    try:
        return (key[Attribute.SENSITIVE], key[Attribute.EXTRACTABLE]) == (True, False)
    except AttributeTypeInvalid:
        return False
