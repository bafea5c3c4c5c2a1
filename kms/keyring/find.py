"""Reading the keyring."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.keyring.errors import ServiceKeyUnknown, VersionUnknown
from kms.keyring.key import ServiceKey, Version
from kms.keyring.models import SealedRow, ServiceKeyRow, ServiceKeyVersionRow
from yinxin.premise import Outdated
from yinxin.store import Sql, Store, Within


def find_key(store: Store, name: str) -> ServiceKey | None:
    """The service key of this name, whatever its condition; None when there is none."""
    with store.look() as look:
        row = _NAMED.first(look, {"name": name[:48]})
    return ServiceKey.of(row) if row is not None else None


# every use of a key reads both of these
_KEY = cast("sa.Table", ServiceKeyRow.__table__).c
_NAMED = Sql(sa.select(*_KEY).where(_KEY.name == sa.bindparam("name")))
_VERSION = cast("sa.Table", ServiceKeyVersionRow.__table__).c
_NUMBERED = Sql(
    sa.select(*_VERSION).where(
        _VERSION.key == sa.bindparam("key"), _VERSION.version == sa.bindparam("number")
    )
)


def key_of(store: Store, name: str) -> ServiceKey:
    """As `find_key`; raises ServiceKeyUnknown."""
    found = find_key(store, name)
    if found is None or found.name != name:
        raise ServiceKeyUnknown(name=name[:64])
    return found


@dataclass(eq=False, slots=True)
class KeyUnchanged:
    """A key exactly as it was: its condition, newest and oldest versions, owner and purpose (`yinxin.premise.Premise`)."""

    key: ServiceKey
    row: Any = field(repr=False)

    @classmethod
    def now(cls, store: Store, name: str) -> Self:
        """The key as it is; raises ServiceKeyUnknown."""
        with store.look() as look:
            row = _NAMED.first(look, {"name": name[:48]})
        if row is None or row.name != name:
            raise ServiceKeyUnknown(name=name[:64])
        return cls(ServiceKey.of(row), row)

    def hold(self, within: Within, now: datetime) -> None:  # noqa: ARG002 - the protocol's signature
        """Raise Outdated when it is otherwise."""
        if _NAMED.first(within, {"name": self.key.name}) != self.row:
            raise Outdated


def owner_of(session: Session, name: str) -> str | None:
    """The organ that the key is of; None when there is none of this name."""
    return session.scalar(sa.select(_KEY.owner).where(_KEY.name == name))


def list_keys(
    store: Store, owner: str, *, algorithm: str = "", after: str = "", limit: int | None = None
) -> list[ServiceKey]:
    """An organ's keys whose name comes after `after`, by name; at most `limit`."""
    chosen = sa.select(ServiceKeyRow).where(ServiceKeyRow.owner == owner, ServiceKeyRow.name > after)
    if algorithm:
        chosen = chosen.where(ServiceKeyRow.algorithm == algorithm)
    with store.read() as session:
        rows = session.scalars(chosen.order_by(ServiceKeyRow.name).limit(limit))
        return [ServiceKey.of(row) for row in rows]


def version_of(store: Store, key: ServiceKey, number: int) -> Version:
    """One version; raises VersionUnknown."""
    with store.look() as look:
        row = _NUMBERED.first(look, {"key": key.id, "number": number})
    if row is None:
        raise VersionUnknown(name=key.name, version=number, latest=key.latest)
    return Version.of(row)


def list_versions(
    store: Store, key: ServiceKey, *, after: int = 0, limit: int | None = None
) -> list[tuple[Version, int]]:
    """The versions above `after`, oldest first, each with its number of encryptions; at most `limit`."""
    version, sealed = ServiceKeyVersionRow, SealedRow
    chosen = (
        sa.select(version, sa.func.coalesce(sealed.number, 0))
        .outerjoin(sealed, (sealed.key == version.key) & (sealed.version == version.version))
        .where(version.key == key.id, version.version > after)
        .order_by(version.version)
        .limit(limit)
    )
    with store.read() as session:
        return [(Version.of(row), int(number)) for row, number in session.execute(chosen)]
