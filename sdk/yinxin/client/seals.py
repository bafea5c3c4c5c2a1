"""Seals: the registers, and putting a seal on something with a key that stays in the key centre."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import Field

from yinxin.client._http import Connection, segment
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.seal import Seal, read
from yinxin.wire import Reply

_PATH = "/api/seal/v1"


class SealRecord(Reply):
    """A seal of the register; `seal` and the certificates are there when it was asked for alone."""

    id: str
    organ: str
    sort: str
    name: str
    holder: str | None
    keeper: str
    state: str
    reason: str | None
    sha256: str
    valid_from: datetime
    valid_until: datetime
    created: datetime
    changed: datetime
    replaces: str | None
    certificates: list[str]
    width: int | None = None
    height: int | None = None
    seal: str | None = None
    certificates_pem: list[str] = Field(default_factory=list)

    def load(self) -> Seal:
        """What its maker signed; raises ValueError when it is not there."""
        if self.seal is None:
            raise ValueError(f"no structure came with the seal {self.id}")
        return read(b64decode(self.seal))

    def certificate(self, suite: str) -> Certificate:
        """The certificate of this suite that may use it; raises ValueError when there is none."""
        for each in self.certificates_pem:
            certificate = Certificate.load(each.encode())
            if certificate.public_key.suite.name == suite:
                return certificate
        raise ValueError(f"the seal {self.id} has no {suite} certificate")


class SealUse(Reply):
    """One use of a seal."""

    id: str
    seal: str
    organ: str
    subject: str
    title: str
    approval: str
    approved_by: str
    impressions: int
    person: str
    post: str | None
    begun: datetime
    times: int
    finished: datetime | None
    sha256: str | None
    sm3: str | None


class Seals:
    """Calls about seals."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, **query: str) -> Iterator[SealRecord]:
        """The seals of an organ and those below, the newest first: organ, state, sort, name (part of one)."""
        return (SealRecord.model_validate(each) for each in self._connection.pages(f"{_PATH}/seals", query))

    def show(self, seal: str) -> SealRecord:
        """One seal with its structure and certificates; raises SealUnknown (`seal.unknown`)."""
        return SealRecord.model_validate(self._connection.json("GET", f"{_PATH}/seals/{segment(seal)}"))

    def of_organ(self, organ: str) -> SealRecord:
        """The seal that an organ uses; raises NoSealOfOrgan (`seal.none_of_organ`)."""
        answer = self._connection.json("GET", f"{_PATH}/organs/{segment(organ)}/seal")
        return SealRecord.model_validate(answer)

    def suspend(self, seal: str, reason: str) -> SealRecord:
        """Take a seal out of use at once: lost, compromised, organ-ended, left-office or damaged."""
        return self._post(f"seals/{segment(seal)}/suspension", {"reason": reason})

    def hand_over(self, seal: str, post: str) -> SealRecord:
        """Another post of the organ keeps it from here on."""
        return self._post(f"seals/{segment(seal)}/keeper", {"post": post})

    def status_list(self) -> bytes:
        """How the seals of this site stand, signed by their maker, for `yinxin.crypto.seal.standing`."""
        return b64decode(self._connection.json("GET", f"{_PATH}/status-list")["list_base64"])

    def uses(self, **query: str) -> Iterator[SealUse]:
        """Uses, the newest first: organ, seal, person, subject, since, until."""
        return (SealUse.model_validate(each) for each in self._connection.pages(f"{_PATH}/uses", query))

    def begin(self, seal: str, *, subject: str, title: str, approval: str, impressions: int = 1) -> "SealUse":
        """Begin a use: on what (`document:…`), and which audit entry approved it. Safe to repeat."""
        body = {"subject": subject, "title": title, "approval": approval, "impressions": impressions}
        answer = self._connection.json("POST", f"{_PATH}/seals/{segment(seal)}/uses", json=body)
        return SealUse.model_validate(answer)

    def signer(self, use: str, public_key: PublicKey) -> "SealSigner":
        """A `yinxin.crypto` Signer with the seal's key that `public_key` verifies, for as long as the use is open."""
        return SealSigner(self, use, public_key)

    def sign(self, use: str, suite: str, digest: bytes) -> bytes:
        """The seal's signature over `digest` (for SM2, e = SM3(ZA ‖ M)), DER."""
        body = {"suite": suite, "digest_base64": b64encode(digest).decode()}
        answer = self._connection.json("POST", f"{_PATH}/uses/{segment(use)}/signatures", json=body)
        return b64decode(answer["signature_base64"])

    def finish(self, use: str, *, sha256: str, sm3: str) -> SealUse:
        """Say what came out, by its digests: the use signs nothing more."""
        body = {"sha256": sha256, "sm3": sm3}
        answer = self._connection.json("POST", f"{_PATH}/uses/{segment(use)}/result", json=body)
        return SealUse.model_validate(answer)

    def _post(self, path: str, body: dict[str, Any]) -> SealRecord:
        return SealRecord.model_validate(self._connection.json("POST", f"{_PATH}/{path}", json=body))


class SealSigner:
    """Signs as a seal, within one use of it; only digests travel."""

    def __init__(self, seals: Seals, use: str, public_key: PublicKey) -> None:
        self._seals = seals
        self._use = use
        self.public_key = public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, verified here before it is used; raises BadSignature."""
        digest = self.public_key.prehash(message)
        signature = self._seals.sign(self._use, self.public_key.suite.name, digest)
        self.public_key.verify(signature, message, what=self._use)
        return signature
