"""Grants: what a person lets a client know of her, for as long as her session, certificate and appointment hold."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.challenges import text_token, token_hash
from authz.directory import Standing
from authz.oidc.errors import DelegationLimited, InvalidGrant
from authz.oidc.models import CodeRow, GrantRow, TokenRow
from authz.sessions import Sessions
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.errors import NotAuthenticated
from yinxin.store import Act, Store


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long what is given out lasts; nothing outlives its session."""

    code: timedelta
    access: timedelta
    request: timedelta
    device: timedelta


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gives, besides the ID token; the only place where they stand in the clear."""

    access: str
    refresh: str | None
    seconds: int
    scope: str


def actor_of(grant: GrantRow, organ: str | None = None) -> Actor:
    """The person in whose name a client acts, and the client that does."""
    return Actor(
        Kind.PERSON, grant.person, grant.post, organ, certificate=grant.certificate, via=grant.client
    )


class Grants:
    """The grants of this site."""

    def __init__(self, store: Store, sessions: Sessions, lifetimes: Lifetimes) -> None:
        self._store = store
        self._sessions = sessions
        self.lifetimes = lifetimes

    def add(self, act: Act, session_id: str, client: str, scope: str, nonce: str | None) -> GrantRow:
        """A new grant of the person whose session it is, inside her act; raises NotAuthenticated's leaves, DelegationLimited."""
        row, holder = self._sessions.holder(act.session, session_id)
        if holder.actions is not None:
            raise DelegationLimited
        grant = GrantRow(
            id=self._store.identifier(),
            client=client,
            session=row.id,
            person=row.person,
            post=row.post,
            certificate=row.certificate,
            scope=scope,
            nonce=nonce,
            way=row.way,
            proved=row.proved,
            created=self._store.clock.now(),
            expires=row.expires,
        )
        act.session.add(grant)
        act.session.flush()
        act.facts |= {"client": client, "scope": scope, "grant": grant.id}
        return grant

    def add_code(self, act: Act, grant: GrantRow, redirect_uri: str, challenge: str) -> str:
        """A code for it; kept by its hash."""
        code = text_token(self._store.randomness.token(32))
        act.session.add(
            CodeRow(
                hash=token_hash(code),
                grant=grant.id,
                redirect_uri=redirect_uri,
                challenge=challenge,
                expires=self._store.clock.now() + self.lifetimes.code,
            )
        )
        return code

    def live(self, session: Session, grant: GrantRow | None) -> tuple[GrantRow, Standing]:
        """The grant and who gave it, looked at from the ground; raises InvalidGrant, or Unavailable.

        Who has the post by a limited delegation alone is nobody to other systems: a role told there knows no limit.
        """
        now = self._store.clock.now()
        if grant is None or grant.ended is not None or grant.expires <= now:
            raise InvalidGrant
        try:
            holder = self._sessions.holder(session, grant.session)[1]
        except NotAuthenticated as error:
            raise InvalidGrant from error
        if holder.actions is not None:
            raise InvalidGrant
        return grant, holder

    def give_tokens(self, act: Act, grant: GrantRow, scope: str, *, refresh: bool) -> Tokens:
        """New tokens for it, in the same transaction as their record."""
        now = self._store.clock.now()
        access_until = min(now + self.lifetimes.access, grant.expires)
        access = self._token(act, grant, "access", scope, access_until)
        again = self._token(act, grant, "refresh", grant.scope, grant.expires) if refresh else None
        act.facts |= {"client": grant.client, "scope": scope, "refresh": refresh}
        return Tokens(access, again, int((access_until - now).total_seconds()), scope)

    def end(self, grant: GrantRow, reason: str) -> None:
        """End it and all that was given out for it; `reason` is for the record."""
        now = self._store.clock.now()
        with self._store.act(
            actor_of(grant), "authz.end-sign-on", f"sign-on:{grant.id}", reason=reason
        ) as act:
            act.session.execute(
                sa.update(GrantRow).where(GrantRow.id == grant.id, GrantRow.ended.is_(None)).values(ended=now)
            )

    def of_token(self, session: Session, token: str, kind: str) -> tuple[TokenRow, GrantRow] | None:
        """The row of a token and its grant, whatever their state."""
        query = sa.select(TokenRow, GrantRow).join(GrantRow, GrantRow.id == TokenRow.grant)
        found = session.execute(
            query.where(TokenRow.hash == token_hash(token), TokenRow.kind == kind)
        ).one_or_none()
        return (found[0], found[1]) if found else None

    def forget(self, before: datetime) -> None:
        """What expired long ago is of no use any more; the log keeps what was done. Recorded by its number."""
        over = sa.select(GrantRow.id).where(GrantRow.expires < before)
        with self._store.read() as session:
            if session.scalar(over.limit(1)) is None:
                return
        with self._store.act(SYSTEM, "authz.forget-sign-ons", "sign-ons") as act:
            for table in (CodeRow, TokenRow):
                act.session.execute(sa.delete(table).where(table.grant.in_(over)))
            gone = act.session.scalars(
                sa.delete(GrantRow).where(GrantRow.expires < before).returning(GrantRow.id)
            )
            act.facts["count"] = len(gone.all())

    def _token(self, act: Act, grant: GrantRow, kind: str, scope: str, until: datetime) -> str:
        token = text_token(self._store.randomness.token(32))
        act.session.add(
            TokenRow(
                hash=token_hash(token),
                grant=grant.id,
                kind=kind,
                scope=scope,
                created=self._store.clock.now(),
                expires=until,
            )
        )
        return token


def in_organ(actor: Actor, organ: str) -> Actor:
    """The same, with the organ that the directory has for the post now."""
    return replace(actor, organ=organ)
