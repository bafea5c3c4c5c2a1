"""The authority's own helpers that sign: OCSP responders and timestamp units, found by their certificates.

A service's holder identifier is the label of its key, so that a renewed certificate is found without configuration.
"""

from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from ca.context import Context
from ca.errors import StatusUnavailable
from ca.issuer import Issuer
from ca.models import CertificateRow, State
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer
from yinxin.store import Sql


@dataclass(frozen=True)
class Service:
    """A certificate of a service, the key that goes with it, and the certificates above."""

    certificate: Certificate
    chain: tuple[Certificate, ...]
    signer: Signer


_ROW = cast("sa.Table", CertificateRow.__table__).c
_OF_PROFILE = Sql(
    sa.select(
        _ROW.authority,
        _ROW.state,
        _ROW.revoked_at,
        _ROW.not_before,
        _ROW.not_after,
        _ROW.der,
        _ROW.holder,
    ).where(_ROW.profile == sa.bindparam("profile"))
)
#: helpers that may only speak for the very generation that certified them (RFC 6960 4.2.2.2)
_OF_ONE_GENERATION = ("ocsp-responder",)


def service(ctx: Context, profile: str, issuer: Issuer) -> Service:
    """The newest valid service certificate of this profile from `issuer`; raises StatusUnavailable when there is none.

    A helper that any generation may have certified is looked for in the whole line.
    """
    now = ctx.store.clock.now()
    names = (issuer.name,) if profile in _OF_ONE_GENERATION else ctx.issuers.line(issuer.line)
    # asked by the profile alone, of which there are a few dozen: with more said, a database that knows no better reads all
    # certificates in force of the authority instead
    with ctx.store.look() as look:
        rows = _OF_PROFILE.all(look, {"profile": profile})
    usable = [
        row
        for row in rows
        if row.authority in names
        and row.state == State.ISSUED
        and row.revoked_at is None
        and row.not_before <= now <= row.not_after
    ]
    if not usable:
        raise StatusUnavailable(authority=issuer.name, reason=profile)
    row = max(usable, key=lambda each: each.not_before)
    return Service(
        Certificate(row.der or b""), ctx.issuers.get(row.authority).chain, ctx.issuers.keys.signer(row.holder)
    )
