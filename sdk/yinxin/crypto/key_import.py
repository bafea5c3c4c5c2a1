"""A key on its way into the key centre: encrypted to a public key that was made for this one import.

| method | wrapped form |
| --- | --- |
| `rsa-aes-kwp` | RSA-OAEP (SHA-256, MGF1 of it, no label) of a fresh AES-256 key ‖ AES-KWP (RFC 5649) of the key under it: CKM_RSA_AES_KEY_WRAP (PKCS#11 v3.1, 6.1.29) |
| `sm2` | SM2Cipher in DER (GM/T 0009 7.2) of the key |
| `ml-kem-768-hpke` | HPKE (RFC 9180 base mode, ML-KEM-768, HKDF-SHA256, AES-256-GCM), `info` the import's identifier in ASCII |

The key is the octets of a secret key, or the DER PrivateKeyInfo of a pair.
"""

import secrets
from collections.abc import Mapping
from typing import Literal

from cryptography.hazmat.primitives import keywrap

from yinxin.crypto import der, operations, sm2
from yinxin.crypto.errors import CannotDecrypt, MalformedDer
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.operations import KINDS, KeyKind

Method = Literal["rsa-aes-kwp", "sm2", "ml-kem-768-hpke"]
#: the one to choose where nothing speaks for another
USUAL: Method = "ml-kem-768-hpke"
#: the kind of pair that is made for each method
METHODS: Mapping[str, KeyKind] = {
    "rsa-aes-kwp": KINDS["rsa-3072-oaep"],
    "sm2": KINDS["sm2-encryption"],
    "ml-kem-768-hpke": KINDS["ml-kem-768"],
}
_TRANSPORT = 32


def wrap_for_import(method: str, spki: bytes, key: bytes, reference: str) -> bytes:
    """`key`, encrypted to the public key of the import `reference`; raises KeyError for another method."""
    kind = METHODS[method]
    if kind.key == "sm2":
        return sm2.SM2PublicKey(spki).encrypt(key)
    if method == "ml-kem-768-hpke":
        return operations.seal(kind, None, spki, key, reference.encode("ascii"))
    transport = secrets.token_bytes(_TRANSPORT)
    try:
        wrapped = keywrap.aes_key_wrap_with_padding(transport, key)
        return operations.seal(kind, None, spki, transport, b"") + wrapped
    finally:
        cleanse(transport)


def open_import(method: str, secret: bytes, wrapped: bytes, reference: str) -> bytes:
    """What `wrap_for_import` was given, by the private key of the import; raises CannotDecrypt, one error whatever is wrong."""
    kind = METHODS[method]
    try:
        if kind.key == "sm2":
            der.check(wrapped)
            return PrivateKey.load(secret, proved=True).decrypt(wrapped)
        if method == "ml-kem-768-hpke":
            return operations.unseal(kind, secret, wrapped, reference.encode("ascii"))
        return _unwrapped(kind, secret, wrapped)
    except (CannotDecrypt, MalformedDer, keywrap.InvalidUnwrap, ValueError):
        raise CannotDecrypt(algorithm=method) from None


def _unwrapped(kind: KeyKind, secret: bytes, wrapped: bytes) -> bytes:
    size = int(kind.key.partition("-")[2]) // 8
    transport = operations.unseal(kind, secret, wrapped[:size], b"")
    try:
        if len(transport) != _TRANSPORT:
            raise CannotDecrypt(algorithm=kind.name)
        return keywrap.aes_key_unwrap_with_padding(transport, wrapped[size:])
    finally:
        cleanse(transport)
