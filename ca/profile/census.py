"""How many certificates the versions of the profiles have, in one part of the tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from authz.directory.tree import reached
from ca.models import CertificateRow, ProfileRow, State
from yinxin.store import Store


@dataclass(frozen=True, slots=True)
class Counted:
    """A version of a profile: how many certificates it was for, how many of them are in force, and when the first and last were."""

    profile: str
    hash: str
    issued: int
    in_force: int
    first: datetime
    last: datetime


def counted(store: Store, organ: str, profile: str | None = None) -> Sequence[Counted]:
    """Of an organ and those below it; of one profile, or of all. Versions without a certificate there are left out."""
    row, now = CertificateRow, store.clock.now()
    standing = sa.and_(row.revoked_at.is_(None), row.not_after >= now)
    with store.read() as session:
        organs = sorted({organ, *session.scalars(reached(organ))})
        query = (
            sa.select(
                row.profile,
                row.profile_hash,
                sa.func.count(),
                sa.func.sum(sa.case((standing, 1), else_=0)),
                sa.func.min(row.created),
                sa.func.max(row.created),
            )
            .where(row.organ.in_(organs), row.state == State.ISSUED)
            .group_by(row.profile, row.profile_hash)
        )
        if profile is not None:
            query = query.where(row.profile == profile)
        return [Counted(*each) for each in session.execute(query)]


def hashes(store: Store) -> Sequence[tuple[str, str]]:
    """(profile, hash) of every version that a certificate was ever made by, anywhere."""
    query = sa.select(ProfileRow.name, ProfileRow.hash).order_by(ProfileRow.name, ProfileRow.hash)
    with store.read() as session:
        return [(each.name, each.hash) for each in session.execute(query)]
