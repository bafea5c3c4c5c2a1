"""The key centre: public keys, and signatures by keys that never leave it."""

from base64 import b64decode, b64encode
from collections.abc import Iterator

from yinxin.client._http import Connection, segment
from yinxin.client.holders import HolderKeys
from yinxin.client.keyring import Keyring
from yinxin.client.kmip import Kmip
from yinxin.crypto.keys import PublicKey
from yinxin.wire import Reply

_PATH = "/api/kms/v1/keys"


class Key(Reply):
    """A key of the centre; `public_key` is DER SubjectPublicKeyInfo in base64, absent for keys that wrap others."""

    label: str
    purpose: str
    algorithm: str
    suite: str
    owner: str
    state: str
    public_key: str | None

    def verifier(self) -> PublicKey:
        """The public key; raises ValueError for a key that has none."""
        if self.public_key is None:
            raise ValueError(f"{self.label} has no public key")
        return PublicKey.load(b64decode(self.public_key))


class Kms:
    """Calls to the key centre."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        #: service keys: encryption, signatures and MACs for systems
        self.keyring = Keyring(connection)
        #: storage and databases that keep their keys here by KMIP
        self.kmip = Kmip(connection)
        #: one's own signing key, and what it signed
        self.holders = HolderKeys(connection)

    def keys(self) -> Iterator[Key]:
        """Every key the caller may see."""
        return (Key.model_validate(item) for item in self._connection.pages(_PATH, {}))

    def key(self, label: str) -> Key:
        """One key; raises KeyUnknown (`kms.key_unknown`)."""
        return Key.model_validate(self._connection.json("GET", f"{_PATH}/{segment(label)}"))

    def sign(self, label: str, digest: bytes, *, purpose: str, subject: str) -> bytes:
        """The signature over `digest` (for SM2, e = SM3(ZA ‖ M); for ML-DSA, μ): DER for ECDSA and SM2, else raw.

        `purpose` is the act it is for (`document.export`), `subject` what is signed (`document:…`); both are recorded. Evidence keys sign
        here; service keys by `keyring`, people's by `holders`, seals by `client.seals`. Raises Denied, KeyUnknown (`kms.key_unknown`).
        """
        body = {"digest_base64": b64encode(digest).decode(), "purpose": purpose, "subject": subject}
        answer = self._connection.json("POST", f"{_PATH}/{segment(label)}/signatures", json=body)
        return b64decode(answer["signature_base64"])

    def signer(self, label: str, *, purpose: str, subject: str) -> "RemoteSigner":
        """A `yinxin.crypto` Signer whose key stays in the centre; only digests travel. Raises Denied, KeyUnknown."""
        return RemoteSigner(self, label, self.key(label).verifier(), purpose, subject)


class RemoteSigner:
    """Signs with one key of the centre, for one recorded purpose and subject."""

    def __init__(self, kms: Kms, label: str, public_key: PublicKey, purpose: str, subject: str) -> None:
        self._kms = kms
        self._label = label
        self._purpose = purpose
        self._subject = subject
        self.public_key = public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, verified here before it is used; raises BadSignature."""
        digest = self.public_key.prehash(message)
        signature = self._kms.sign(self._label, digest, purpose=self._purpose, subject=self._subject)
        self.public_key.verify(signature, message, what=self._subject)
        return signature
