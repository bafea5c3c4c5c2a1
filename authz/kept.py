"""What decisions rested on, kept by its digest: the actor and the organs as they were, for deciding again years later."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from authz.entities import Entities, resource_entity
from authz.errors import ReplayDiffers
from authz.version.models import EntitiesRow
from yinxin.authz import Decision, Resource
from yinxin.crypto.suite import INTL
from yinxin.store import Store

#: digests a process remembers having kept
_REMEMBERED = 10_000


class Kept:
    """The store of entities. A row is written before the record that names it, and is never changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._remembered: dict[str, None] = {}

    def keep(self, decision: Decision) -> None:
        """Keep what the decision knew of the actor and the organs; the resource stands in the record itself.

        Nothing is kept within an act: what an application asks the core there has no record of its own.
        """
        data = decision.known
        digest = INTL.hash.digest(data).hex()
        if digest in self._remembered or self._store.acting:
            return
        row = {"digest": digest, "data": data.decode(), "since": self._store.clock.now()}
        insert = sqlite.insert if self._store.engine.dialect.name == "sqlite" else postgresql.insert
        with self._store.housekeep() as session:
            session.execute(insert(EntitiesRow).values(row).on_conflict_do_nothing())
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[digest] = None

    def entities(self, record: Mapping[str, Any]) -> Entities:
        """The entities a recorded decision saw; raises ReplayDiffers when they were not kept or do not match."""
        return self.known(record.get("known"), Resource.of(record["resource"]))

    def known(self, digest: str | None, resource: Resource | None = None) -> Entities:
        """The actor and the organs that were kept by their digest, and the resource between them; raises ReplayDiffers."""
        with self._store.read() as session:
            data = session.scalar(sa.select(EntitiesRow.data).where(EntitiesRow.digest == digest))
        if data is None or INTL.hash.digest(data.encode()).hex() != digest:
            raise ReplayDiffers(field="known")
        known: list[dict[str, Any]] = json.loads(data)
        people = [each for each in known if each["uid"]["type"] == "Person"]
        organs = [each for each in known if each["uid"]["type"] != "Person"]
        return (*people, *([resource_entity(resource)] if resource is not None else []), *organs)
