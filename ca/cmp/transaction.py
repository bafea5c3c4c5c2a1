"""A transaction's memory: begun once, answered once, ended once, whatever crashes and however many ask at a time."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ca.cmp.errors import TransactionInUse, UnknownTransaction
from ca.cmp.message import Message
from ca.cmp.models import CmpTransactionRow, Stage
from ca.cmp.protection import Sender
from ca.context import Context
from ca.errors import AlreadyRevoked
from ca.models import CertificateRow, State
from ca.revoke import revoke
from yinxin.act import SYSTEM, Actor
from yinxin.crypto.suite import INTL
from yinxin.steps import step

#: how long an ended transaction is remembered; its certificate's reference is for ever
_KEPT = timedelta(days=30)
_NONCE = 16


@dataclass(frozen=True)
class Transaction:
    """A transaction as it stands."""

    id: str
    stage: Stage
    request: bytes
    response: bytes | None
    nonces: tuple[bytes, ...]
    serial: str | None
    confirm_until: datetime
    created: datetime

    @property
    def reference(self) -> str:
        """The reference of its issuance."""
        return _reference(self.id)


def key_of(sender: Sender, transaction: bytes) -> str:
    """A transaction's name: another sender's transactionID is another transaction."""
    return INTL.hash.digest(f"{sender.name}/{transaction.hex()}".encode()).hex()


def _reference(key: str) -> str:
    return f"cmp/{key}"


def _certificates(key: str) -> sa.Select[str]:
    """What was made under a transaction of this name, whatever became of it."""
    return sa.select(CertificateRow.serial).where(CertificateRow.reference == _reference(key))


def find(ctx: Context, sender: Sender, transaction: bytes) -> Transaction:
    """The sender's transaction; raises UnknownTransaction."""
    with ctx.store.read() as session:
        row = session.get(CmpTransactionRow, key_of(sender, transaction))
    if row is None:
        raise UnknownTransaction(transaction=transaction.hex()[:64])
    return _of(row)


def known(ctx: Context, sender: Sender, message: Message) -> Transaction | None:
    """The transaction that this very message began before."""
    with ctx.store.read() as session:
        row = session.get(CmpTransactionRow, key_of(sender, message.header.transaction))
    return _of(row) if row is not None and row.request == message.der else None


def begin(ctx: Context, sender: Sender, message: Message) -> Transaction:
    """The transaction of a first message, new or begun by the very same one; raises TransactionInUse.

    One that is over and forgotten is not begun again, though its message comes again: unconfirmed for a second time, its
    certificate would be revoked.
    """
    key, now = key_of(sender, message.header.transaction), ctx.store.clock.now()
    nonce = ctx.store.randomness.token(_NONCE)
    row = CmpTransactionRow(
        id=key,
        stage=Stage.BEGUN.value,
        request=message.der,
        response=None,
        first_nonce=nonce,
        last_nonce=nonce,
        serial=None,
        confirm_until=now + timedelta(minutes=ctx.settings.cmp_confirm_minutes),
        created=now,
    )
    with suppress(IntegrityError):  # another worker was quicker
        with ctx.store.read() as session:
            # in this order: a transaction is written down before its certificate
            spent = session.scalar(sa.select(_certificates(key).exists()))
            known = session.get(CmpTransactionRow, key)
        if known is None and spent:
            raise TransactionInUse(transaction=message.header.transaction.hex()[:64])
        if known is None:
            with ctx.store.housekeep() as session:
                session.add(row)
            step("ca.cmp.1-begun")
    found = find(ctx, sender, message.header.transaction)
    if found.request != message.der:
        raise TransactionInUse(transaction=message.header.transaction.hex()[:64])
    return found


def keep(ctx: Context, key: str, response: bytes, serial: str | None, *, confirmed: bool) -> bytes:
    """Keep the answer, unless another worker kept one; the answer that counts."""
    stage = Stage.CLOSED if serial is None else Stage.CONFIRMED if confirmed else Stage.WAITING
    with ctx.store.housekeep() as session:
        begun = sa.update(CmpTransactionRow).where(
            CmpTransactionRow.id == key,
            CmpTransactionRow.stage == Stage.BEGUN,
            CmpTransactionRow.response.is_(None),
        )
        session.execute(begun.values(response=response, serial=serial, stage=stage.value))
    step("ca.cmp.3-kept")
    with ctx.store.read() as session:
        kept = session.get_one(CmpTransactionRow, key).response
    return kept or response


def next_nonce(ctx: Context, key: str) -> bytes:
    """Our nonce for an answer that is not kept."""
    nonce = ctx.store.randomness.token(_NONCE)
    with ctx.store.housekeep() as session:
        session.execute(
            sa.update(CmpTransactionRow).where(CmpTransactionRow.id == key).values(last_nonce=nonce)
        )
    return nonce


def move(ctx: Context, key: str, before: Stage, after: Stage) -> bool:
    """From one stage to the next; False when it was not in that one."""
    with ctx.store.housekeep() as session:
        moved = sa.update(CmpTransactionRow).where(
            CmpTransactionRow.id == key, CmpTransactionRow.stage == before
        )
        return bool(session.execute(moved.values(stage=after.value)).rowcount)  # type: ignore[attr-defined]


def reject(ctx: Context, actor: Actor, key: str) -> None:
    """Revoke the certificate of a transaction whose confirmation did not come or said no; safe to repeat.

    1. the transaction says so; 2. the certificate is revoked, on the record; 3. the transaction is over.
    """
    for stage in (Stage.WAITING, Stage.BEGUN):
        move(ctx, key, stage, Stage.REJECTING)
    step("ca.cmp.4-rejecting")
    with ctx.store.read() as session:
        serial = session.scalar(_certificates(key).where(CertificateRow.state == State.ISSUED))
    if serial is not None:
        with suppress(AlreadyRevoked):  # an officer was quicker, or this is the second try
            revoke(ctx, actor, serial, "cessationOfOperation", {"cmp": "unconfirmed"})
    step("ca.cmp.5-revoked")
    move(ctx, key, Stage.REJECTING, Stage.REJECTED)


def tend(ctx: Context) -> None:
    """Reject what was not confirmed in time, finish what a crash left, forget what is long over. From time to time."""
    now = ctx.store.clock.now()
    late = sa.select(CmpTransactionRow.id).where(
        sa.or_(
            CmpTransactionRow.stage == Stage.REJECTING,
            sa.and_(
                CmpTransactionRow.stage.in_((Stage.BEGUN, Stage.WAITING)),
                CmpTransactionRow.confirm_until < now,
            ),
        )
    )
    with ctx.store.read() as session:
        keys = session.scalars(late).all()
    for key in keys:
        reject(ctx, SYSTEM, key)
    over = sa.delete(CmpTransactionRow).where(
        CmpTransactionRow.stage.in_((Stage.CONFIRMED, Stage.REJECTED, Stage.CLOSED)),
        CmpTransactionRow.created < now - _KEPT,
    )
    with ctx.store.housekeep() as session:
        session.execute(over)


def _of(row: CmpTransactionRow) -> Transaction:
    return Transaction(
        row.id,
        Stage(row.stage),
        row.request,
        row.response,
        (row.first_nonce, row.last_nonce),
        row.serial,
        row.confirm_until,
        row.created,
    )
