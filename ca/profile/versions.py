"""The versions of a profile that certificates were ever made by, beside the one in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ca.context import Context
from ca.errors import UnknownVersion
from ca.models import CertificateRow, ProfileRow
from ca.profile.model import Profile
from yinxin.clock import rfc3339

#: digits of a hash that name a version well enough
_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a profile: how many issuances it had, and when; none yet when only in force."""

    profile: str
    hash: str
    in_force: bool
    issuances: int
    first: datetime | None
    last: datetime | None

    def fields(self) -> dict[str, Any]:
        """For commands."""
        first, last = (rfc3339(each) if each else None for each in (self.first, self.last))
        return {
            "profile": self.profile,
            "hash": self.hash,
            "in_force": self.in_force,
            "issuances": self.issuances,
            "first": first,
            "last": last,
        }


def versions(ctx: Context, name: str | None = None) -> Sequence[Version]:
    """Every version of one profile, or of all, by name and then the newest first; raises UnknownProfile."""
    row, made = ProfileRow, CertificateRow
    query = (
        sa.select(row.name, row.hash, sa.func.count(made.serial), sa.func.min(made.created), sa.func.max(made.created))
        .outerjoin(made, made.profile_hash == row.hash)
        .group_by(row.name, row.hash)
    )  # fmt: skip
    if name is not None:
        query = query.where(row.name == name)
    in_force = {each.hash: each for each in ctx.profiles.values() if name in (None, each.name)}
    with ctx.store.read() as session:
        found = {
            each.hash: Version(each.name, each.hash, each.hash in in_force, *each[2:])
            for each in session.execute(query)
        }
    for hash_, profile in in_force.items():
        found.setdefault(hash_, Version(profile.name, hash_, True, 0, None, None))
    if name is not None and not found:
        ctx.profiles[name]  # raises UnknownProfile
    newest_first = sorted(
        found.values(), key=lambda each: rfc3339(each.last) if each.last else "", reverse=True
    )
    return sorted(newest_first, key=lambda each: (each.profile, not each.in_force))


def version(ctx: Context, name: str, hash_: str = "") -> Profile:
    """The profile in force, or a version ever used by (the beginning of) its hash; raises UnknownProfile, UnknownVersion."""
    if not hash_:
        return ctx.profiles[name]
    known = [each for each in versions(ctx, name) if each.hash.startswith(hash_.lower())]
    if len(known) != 1 or len(hash_) < _SHORTEST:
        raise UnknownVersion(profile=name[:60], version=hash_[:64])
    return stored(ctx, known[0].hash) or ctx.profiles[name]


def stored(ctx: Context, hash_: str) -> Profile | None:
    """The version of a hash as the database keeps it; None when no certificate was ever made by it."""
    with ctx.store.read() as session:
        row = session.get(ProfileRow, hash_)
    return None if row is None else Profile.model_validate_json(row.data)


def made_by(ctx: Context, row: CertificateRow) -> Profile:
    """The profile of a certificate: the one in force, or the version it was made by where none of that name is left.

    A profile of the installation's own may be taken out of its folder; its certificates stay, and are revoked as others are.
    """
    if row.profile in ctx.profiles:
        return ctx.profiles[row.profile]
    return stored(ctx, row.profile_hash) or ctx.profiles[row.profile]


def difference(old: Profile, new: Profile) -> Mapping[str, tuple[Any, Any]]:
    """What differs, by field: (in the old one, in the new one)."""
    before, after = (each.model_dump(mode="json") for each in (old, new))
    return {field: (before[field], after[field]) for field in after if before[field] != after[field]}
