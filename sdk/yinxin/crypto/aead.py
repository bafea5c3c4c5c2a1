"""Authenticated encryption by the suite's name: AES-256-GCM (NIST SP 800-38D) or SM4-GCM (RFC 8998).

The sealed form is nonce ‖ ciphertext ‖ tag, with a random 96-bit nonce: one key seals at most 2^32 messages.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from yinxin.crypto.errors import CannotDecrypt
from yinxin.crypto.suite import Suite

_NONCE, _TAG = 12, 16
_CIPHERS: dict[str, type[algorithms.AES] | type[algorithms.SM4]] = {
    "AES-256-GCM": algorithms.AES,
    "SM4-GCM": algorithms.SM4,
}


def generate_key(suite: Suite) -> bytes:
    """A new key, `suite.aead_key_size` octets."""
    return secrets.token_bytes(suite.aead_key_size)


def seal(suite: Suite, key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Encrypt, binding `associated` (what the plaintext belongs to); ValueError for a key of another size."""
    nonce = secrets.token_bytes(_NONCE)
    cipher = Cipher(_cipher(suite, key), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(associated)
    return nonce + cipher.update(plaintext) + cipher.finalize() + cipher.tag


def open_sealed(suite: Suite, key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """Decrypt what `seal` made with the same key and `associated`; raises CannotDecrypt."""
    if len(sealed) < _NONCE + _TAG:
        raise CannotDecrypt(algorithm=suite.aead)
    nonce, body, tag = sealed[:_NONCE], sealed[_NONCE:-_TAG], sealed[-_TAG:]
    cipher = Cipher(_cipher(suite, key), modes.GCM(nonce, tag)).decryptor()
    cipher.authenticate_additional_data(associated)
    try:
        return cipher.update(body) + cipher.finalize()
    except InvalidTag as error:
        raise CannotDecrypt(algorithm=suite.aead) from error


def _cipher(suite: Suite, key: bytes) -> algorithms.AES | algorithms.SM4:
    if len(key) != suite.aead_key_size:
        raise ValueError(f"{suite.aead} takes a key of {suite.aead_key_size} octets")
    return _CIPHERS[suite.aead](key)
