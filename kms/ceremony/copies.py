"""Copies of keys for the vault token: kept when a key is made, dropped when it is destroyed.

Which vault they are for stands in the database, and apart from it in the key centre's folder. Else whoever may write to the database
could name a key of her own there, and would have a copy of every key that is made from then on.
"""

from collections.abc import Collection
from pathlib import Path

import msgpack
import sqlalchemy as sa

from kms.ceremony.errors import VaultAltered
from kms.ceremony.models import CopyRow, VaultRow
from kms.engine.engine import KeyReference, SharedKey
from kms.folder import VAULT_RECEIVER
from yinxin import files
from yinxin.act import SYSTEM
from yinxin.store import Store

KEEP, DROP = "kms.keep-copy", "kms.drop-copy"


class Copies:
    """The copies in the database of one key centre, whose own folder is `folder`."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        #: the vault's public receiving key, as its ceremony put it here
        self._known = folder / VAULT_RECEIVER

    def registered(self) -> VaultRow | None:
        """The vault token as the database names it, for telling people; None where there is none."""
        with self._store.read() as session:
            row = session.scalars(sa.select(VaultRow)).one_or_none()
            session.expunge_all()
        return row

    def vault(self) -> VaultRow | None:
        """The vault token for which copies are kept; None where there is none. Raises VaultAltered.

        Asked where the tokens are: the folder is the key centre's own.
        """
        row = self.registered()
        known = self._known.read_bytes() if self._known.exists() else b""
        if known != (row.receiver if row else b""):
            raise VaultAltered(serial=row.serial if row else "-", file=str(self._known))
        return row

    def know(self, receiver: bytes) -> None:
        """Put the vault's public receiving key into the folder, before it is registered."""
        files.replace(self._known, receiver)

    def receiver(self) -> bytes:
        """The vault's public receiving key; empty where there is no vault. Raises VaultAltered."""
        row = self.vault()
        return row.receiver if row else b""

    def keep(self, key: KeyReference, shared: SharedKey) -> None:
        """Keep the key's copy in the place of one that a making left which was cut off. Recorded."""
        vault = self.vault()
        if vault is None or not shared.kept:
            return
        row = CopyRow(
            id=key.identifier.decode("ascii"),
            vault=vault.serial,
            spki=shared.spki,
            transport=shared.kept,
            wrapped=shared.wrapped,
            public=msgpack.packb(shared.public),
        )
        with self._store.act(SYSTEM, KEEP, f"key:{key.label}", vault=vault.serial) as act:
            act.session.merge(row)

    def drop(self, key: KeyReference) -> None:
        """No copy outlives its key. Recorded where there was one."""
        identifier = key.identifier.decode("ascii", "replace")
        if self.copy(identifier) is None:
            return
        with self._store.act(SYSTEM, DROP, f"key:{key.label}") as act:
            act.session.execute(sa.delete(CopyRow).where(CopyRow.id == identifier))

    def copy(self, identifier: str) -> SharedKey | None:
        """The copy of a key, as the vault passes it on."""
        with self._store.read() as session:
            row = session.get(CopyRow, identifier)
            if row is None:
                return None
            return SharedKey(row.spki, row.transport, row.wrapped, list(msgpack.unpackb(row.public)))

    def missing(self, identifiers: Collection[str]) -> set[str]:
        """Those of the keys that have no copy."""
        with self._store.read() as session:
            return set(identifiers) - set(session.scalars(sa.select(CopyRow.id)))
