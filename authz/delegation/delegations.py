"""Giving, ending and looking up delegations."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from authz.appointment.appoint import enter, lock_person
from authz.appointment.end import end_delegation, unended
from authz.change.asked import post_of
from authz.checker import CertificateChecker
from authz.decide import Decisions
from authz.delegation.errors import (
    DelegationOver,
    DelegationStatementWrong,
    DelegationTooLong,
    DelegationToOneself,
    DelegationWindow,
    UnknownDelegation,
)
from authz.delegation.wish import VERB, Wish
from authz.directory.look import standing
from authz.directory.models import DelegationRow
from authz.errors import UnknownAction
from authz.models import AppointmentRow
from yinxin.act import Actor
from yinxin.clock import rfc3339
from yinxin.crypto import cms
from yinxin.statement import Statement
from yinxin.steps import step
from yinxin.store import Store

#: how old a statement may be when its signature arrives, and how much ahead of our clock
_FRESH, _AHEAD = timedelta(minutes=15), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Delegation:
    """A delegation; `ended_at` is from when it no longer holds, `ended` how it came to that."""

    id: str
    post: str
    delegator: str
    delegate: str
    valid_from: datetime
    valid_to: datetime
    actions: tuple[str, ...] | None
    given: datetime
    ended_at: datetime | None
    ended: str | None


@dataclass(frozen=True, slots=True)
class SignedDelegation:
    """What was signed, and the detached CMS signature (DER)."""

    id: str
    statement: bytes
    signature: bytes


class Delegations:
    """The delegations of this site. `site` names it in what is signed; `longest` bounds a window."""

    def __init__(
        self,
        store: Store,
        decisions: Decisions,
        checker: CertificateChecker,
        *,
        site: str,
        longest: timedelta,
        actions: Callable[[], frozenset[str]],
    ) -> None:
        self._store = store
        self._decisions = decisions
        self._checker = checker
        self._site = site
        self._longest = longest
        self._actions = actions

    def statement(self, actor: Actor, wish: Wish) -> bytes:
        """The bytes that the delegator signs on her own side; raises as `give` does for what can be told already."""
        now = self._store.clock.now()
        self._sound(actor, wish, now)
        return wish.statement(actor, self._site, now).encode()

    def give(self, actor: Actor, statement: bytes, signature: bytes) -> Delegation:
        """Record the delegation that `actor` signed: from its window's begin the delegate acts in the post.

        `signature` is a detached CMS signature (DER) over `statement` by the certificate she signed in with. Raises
        Denied, DelegationStatementWrong, DelegationWindow, DelegationToOneself, DelegationTooLong, UnknownAction,
        UnknownPerson, HasRetired, AppointmentOverlaps, PowersMeet, and what a wrong signature raises.
        """
        now = self._store.clock.now()
        with self._store.read() as session:
            decision = self._decisions.require(actor, VERB, post_of(session, actor.post or "", actor.id, now))
        with self._store.act(actor, VERB, f"post:{actor.post}") as act:
            act.decision = decision.record()
            wish = self._signed(actor, statement, signature, now)
            self._sound(actor, wish, now)
            _within_own(act.session, actor, wish)
            row = DelegationRow(
                id=self._store.identifier(),
                post=actor.post,
                delegator=actor.id,
                delegate=wish.delegate,
                valid_from=wish.valid_from,
                valid_to=wish.valid_to,
                actions=None if wish.actions is None else sorted(wish.actions),
                statement=statement,
                signature=signature,
                certificate=actor.certificate,
                given=now,
            )
            lock_person(act.session, wish.delegate)
            act.session.add(row)
            act.session.flush()
            acting = AppointmentRow(
                person=wish.delegate,
                post=actor.post,
                valid_from=max(wish.valid_from, now),
                valid_to=wish.valid_to,
                kind="delegation",
                delegation=row.id,
            )
            enter(act.session, acting)
            act.facts |= {"delegation": row.id, "delegate": wish.delegate}
            step("authz.delegate.1-entered")
            given = _told(row)
        step("authz.delegate.2-recorded")
        return given

    def end(self, actor: Actor, id_: str) -> Delegation:
        """End a delegation at once: by who gave it, who has it, or who may end appointments in that post.

        Raises UnknownDelegation, DelegationOver, Denied.
        """
        now = self._store.clock.now()
        with self._store.read() as session:
            found = self._row(session, id_)
            about = actor.id if actor.id in (found.delegator, found.delegate) else found.delegate
            decision = self._decisions.require(
                actor, "authz.end-delegation", post_of(session, found.post, about, now)
            )
        with self._store.act(actor, "authz.end-delegation", f"delegation:{id_}") as act:
            act.decision = decision.record()
            row = self._row(act.session, id_, hold=True)
            if not end_delegation(act.session, row, now, "withdrawn", now=now):
                raise DelegationOver(delegation=id_)
            step("authz.end-delegation.1-ended")
            ended = _told(row)
        step("authz.end-delegation.2-recorded")
        return ended

    def of(self, person: str, *, after: str = "", limit: int = 100) -> tuple[Delegation, ...]:
        """Delegations that a person gave or got, by identifier (oldest first), from the one after `after`."""
        involved = sa.or_(DelegationRow.delegator == person, DelegationRow.delegate == person)
        query = sa.select(DelegationRow).where(involved, DelegationRow.id > after)
        with self._store.read() as session:
            return tuple(_told(row) for row in session.scalars(query.order_by(DelegationRow.id).limit(limit)))

    def under(self, actor: Actor) -> SignedDelegation | None:
        """The delegation that `actor` acts by in the post she is in now; None for who holds it otherwise."""
        if actor.post is None:
            return None
        with self._store.read() as session:
            by = standing(session, actor.id, actor.post, self._store.clock.now()).delegation
            row = None if by is None else self._row(session, by)
            return None if row is None else SignedDelegation(row.id, row.statement, row.signature)

    def held(self, actor: Actor, id_: str) -> Delegation:
        """The delegation by which `actor` may act now; raises UnknownDelegation, DelegationOver."""
        now = self._store.clock.now()
        with self._store.read() as session:
            row = self._row(session, id_)
            if row.delegate != actor.id:
                raise UnknownDelegation(delegation=id_)
            over = row.ended_at is not None and row.ended_at <= now
            if over or not row.valid_from <= now < row.valid_to:
                raise DelegationOver(delegation=id_)
            return _told(row)

    def _row(self, session: Session, id_: str, *, hold: bool = False) -> DelegationRow:
        row = session.get(DelegationRow, id_, with_for_update=hold)
        if row is None:
            raise UnknownDelegation(delegation=id_)
        return row

    def _signed(self, actor: Actor, data: bytes, signature: bytes, now: datetime) -> Wish:
        """What `actor` signed, just now, for this site, in this post, with the certificate she signed in with."""
        signed = cms.verify_detached(signature, data)
        statement = Statement.decode(data)
        matching = {
            "certificate": signed.certificate.fingerprint == actor.certificate,
            "type": statement.type == VERB,
            "subject": statement.subject == f"post:{actor.post}",
            "person": (statement.person, statement.post, statement.organ)
            == (actor.id, actor.post, actor.organ),
            "site": statement.content.get("site") == self._site,
            "at": now - _FRESH <= statement.at <= now + _AHEAD,
        }
        for field, holds in matching.items():
            if not holds:
                raise DelegationStatementWrong(field=field)
        self._checker.check(signed.certificate, tuple(signed.chain), now)
        try:
            return Wish.of(statement)
        except ValidationError as error:
            place = error.errors(include_url=False, include_input=False)[0]["loc"]
            raise DelegationStatementWrong(field=".".join(map(str, place)) or "content") from error

    def _sound(self, actor: Actor, wish: Wish, now: datetime) -> None:
        begins = wish.valid_from >= now - _FRESH
        if not begins or not timedelta(0) < wish.valid_to - max(wish.valid_from, now) <= self._longest:
            raise DelegationWindow(
                valid_from=rfc3339(wish.valid_from),
                valid_to=rfc3339(wish.valid_to),
                days=self._longest.days,
            )
        if wish.delegate == actor.id:
            raise DelegationToOneself
        for action in wish.actions or ():
            if action not in self._actions():
                raise UnknownAction(action=action)


def _within_own(session: Session, actor: Actor, wish: Wish) -> None:
    """The delegator holds the post by an appointment of her own, now and through the whole window."""
    lock_person(session, actor.id)
    covering = sa.exists().where(
        AppointmentRow.person == actor.id,
        AppointmentRow.post == actor.post,
        AppointmentRow.kind != "delegation",
        AppointmentRow.valid_from <= wish.valid_from,
        sa.or_(AppointmentRow.valid_to.is_(None), AppointmentRow.valid_to >= wish.valid_to),
        unended(wish.valid_from),
    )
    if not session.scalar(sa.select(covering)):
        raise DelegationTooLong(person=actor.id, post=actor.post)


def _told(row: DelegationRow) -> Delegation:
    return Delegation(
        row.id,
        row.post,
        row.delegator,
        row.delegate,
        row.valid_from,
        row.valid_to,
        None if row.actions is None else tuple(row.actions),
        row.given,
        row.ended_at,
        row.ended,
    )
