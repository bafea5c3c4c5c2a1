"""The ways from an authority to an anchor: its own root, another generation's, an outside authority's.

After a rollover, a cross-certification or an adoption there is more than one; a client takes the one whose anchor it
trusts. All of them are handed out: EST's cacerts, CMP, ACME's alternate links, `/ca/<name>.p7c`.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import cast

import sqlalchemy as sa

from ca.context import Context
from ca.hierarchy.models import TakenCertificate
from ca.issuer import issues
from ca.models import CertificateRow, State
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError
from yinxin.store import Sql, listed

#: certificates in a chain, and chains of an authority: more is no honest hierarchy
DEEPEST = 8
MOST = 32


def chains(ctx: Context, name: str) -> tuple[tuple[Certificate, ...], ...]:
    """Every chain from the authority's certificate to a root, each from below; the one to our own root first.

    Only certificates in force: not revoked by us, not ended by a ceremony, not expired. Raises UnknownAuthority.
    """
    own = ctx.issuers.get(name).chain
    return _chains(own, in_force(ctx)) if own else ()


@lru_cache(maxsize=64)
def _chains(
    own: tuple[Certificate, ...], pool: tuple[Certificate, ...]
) -> tuple[tuple[Certificate, ...], ...]:
    """The chains that certificates in force make, `own` first: from the same ones they are always the same, and every client asks."""
    found = [chain for first in pool if _same(first, own[0]) for chain in _upwards((first,), pool)]
    found.sort(key=lambda chain: (chain != own, len(chain), chain[-1].fingerprint))
    return tuple(found[:MOST])


def collection(ctx: Context, name: str) -> tuple[Certificate, ...]:
    """Every certificate of these chains once, in their order."""
    return tuple(dict.fromkeys(each for chain in chains(ctx, name) for each in chain))


def in_force(ctx: Context) -> tuple[Certificate, ...]:
    """Every certificate in force whose holder is an authority: ours, links, cross-certificates, those taken in."""
    now = ctx.store.clock.now()
    profiles = [profile.name for profile in ctx.profiles.values() if profile.ca]
    with ctx.store.look() as look:
        found = [*_ISSUED.scalars(look, {"profiles": profiles}), *_TAKEN.scalars(look, {})]
    unique = dict.fromkeys(map(_read, found))
    return tuple(each for each in unique if each.not_before <= now <= each.not_after)


@lru_cache(maxsize=256)
def _read(der: bytes) -> Certificate:
    """A certificate of an authority, of which there are few and for which every client asks."""
    return Certificate(der)


_OWN, _GIVEN = (cast("sa.Table", each.__table__).c for each in (CertificateRow, TakenCertificate))
_ISSUED = Sql(
    sa.select(_OWN.der)
    .where(listed(_OWN.profile, "profiles"), _OWN.state == State.ISSUED, _OWN.revoked_at.is_(None))
    .order_by(_OWN.created)
)
_TAKEN = Sql(
    sa.select(_GIVEN.der).where(_GIVEN.ended_at.is_(None)).order_by(_GIVEN.created, _GIVEN.fingerprint)
)


def _upwards(
    chain: tuple[Certificate, ...], pool: Sequence[Certificate]
) -> Iterator[tuple[Certificate, ...]]:
    last = chain[-1]
    if last.issuer == last.subject and last.authority_key_id in (None, last.subject_key_id):
        yield chain
        return
    for above in pool if len(chain) < DEEPEST else ():
        if any(_same(above, each) for each in chain) or not issues(above, last):
            continue
        try:
            last.issued_by(above)
        except YinxinError:
            continue
        yield from _upwards((*chain, above), pool)


def _same(one: Certificate, other: Certificate) -> bool:
    """Whether both are certificates of one authority and key: a way that came by there need not come by again."""
    return one.subject == other.subject and one.public_key == other.public_key
