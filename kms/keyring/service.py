"""The keyring as one service: named keys that systems use without ever holding them."""

import secrets
from collections.abc import Sequence
from typing import TypeVar

import sqlalchemy as sa

from kms.keyring import bring, destroy
from kms.keyring import create as creating
from kms.keyring.apart import apart
from kms.keyring.bring import Import
from kms.keyring.create import ServiceKeyRequest
from kms.keyring.find import key_of, list_keys, list_versions
from kms.keyring.key import ServiceKey, Version
from kms.keyring.models import Condition, SealedRow, ServiceKeyRow
from kms.keyring.secret import Hand, Keys
from kms.keyring.together import Together
from kms.keyring.use import USES, Item, Result, Use, permit, record, run
from kms.settings import KmsSettings
from yinxin.act import SYSTEM, Actor
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.errors import YinxinError
from yinxin.store import Store

T = TypeVar("T")

READ = "kms.read-service-keys"
RANDOM = "kms.give-random"


class Keyring:
    """Service keys. One per process, on its key centre."""

    def __init__(self, store: Store, settings: KmsSettings, decider: Decider, keys: Keys) -> None:
        self._store = store
        self._settings = settings
        self._decider = decider
        self._keys = keys
        #: uses that meet in this process
        self.together = Together(store, decider, keys, settings.keyring_encryptions)

    # --- keys -------------------------------------------------------------------------------------------------

    def create(self, actor: Actor, wanted: ServiceKeyRequest) -> ServiceKey:
        """See `kms.keyring.create.create`; raises Denied besides."""
        attributes = {"purpose": wanted.purpose, "algorithm": wanted.algorithm}
        asked = Resource("ServiceKey", wanted.name, organ=wanted.owner, attributes=attributes)
        decision = self._decider.require(actor, creating.CREATE, asked)
        return creating.create(self._store, self._keys, actor, wanted, decision)

    def keys_of(
        self, actor: Actor, owner: str, *, algorithm: str = "", after: str = "", limit: int | None = None
    ) -> list[ServiceKey]:
        """The keys of an organ, by name; raises Denied."""
        attributes = {"purpose": "", "algorithm": algorithm}
        self._decider.require(actor, READ, Resource("ServiceKey", "*", organ=owner, attributes=attributes))
        return list_keys(self._store, owner, algorithm=algorithm, after=after, limit=limit)

    def show(self, actor: Actor, name: str) -> ServiceKey:
        """One key; raises ServiceKeyUnknown, Denied."""
        return self._known(actor, READ, name)[0]

    def versions(
        self, actor: Actor, name: str, *, after: int = 0, limit: int | None = None
    ) -> list[tuple[Version, int]]:
        """A key's versions, oldest first, with their encryptions; raises ServiceKeyUnknown, Denied."""
        key, _ = self._known(actor, READ, name)
        return list_versions(self._store, key, after=after, limit=limit)

    def rotate(self, actor: Actor, name: str) -> ServiceKey:
        """See `kms.keyring.create.rotate`; raises ServiceKeyUnknown, Denied besides."""
        key, decision = self._known(actor, creating.ROTATE, name)
        return creating.rotate(self._store, self._keys, actor, key, decision)

    def limit(self, actor: Actor, name: str, min_decrypt: int, min_encrypt: int) -> ServiceKey:
        """See `kms.keyring.create.limit`; raises ServiceKeyUnknown, Denied besides."""
        key, decision = self._known(actor, creating.LIMIT, name)
        return creating.limit(
            self._store, actor, key, decision, min_decrypt=min_decrypt, min_encrypt=min_encrypt
        )

    def begin_import(self, actor: Actor, wanted: ServiceKeyRequest, method: str) -> Import:
        """See `kms.keyring.bring.begin`; raises Denied besides."""
        return bring.begin(
            self._store,
            self._keys,
            actor,
            wanted,
            method=method,
            decision=self._importing(actor, wanted),
        )

    def finish_import(self, actor: Actor, import_: str, wrapped: bytes) -> ServiceKey:
        """See `kms.keyring.bring.finish`; raises Denied besides."""
        with self._store.refusing(actor, bring.VERB, f"import:{import_[:26]}"):
            wanted = bring.wanted_by(self._store, import_)
        return bring.finish(
            self._store,
            self._keys,
            actor,
            import_,
            wrapped=wrapped,
            decision=self._importing(actor, wanted),
        )

    def keep(self, actor: Actor, name: str) -> ServiceKey:
        """Call a destruction off, see `kms.keyring.destroy.keep`; raises ServiceKeyUnknown, Denied besides."""
        key, decision = self._known(actor, destroy.KEEP, name)
        return destroy.keep(self._store, actor, key, decision)

    def end_due(self) -> int:
        """Destroy what is due and forget imports that have expired; the number of keys destroyed. For the timer."""
        bring.forget_expired(self._store)
        return destroy.destroy_due(self._store, self._keys)

    def _importing(self, actor: Actor, wanted: ServiceKeyRequest) -> Decision:
        attributes = {"purpose": wanted.purpose, "algorithm": wanted.algorithm}
        asked = Resource("ServiceKey", wanted.name, organ=wanted.owner, attributes=attributes)
        return self._decider.require(actor, bring.VERB, asked)

    def rotate_due(self) -> int:
        """Rotate the keys whose newest version has made three quarters of its encryptions; the number. For the timer."""
        due = (
            sa.select(ServiceKeyRow)
            .join(
                SealedRow, (SealedRow.key == ServiceKeyRow.id) & (SealedRow.version == ServiceKeyRow.latest)
            )
            .where(
                SealedRow.number >= self._settings.keyring_encryptions * 3 // 4,
                ServiceKeyRow.condition == Condition.ACTIVE.value,
            )
        )
        with self._store.read() as session:
            found = [ServiceKey.of(row) for row in session.scalars(due)]
        return apart(
            found,
            lambda key: creating.rotate(self._store, self._keys, SYSTEM, key, None),
            lambda key: f"{key.name} is not rotated yet",
        )

    # --- use --------------------------------------------------------------------------------------------------

    def use(self, actor: Actor, name: str, operation: str, item: Item) -> Result:
        """One of `USES`, recorded before the result is given out; raises what is wrong with it, recorded too.

        Raises ServiceKeyUnknown, Denied, OperationNotAllowed, ServiceKeyEnding, ServiceKeyDestroyed, VersionUsedUp, those
        of `kms.keyring.use.OF_ITEMS`, or as `Token.use`.
        """
        use = USES[operation]
        (found,) = self._used(actor, name, use, [item], alone=True)
        if isinstance(found, YinxinError):
            raise found
        return found

    def use_many(
        self, actor: Actor, name: str, operation: str, items: Sequence[Item]
    ) -> list[Result | YinxinError]:
        """As `use`, each item with its own result or error, all under one decision and one record."""
        return self._used(actor, name, USES[operation], items, alone=False)

    def random(self, actor: Actor, size: int) -> bytes:
        """Octets from the machine's generator; raises Denied."""
        asked = Resource("Randomness", "random", organ=PLATFORM)
        decision = self._decider.require(actor, RANDOM, asked)
        self._store.note(actor, RANDOM, "random:octets", decision=decision.record(), size=size)
        return secrets.token_bytes(size)

    def _used(
        self, actor: Actor, name: str, use: Use, items: Sequence[Item], *, alone: bool
    ) -> list[Result | YinxinError]:
        key, decision = self._known(actor, use.verb, name)
        subject = f"service-key:{name}"
        hand = Hand(self._store, self._keys, key)
        try:
            with self._store.refusing(actor, use.verb, subject):
                permit(key, use)
                found = run(hand, use, items)
        finally:
            hand.close()
        if alone and isinstance(found[0], YinxinError):
            self._store.refuse(actor, use.verb, subject, found[0])
            return found
        record(
            self._store, actor, use, key, found, decision=decision, most=self._settings.keyring_encryptions
        )
        return found

    def _known(self, actor: Actor, verb: str, name: str) -> tuple[ServiceKey, Decision]:
        """The key, and the decision that permits; raises ServiceKeyUnknown, Denied, both recorded."""
        with self._store.refusing(actor, verb, f"service-key:{name[:64]}"):
            key = key_of(self._store, name)
        return key, self._decider.require(actor, verb, key.resource)
