"""Keys that the module cannot hold: kept as ciphertext under a key that it does hold, opened for the moment of use."""

from collections.abc import Iterator
from contextlib import contextmanager

from kms.engine import Engine, ProtectedKey
from kms.engine.gcm import NONCE
from kms.info import KeyInfo, Wrapped
from yinxin import canonical
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.randomness import Randomness


def make_wrapped(
    engine: Engine, kek: KeyInfo, info: KeyInfo, randomness: Randomness
) -> tuple[PublicKey, Wrapped]:
    """A new key as ciphertext that opens only as this key of this owner; raises as `Token.use`."""
    nonce = randomness.token(NONCE)
    spki, blob = engine.make_protected(kek.reference, info.algorithm, nonce, bound_to(info, kek.label))
    return PublicKey.load(spki), Wrapped(kek.label, nonce, blob)


def wrap(engine: Engine, kek: KeyInfo, info: KeyInfo, key: PrivateKey, randomness: Randomness) -> Wrapped:
    """`key` as ciphertext that opens only as this key of this owner; raises as `Token.use`."""
    pkcs8 = key.pkcs8()
    try:
        return wrap_octets(engine, kek, bound_to(info, kek.label), pkcs8, randomness)
    finally:
        cleanse(pkcs8)


def wrap_octets(engine: Engine, kek: KeyInfo, bound: bytes, octets: bytes, randomness: Randomness) -> Wrapped:
    """`octets` as ciphertext that opens only together with `bound`; raises as `Token.use`."""
    nonce = randomness.token(NONCE)
    return Wrapped(kek.label, nonce, engine.encrypt(kek.reference, nonce, bound, octets))


def unwrap_octets(engine: Engine, kek: KeyInfo, bound: bytes, wrapped: Wrapped, label: str) -> bytes:
    """What `wrap_octets` was given; raises WrappedKeyAltered naming `label`, or as `Token.use`."""
    return engine.decrypt(kek.reference, ProtectedKey(label, bound, wrapped.nonce, wrapped.blob))


def protected(info: KeyInfo, wrapped: Wrapped) -> ProtectedKey:
    """The key as the engine opens it."""
    return ProtectedKey(info.label, bound_to(info, wrapped.kek), wrapped.nonce, wrapped.blob)


@contextmanager
def unwrapped(engine: Engine, kek: KeyInfo, info: KeyInfo, wrapped: Wrapped) -> Iterator[PrivateKey]:
    """The key, for the moment of use in this process; raises WrappedKeyAltered, or as `Token.use`."""
    pkcs8 = unwrap_octets(engine, kek, bound_to(info, kek.label), wrapped, info.label)
    try:
        key = PrivateKey.load(pkcs8, proved=True)
    finally:
        cleanse(pkcs8)
    yield key


def bound_to(info: KeyInfo, kek: str) -> bytes:
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
