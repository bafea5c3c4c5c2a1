"""Who signs: an authority's name, key and certificate, as issuance, revocation lists and linting need them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.errors import AuthorityRetired, AuthorityRevoked, UnknownAuthority
from ca.hierarchy.models import TakenCertificate, Use
from ca.models import AuthorityRow, CertificateRow
from ca.settings import CaSettings
from yinxin.clock import rfc3339
from yinxin.crypto.alternative import key_of
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PublicKey, Signer
from yinxin.crypto.names import Name
from yinxin.crypto.suite import SignatureAlgorithm, Suite
from yinxin.store import Sql, Store, Within


class Keys(Protocol):
    """Where keys live: the key centre, or a soft stand-in for a dry run."""

    def signer(self, label: str) -> Signer:
        """The signer of this label; raises when there is none, or it cannot sign now."""
        ...


@dataclass(frozen=True)
class SecondKey:
    """An authority's other key, for alternative signatures (X.509 9.8)."""

    public_key: PublicKey
    signer: Callable[[], Signer] = field(repr=False, compare=False)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """How it signs."""
        return self.public_key.signature_algorithm


def second_label(label: str) -> str:
    """Label of the second key of the authority whose first one is labelled so."""
    return f"{label}-alt"


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
    #: name of the line of generations it belongs to: that of the first; empty before it is registered
    line: str = ""
    #: what makes alternative signatures, where it has such a key
    second: SecondKey | None = None
    #: how many of its lists are full; only the answer of `Issuers.issuing` knows it
    lists_full: int = 0

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """How it signs: what fits its key, which need not be its suite's own kind."""
        return self.public_key.signature_algorithm

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


def addresses(settings: CaSettings, issuer: Issuer, shard: int = 0) -> Addresses:
    """What certificates signed by `issuer` say: a root has no OCSP responder, and itself no addresses at all.

    `shard` is the list they name; 0 is the whole list.
    """
    if issuer.certificate is None:
        return Addresses()
    url, name = settings.public_url, issuer.name
    ocsp = () if issuer.certificate.is_self_issued else (f"{url}/ocsp",)
    crl = f"{url}/crl/{name}/{shard}.crl" if shard else f"{url}/crl/{name}.crl"
    return Addresses((crl,), ocsp, (f"{url}/ca/{name}.crt",))


class Issuers:
    """The authorities of this installation; what is once made never changes, so it is kept in memory.

    What does change, the generation that signs and whether it still may, is asked of the tables each time.
    """

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self.keys = keys
        self._known: dict[str, Issuer] = {}
        self._lock = Lock()

    def get(self, name: str) -> Issuer:
        """The authority of this very name, for status; raises UnknownAuthority, also while it has no certificate."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._load(name)
            return self._known[name]

    def issuing(self, name: str) -> Issuer:
        """The generation that signs new certificates now: of a line, or one that is named exactly.

        Raises UnknownAuthority, AuthorityRetired, AuthorityRevoked.
        """
        now = self._store.clock.now()
        with self._store.look() as look:
            row = _generation(look, name, now)
            if row is None:
                raise UnknownAuthority(name=name[:60])
            _may_sign(row, now)
        return replace(self.get(row.name), lists_full=row.lists_full)

    def may_sign(self, name: str, *, status: bool = False) -> None:
        """This very authority signs certificates; with `status` its helpers', for which it may be retired.

        Raises UnknownAuthority, AuthorityRetired, AuthorityRevoked.
        """
        with self._store.look() as look:
            row = _ITSELF.first(look, {"name": name})
        if row is None:
            raise UnknownAuthority(name=name[:60])
        _may_sign(row, self._store.clock.now(), status=status)

    def names(self) -> tuple[str, ...]:
        """The authorities that have their certificate, by name."""
        with self._store.look() as look:
            return tuple(_NAMES.scalars(look, {}))

    def line(self, name: str) -> tuple[str, ...]:
        """The generations of a line that have their certificate, newest first."""
        with self._store.look() as look:
            return tuple(_LINE.scalars(look, {"line": name}))

    def of_key(self, key_id: bytes) -> Issuer | None:
        """The authority whose subject key identifier this is."""
        return next((each for each in map(self.get, self.names()) if each.key_id == key_id), None)

    def _load(self, name: str) -> Issuer:
        with self._store.read() as session:
            row = session.get(AuthorityRow, name)
            chain = _chain(session, row) if row is not None else None
        if row is None or chain is None:
            raise UnknownAuthority(name=name[:60])
        certificate, *above = chain
        if row.parent is not None and not above:
            above.extend(self._chain_of(row.parent))
        label, second = row.key_label, key_of(certificate)
        return Issuer(
            name=name,
            suite=certificate.public_key.suite,
            subject=certificate.subject,
            public_key=certificate.public_key,
            certificate=certificate,
            chain=(certificate, *above),
            signer=lambda: self.keys.signer(label),
            line=row.line,
            second=self._second(second, label),
        )

    def _second(self, key: PublicKey | None, label: str) -> SecondKey | None:
        return SecondKey(key, lambda: self.keys.signer(second_label(label))) if key else None

    def _chain_of(self, name: str) -> tuple[Certificate, ...]:
        if name not in self._known:
            self._known[name] = self._load(name)
        return self._known[name].chain


def _made() -> sa.ColumnElement[bool]:
    made = cast("sa.Table", AuthorityRow.__table__).c
    return sa.or_(made.serial.is_not(None), made.adopted.is_not(None))


def _generation(within: Within, name: str, now: datetime) -> Any | None:
    """The newest generation of the line that is in its time; without one of that name, the authority itself."""
    newest = _NEWEST.first(within, {"name": name, "now": now})
    return newest or _NAMED.first(within, {"name": name})


def _may_sign(row: Any, now: datetime, *, status: bool = False) -> None:
    if row.retired_at is not None and row.retired_at <= now and not status:
        raise AuthorityRetired(name=row.name, since=rfc3339(row.retired_at))
    if (since := row.revoked_at if row.serial is not None else row.ended_at) is not None:
        raise AuthorityRevoked(name=row.name, since=rfc3339(since))


_AUTHORITY, _OWN, _TAKEN = (
    cast("sa.Table", each.__table__) for each in (AuthorityRow, CertificateRow, TakenCertificate)
)
#: an authority, and whether its own certificate was revoked or the one it was given has ended
_STANDING = (
    sa.select(
        _AUTHORITY.c.name,
        _AUTHORITY.c.retired_at,
        _AUTHORITY.c.lists_full,
        _OWN.c.serial,
        _OWN.c.revoked_at,
        _TAKEN.c.ended_at,
    )
    .outerjoin_from(_AUTHORITY, _OWN, _OWN.c.serial == _AUTHORITY.c.serial)
    .outerjoin(
        _TAKEN,
        sa.and_(_TAKEN.c.authority == _AUTHORITY.c.name, _TAKEN.c.fingerprint == _AUTHORITY.c.adopted),
    )
)
_OF_NAME = _STANDING.where(_AUTHORITY.c.name == sa.bindparam("name"))
_ITSELF, _NAMED = Sql(_OF_NAME), Sql(_OF_NAME.where(_made()))
_NAMES = Sql(sa.select(_AUTHORITY.c.name).where(_made()).order_by(_AUTHORITY.c.name))
_LINE = Sql(
    sa.select(_AUTHORITY.c.name)
    .where(_AUTHORITY.c.line == sa.bindparam("line"), _made())
    .order_by(_AUTHORITY.c.generation.desc())
)
_NEWEST = Sql(
    _STANDING.where(
        _AUTHORITY.c.line == sa.bindparam("name"),
        _made(),
        sa.or_(_AUTHORITY.c.active_from.is_(None), _AUTHORITY.c.active_from <= sa.bindparam("now")),
    )
    .order_by(_AUTHORITY.c.generation.desc())
    .limit(1)
)


def _chain(session: Session, row: AuthorityRow) -> list[Certificate] | None:
    """Its own certificate, and with one from outside those above; None while it has none."""
    if row.serial is not None:
        own = session.get(CertificateRow, row.serial)
        return [Certificate(own.der)] if own is not None and own.der is not None else None
    if row.adopted is None:
        return None
    query = sa.select(TakenCertificate).where(TakenCertificate.authority == row.name)
    taken = {each.fingerprint: each for each in session.scalars(query)}
    chain = [Certificate(taken[row.adopted].der)]
    above = [Certificate(each.der) for each in taken.values() if each.use != Use.OWN]
    while not chain[-1].is_self_issued:
        nearest = next((each for each in above if issues(each, chain[-1]) and each not in chain), None)
        if nearest is None:
            break
        chain.append(nearest)
    return chain


def issues(above: Certificate, below: Certificate) -> bool:
    """Whether `above` is by name and key identifier the issuer of `below`; the signature was verified when it came in."""
    return above.subject == below.issuer and below.authority_key_id in (None, above.subject_key_id)
