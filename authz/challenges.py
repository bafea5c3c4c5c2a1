"""Sign-in challenges: given out once, answered once, within two minutes."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from authz.errors import ChallengeExpired, ChallengeUnknown, ChallengeUsed
from authz.models import ChallengeRow
from yinxin.crypto.suite import INTL
from yinxin.store import Store


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client signs (see `yinxin.authz.sign_in_statement`), and until when."""

    nonce: str
    expires: datetime


class Challenges:
    """The challenges of this site. Only their SHA-256 is kept: reading the database answers none."""

    def __init__(self, store: Store, lasts: timedelta) -> None:
        self._store = store
        self._lasts = lasts

    def give(self) -> Challenge:
        """A new challenge."""
        challenge = Challenge(
            text_token(self._store.randomness.token(32)), self._store.clock.now() + self._lasts
        )
        with self._store.housekeep() as session:
            session.add(ChallengeRow(nonce_hash=token_hash(challenge.nonce), expires=challenge.expires))
        return challenge

    def use(self, nonce: str) -> None:
        """Use up a challenge, whatever becomes of the sign-in; raises ChallengeUnknown, ChallengeUsed, ChallengeExpired."""
        now = self._store.clock.now()
        hashed = token_hash(nonce)
        with self._store.housekeep() as session:
            row = session.get(ChallengeRow, hashed)
            if row is None:
                raise ChallengeUnknown
            # two answers at once: the database lets one of them change the row
            unused = sa.update(ChallengeRow).where(
                ChallengeRow.nonce_hash == hashed, ChallengeRow.used.is_(None)
            )
            if session.scalar(unused.values(used=now).returning(ChallengeRow.nonce_hash)) is None:
                raise ChallengeUsed
            expired = row.expires <= now
        if expired:
            raise ChallengeExpired(seconds=int(self._lasts.total_seconds()))

    def forget(self, before: datetime) -> None:
        """Delete challenges that expired before `before`."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(ChallengeRow).where(ChallengeRow.expires < before))


def text_token(octets: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return INTL.hash.digest(token.encode()).hex()
