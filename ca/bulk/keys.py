"""Keys that the platform makes for people, for trial sites: each in a PKCS#12 file under a password of its own.

A key is on disk before its certificate is asked for, so that an enrolment that was cut off goes on with the same key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ca.bulk.read import Entry
from ca.issue import Issued
from yinxin import files
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey, Signer
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import Suite
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed
from yinxin.randomness import Randomness


@dataclass(frozen=True)
class KeyFolder:
    """Where the files of one enrolment lie: `NAME.p12` beside `NAME.password`, all 0600 in a folder of 0700."""

    folder: Path
    suite: Suite
    randomness: Randomness

    def prepare(self) -> None:
        """Make the folder; raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def request(self, entry: Entry, now: datetime) -> bytes:
        """A request for the row's key, DER: for the key that was made before, or for a new one, saved first."""
        password_file, pending, done = (self._file(entry, end) for end in ("password", "pending.p12", "p12"))
        if not password_file.exists():
            files.replace(password_file, self.randomness.token(12).hex().encode(), mode=0o600)
        if done.exists():
            key = self._key(done, password_file)
        elif pending.exists():
            key = self._key(pending, password_file)
        else:
            key = PrivateKey.generate(self.suite)
            Identity(key, placeholder(key, f"row {entry.number}", now)).save_p12(
                pending, _password(password_file)
            )
        return CertificationRequest.build(key, {}).der

    def waits(self, entry: Entry) -> bool:
        """Whether a key of this row lies here that has no certificate yet."""
        return entry.csr is None and self._file(entry, "pending.p12").exists()

    def deliver(self, entry: Entry, issued: Issued) -> Path:
        """Put key and certificate together; the pending file goes. Safe to repeat."""
        password_file, pending, done = (self._file(entry, end) for end in ("password", "pending.p12", "p12"))
        if pending.exists():
            key = self._key(pending, password_file)
            Identity(key, issued.certificate, issued.chain).save_p12(done, _password(password_file))
            pending.unlink()
        return done

    def _file(self, entry: Entry, end: str) -> Path:
        post = f".{entry.holder.post}" if entry.holder.post else ""
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in f"{entry.holder.id}{post}")
        return self.folder / f"{name.lstrip('.')}.{entry.profile}.{self.suite.name}.{end}"

    def _key(self, file: Path, password_file: Path) -> PrivateKey:
        key = Identity.load_p12(file, _password(password_file)).key
        if not isinstance(key, PrivateKey):
            raise TypeError("a PKCS#12 file holds a key of this process")
        return key


def _password(file: Path) -> str:
    return file.read_text("utf-8").strip()


def placeholder(key: Signer, owner: str, now: datetime) -> Certificate:
    """A certificate signed by the key itself, good for nothing: PKCS#12 keeps no key without one."""
    name = Name.of({"commonName": f"pending {owner}"})
    at = now.replace(microsecond=0)
    usage = frozenset({"digitalSignature"})
    algorithm = key.public_key.signature_algorithm
    tbs = to_be_signed(
        CertificateTemplate(name, at, at + timedelta(days=1), key_usage=usage),
        spki=key.public_key.spki,
        issuer_name=name,
        issuer_key_id=key.public_key.key_id,
        serial=1,
        algorithm=algorithm,
    )
    return Certificate.load(assemble(tbs, algorithm, key.sign(tbs)))
