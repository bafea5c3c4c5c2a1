"""The escrow as one service: what the authority above gives out with certificates, and what officers recover."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.escrow import pool, recovery
from kms.escrow.errors import NotAnEncryptionKey
from kms.escrow.keys import ALGORITHMS, UserKey, opened
from kms.escrow.models import UserKeyRow
from kms.escrow.pool import Wanted
from kms.escrow.recovery import Enveloper
from kms.info import KeyInfo
from kms.settings import KmsSettings
from kms.token import Token
from yinxin.act import SYSTEM, Actor
from yinxin.authz import Decider, Decision, Resource
from yinxin.crypto.keys import PrivateKey
from yinxin.errors import YinxinError
from yinxin.proposal import Terms
from yinxin.store import Store


class Wrapping(Protocol):
    """The keys that wrap, as the key centre gives them."""

    def wrapping_key(self, actor: Actor) -> KeyInfo:
        """The one for new keys, made when it is first needed."""
        ...

    def key(self, label: str) -> KeyInfo:
        """The active key of this label; raises KeyUnknown or KeyNotActive."""
        ...


class Escrow:
    """Encryption keys of holders. One per process, on its key centre."""

    def __init__(
        self, store: Store, token: Token, settings: KmsSettings, decider: Decider, wrapping: Wrapping
    ) -> None:
        self._store = store
        self._token = token
        self._settings = settings
        self._decider = decider
        self._wrapping = wrapping
        #: who makes envelopes; nobody, until the authority above is there
        self.enveloper: Enveloper | None = None

    # --- for the authority, whose own acts were permitted as such -----------------------------------------------

    def give(self, actor: Actor, wanted: Wanted, decision: Mapping[str, Any] | None = None) -> UserKey:
        """The encryption key of a reference; see `kms.escrow.pool.give`."""
        if wanted.algorithm not in ALGORITHMS:
            error = NotAnEncryptionKey(algorithm=wanted.algorithm[:40], known=", ".join(ALGORITHMS))
            self._store.refuse(actor, pool.GIVE, f"reference:{wanted.reference}", error)
            raise error
        kek = self._wrapping.wrapping_key(actor)
        return pool.give(self._store, self._token, kek, actor, wanted, decision=decision)

    def key(self, id_: str) -> UserKey:
        """A key that was given to somebody; raises UserKeyUnknown."""
        return recovery.key_of(self._store, id_)

    @contextmanager
    def opened(self, key: UserKey) -> Iterator[PrivateKey]:
        """The private key for the moment of use, to be enveloped at once; raises WrappedKeyAltered, or as `Token.use`."""
        with opened(self._token, self._wrapping.key(key.wrapped.kek), key) as private:
            yield private

    def to_history(self, session: Session, id_: str) -> None:
        """Within the caller's act: the key encrypts no more."""
        pool.to_history(session, id_, self._store.clock.now())

    def fill(self) -> int:
        """Make keys up to the levels of `kms.pool`; for the timer."""
        levels: dict[str, int] = {each: level for each, level in self._settings.pool.items() if level}
        if not any(pool.count(self._store, each) < level for each, level in levels.items()):
            return 0
        kek = self._wrapping.wrapping_key(SYSTEM)
        return pool.fill(self._store, self._token, kek, levels)

    def levels(self) -> dict[str, int]:
        """Keys on standby, by algorithm."""
        return {each: pool.count(self._store, each) for each in ALGORITHMS}

    # --- for officers -------------------------------------------------------------------------------------------

    def keys_of(self, actor: Actor, holder: str, organ: str) -> list[UserKey]:
        """The encryption keys of a holder in an organ, oldest first; raises Denied."""
        self._permit(actor, "kms.read-recovery", organ)
        query = sa.select(UserKeyRow).where(UserKeyRow.holder == holder, UserKeyRow.organ == organ)
        with self._store.read() as session:
            return [UserKey.of(row) for row in session.scalars(query.order_by(UserKeyRow.given))]

    def recovered(self, actor: Actor, proposal: str) -> bytes:
        """The envelope of a recovery that was carried out, however often it is asked for; raises RecoveryUnknown, Denied."""
        try:
            row = recovery.recovered(self._store, proposal)
        except YinxinError as error:
            self._store.refuse(actor, recovery.DELIVER, f"proposal:{proposal[:26]}", error)
            raise
        decision = self._permit(actor, recovery.DELIVER, row.organ)
        return recovery.deliver(self._store, actor, row, decision.record())

    @property
    def recovery_terms(self) -> Terms:
        """How many approve a recovery, and how long it waits."""
        return Terms(self._settings.recovery_approvals, 1, timedelta(hours=self._settings.recovery_hours))

    def now(self) -> datetime:
        """The present instant."""
        return self._store.clock.now()

    def _permit(self, actor: Actor, verb: str, organ: str, holder: str = "") -> Decision:
        resource = Resource("UserKey", holder or "*", organ=organ, attributes={"holder": holder})
        return self._decider.require(actor, verb, resource)
