"""What a passkey is asked to sign, kept from the asking to the answer: once, in one session, for a short time.

The passkey's challenge commits to the digest of the signed attributes (RFC 5652 5.4), and those to the statement, the
certificate and the signing time. The time stands here and nowhere else, so that what is signed in the end is what was
asked, to the octet; the key centre, which computes the challenge anew, judges that. What may happen only once and for one
person in one post and session is judged here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.crypto.suite import INTL
from yinxin.store import Base, Store, housekeeping
from yinxin.web.caller import Caller
from yinxin.web.signing.errors import NotPrepared

#: an answer that takes longer is asked for again; no shorter than the key centre's challenges last
LASTS = timedelta(minutes=10)


class PreparedRow(Base):
    """A signature that was asked for and is not answered yet. Of nonce and statement only digests are kept."""

    __tablename__ = "signing_prepared"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    nonce_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    session: Mapped[str] = mapped_column(sa.String(40))
    person: Mapped[str] = mapped_column(sa.String(64))
    post: Mapped[str] = mapped_column(sa.String(64))
    statement_hash: Mapped[str] = mapped_column(sa.String(64))
    key: Mapped[str] = mapped_column(sa.String(26))
    signed_at: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was prepared: with which key, and the signing time that is signed along."""

    key: str
    signed_at: datetime


def keep(store: Store, caller: Caller, nonce: str, statement: bytes, prepared: Prepared) -> None:
    """Keep what the caller's passkey is asked in this session."""
    actor = caller.actor
    row = PreparedRow(
        nonce_hash=_hash(nonce.encode()),
        session=caller.session,
        person=actor.id,
        post=actor.post or "",
        statement_hash=_hash(statement),
        key=prepared.key,
        signed_at=prepared.signed_at,
        expires=store.clock.now() + LASTS,
    )
    with store.housekeep() as session:
        session.add(row)


def take(store: Store, caller: Caller, nonce: str, statement: bytes) -> Prepared:
    """What was prepared under this nonce in this session, used up by this; raises NotPrepared.

    Another session neither gets it nor uses it up.
    """
    row, actor = PreparedRow, caller.actor
    gone = sa.delete(row).where(row.nonce_hash == _hash(nonce.encode()), row.session == caller.session)
    with store.housekeep() as session:
        found = session.execute(
            gone.returning(row.person, row.post, row.statement_hash, row.expires, row.key, row.signed_at)
        ).one_or_none()
    due = (actor.id, actor.post or "", _hash(statement))
    if found is None or found[:3] != due or found.expires <= store.clock.now():
        raise NotPrepared
    return Prepared(found.key, found.signed_at)


def sweep(store: Store) -> None:
    """Forget what was never answered."""
    with store.housekeep() as session:
        session.execute(sa.delete(PreparedRow).where(PreparedRow.expires <= store.clock.now()))


def _hash(data: bytes) -> str:
    return INTL.hash.digest(data).hex()
