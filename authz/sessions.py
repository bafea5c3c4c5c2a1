"""Sessions: opened by signing in, looked at again on every use, ended by signing out, by idleness or by time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.challenges import text_token, token_hash
from authz.checker import CertificateChecker
from authz.close import close
from authz.directory import Standing
from authz.directory.look import next_edge, standing
from authz.errors import (
    CertificateRevoked,
    NoAppointment,
    NotSignedIn,
    SessionEnded,
    SessionExpired,
    SessionIdle,
    SessionOfAnother,
    UnknownSession,
)
from authz.models import CertificateBinding, PersonRow, SessionRow
from authz.refusals import Refusals
from authz.state import AtNumber
from yinxin.act import STRANGER, Actor, Kind
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.premise import Between, Outdated
from yinxin.steps import step
from yinxin.store import Sql, Store, Within
from yinxin.web.caller import Caller, Known

#: the last use is kept to this: a session in use is not written at every request
_GRAIN = timedelta(minutes=1)

#: a certificate's key that was not proved in this session at all
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(eq=False, slots=True)
class _Unchanged:
    """A session, and what its certificate is bound to, exactly as they were; and the certificate still not revoked."""

    token: str
    row: Any = field(repr=False)
    checker: CertificateChecker = field(repr=False)

    def hold(self, within: Within, now: datetime) -> None:  # noqa: ARG002 - the protocol's signature
        """Raise Outdated when it is otherwise."""
        if _OF_TOKEN.first(within, {"token": self.token}) != self.row:
            raise Outdated
        if self.checker.revoked(self.row.certificate, within):
            raise Outdated


#: told inside the act that ends sessions: the transaction, their identifiers, when
Ended = Callable[[Session, Sequence[str], datetime], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts at most, and unused."""

    lasts: timedelta
    idle: timedelta


class Sessions:
    """The sessions of this site; implements `yinxin.web.caller.Authenticator`."""

    def __init__(self, store: Store, checker: CertificateChecker, refusals: Refusals, limits: Limits) -> None:
        self._store = store
        self._refusals = refusals
        self._checker = checker
        self._limits = limits
        #: whoever has to know that sessions end, in the same transaction
        self.ended: list[Ended] = []

    def open(
        self,
        binding: CertificateBinding,
        holder: Standing,
        way: str,
        *,
        within: Callable[[Session], None] | None = None,
    ) -> tuple[str, Caller]:
        """A new session, recorded; returns its token, which is kept nowhere else, and who it belongs to.

        `within` joins the transaction, and undoes it by raising.
        """
        now = self._store.clock.now()
        token = text_token(self._store.randomness.token(32))
        row = SessionRow(
            id=self._store.identifier(),
            token_hash=token_hash(token),
            certificate=binding.fingerprint,
            person=binding.person,
            post=binding.post,
            way=way,
            created=now,
            proved=now,
            certified=None if way == "passkey" else now,
            used=now,
            expires=min(now + self._limits.lasts, binding.expires_at),
        )
        caller = _caller(row, holder)
        with self._store.act(caller.actor, "authz.sign-in", f"session:{row.id}", way=way) as act:
            act.session.add(row)
            seen = sa.update(PersonRow).where(PersonRow.id == binding.person)
            act.session.execute(seen.values(signed_in=now))
            if within is not None:
                within(act.session)
        return token, caller

    def prove(self, caller: Caller) -> None:
        """Keep that the certificate's key was proved in the caller's session just now; recorded."""
        now = self._store.clock.now()
        with self._store.act(caller.actor, "authz.prove", f"session:{caller.session}") as act:
            proved = sa.update(SessionRow).where(SessionRow.id == caller.session, SessionRow.ended.is_(None))
            act.session.execute(proved.values(proved=now, certified=now))

    def act_for(self, caller: Caller, post: str, delegation: str) -> tuple[str, Caller]:
        """A further session, in a post that the caller was delegated, with the same certificate and no longer than hers.

        Every use looks at the delegation's window, as at any appointment; it ends with the session it was opened from.
        Raises NoAppointment, or SessionEnded when that one has just ended.
        """
        now = self._store.clock.now()
        token = text_token(self._store.randomness.token(32))
        actor = caller.actor
        with self._store.read() as session:
            holder = standing(session, actor.id, post, now)
            if not holder.appointed:
                raise NoAppointment(person=actor.id, post=post)
            own = session.get_one(SessionRow, caller.session)
            more = {"way": own.way, "proved": own.proved, "certified": own.certified, "expires": own.expires}
        row = SessionRow(
            id=self._store.identifier(),
            token_hash=token_hash(token),
            certificate=actor.certificate,
            person=actor.id,
            post=post,
            created=now,
            used=now,
            opened_from=caller.session,
            **more,
        )
        acting = _caller(row, holder)
        with self._store.act(actor, "authz.act-for", f"session:{row.id}", delegation=delegation) as act:
            # whoever ends that session waits for this row, and then sees what was opened from it
            open_ = sa.select(SessionRow.id).where(
                SessionRow.id == caller.session, SessionRow.ended.is_(None)
            )
            if act.session.scalar(open_.with_for_update()) is None:
                raise SessionEnded
            act.session.add(row)
            act.session.flush()
            step("authz.act-for.1-opened")
        step("authz.act-for.2-recorded")
        return token, acting

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        """Who holds `token`, looked at again from the ground; `peer` is the connection's certificate (DER), if any.

        Raises NotSignedIn, SessionEnded, SessionExpired, SessionIdle, SessionOfAnother, CertificateRevoked,
        NoAppointment, all recorded, or Unavailable when revocation cannot be told.
        """
        now = self._store.clock.now()
        refusal: YinxinError | None = None
        with self._store.look() as look:
            row = _OF_TOKEN.first(look, {"token": token_hash(token)})
            try:
                caller, used = self._shown(look, row, peer, now)
            except YinxinError as error:
                refusal = error
        if refusal is not None:
            self._refusals.record(*_refused(row), refusal)
            raise refusal
        # an application that asks the core within its act came with a session whose use was kept at the act's request
        if used + _GRAIN <= now and not self._store.acting:
            self._keep(caller.session, now)
        return caller

    def known(self, token: str, peer: bytes | None = None) -> Known:
        """As `authenticate`, unrecorded, and what it rests on (`yinxin.web.caller.Knowing`).

        It does not outlast the minute after which the session's use is to be kept again: then it is looked up anew.
        """
        now = self._store.clock.now()
        named = token_hash(token)
        with self._store.look() as look:
            row: Any = _OF_TOKEN.first(look, {"token": named})
            caller, used = self._shown(look, row, peer, now)
            state, edge = AtNumber.of(look), next_edge(look, caller.actor.id, now)
        ends = min(row.expires, used + min(_GRAIN, self._limits.idle), edge or row.expires)
        return Known(caller, (state, Between(now, ends), _Unchanged(named, row, self._checker)))

    def _shown(self, within: Within, row: Any, peer: bytes | None, now: datetime) -> tuple[Caller, datetime]:
        """Whose session the token in this row is, shown on a connection of the certificate `peer`; and its last use kept."""
        if row is None:
            raise NotSignedIn
        if peer is not None and INTL.hash.digest(peer).hex() != row.certificate:
            raise SessionOfAnother
        holder = self._holder(within, row)
        if row.used + self._limits.idle <= now:
            raise SessionIdle(minutes=int(self._limits.idle.total_seconds()) // 60)
        return _caller(row, holder), row.used

    def holder(self, within: Within, session_id: str) -> tuple[Any, Standing]:
        """A session's row, and whose it is if it still holds; how long it was unused is not asked.

        Raises NotSignedIn, SessionEnded, SessionExpired, CertificateRevoked, NoAppointment, or Unavailable.
        """
        row = _OF_ID.first(within, {"id": session_id})
        if row is None:
            raise NotSignedIn
        return row, self._holder(within, row)

    def _holder(self, within: Within, row: Any) -> Standing:
        now = self._store.clock.now()
        if row.ended is not None:
            raise SessionEnded
        if row.expires <= now:
            raise SessionExpired
        bound = row.bound_person is not None and row.unbound_at is None
        if not bound or self._checker.revoked(row.certificate, within):
            raise CertificateRevoked(certificate=row.certificate)
        holder = standing(within, row.bound_person, row.post, now)
        if not holder.appointed:
            raise NoAppointment(person=row.bound_person, post=row.post)
        return holder

    def open_of(
        self, person: str, *, after: str = "", limit: int = 200, way: str | None = None
    ) -> list[SessionRow]:
        """The open sessions of `person`, or those opened in one `way`; oldest first, detached."""
        now = self._store.clock.now()
        query = (
            sa.select(SessionRow)
            .where(
                SessionRow.person == person,
                SessionRow.ended.is_(None),
                SessionRow.expires > now,
                SessionRow.used > now - self._limits.idle,
                SessionRow.id > after,
            )
            .order_by(SessionRow.id)
            .limit(limit)
        )
        if way is not None:
            query = query.where(SessionRow.way == way)
        with self._store.read() as session:
            rows = list(session.scalars(query))
            session.expunge_all()
        return rows

    def sign_out(self, caller: Caller) -> None:
        """End the caller's session; one that is over already stays so."""
        self._end(
            caller.actor, "authz.sign-out", f"session:{caller.session}", SessionRow.id == caller.session
        )

    def end_one(self, actor: Actor, session_id: str) -> None:
        """End another open session of the actor's own; raises UnknownSession, of other people's sessions too."""
        mine = sa.and_(SessionRow.id == session_id, SessionRow.person == actor.id)
        with self._store.read() as session:
            row = session.scalar(sa.select(SessionRow).where(mine, SessionRow.ended.is_(None)))
        if row is None:
            error = UnknownSession(session=session_id[:40])
            self._refusals.record(actor, "authz.sign-out", "session:unknown", error)
            raise error
        self._end(actor, "authz.sign-out", f"session:{row.id}", mine)

    def end_of(self, actor: Actor, person: str, session_id: str) -> None:
        """End one open session of `person`; raises UnknownSession. Whether `actor` may is the caller's to ask."""
        hers = sa.and_(SessionRow.id == session_id, SessionRow.person == person)
        with self._store.read() as session:
            row = session.scalar(sa.select(SessionRow).where(hers, SessionRow.ended.is_(None)))
        if row is None:
            raise UnknownSession(session=session_id[:40])
        self._end(actor, "authz.end-sessions", f"session:{row.id}", hers)

    def end_all(self, actor: Actor, person: str) -> int:
        """End every open session of `person`; how many there were. Whether `actor` may is the caller's to ask."""
        live = sa.and_(SessionRow.person == person, SessionRow.expires > self._store.clock.now())
        return self._end(actor, "authz.end-sessions", f"person:{person}", live, told=True)

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

    def _keep(self, session_id: str, now: datetime) -> None:
        with self._store.housekeep() as session:
            used = sa.update(SessionRow).where(SessionRow.id == session_id, SessionRow.used < now)
            session.execute(used.values(used=now))

    def _end(
        self, actor: Actor, verb: str, subject: str, which: sa.ColumnElement[bool], *, told: bool = False
    ) -> int:
        now = self._store.clock.now()
        with self._store.act(actor, verb, subject) as act:
            ended = close(act.session, which, now)
            for tell in self.ended:
                tell(act.session, ended, now)
            if told:
                act.facts["count"] = len(ended)
        return len(ended)


_SESSION, _BINDING = cast("sa.Table", SessionRow.__table__), cast("sa.Table", CertificateBinding.__table__)
#: a session and what its certificate is bound to
_BOUND = sa.select(
    *_SESSION.c,
    _BINDING.c.person.label("bound_person"),
    _BINDING.c.ended_at.label("unbound_at"),
).outerjoin_from(_SESSION, _BINDING, _BINDING.c.fingerprint == _SESSION.c.certificate)
_OF_TOKEN = Sql(_BOUND.where(_SESSION.c.token_hash == sa.bindparam("token")))
_OF_ID = Sql(_BOUND.where(_SESSION.c.id == sa.bindparam("id")))


def _refused(row: Any | None) -> tuple[Actor, str, str]:
    if row is None:
        return STRANGER, "authz.authenticate", "session:unknown"
    actor = Actor(Kind.PERSON, row.person, row.post, certificate=row.certificate)
    return actor, "authz.authenticate", f"session:{row.id}"


def _caller(row: Any, holder: Standing) -> Caller:
    actor = Actor(
        Kind.PERSON,
        holder.person.id,
        holder.post.id,
        holder.organ.id,
        certificate=row.certificate,
        certified=row.certified or _NEVER,
    )
    return Caller(
        actor=actor,
        session=row.id,
        roles=holder.post.roles,
        name=holder.person.name,
        post_name=holder.post.name,
        organ_name=holder.organ.name,
        way=row.way,
        proved=row.proved,
        tenant=holder.organ.tenant,
    )
