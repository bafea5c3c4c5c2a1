"""One's own signing key in the key centre: made, certified, used under a PIN, changed, ended."""

from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from yinxin.client._http import Connection, segment
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PublicKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.wire import Instant, Reply, base64_text

_PATH = "/api/kms/v1/holder-keys"
#: what a request for a certificate is signed for
APPLYING = "ca.apply"
#: what a signature is for whose signer was not told
_SIGN = "holder.sign"


class HolderKey(Reply):
    """A signing key of a person; `state` is active, pin-locked, locked or ended, `public_key` DER SubjectPublicKeyInfo in base64.

    `attempts_left` are those at the PIN; `passkey` is whether one was added, `passkey_attempts_left` the tries at it.
    """

    id: str
    holder: str
    organ: str
    suite: str
    algorithm: str
    state: str
    attempts_left: int
    passkey: bool
    passkey_attempts_left: int | None
    created: Instant
    ended: Instant | None
    key_id: str
    public_key: str

    def verifier(self) -> PublicKey:
        """The public key."""
        return PublicKey.load(b64decode(self.public_key))


class HolderUse(Reply):
    """A signature that the key made; `entry` is its place in the log, `digest` in hexadecimal."""

    entry: str
    at: Instant
    way: str
    purpose: str
    subject: str
    digest: str


class HolderChallenge(Reply):
    """For `navigator.credentials.get`: the challenge, and the salt for its `prf` extension, both base64url."""

    nonce: str
    challenge: str
    salt: str


class HolderKeys:
    """Calls to the signing keys of people. A PIN is sent with the call that it is for, and kept nowhere."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, pin: str, *, suite: str = "intl") -> HolderKey:
        """A key of the caller's own under this PIN; raises HolderKeyExists, BadHolderPin, StepUpRequired."""
        made = self._connection.json("POST", _PATH, json={"suite": suite, "pin": pin})
        return HolderKey.model_validate(made)

    def list(self, holder: str = "") -> tuple[HolderKey, ...]:
        """The caller's own keys, or as far as she may see them somebody's, oldest first."""
        found = self._connection.json("GET", _PATH, params={"holder": holder})
        return tuple(HolderKey.model_validate(each) for each in found["items"])

    def show(self, key: str) -> HolderKey:
        """One key; raises HolderKeyUnknown, Denied."""
        return HolderKey.model_validate(self._connection.json("GET", f"{_PATH}/{segment(key)}"))

    def sign(self, key: str, digest: bytes, *, pin: str, purpose: str, subject: str) -> bytes:
        """The signature over what `PublicKey.prehash` gave: DER for ECDSA and SM2, raw for ML-DSA. One PIN, one signature.

        `purpose` is the act it is for (`document.sign-off`), `subject` what is signed (`document:…`); both are recorded.
        Raises WrongHolderPin, HolderKeyLocked, HolderKeyEnded.
        """
        body = {"digest_base64": base64_text(digest), "purpose": purpose, "subject": subject, "pin": pin}
        done = self._connection.json("POST", f"{_PATH}/{segment(key)}/signatures", json=body)
        return b64decode(done["signature_base64"])

    def challenge(
        self, key: str, digest: bytes | None = None, *, purpose: str | None = None, subject: str | None = None
    ) -> "HolderChallenge":
        """What a passkey is asked, so that it says yes to this signature; without one, that it may be added to the key."""
        told = base64_text(digest) if digest is not None else None
        body = {"digest_base64": told, "purpose": purpose, "subject": subject}
        path = f"{_PATH}/{segment(key)}/challenges"
        return HolderChallenge.model_validate(self._connection.json("POST", path, json=body))

    def add_passkey(self, key: str, pin: str, *, nonce: str, credential: str) -> HolderKey:
        """Let the key open by the passkey too that answered (AuthenticationResponseJSON with the `prf` result).

        Raises WrongHolderPin, WrongHolderPasskey, NoPasskeySecret, HolderPasskeyKnown, StepUpRequired.
        """
        body = {"pin": pin, "passkey": {"nonce": nonce, "credential": credential}}
        made = self._connection.json("POST", f"{_PATH}/{segment(key)}/passkey", json=body)
        return HolderKey.model_validate(made)

    def remove_passkey(self, key: str) -> None:
        """Let the key open by the PIN alone again; raises PasskeyNotAdded."""
        self._connection.json("DELETE", f"{_PATH}/{segment(key)}/passkey")

    def sign_by_passkey(
        self, key: str, digest: bytes, *, nonce: str, credential: str, purpose: str, subject: str
    ) -> bytes:
        """As `sign`, by a passkey's answer to the challenge for this very signature."""
        body = {"digest_base64": base64_text(digest), "purpose": purpose, "subject": subject}
        answer = {"passkey": {"nonce": nonce, "credential": credential}}
        done = self._connection.json("POST", f"{_PATH}/{segment(key)}/signatures", json=body | answer)
        return b64decode(done["signature_base64"])

    def change_pin(self, key: str, pin: str, new_pin: str) -> HolderKey:
        """The same key under another PIN; raises WrongHolderPin, HolderKeyLocked, BadHolderPin."""
        body = {"pin": pin, "new_pin": new_pin}
        return HolderKey.model_validate(
            self._connection.json("POST", f"{_PATH}/{segment(key)}/pin", json=body)
        )

    def end(self, key: str) -> None:
        """Destroy a key: what is left of it verifies, and signs nothing any more."""
        self._connection.json("DELETE", f"{_PATH}/{segment(key)}")

    def uses(self, key: str) -> Iterator[HolderUse]:
        """What the key signed, the newest first."""
        pages = self._connection.pages(f"{_PATH}/{segment(key)}/uses", {})
        return (HolderUse.model_validate(each) for each in pages)

    def signer(self, key: str, pin: str, *, purpose: str, subject: str) -> "HolderSigner":
        """A `yinxin.crypto` Signer whose key stays in the key centre; only digests travel."""
        once = partial(self.sign, key, pin=pin)
        return HolderSigner(key, self.show(key).verifier(), once, purpose=purpose, subject=subject)

    def request(self, key: str, pin: str) -> CertificationRequest:
        """A request for a certificate of the key, to be handed in (`client.ca.registrations.submit`)."""
        signer = self.signer(key, pin, purpose=APPLYING, subject=f"holder-key:{key}")
        return CertificationRequest.build(signer, {})

    def identity(
        self, key: str, pin: str, certificate: Certificate, chain: tuple[Certificate, ...] = ()
    ) -> Identity:
        """Key and certificate, to be used as one from a PKCS#12 file is: `Client(…, identity=…)` signs in and signs with it.

        Every signature says what it is for by itself. Raises KeyMismatch for the certificate of another key.
        """
        signer = self.signer(key, pin, purpose=_SIGN, subject=f"holder-key:{key}")
        return Identity(signer, certificate, chain)

    def identity_by_passkey(
        self,
        key: str,
        certificate: Certificate,
        chain: tuple[Certificate, ...] = (),
        *,
        nonce: str,
        credential: str,
    ) -> Identity:
        """As `identity`, for the one signature that the passkey was asked for (`challenge`) and answered; see `sign_by_passkey`."""
        once, subject = (
            partial(self.sign_by_passkey, key, nonce=nonce, credential=credential),
            f"holder-key:{key}",
        )
        signer = HolderSigner(key, certificate.public_key, once, purpose=_SIGN, subject=subject)
        return Identity(signer, certificate, chain)


class _Once(Protocol):
    """Has the key sign a digest, opened by what the holder gave."""

    def __call__(self, digest: bytes, *, purpose: str, subject: str) -> bytes: ...


class HolderSigner:
    """Signs with one's own key in the key centre, for one recorded purpose and subject."""

    def __init__(self, key: str, public_key: PublicKey, once: _Once, *, purpose: str, subject: str) -> None:
        self._key = key
        self._once = once
        self._purpose = purpose
        self._subject = subject
        self.public_key = public_key

    def stating(self, purpose: str, subject: str) -> "HolderSigner":
        """The same signer, for another purpose and subject."""
        return HolderSigner(self._key, self.public_key, self._once, purpose=purpose, subject=subject)

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, verified here before it is used; raises BadSignature, and as `HolderKeys.sign`."""
        digest = self.public_key.prehash(message)
        signature = self._once(digest, purpose=self._purpose, subject=self._subject)
        self.public_key.verify(signature, message, what=self._subject)
        return signature

    def __repr__(self) -> str:
        return f"<HolderSigner {self._key}>"
