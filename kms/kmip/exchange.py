"""One request of one client under way, and the client's own objects in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.keyring.secret import Keys
from kms.kmip.errors import KmipMissingData, KmipObjectUnknown
from kms.kmip.fields import Fields, title
from kms.kmip.models import KmipObjectRow
from kms.kmip.ttlv import Type
from kms.kmip.words import Tag
from yinxin.act import Actor
from yinxin.store import Act, Store, Taken

_ID = re.compile(r"[0-9a-z]{26}")


@dataclass(slots=True)
class Exchange:
    """Who asks, what with, and what has come of it so far."""

    store: Store
    keys: Keys
    client: str
    actor: Actor
    wipe_days: int
    #: objects that the client keeps at most
    most_objects: int
    #: the ID Placeholder: the object that the batch has made or found last (4)
    placeholder: str | None = None
    #: octets of keys that stand in the answer, to be cleansed when it is encoded
    secrets: list[bytes] = field(default_factory=list, repr=False)

    @property
    def now(self) -> datetime:
        """Now, in whole seconds, as instants are told."""
        return self.store.clock.now().replace(microsecond=0)

    def identifier(self, payload: Fields) -> str:
        """Which object is meant; raises KmipMissingData, KmipObjectUnknown for what is no identifier."""
        given = payload.value(Tag.UNIQUE_IDENTIFIER, Type.TEXT)
        found = self.placeholder if given is None else str(given)
        if found is None:
            raise KmipMissingData(field=title(Tag.UNIQUE_IDENTIFIER))
        if not _ID.fullmatch(found):
            raise KmipObjectUnknown(object=found[:40])
        return found

    def owned(self, session: Session, id_: str, *, held: bool = False) -> KmipObjectRow:
        """The client's object, held to the end of the act if wanted; raises KmipObjectUnknown, also for another client's."""
        chosen = sa.select(KmipObjectRow).where(KmipObjectRow.id == id_, KmipObjectRow.client == self.client)
        row = session.scalar(chosen.with_for_update() if held else chosen)
        if row is None:
            raise KmipObjectUnknown(object=id_)
        return row

    @contextmanager
    def act(self, verb: str, id_: str, *, taken: Taken | None = None, **facts: Any) -> Iterator[Act]:
        """A recorded transaction about one object; `taken` as `Store.act` has it."""
        with self.store.act(self.actor, verb, f"kmip-object:{id_}", taken=taken, **facts) as act:
            yield act
