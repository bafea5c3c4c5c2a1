"""Nonces (RFC 8555 6.5): given out without a trace, used once.

A nonce is its own proof: time, random octets, and a MAC under a key that all processes share. So giving one out costs
no write, and whoever asks for a million has cost us nothing. That it was used is written with a unique key, so of two
requests with the same nonce one is refused, whichever process they reach. That row need not survive a power cut by
itself: whatever the request then changes is committed after it, and a commit that lasts brings all before it along.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from threading import Lock
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ca.acme.errors import BadNonce
from ca.acme.models import NonceKeyRow, NonceRow
from kms.generation import Held, in_context
from kms.info import Wrapped
from kms.service import KeyCentre
from yinxin.act import SYSTEM
from yinxin.crypto.errors import MalformedJose
from yinxin.crypto.jose import decode64, encode64
from yinxin.crypto.suite import INTL
from yinxin.store import Sql, Store, Within, listed

_CONTEXT = {"type": "ca.acme-nonce"}
#: how the key of the nonces is bound, for rewrapping
HELD = Held(NonceKeyRow, in_context(lambda _row: _CONTEXT))
#: octets of milliseconds, of chance, and of the MAC; the first two together are the nonce's name
_TIME, _CHANCE, _MAC = 6, 10, 16
_NAME = _TIME + _CHANCE
#: how far the clocks of two servers may differ
_SKEW = timedelta(minutes=1)


_NONCE = cast("sa.Table", NonceRow.__table__)
_SPENT = Sql(sa.insert(_NONCE), "nonce", "made")
_USED = Sql(sa.select(_NONCE.c.nonce).where(listed(_NONCE.c.nonce, "names")))


class Nonces:
    """Gives nonces out and takes them back."""

    def __init__(self, store: Store, keys: KeyCentre, life: timedelta) -> None:
        self._store = store
        self._keys = keys
        self._life = life
        self._lock = Lock()
        self._secret: bytes | None = None

    def make(self) -> str:
        """A new nonce; raises what the key centre raises while the key was never read."""
        time = int(self._store.clock.now().timestamp() * 1000).to_bytes(_TIME)
        name = time + self._store.randomness.token(_CHANCE)
        return encode64(name + self._mac(name))

    def check(self, nonce: object) -> str:
        """The name of a nonce of ours that has not expired; raises BadNonce."""
        try:
            octets = decode64(nonce, "nonce")
        except MalformedJose as error:
            raise BadNonce from error
        name, tag = octets[:_NAME], octets[_NAME:]
        if len(name) != _NAME or not hmac.compare_digest(self._mac(name), tag):
            raise BadNonce
        age = self._store.clock.now().timestamp() - int.from_bytes(name[:_TIME]) / 1000
        if not -_SKEW.total_seconds() <= age <= self._life.total_seconds():
            raise BadNonce
        return name.hex()

    def spend(self, name: str) -> None:
        """Use it up; raises BadNonce when it was used before."""
        self.spend_all([name])

    def spend_all(self, names: Sequence[str]) -> None:
        """Use several up, or none; raises BadNonce when one of them was used before."""
        now = self._store.clock.now()
        try:
            with self._store.jot() as within:
                _SPENT.run_many(within, [{"nonce": each, "made": now} for each in names])
        except IntegrityError as error:
            raise BadNonce from error

    def spent(self, within: Within, names: Sequence[str]) -> set[str]:
        """Those of them that were used before."""
        return set(_USED.scalars(within, {"names": names}))

    @property
    def known(self) -> bool:
        """Whether this process has the key already: making and checking then ask nobody."""
        return self._secret is not None

    def sweep(self) -> None:
        """Forget what has expired by now."""
        oldest = self._store.clock.now() - self._life - _SKEW
        with self._store.housekeep() as session:
            session.execute(sa.delete(NonceRow).where(NonceRow.made < oldest))

    def _mac(self, name: bytes) -> bytes:
        return hmac.digest(self._key(), name, INTL.hash.name)[:_MAC]

    def _key(self) -> bytes:
        if self._secret is None:
            with self._lock:
                if self._secret is None:
                    self._secret = self._keys.reveal(_CONTEXT, self._kept() or self._keep())
        return self._secret

    def _kept(self) -> Wrapped | None:
        with self._store.read() as session:
            row = session.get(NonceKeyRow, 1)
            return Wrapped(row.kek, row.nonce, row.blob) if row else None

    def _keep(self) -> Wrapped:
        made = self._keys.protect(SYSTEM, _CONTEXT, self._store.randomness.token(INTL.hash.size))
        try:
            with self._store.housekeep() as session:
                session.execute(
                    sa.insert(NonceKeyRow).values(id=1, kek=made.kek, nonce=made.nonce, blob=made.blob)
                )
        except IntegrityError:  # another process was first
            return self._kept() or made
        return made
