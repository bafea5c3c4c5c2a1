"""Sessions: opened by signing in, looked at again on every use, ended by signing out."""

from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.challenges import text_token, token_hash
from authz.checker import CertificateChecker
from authz.directory import Standing
from authz.directory.look import standing
from authz.errors import (
    CertificateRevoked,
    NoAppointment,
    NotSignedIn,
    SessionEnded,
    SessionExpired,
    SessionOfAnother,
)
from authz.models import CertificateBinding, SessionRow
from authz.refusals import Refusals
from yinxin.act import STRANGER, Actor, Kind
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.store import Store
from yinxin.web.caller import Caller


class Sessions:
    """The sessions of this site; implements `yinxin.web.caller.Authenticator`."""

    def __init__(
        self, store: Store, checker: CertificateChecker, refusals: Refusals, lasts: timedelta
    ) -> None:
        self._store = store
        self._refusals = refusals
        self._checker = checker
        self._lasts = lasts

    def open(self, binding: CertificateBinding, holder: Standing, way: str) -> tuple[str, Caller]:
        """A new session, recorded; returns its token, which is kept nowhere else, and who it belongs to."""
        now = self._store.clock.now()
        token = text_token(self._store.randomness.token(32))
        row = SessionRow(
            id=self._store.identifier(),
            token_hash=token_hash(token),
            certificate=binding.fingerprint,
            person=binding.person,
            post=binding.post,
            created=now,
            expires=min(now + self._lasts, binding.expires_at),
        )
        caller = _caller(row, holder)
        with self._store.act(caller.actor, "authz.sign-in", f"session:{row.id}", way=way) as act:
            act.session.add(row)
        return token, caller

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        """Who holds `token`, looked at again from the ground; `peer` is the connection's certificate (DER), if any.

        Raises NotSignedIn, SessionEnded, SessionExpired, SessionOfAnother, CertificateRevoked, NoAppointment, all
        recorded, or Unavailable when revocation cannot be told.
        """
        with self._store.read() as session:
            row = session.execute(_OF_TOKEN, {"token": token_hash(token)}).one_or_none()
            try:
                if row is None:
                    raise NotSignedIn
                return self._holder(session, row, peer)
            except YinxinError as error:
                refusal = error
        self._refusals.record(*_refused(row), refusal)
        raise refusal

    def sign_out(self, caller: Caller) -> None:
        """End the caller's session; one that is over already stays so."""
        with self._store.act(caller.actor, "authz.sign-out", f"session:{caller.session}") as act:
            act.session.execute(_end(self._store.clock.now()).where(SessionRow.id == caller.session))

    def end_all(self, actor: Actor, person: str) -> int:
        """End every open session of `person`; how many there were. Whether `actor` may is the caller's to ask."""
        now = self._store.clock.now()
        with self._store.act(actor, "authz.end-sessions", f"person:{person}") as act:
            opened = _end(now).where(SessionRow.person == person, SessionRow.expires > now)
            ended = act.session.scalars(opened.returning(SessionRow.id)).all()
            act.facts["count"] = len(ended)
        return len(ended)

    def open_posts(self, person: str) -> frozenset[str]:
        """The posts in which `person` is signed in now."""
        now = self._store.clock.now()
        query = sa.select(SessionRow.post).where(
            SessionRow.person == person, SessionRow.ended.is_(None), SessionRow.expires > now
        )
        with self._store.read() as session:
            return frozenset(session.scalars(query))

    def forget(self, before: datetime) -> None:
        """Delete sessions that expired before `before`."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(SessionRow).where(SessionRow.expires < before))

    def _holder(self, session: Session, row: Any, peer: bytes | None) -> Caller:
        now = self._store.clock.now()
        if peer is not None and INTL.hash.digest(peer).hex() != row.certificate:
            raise SessionOfAnother
        if row.ended is not None:
            raise SessionEnded
        if row.expires <= now:
            raise SessionExpired
        bound = row.bound_person is not None and row.unbound_at is None
        if not bound or self._checker.revoked(row.certificate, session):
            raise CertificateRevoked(certificate=row.certificate)
        holder = standing(session, row.bound_person, row.bound_post, now)
        if not holder.appointed:
            raise NoAppointment(person=row.bound_person, post=row.bound_post)
        return _caller(row, holder)


_SESSION, _BINDING = cast("sa.Table", SessionRow.__table__), cast("sa.Table", CertificateBinding.__table__)
#: a session and what its certificate is bound to
_OF_TOKEN = (
    sa.select(
        *_SESSION.c,
        _BINDING.c.person.label("bound_person"),
        _BINDING.c.post.label("bound_post"),
        _BINDING.c.ended_at.label("unbound_at"),
    )
    .outerjoin_from(_SESSION, _BINDING, _BINDING.c.fingerprint == _SESSION.c.certificate)
    .where(_SESSION.c.token_hash == sa.bindparam("token"))
)


def _end(now: datetime) -> sa.Update:
    return sa.update(SessionRow).where(SessionRow.ended.is_(None)).values(ended=now)


def _refused(row: Any | None) -> tuple[Actor, str, str]:
    if row is None:
        return STRANGER, "authz.authenticate", "session:unknown"
    actor = Actor(Kind.PERSON, row.person, row.post, certificate=row.certificate)
    return actor, "authz.authenticate", f"session:{row.id}"


def _caller(row: Any, holder: Standing) -> Caller:
    actor = Actor(Kind.PERSON, holder.person.id, holder.post.id, holder.organ.id, certificate=row.certificate)
    return Caller(
        actor=actor,
        session=row.id,
        roles=holder.post.roles,
        name=holder.person.name,
        post_name=holder.post.name,
        organ_name=holder.organ.name,
    )
