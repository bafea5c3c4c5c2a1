"""The two layers over a person's signing key.

The inner one is keyed by what only the holder gives: her PIN, through scrypt (RFC 7914), or her passkey's secret, which
has as many values as a key, through HKDF (RFC 5869). The outer one is the wrapping
key's, which is in the module. Opening takes both: the database and the module without the PIN open nothing, nor does the
PIN without the module, so that nobody who has copied the database can even try PINs. Both layers are bound to the key,
its holder, what it is for, its suite and algorithm, and the lock; the outer one to the generation of the wrapping key
besides. Rewrapping changes the outer layer and needs no PIN.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kms.holder.errors import BadHolderPin
from kms.holder.models import Way
from yinxin import canonical
from yinxin.crypto import aead
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.suite import Suite
from yinxin.randomness import Randomness
from yinxin.text import Text

#: octets of a salt, and of the block of scrypt (RFC 7914 section 2: r, p)
_SALT, _BLOCK, _PARALLEL = 16, 8, 1
#: characters of a PIN at most, and how many different ones it has at least
LONGEST_PIN, _DIFFERENT = 128, 4


@dataclass(frozen=True, slots=True)
class Unlock:
    """What the holder gives for one use. It shows in no `repr`."""

    way: Way
    secret: bytes = field(repr=False)
    #: the passkey's identifier, where it is one
    passkey: str = ""

    @classmethod
    def pin(cls, pin: str) -> "Unlock":
        """A PIN as it was typed; one spelling, whichever keyboard it came from (Unicode NFKC)."""
        return cls(Way.PIN, unicodedata.normalize("NFKC", pin).encode())


def check_pin(pin: str, least: int) -> None:
    """Raise BadHolderPin for a new PIN that is too short, too long, or one of those that are tried first."""
    normal = unicodedata.normalize("NFKC", pin)
    if not least <= len(normal) <= LONGEST_PIN:
        raise BadHolderPin(
            reason=Text(f"须为 {least} 至 {LONGEST_PIN} 个字符", f"{least} to {LONGEST_PIN} characters")
        )
    if len(set(normal)) < _DIFFERENT:
        raise BadHolderPin(
            reason=Text(f"须至少有 {_DIFFERENT} 种不同字符", f"at least {_DIFFERENT} different characters")
        )
    steps = [ord(after) - ord(before) for before, after in pairwise(normal)]
    if any(steps.count(each) >= len(steps) - 1 for each in (1, -1)):  # 1234567890 too
        raise BadHolderPin(reason=Text("不得为连续字符", "not a run of characters"))


def about(*, key: str, holder: str, suite: str, algorithm: str, lock: str, way: Way) -> dict[str, Any]:
    """What both layers are bound to."""
    told = {"key": key, "holder": holder, "suite": suite, "algorithm": algorithm}
    return {**told, "use": "signature", "lock": lock, "way": way.value}


def bound(about_: Mapping[str, Any], kek: str) -> bytes:
    """The additional authenticated data of the outer layer."""
    return canonical.encode({"v": 1, "type": "kms.holder-key", "kek": kek, **about_})


def derivation(unlock: Unlock, work: int, randomness: Randomness) -> dict[str, Any]:
    """How the inner key of a new lock is derived; `work` is the binary logarithm of scrypt's cost N."""
    salt = randomness.token(_SALT).hex()
    if unlock.way is Way.PASSKEY:
        return {"name": "hkdf-sha256", "passkey": unlock.passkey, "salt": salt}
    return {"name": "scrypt", "n": 1 << work, "r": _BLOCK, "p": _PARALLEL, "salt": salt}


def enclose(
    unlock: Unlock, derived: Mapping[str, Any], about_: Mapping[str, Any], suite: Suite, secret: bytes
) -> bytes:
    """The inner layer over `secret`."""
    key = _derive(unlock, derived, suite)
    try:
        return aead.seal(suite, key, secret, _inner(about_, derived))
    finally:
        cleanse(key)


def disclose(
    unlock: Unlock, derived: Mapping[str, Any], about_: Mapping[str, Any], suite: Suite, sealed: bytes
) -> bytes:
    """What `enclose` was given, to be cleansed at once; raises CannotDecrypt when the holder gave something else."""
    key = _derive(unlock, derived, suite)
    try:
        return aead.open_sealed(suite, key, sealed, _inner(about_, derived))
    finally:
        cleanse(key)


def _inner(about_: Mapping[str, Any], derived: Mapping[str, Any]) -> bytes:
    return canonical.encode({"v": 1, "type": "kms.holder-lock", "derivation": dict(derived), **about_})


def _derive(unlock: Unlock, derived: Mapping[str, Any], suite: Suite) -> bytes:
    salt, size = bytes.fromhex(derived["salt"]), suite.aead_key_size
    if derived["name"] == "scrypt":
        kdf = Scrypt(salt=salt, length=size, n=derived["n"], r=derived["r"], p=derived["p"])
        return kdf.derive(unlock.secret)
    return HKDF(hashes.SHA256(), length=size, salt=salt, info=b"kms.holder-lock").derive(unlock.secret)
