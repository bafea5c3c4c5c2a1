"""Recovery of an encryption key: asked for with its basis, approved by several, delivered once.

A recovery is a row that moves one way only. What it gives is one envelope, made at the first delivery and kept: asked
for again it is the same octets, and nobody but the holder of the recipient's key can open them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kms.escrow.errors import (
    BadRecovery,
    NotAlone,
    RecoveryClosed,
    RecoveryNotApproved,
    RecoveryUnknown,
    UserKeyUnknown,
)
from kms.escrow.keys import UserKey
from kms.escrow.models import RecoveryApprovalRow, RecoveryRow, Standing, UserKeyRow
from yinxin.act import Actor, Kind
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.steps import step
from yinxin.store import Store
from yinxin.text import Text

REQUEST = "kms.request-recovery"
APPROVE = "kms.approve-recovery"
REFUSE = "kms.refuse-recovery"
DELIVER = "kms.deliver-recovery"
#: what a reason is worth writing down with, in characters
SHORTEST, LONGEST = 8, 2000

#: given the key, its ciphertext for the recipient
Envelop = Callable[[UserKey, Certificate], bytes]


class Basis(StrEnum):
    """On what a key is recovered: the holder's own wish, her organ's need, or a court's order."""

    HOLDER = "holder"
    ORGAN = "organ"
    JUDICIAL = "judicial"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the key of this identifier, for the holder of `recipient`."""

    key: str
    basis: Basis
    reason: str
    recipient: Certificate


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery as it stands."""

    id: str
    key: str
    organ: str
    basis: Basis
    reason: str
    recipient: str
    #: the name in the recipient's certificate, as its issuer has it
    recipient_subject: str
    requested_by: str
    created: datetime
    expires: datetime
    needed: int
    approved_by: tuple[str, ...]
    state: str
    delivered_at: datetime | None

    @classmethod
    def of(cls, row: RecoveryRow, approved_by: tuple[str, ...], now: datetime) -> Self:
        """The recovery in this row."""
        return cls(
            id=row.id,
            key=row.key,
            organ=row.organ,
            basis=Basis(row.basis),
            reason=row.reason,
            recipient=Certificate(row.recipient).fingerprint,
            recipient_subject=Certificate(row.recipient).subject.text,
            requested_by=row.requested_by,
            created=row.created,
            expires=row.expires,
            needed=row.needed,
            approved_by=approved_by,
            state=_state(row, now),
            delivered_at=row.delivered_at,
        )

    def fields(self) -> dict[str, Any]:
        """The recovery as JSON."""
        return {
            "id": self.id,
            "key": self.key,
            "organ": self.organ,
            "basis": self.basis.value,
            "reason": self.reason,
            "recipient": self.recipient,
            "recipient_subject": self.recipient_subject,
            "requested_by": self.requested_by,
            "created": rfc3339(self.created),
            "expires": rfc3339(self.expires),
            "needed": self.needed,
            "approved_by": list(self.approved_by),
            "state": self.state,
            "delivered_at": rfc3339(self.delivered_at) if self.delivered_at else None,
        }


def key_of(store: Store, id_: str) -> UserKey:
    """A key that was given to somebody; raises UserKeyUnknown."""
    with store.read() as session:
        row = session.get(UserKeyRow, id_[:26])
    if row is None or row.standing == Standing.STANDBY:
        raise UserKeyUnknown(key=id_[:64])
    return UserKey.of(row)


def request(
    store: Store, actor: Actor, wish: Wish, *, needed: int, life: timedelta, decision: Mapping[str, Any]
) -> str:
    """The identifier of a new recovery; raises UserKeyUnknown, BadRecovery."""
    key = key_of(store, wish.key)
    if not SHORTEST <= len(wish.reason.strip()) <= LONGEST:
        raise BadRecovery(
            field="reason",
            reason=Text(
                f"须写明依据，{SHORTEST} 至 {LONGEST} 字",
                f"say on what it rests, in {SHORTEST} to {LONGEST} characters",
            ),
        )
    now, id_ = store.clock.now(), store.identifier()
    facts: dict[str, Any] = {
        "key": key.id,
        "basis": wish.basis.value,
        "recipient": wish.recipient.fingerprint,
    }
    with store.act(actor, REQUEST, f"recovery:{id_}", **facts) as act:
        act.decision = dict(decision)
        act.session.add(
            RecoveryRow(
                id=id_,
                key=key.id,
                organ=key.organ,
                basis=wish.basis.value,
                reason=wish.reason.strip(),
                recipient=wish.recipient.der,
                requested_by=actor.id,
                requested_post=actor.post,
                created=now,
                expires=now + life,
                needed=needed,
            )
        )
    return id_


def approve(store: Store, actor: Actor, id_: str, decision: Mapping[str, Any]) -> None:
    """Add an approval; raises RecoveryUnknown, RecoveryClosed, NotAlone."""
    try:
        with store.act(actor, APPROVE, f"recovery:{id_[:26]}") as act:
            act.decision = dict(decision)
            row = _open(act.session, id_, store.clock.now())
            post = _distinct(act.session, row, actor)
            act.session.add(
                RecoveryApprovalRow(
                    recovery=row.id,
                    person=actor.id,
                    post=post,
                    certificate=actor.certificate,
                    approved=store.clock.now(),
                )
            )
            act.session.flush()
    except IntegrityError as error:  # the same person, or another in her post, in the same instant
        refusal = _not_alone(
            id_, actor, Text("本人或本岗位已批准过", "the person or the post approved it already")
        )
        store.refuse(actor, APPROVE, f"recovery:{id_[:26]}", refusal)
        raise refusal from error


def refuse(store: Store, actor: Actor, id_: str, decision: Mapping[str, Any]) -> None:
    """End the recovery: one refusal is enough. Raises RecoveryUnknown, RecoveryClosed."""
    with store.act(actor, REFUSE, f"recovery:{id_[:26]}") as act:
        act.decision = dict(decision)
        row = _open(act.session, id_, store.clock.now())
        row.refused_by, row.refused_at = actor.id, store.clock.now()


def deliver(store: Store, actor: Actor, id_: str, envelop: Envelop, decision: Mapping[str, Any]) -> bytes:
    """The envelope, made once; whoever asks again is given the same one.

    Raises RecoveryUnknown, RecoveryNotApproved, RecoveryClosed, and what `envelop` raises.
    """
    # 1. approved, or delivered already
    with store.read() as session:
        row = _find(session, id_)
        if row.envelope is not None:
            return row.envelope
        key = UserKey.of(session.get_one(UserKeyRow, row.key))
        _approved(session, row, store.clock.now())
    # 2. encrypted to the recipient; of no use to anybody else
    envelope = envelop(key, Certificate(row.recipient))
    step("kms.deliver-recovery.2-enveloped")
    # 3. kept and recorded, unless another was first
    with store.act(actor, DELIVER, f"recovery:{row.id}", key=key.id) as act:
        act.decision = dict(decision)
        again = _find(act.session, id_, lock=True)
        if again.envelope is not None:
            act.facts["again"] = True
            return again.envelope
        _approved(act.session, again, store.clock.now())
        act.facts["approved_by"] = _approvers(act.session, again.id)
        again.envelope, again.delivered_at = envelope, store.clock.now()
    step("kms.deliver-recovery.3-kept")
    return envelope


def find(store: Store, id_: str) -> Recovery:
    """A recovery as it stands; raises RecoveryUnknown."""
    with store.read() as session:
        row = _find(session, id_)
        return Recovery.of(row, tuple(_approvers(session, row.id)), store.clock.now())


def search(
    store: Store, organs: sa.ColumnElement[bool], *, after: str = "", limit: int = 100
) -> list[Recovery]:
    """Recoveries by identifier, from the one after `after`; `organs` narrows them."""
    query = sa.select(RecoveryRow).where(RecoveryRow.id > after, organs).order_by(RecoveryRow.id).limit(limit)
    with store.read() as session:
        now = store.clock.now()
        return [
            Recovery.of(row, tuple(_approvers(session, row.id)), now) for row in session.scalars(query).all()
        ]


def _find(session: Session, id_: str, *, lock: bool = False) -> RecoveryRow:
    row = session.get(RecoveryRow, id_[:26], with_for_update=lock, populate_existing=lock)
    if row is None:
        raise RecoveryUnknown(recovery=id_[:40])
    return row


def _open(session: Session, id_: str, now: datetime) -> RecoveryRow:
    row = _find(session, id_, lock=True)
    if (state := _state(row, now)) != "open":
        raise RecoveryClosed(recovery=row.id, state=state)
    return row


def _state(row: RecoveryRow, now: datetime) -> str:
    if row.delivered_at is not None:
        return "delivered"
    if row.refused_at is not None:
        return "refused"
    return "expired" if now >= row.expires else "open"


def _approvers(session: Session, id_: str) -> list[str]:
    query = sa.select(RecoveryApprovalRow.person).where(RecoveryApprovalRow.recovery == id_)
    return list(session.scalars(query.order_by(RecoveryApprovalRow.approved, RecoveryApprovalRow.person)))


def _approved(session: Session, row: RecoveryRow, now: datetime) -> None:
    if (state := _state(row, now)) != "open":
        raise RecoveryClosed(recovery=row.id, state=state)
    if (given := len(_approvers(session, row.id))) < row.needed:
        raise RecoveryNotApproved(recovery=row.id, needed=row.needed, given=given)


def _distinct(session: Session, row: RecoveryRow, actor: Actor) -> str:
    """The approver's post; raises NotAlone unless person and post are new to this recovery."""
    if actor.kind is not Kind.PERSON or actor.post is None:
        raise _not_alone(row.id, actor, Text("只有任职人员可以批准", "only a person in a post may approve"))
    if actor.id == row.requested_by or actor.post == row.requested_post:
        raise _not_alone(
            row.id, actor, Text("申请人或其岗位不能批准", "who asks, and her post, do not approve")
        )
    known = sa.select(RecoveryApprovalRow).where(
        RecoveryApprovalRow.recovery == row.id,
        sa.or_(RecoveryApprovalRow.person == actor.id, RecoveryApprovalRow.post == actor.post),
    )
    if session.scalars(known).first() is not None:
        raise _not_alone(
            row.id, actor, Text("本人或本岗位已批准过", "the person or the post approved it already")
        )
    return actor.post


def _not_alone(id_: str, actor: Actor, reason: Text) -> NotAlone:
    return NotAlone(recovery=id_[:40], person=actor.id, post=actor.post or "-", reason=reason)
