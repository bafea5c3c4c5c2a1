"""Finding applications again, and what is shown of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from authz.directory.tree import reached
from ca.context import Context
from ca.models import CertificateRow
from ca.registration.errors import UnknownRegistration, WrongState
from ca.registration.models import STATES, RegistrationRow, State
from yinxin.authz import Resource
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.store import Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; None is anything."""

    #: this organ and all below it
    organ: str | None = None
    state: State | None = None
    applicant: str | None = None
    holder: str | None = None


def find(store: Store, id_: str) -> RegistrationRow:
    """The application of this identifier; raises UnknownRegistration."""
    with store.read() as session:
        row = session.get(RegistrationRow, id_[:40])
    if row is None:
        raise UnknownRegistration(registration=id_[:40])
    return row


def search(store: Store, wanted: Wanted, *, after: str = "", limit: int = 100) -> Sequence[RegistrationRow]:
    """At most `limit` applications by identifier, which is by time, from the one after `after`."""
    row = RegistrationRow
    query = sa.select(row).where(row.id > after)
    for column, value in (
        (row.state, wanted.state),
        (row.applicant, wanted.applicant),
        (row.holder, wanted.holder),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.organ is not None:
        below = reached(wanted.organ)
        query = query.where(sa.or_(row.organ == wanted.organ, row.organ.in_(below)))
    with store.read() as session:
        return session.scalars(query.order_by(row.id).limit(limit)).all()


def certificate_of(ctx: Context, row: RegistrationRow) -> tuple[Certificate, ...]:
    """What came of an application: its certificate and those above it, up to the root; raises WrongState before it is issued."""
    with ctx.store.read() as session:
        found = session.get(CertificateRow, row.serial or "")
    if found is None or found.der is None:
        raise WrongState(registration=row.id, state=STATES[State(row.state)], needed=STATES[State.ISSUED])
    return (Certificate(found.der), *ctx.issuers.get(found.authority).chain)


def resource_of(row: RegistrationRow) -> Resource:
    """An application as policies see it: it belongs to its holder's organ."""
    return Resource(
        "Registration",
        row.id,
        organ=row.organ,
        attributes={
            "profile": row.profile,
            "applicant": row.applicant,
            "person": row.holder if row.holder_kind == "person" else "",
            "vetter": row.vetted_by or "",
        },
    )


def describe(row: RegistrationRow) -> dict[str, Any]:
    """An application as JSON, without its octets."""

    def instant(name: str) -> str | None:
        value = getattr(row, name)
        return rfc3339(value) if value else None

    return {
        "id": row.id,
        "reference": row.reference,
        "state": row.state,
        "profile": row.profile,
        "holder_kind": row.holder_kind,
        "holder": row.holder,
        "post": row.post,
        "organ": row.organ,
        "days": row.days,
        "pair": row.pair,
        "applicant": row.applicant,
        "submitted": rfc3339(row.submitted),
        "expires": rfc3339(row.expires),
        "vetted_by": row.vetted_by,
        "vetted_at": instant("vetted_at"),
        "checks": row.checks,
        "decided_by": row.decided_by,
        "decided_at": instant("decided_at"),
        "reason": row.reason,
        "serial": row.serial,
    }
