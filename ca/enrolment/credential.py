"""Enrolment credentials: granted by an officer, proved by a protocol's client, withdrawn at will."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.enrolment.errors import CredentialRefused, CredentialSpent, CredentialWithdrawn, UnknownCredential
from ca.enrolment.models import CredentialRow, Protocol
from ca.profile import HolderKind
from kms.generation import Held, in_context
from kms.info import Wrapped
from kms.service import KeyCentre
from yinxin.act import Actor, Kind
from yinxin.clock import rfc3339
from yinxin.store import Sql, Store

GRANT = "ca.grant-credential"
WITHDRAW = "ca.withdraw-credential"
#: what stands before a credential's identifier where it acts
BY_CREDENTIAL = "credential:"
#: octets of a secret: the key size of HMAC-SHA-256 (RFC 2104 section 3)
SECRET = 32
#: what stands for the domains of a credential that gives any host of the installation: said, never left open
ANY_DOMAIN = ("*",)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an officer grants. `expires` is an instant; `uses` None is as many as are asked for until then."""

    protocol: Protocol
    organ: str
    profiles: tuple[str, ...]
    expires: datetime
    holder_kind: HolderKind = "service"
    holder: str | None = None
    post: str | None = None
    #: that host names must lie in, or ANY_DOMAIN
    domains: tuple[str, ...] = ()
    uses: int | None = None

    @property
    def bounds(self) -> tuple[str, ...]:
        """The domains that host names must lie in; empty: whatever the installation allows."""
        return () if self.domains == ANY_DOMAIN else self.domains


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as the protocols see it."""

    id: str
    grant: Grant
    created: datetime
    created_by: str
    withdrawn_at: datetime | None
    wrapped: Wrapped = field(repr=False)

    @classmethod
    def of(cls, row: CredentialRow) -> Self:
        """The credential in this row."""
        kind: Any = row.holder_kind
        grant = Grant(
            protocol=Protocol(row.protocol),
            organ=row.organ,
            profiles=tuple(row.profiles),
            expires=row.expires,
            holder_kind=kind,
            holder=row.holder,
            post=row.post,
            domains=tuple(row.domains),
            uses=row.uses_left,
        )
        wrapped = Wrapped(row.kek, row.nonce, row.blob)
        return cls(row.id, grant, row.created, row.created_by, row.withdrawn_at, wrapped)

    @property
    def actor(self) -> Actor:
        """Who acts when a certificate is had on it: a service of the organ, through its protocol."""
        return Actor(
            Kind.SERVICE, f"{BY_CREDENTIAL}{self.id}", organ=self.grant.organ, via=self.grant.protocol
        )

    @property
    def decision(self) -> Mapping[str, Any]:
        """What an issuance on it rests on: the grant, by whom and when."""
        return {"credential": self.id, "granted_by": self.created_by, "granted": rfc3339(self.created)}

    def fields(self) -> dict[str, Any]:
        """The credential as JSON, without its secret."""
        grant = self.grant
        return {
            "id": self.id,
            "protocol": grant.protocol.value,
            "organ": grant.organ,
            "holder_kind": grant.holder_kind,
            "holder": grant.holder,
            "post": grant.post,
            "profiles": list(grant.profiles),
            "domains": list(grant.domains),
            "uses_left": grant.uses,
            "created": rfc3339(self.created),
            "created_by": self.created_by,
            "expires": rfc3339(grant.expires),
            "withdrawn_at": rfc3339(self.withdrawn_at) if self.withdrawn_at else None,
        }


def spelled(secret: bytes) -> str:
    """A secret as people and configuration files write it: base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def grant(
    store: Store, keys: KeyCentre, actor: Actor, wanted: Grant, record: Any
) -> tuple[Credential, bytes]:
    """A new credential and its secret, which is never shown again; `record` is the decision that permits it."""
    id_, secret = store.identifier(), store.randomness.token(SECRET)
    wrapped = keys.protect(actor, _context(id_), secret)
    row = CredentialRow(
        id=id_,
        protocol=wanted.protocol.value,
        organ=wanted.organ,
        holder_kind=wanted.holder_kind,
        holder=wanted.holder,
        post=wanted.post,
        profiles=list(wanted.profiles),
        domains=list(wanted.domains),
        kek=wrapped.kek,
        nonce=wrapped.nonce,
        blob=wrapped.blob,
        uses_left=wanted.uses,
        created=store.clock.now(),
        created_by=actor.id,
        expires=wanted.expires,
    )
    made = Credential.of(row)
    with store.act(actor, GRANT, f"credential:{id_}", **_facts(made)) as act:
        act.decision = record
        act.session.add(row)
    return made, secret


def withdraw(store: Store, actor: Actor, known: Credential, record: Any) -> None:
    """End a credential now; what was issued on it stands. Raises CredentialWithdrawn."""
    with store.act(actor, WITHDRAW, f"credential:{known.id}") as act:
        act.decision = record
        row = act.session.get_one(CredentialRow, known.id, with_for_update=True)
        if row.withdrawn_at is not None:
            raise CredentialWithdrawn(credential=known.id, at=rfc3339(row.withdrawn_at))
        row.withdrawn_at = store.clock.now()


def find(store: Store, id_: str) -> Credential:
    """The credential of this identifier, in whatever state; raises UnknownCredential."""
    with store.read() as session:
        row = session.get(CredentialRow, id_[:26])
    if row is None:
        raise UnknownCredential(credential=id_[:40])
    return Credential.of(row)


def search(
    store: Store, organs: sa.ColumnElement[bool], *, after: str = "", limit: int = 100
) -> list[Credential]:
    """Credentials by identifier, from the one after `after`; `organs` narrows them."""
    query = sa.select(CredentialRow).where(CredentialRow.id > after, organs)
    with store.read() as session:
        return [Credential.of(row) for row in session.scalars(query.order_by(CredentialRow.id).limit(limit))]


def usable(store: Store, id_: str, protocol: Protocol) -> Credential:
    """The credential, if it may be used now by this protocol; raises CredentialRefused, whatever is wrong with it."""
    with store.look() as look:
        row = _OF_ID.first(look, {"id": id_[:26]})
    now = store.clock.now()
    if row is None or row.protocol != protocol or row.withdrawn_at is not None or row.expires <= now:
        raise CredentialRefused
    return Credential.of(cast("CredentialRow", row))


def spend(session: Session, known: Credential, at: datetime) -> None:
    """Count one certificate, in the transaction that stores it, if the credential is still good there.

    It stays so until that transaction ends: a withdrawal waits for it, or is seen. Raises CredentialRefused when it was withdrawn
    or has expired since it was proved, CredentialSpent.
    """
    # counted first: of two who shared the row each would wait for the other with its change
    spent = known.grant.uses is not None and _SPEND.run(session, {"of": known.id}) != 1
    row = _HELD.first(session, {"id": known.id})
    if row is None or row.withdrawn_at is not None or row.expires <= at:
        raise CredentialRefused
    if spent:
        raise CredentialSpent(credential=known.id)


_ROWS = cast("sa.Table", CredentialRow.__table__)
_OF_ID = Sql(sa.select(_ROWS).where(_ROWS.c.id == sa.bindparam("id")))
_HELD = Sql(
    sa.select(_ROWS.c.withdrawn_at, _ROWS.c.expires)
    .where(_ROWS.c.id == sa.bindparam("id"))
    .with_for_update(read=True)
)
_SPEND = Sql(
    sa.update(_ROWS)
    .where(_ROWS.c.id == sa.bindparam("of"), _ROWS.c.uses_left > 0)
    .values(uses_left=_ROWS.c.uses_left - 1)
)


def secret_of(keys: KeyCentre, known: Credential) -> bytes:
    """Its secret, for computing a MAC; raises WrappedKeyAltered, or what the security module raises."""
    return keys.reveal(_context(known.id), known.wrapped)


def pretend(store: Store, keys: KeyCentre) -> None:
    """Open some secret and let it go: a refusal takes as long as a proof, so no clock tells which credentials exist."""
    with store.read() as session:
        row = session.scalars(sa.select(CredentialRow).limit(1)).first()
    if row is not None:
        secret_of(keys, Credential.of(row))


def proved(keys: KeyCentre, known: Credential, secret: str) -> None:
    """Raise CredentialRefused unless `secret` is the credential's, as it is spelled; in constant time."""
    if not hmac.compare_digest(spelled(secret_of(keys, known)).encode(), secret.encode()):
        raise CredentialRefused


def _context(id_: str) -> dict[str, str]:
    return {"type": "ca.credential", "id": id_}


#: how the secrets of credentials are bound, for rewrapping
HELD = Held(CredentialRow, in_context(lambda row: _context(row.id)))


def _facts(made: Credential) -> dict[str, Any]:
    facts = made.fields()
    return {
        name: facts[name] for name in facts if name not in ("id", "created", "created_by", "withdrawn_at")
    }
