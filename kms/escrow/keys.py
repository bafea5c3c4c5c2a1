"""An encryption key: made and wrapped at once, opened for the moment of use. Nothing here takes a key from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from kms.escrow.errors import NotAnEncryptionKey
from kms.escrow.models import Standing, UserKeyRow
from kms.info import KeyInfo, Wrapped
from kms.token import Token
from kms.wrap import unwrap_octets, wrap_octets
from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.suite import INTL, Suite, suite
from yinxin.store import Store

#: the kinds of key that are kept, and the suite each is the encryption key of
ALGORITHMS: dict[str, str] = {"ecdsa-p256": "intl", "sm2": "sm"}


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
            "created": rfc3339(self.created),
            "given": rfc3339(self.given) if self.given else None,
        }


def suite_of(algorithm: str) -> Suite:
    """The suite of a kind of encryption key; raises NotAnEncryptionKey."""
    if algorithm not in ALGORITHMS:
        raise NotAnEncryptionKey(algorithm=algorithm[:40], known=", ".join(ALGORITHMS))
    return suite(ALGORITHMS[algorithm])


def make(store: Store, token: Token, kek: KeyInfo, algorithm: str) -> UserKeyRow:
    """A new key on standby, as a row to be stored; raises NotAnEncryptionKey, or as `Token.use`."""
    key = PrivateKey.generate(suite_of(algorithm))
    id_, spki = store.identifier(), key.public_key.spki
    pkcs8 = key.pkcs8()
    try:
        wrapped = wrap_octets(token, kek, _bound(id_, algorithm, kek.label), pkcs8, store.randomness)
    finally:
        cleanse(pkcs8)
    return UserKeyRow(
        id=id_,
        algorithm=algorithm,
        standing=Standing.STANDBY.value,
        spki=spki,
        spki_digest=INTL.hash.digest(spki).hex(),
        kek=wrapped.kek,
        nonce=wrapped.nonce,
        blob=wrapped.blob,
        created=store.clock.now(),
    )


@contextmanager
def opened(token: Token, kek: KeyInfo, key: UserKey) -> Iterator[PrivateKey]:
    """The private key, for the moment of use; raises WrappedKeyAltered, or as `Token.use`."""
    bound = _bound(key.id, key.algorithm, kek.label)
    pkcs8 = unwrap_octets(token, kek, bound, key.wrapped, key.id)
    try:
        private = PrivateKey.load(pkcs8, proved=True)
    finally:
        cleanse(pkcs8)
    yield private


def _bound(id_: str, algorithm: str, kek: str) -> bytes:
    """The additional authenticated data: a ciphertext moved to another row does not open.

    The holder is not in it: a key is made before anybody knows whose it will be. That a row's holder is not changed
    later is what the log proves.
    """
    return canonical.encode({"v": 1, "type": "kms.user-key", "id": id_, "algorithm": algorithm, "kek": kek})
