"""Keys that the module cannot hold: kept as ciphertext under a key that it does hold, opened for the moment of use."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pkcs11 import GCMParams, Mechanism, ObjectClass
from pkcs11.exceptions import PKCS11Error

from kms.errors import WrappedKeyAltered
from kms.info import KeyInfo, Wrapped
from kms.token import Token
from yinxin import canonical
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.randomness import Randomness

#: octets and bits that NIST SP 800-38D 8.2.2 and 5.2.1.2 recommend: random nonces, full tags
NONCE = 12
TAG = 128
_TRIAL = b"yinxin: does this key wrap?"


def wrap(token: Token, kek: KeyInfo, info: KeyInfo, key: PrivateKey, randomness: Randomness) -> Wrapped:
    """`key` as ciphertext that opens only as this key of this owner; raises as `Token.use`."""
    pkcs8 = key.pkcs8()
    try:
        return wrap_octets(token, kek, _bound(info, kek.label), pkcs8, randomness)
    finally:
        cleanse(pkcs8)


def wrap_octets(token: Token, kek: KeyInfo, bound: bytes, octets: bytes, randomness: Randomness) -> Wrapped:
    """`octets` as ciphertext that opens only together with `bound`; raises as `Token.use`."""
    nonce = randomness.token(NONCE)
    blob = token.use_key(
        kek.label,
        kek.handle,
        ObjectClass.SECRET_KEY,
        lambda secret: bytes(secret.encrypt(octets, **_gcm(nonce, bound))),
    )
    return Wrapped(kek.label, nonce, blob)


def unwrap_octets(token: Token, kek: KeyInfo, bound: bytes, wrapped: Wrapped, label: str) -> bytes:
    """What `wrap_octets` was given; raises WrappedKeyAltered naming `label`, or as `Token.use`."""

    def decrypt(secret: Any) -> bytes:
        try:
            return bytes(secret.decrypt(wrapped.blob, **_gcm(wrapped.nonce, bound)))
        except PKCS11Error:
            # Modules say it differently (SoftHSM: CKR_GENERAL_ERROR), so ask whether the key itself still works.
            prove_wrapping(secret)
            raise WrappedKeyAltered(label=label) from None

    return token.use_key(kek.label, kek.handle, ObjectClass.SECRET_KEY, decrypt)


@contextmanager
def unwrapped(token: Token, kek: KeyInfo, info: KeyInfo, wrapped: Wrapped) -> Iterator[PrivateKey]:
    """The key, for the moment of use; raises WrappedKeyAltered, or as `Token.use`."""
    pkcs8 = unwrap_octets(token, kek, _bound(info, kek.label), wrapped, info.label)
    try:
        # the ciphertext authenticates what was wrapped, and no signature leaves that the registered key does not verify
        key = PrivateKey.load(pkcs8, proved=True)
    finally:
        cleanse(pkcs8)
    yield key


def prove_wrapping(secret: Any) -> None:
    """Encrypt something that is no secret; raises PKCS11Error when the key or the module does not work."""
    secret.encrypt(_TRIAL, **_gcm(secrets.token_bytes(NONCE), _TRIAL))


def _gcm(nonce: bytes, bound: bytes) -> dict[str, Any]:
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, bound, TAG)}


def _bound(info: KeyInfo, kek: str) -> bytes:
    """The additional authenticated data: a ciphertext moved to another row, owner or purpose does not open."""
    return canonical.encode(
        {
            "v": 1,
            "type": "kms.wrapped-key",
            "id": info.id,
            "owner": info.owner,
            "purpose": info.purpose.value,
            "suite": info.suite,
            "algorithm": info.algorithm,
            "kek": kek,
        }
    )
