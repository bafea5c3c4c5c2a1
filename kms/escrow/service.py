"""The escrow as one service: what the authority above gives out with certificates, and what officers recover."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.engine import Engine
from kms.escrow import pool, recovery, register
from kms.escrow.errors import NotAnEncryptionKey, RecoveryUnknown
from kms.escrow.keys import ALGORITHMS, UserKey, encryption_algorithm, opened
from kms.escrow.models import RecoveredKeyRow, Standing, UserKeyRow, Why
from kms.escrow.pool import Pool, Wanted
from kms.escrow.recovery import Enveloper
from kms.escrow.register import Entry
from kms.find import of_no_tenant
from kms.info import KeyInfo
from kms.settings import KmsSettings
from yinxin.act import SYSTEM, Actor
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.crypto.keys import PrivateKey
from yinxin.errors import YinxinError
from yinxin.proposal import Terms
from yinxin.store import Queue, Store
from yinxin.text import Text

_log = logging.getLogger("yinxin.kms")
#: the timer that fills the pools
FILLING = "kms.fill-pool"


class Wrapping(Protocol):
    """The keys that wrap, as the key centre gives them."""

    def wrapping_key(self, actor: Actor) -> KeyInfo:
        """The one for new keys, made when it is first needed."""
        ...

    def key(self, label: str) -> KeyInfo:
        """The active key of this label; raises KeyUnknown or KeyNotActive."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """Which keys of the libraries; an empty part is any."""

    standing: str = ""
    algorithm: str = ""
    holder: str = ""
    organ: str = ""
    certificate: str = ""


class Escrow:
    """Encryption keys of holders. One per process, on its key centre."""

    def __init__(
        self, store: Store, engine: Engine, settings: KmsSettings, decider: Decider, wrapping: Wrapping
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._decider = decider
        self._wrapping = wrapping
        #: who makes envelopes; nobody, until the authority above is there
        self.enveloper: Enveloper | None = None

    # --- for the authority, whose own acts were permitted as such -----------------------------------------------

    def give(self, actor: Actor, wanted: Wanted, decision: Mapping[str, Any] | None = None) -> UserKey:
        """The encryption key of a reference; see `kms.escrow.pool.give`."""
        try:
            encryption_algorithm(wanted.algorithm)
        except NotAnEncryptionKey as error:
            self._store.refuse(actor, pool.GIVE, f"reference:{wanted.reference}", error)
            raise
        kek = partial(self._wrapping.wrapping_key, actor)
        return pool.give(self._store, self._engine, kek, actor, wanted, decision=decision)

    def key(self, id_: str) -> UserKey:
        """A key that was given to somebody; raises UserKeyUnknown."""
        return recovery.key_of(self._store, id_)

    @contextmanager
    def opened(self, key: UserKey) -> Iterator[PrivateKey]:
        """The private key for the moment of use, to be enveloped at once; raises WrappedKeyAltered, or as `Token.use`."""
        with opened(self._engine, self._wrapping.key(key.wrapped.kek), key) as private:
            yield private

    def certified(self, session: Session, id_: str, serial: str, expires: datetime) -> None:
        """Within the caller's act: the certificate that was issued over the key, and when it ends."""
        pool.certified(session, id_, serial, expires)

    def to_history(self, session: Session, id_: str, why: Why) -> None:
        """Within the caller's act: the key encrypts no more."""
        pool.to_history(session, id_, self._store.clock.now(), why, self._settings.keep)

    def archive(self) -> int:
        """Keys whose certificates have ended go into the history; for the timer."""
        return pool.archive(self._store, self._settings.keep)

    def fill(self, stretch: timedelta = pool.STRETCH) -> int:
        """Make keys up to the levels of `kms.pool`, for at most `stretch`; for the timer."""
        pools = [each for each in self.pools() if each.level < each.high]
        for each in pools:
            if each.state == "low":
                _log.warning("the pool of %s is low: %d of %d", each.algorithm, each.level, each.high)
        if not pools:
            return 0
        kek = partial(self._wrapping.wrapping_key, SYSTEM)
        return pool.fill(self._store, self._engine, kek, pools, stretch)

    def pools(self) -> list[Pool]:
        """Keys on standby, by algorithm: how many there are, are kept, and are too few."""
        kept, low = self._settings.pool, self._settings.pool_low
        found = []
        for each in ALGORITHMS:
            high = kept.get(each, 0)
            least = low.get(each, -(-high // 4))
            found.append(Pool(each, pool.count(self._store, each), min(least, high), high))
        return found

    def levels(self) -> dict[str, int]:
        """Keys on standby, by algorithm."""
        return {each.algorithm: each.level for each in self.pools()}

    def facts(self) -> dict[str, Any]:
        """For the state of the key centre: the level of each pool that is kept."""
        return {"pool": [f"{each.algorithm}: {each.level}/{each.high}" for each in self.pools() if each.high]}

    def trouble(self) -> Text | None:
        """Pools that are low although the timer has filled them; None when there are none."""
        filled = sa.select(Queue.last_done).where(Queue.key == FILLING)
        with self._store.read() as session:
            if session.scalar(filled) is None:
                return None
        low = [f"{each.algorithm} {each.level}/{each.low}" for each in self.pools() if each.state == "low"]
        if not low:
            return None
        told = ", ".join(low)
        return Text(
            f"备用加密密钥不足（{told}）：请检查密码机与后台任务，或调整 kms.pool",
            f"too few encryption keys on standby ({told}): check the module and the timer, or change kms.pool",
        )

    # --- for officers -------------------------------------------------------------------------------------------

    def pools_for(self, actor: Actor) -> list[Pool]:
        """As `pools`, for somebody the policies permit to; raises Denied."""
        self._permit_register(actor)
        return self.pools()

    def counts_for(self, actor: Actor) -> dict[str, dict[str, int]]:
        """Keys of each library by algorithm, but for tenants', for somebody the policies permit to; raises Denied."""
        self._permit_register(actor)
        found: dict[str, dict[str, int]] = {each.value: {} for each in Standing}
        counted = sa.select(UserKeyRow.standing, UserKeyRow.algorithm, sa.func.count()).where(
            of_no_tenant(UserKeyRow.organ)
        )
        with self._store.read() as session:
            for standing, algorithm, number in session.execute(
                counted.group_by(UserKeyRow.standing, UserKeyRow.algorithm)
            ):
                found[standing][algorithm] = number
        return found

    def library_for(self, actor: Actor, wanted: Look, *, after: str = "", limit: int = 50) -> list[UserKey]:
        """Keys of the libraries by identifier, but for tenants', from the one after `after`; raises Denied."""
        self._permit_register(actor)
        columns = {
            UserKeyRow.standing: wanted.standing,
            UserKeyRow.algorithm: wanted.algorithm,
            UserKeyRow.holder: wanted.holder,
            UserKeyRow.organ: wanted.organ,
            UserKeyRow.certificate: wanted.certificate.lower().lstrip("0"),
        }
        asked = [column == value for column, value in columns.items() if value]
        query = sa.select(UserKeyRow).where(UserKeyRow.id > after, of_no_tenant(UserKeyRow.organ), *asked)
        with self._store.read() as session:
            return [UserKey.of(row) for row in session.scalars(query.order_by(UserKeyRow.id).limit(limit))]

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
            self._told(actor, row)
        except YinxinError as error:
            self._store.refuse(actor, recovery.DELIVER, f"proposal:{proposal[:26]}", error)
            raise
        decision = self._permit(actor, recovery.DELIVER, row.organ)
        return recovery.deliver(self._store, actor, row, decision.record())

    def _told(self, actor: Actor, row: RecoveredKeyRow) -> None:
        """Raise RecoveryUnknown for the holder of a key while she must not know of its recovery."""
        held = row.withheld_until is not None and self.now() < row.withheld_until
        if held and self.key(row.key).holder == actor.id:
            raise RecoveryUnknown(recovery=row.proposal)

    def register_for(self, actor: Actor, *, after: str = "", limit: int = 50) -> list[Entry]:
        """Recoveries of the actor's organ and those below, the newest first; raises Denied."""
        self._permit(actor, "kms.read-recovery", actor.organ or "")
        return register.of_organ(self._store, actor, after=after, limit=limit)

    def own_register(self, actor: Actor, *, after: str = "", limit: int = 50) -> list[Entry]:
        """Recoveries of the actor's own keys, the newest first, but for those that she must not know of yet."""
        self._permit(actor, "kms.read-recovery", actor.organ or "", actor.id)
        return register.of_holder(self._store, actor.id, after=after, limit=limit)

    @property
    def recovery_terms(self) -> Terms:
        """How many approve a recovery, and how long it waits."""
        return Terms(self._settings.recovery_approvals, 1, timedelta(hours=self._settings.recovery_hours))

    @property
    def judicial_terms(self) -> Terms:
        """The same for a recovery by judicial order."""
        return Terms(self._settings.judicial_approvals, 1, timedelta(hours=self._settings.recovery_hours))

    @property
    def judicial_withheld(self) -> timedelta:
        """For how long the holder may not be told of one, at most."""
        return timedelta(days=self._settings.judicial_withheld_days)

    def now(self) -> datetime:
        """The present instant."""
        return self._store.clock.now()

    def _permit_register(self, actor: Actor) -> None:
        self._decider.require(actor, "kms.list", Resource("KeyRegister", "keys", organ=PLATFORM))

    def _permit(self, actor: Actor, verb: str, organ: str, holder: str = "") -> Decision:
        resource = Resource("UserKey", holder or "*", organ=organ, attributes={"holder": holder})
        return self._decider.require(actor, verb, resource)
