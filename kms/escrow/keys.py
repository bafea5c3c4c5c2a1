"""An encryption key: made and wrapped at once, opened for the moment of use. Nothing here takes a key from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from kms.engine import Engine
from kms.engine.gcm import NONCE
from kms.escrow.errors import NotAnEncryptionKey
from kms.escrow.models import Standing, UserKeyRow, Why
from kms.generation.held import Held
from kms.info import KeyInfo, Wrapped
from kms.models import EncryptionAlgorithm
from kms.wrap import unwrap_octets
from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.suite import INTL
from yinxin.store import Store

#: the kinds of key that are kept, and the suite each is the encryption key of
ALGORITHMS: dict[EncryptionAlgorithm, str] = {
    "ecdsa-p256": "intl",
    "rsa-3072": "intl",
    "rsa-4096": "intl",
    "sm2": "sm",
    "ml-kem-768": "pq",
    "ml-kem-1024": "pq",
}


@dataclass(frozen=True, slots=True)
class UserKey:
    """An encryption key of a holder: everything but its secret."""

    id: str
    algorithm: str
    standing: Standing
    public_key: PublicKey
    reference: str | None
    holder_kind: str | None
    holder: str | None
    organ: str | None
    created: datetime
    given: datetime | None
    certificate: str | None
    expires: datetime | None
    ended: datetime | None
    why: Why | None
    keep_until: datetime | None
    wrapped: Wrapped = field(repr=False)

    @classmethod
    def of(cls, row: UserKeyRow) -> Self:
        """The key in this row."""
        return cls(
            id=row.id,
            algorithm=row.algorithm,
            standing=Standing(row.standing),
            public_key=PublicKey.load(row.spki),
            reference=row.reference,
            holder_kind=row.holder_kind,
            holder=row.holder,
            organ=row.organ,
            created=row.created,
            given=row.given,
            certificate=row.certificate,
            expires=row.expires,
            ended=row.ended,
            why=Why(row.why) if row.why else None,
            keep_until=row.keep_until,
            wrapped=Wrapped(row.kek, row.nonce, row.blob),
        )

    def fields(self) -> dict[str, Any]:
        """The key as JSON: identifiers and public facts."""
        return {
            "id": self.id,
            "algorithm": self.algorithm,
            "standing": self.standing.value,
            "holder": f"{self.holder_kind}:{self.holder}" if self.holder else None,
            "organ": self.organ,
            "key": INTL.hash.digest(self.public_key.spki).hex(),
            "certificate": self.certificate,
            "created": rfc3339(self.created),
            "given": _instant(self.given),
            "expires": _instant(self.expires),
            "ended": _instant(self.ended),
            "why": self.why.value if self.why else None,
            "keep_until": _instant(self.keep_until),
        }


def _instant(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None


def encryption_algorithm(algorithm: str) -> EncryptionAlgorithm:
    """The kind of key that is kept, of this name; raises NotAnEncryptionKey for one that only signs."""
    for known in ALGORITHMS:
        if known == algorithm:
            return known
    raise NotAnEncryptionKey(algorithm=algorithm[:40], known=", ".join(ALGORITHMS))


def make(store: Store, engine: Engine, kek: KeyInfo, algorithm: EncryptionAlgorithm) -> UserKeyRow:
    """A new key on standby, as a row to be stored; raises as `Token.use`."""
    id_, nonce = store.identifier(), store.randomness.token(NONCE)
    bound = _bound(id_, algorithm, kek.label)
    spki, blob = engine.make_protected(kek.reference, algorithm, nonce, bound)
    return UserKeyRow(
        id=id_,
        algorithm=algorithm,
        standing=Standing.STANDBY.value,
        spki=spki,
        spki_digest=INTL.hash.digest(spki).hex(),
        kek=kek.label,
        nonce=nonce,
        blob=blob,
        created=store.clock.now(),
    )


@contextmanager
def opened(engine: Engine, kek: KeyInfo, key: UserKey) -> Iterator[PrivateKey]:
    """The private key, for the moment of use; raises WrappedKeyAltered, or as `Token.use`."""
    bound = _bound(key.id, key.algorithm, kek.label)
    pkcs8 = unwrap_octets(engine, kek, bound, key.wrapped, key.id)
    try:
        private = PrivateKey.load(pkcs8, proved=True)
    finally:
        cleanse(pkcs8)
    yield private


def _bound(id_: str, algorithm: str, kek: str) -> bytes:
    """The additional authenticated data: a ciphertext moved to another row does not open.

    The holder is not in it: a key is made before anybody knows whose it will be. Whose it is, the certificate over it says:
    whoever makes envelopes asks that (`Enveloper.certified`), and the log proves that a row was not changed.
    """
    return canonical.encode({"v": 1, "type": "kms.user-key", "id": id_, "algorithm": algorithm, "kek": kek})


#: how the ciphertexts of the library are bound, for rewrapping
HELD = Held(UserKeyRow, lambda row, kek: _bound(row.id, row.algorithm, kek))
