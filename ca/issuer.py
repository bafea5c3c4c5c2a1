"""Who signs: an authority's name, key and certificate, as issuance, revocation lists and linting need them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Protocol

import sqlalchemy as sa

from ca.errors import UnknownAuthority
from ca.models import AuthorityRow, CertificateRow
from ca.settings import CaSettings
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PublicKey, Signer
from yinxin.crypto.names import Name
from yinxin.crypto.suite import Suite
from yinxin.store import Store


class Keys(Protocol):
    """Where keys live: the key centre, or a soft stand-in for a dry run."""

    def signer(self, label: str) -> Signer:
        """The signer of this label; raises when there is none, or it cannot sign now."""
        ...


@dataclass(frozen=True)
class Issuer:
    """An authority that can sign. Its own certificate is missing only while it signs that certificate itself."""

    name: str
    suite: Suite
    subject: Name
    public_key: PublicKey
    certificate: Certificate | None
    #: from the authority's own certificate up to the root
    chain: tuple[Certificate, ...]
    signer: Callable[[], Signer] = field(repr=False, compare=False)

    @property
    def key_id(self) -> bytes:
        """Its subject key identifier."""
        return self.public_key.key_id

    @property
    def not_after(self) -> datetime | None:
        """The last instant of its own validity; None while it has no certificate."""
        return self.certificate.not_after if self.certificate else None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where readers of a certificate find its issuer's list, answers and certificate."""

    crl: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()
    issuer: tuple[str, ...] = ()


def addresses(settings: CaSettings, issuer: Issuer) -> Addresses:
    """What certificates signed by `issuer` say: a root has no OCSP responder, and itself no addresses at all."""
    if issuer.certificate is None:
        return Addresses()
    url, name = settings.public_url, issuer.name
    ocsp = () if issuer.certificate.is_self_issued else (f"{url}/ocsp",)
    return Addresses((f"{url}/crl/{name}.crl",), ocsp, (f"{url}/ca/{name}.crt",))


class Issuers:
    """The authorities of this installation; what is once made never changes, so it is kept in memory."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self.keys = keys
        self._known: dict[str, Issuer] = {}
        self._lock = Lock()

    def get(self, name: str) -> Issuer:
        """The authority of this name; raises UnknownAuthority, also while its certificate is not issued."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._load(name)
            return self._known[name]

    def names(self) -> tuple[str, ...]:
        """The authorities that have their certificate, by name."""
        with self._store.read() as session:
            query = sa.select(AuthorityRow.name).where(AuthorityRow.serial.is_not(None))
            return tuple(session.scalars(query.order_by(AuthorityRow.name)))

    def of_key(self, key_id: bytes) -> Issuer | None:
        """The authority whose subject key identifier this is."""
        return next((each for each in map(self.get, self.names()) if each.key_id == key_id), None)

    def _load(self, name: str) -> Issuer:
        with self._store.read() as session:
            row = session.get(AuthorityRow, name)
            own = session.get(CertificateRow, row.serial) if row and row.serial else None
        if row is None or own is None or own.der is None:
            raise UnknownAuthority(name=name[:60])
        certificate = Certificate(own.der)
        above = () if row.parent is None else self._chain_of(row.parent)
        label = row.key_label
        return Issuer(
            name=name,
            suite=certificate.public_key.suite,
            subject=certificate.subject,
            public_key=certificate.public_key,
            certificate=certificate,
            chain=(certificate, *above),
            signer=lambda: self.keys.signer(label),
        )

    def _chain_of(self, name: str) -> tuple[Certificate, ...]:
        if name not in self._known:
            self._known[name] = self._load(name)
        return self._known[name].chain
