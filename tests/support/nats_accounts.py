"""Operator, account and users of a NATS server that believes JWTs, and the files that `nsc` would write for the users.

https://github.com/nats-io/jwt (version 2): a JWT of the algorithm `ed25519-nkey`, its `jti` the SHA-512/256 of the claims without it;
https://github.com/nats-io/nkeys: a sort, 32 octets and a CRC-16 in base 32. Written by these alone, so that they judge ours.
"""

import hashlib
import json
from base64 import b32encode, urlsafe_b64encode
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: first octets: of an operator's, an account's, a user's key, and of a seed
_OPERATOR, _ACCOUNT, _USER, _SEED = 14 << 3, 0, 20 << 3, 18 << 3
_ANY = -1


def _spelt(data: bytes) -> str:
    return b32encode(data + crc_hqx(data, 0).to_bytes(2, "little")).decode().rstrip("=")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass(frozen=True)
class Key:
    """A key of one sort."""

    sort: int
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> str:
        octets = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _spelt(bytes((self.sort,)) + octets)

    @property
    def seed(self) -> str:
        return _spelt(bytes((_SEED | self.sort >> 5, (self.sort & 31) << 3)) + self.key.private_bytes_raw())

    def says(self, subject: str, what: dict[str, Any], **more: Any) -> str:
        """A JWT of this key about a subject."""
        claims = {"iat": 1_700_000_000, "iss": self.public, "name": "x", "sub": subject, "nats": what, **more}
        whole = hashlib.new("sha512_256", json.dumps(claims).encode()).digest()
        claims["jti"] = b32encode(whole).decode().rstrip("=")
        parts = ({"typ": "JWT", "alg": "ed25519-nkey"}, claims)
        signed = ".".join(_text(json.dumps(each).encode()) for each in parts)
        return f"{signed}.{_text(self.key.sign(signed.encode()))}"


def credentials(jwt: str, seed: str) -> str:
    """A user's file, as `nsc` writes it."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n"
        "NKEYs are sensitive and should be treated as secrets.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n\n"
        "*************************************************************\n"
    )


class Accounts:
    """An operator with an account that may use JetStream, and the system's own."""

    def __init__(self) -> None:
        self.operator, self.account, self._system = Key(_OPERATOR), Key(_ACCOUNT), Key(_ACCOUNT)

    def configuration(self) -> str:
        """What the server is told."""
        kinds = ("subs", "data", "payload", "imports", "exports", "conn", "leaf")
        limits: dict[str, Any] = dict.fromkeys(kinds, _ANY) | {"wildcards": True}
        stored = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), _ANY)

        def account(key: Key, allowed: dict[str, Any]) -> str:
            what = {"limits": allowed, "type": "account", "version": 2}
            return f"{key.public}: {self.operator.says(key.public, what)}"

        own = {"type": "operator", "version": 2, "system_account": self._system.public}
        return (
            f"operator: {self.operator.says(self.operator.public, own)}\n"
            f"system_account: {self._system.public}\nresolver: MEMORY\nresolver_preload: {{\n"
            f"{account(self.account, limits | stored)}\n{account(self._system, limits)}\n}}\n"
        )

    def user(
        self, publish: Sequence[str] = (), *, by: Key | None = None, until: int | None = None
    ) -> tuple[str, str]:
        """JWT and seed of a user that may publish to these subjects, and hear answers; to any when there are none."""
        key = Key(_USER)
        what: dict[str, Any] = {"pub": {}, "sub": {}, "type": "user", "version": 2}
        what |= dict.fromkeys(("subs", "data", "payload"), _ANY)
        if publish:
            what |= {"pub": {"allow": list(publish)}, "sub": {"allow": ["_INBOX.>"]}}
        more = {} if until is None else {"exp": until}
        return (by or self.account).says(key.public, what, **more), key.seed


def stranger() -> Key:
    """An account's key that no operator knows."""
    return Key(_ACCOUNT)
