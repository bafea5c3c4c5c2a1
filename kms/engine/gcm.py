"""AES-256-GCM by a key in the module (NIST SP 800-38D; PKCS#11 v3.1, 6.13.7)."""

import secrets
from typing import Any

from pkcs11 import GCMParams, Mechanism

#: octets and bits that NIST SP 800-38D 8.2.2 and 5.2.1.2 recommend: random nonces, full tags
NONCE = 12
TAG = 128
_TRIAL = b"yinxin: does this key wrap?"


def encrypt(secret: Any, nonce: bytes, bound: bytes, octets: bytes) -> bytes:
    """Ciphertext and tag; raises PKCS11Error."""
    return bytes(secret.encrypt(octets, **_how(nonce, bound)))


def decrypt(secret: Any, nonce: bytes, bound: bytes, blob: bytes) -> bytes:
    """What was encrypted; raises PKCS11Error."""
    return bytes(secret.decrypt(blob, **_how(nonce, bound)))


def prove_wrapping(secret: Any) -> None:
    """Encrypt something that is no secret; raises PKCS11Error when the key or the module does not work."""
    encrypt(secret, secrets.token_bytes(NONCE), _TRIAL, _TRIAL)


def _how(nonce: bytes, bound: bytes) -> dict[str, Any]:
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, bound, TAG)}
