"""An authenticator in software (WebAuthn 6), which can be told to lie: what the platform must see through."""

import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One key for one site; `verified` is whether it unlocks for its user, `counter` what it counts up."""

    host: str
    origin: str
    verified: bool = True
    counter: int = 0
    identifier: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any]) -> str:
        """The answer to `navigator.credentials.create`."""
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        attested = bytes(16) + len(self.identifier).to_bytes(2) + self.identifier + cose
        data = self._data(_ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer({"clientDataJSON": text(client), "attestationObject": text(attestation)})

    def answer(self, nonce: str) -> str:
        """The answer to `navigator.credentials.get` with a nonce for a challenge."""
        return self.agree(nonce.encode())

    def agree(self, challenge: bytes, salt: bytes | None = None) -> str:
        """The answer to any challenge, with the result of the PRF extension for `salt`."""
        self.counter += 1
        data, client = self._data(0), self._client("webauthn.get", text(challenge))
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        said = {"authenticatorData": text(data), "clientDataJSON": text(client), "signature": text(signature)}
        if salt is None:
            return self._answer(said)
        inner = sha256(b"WebAuthn PRF\0" + salt).digest()  # Level 3, 10.1.4
        return self._answer(said, prf=hmac.digest(self.secret, inner, "sha256"))

    def _data(self, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verified else 0)
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, str], prf: bytes | None = None) -> str:
        results = {"prf": {"results": {"first": text(prf)}}} if prf is not None else {}
        identifier = text(self.identifier)
        return json.dumps(
            {
                "id": identifier,
                "rawId": identifier,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": results,
            }
        )
