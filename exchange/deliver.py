"""Delivering: what has come in is opened and handed to its application, in order for each peer and kind, once.

The application takes it within the act that records the delivery. What cannot be taken for now is tried again, ever more
seldom, and holds back only its own kind from its own peer; what can never be taken is put aside, on record, and said.
"""

import logging
from datetime import timedelta

import sqlalchemy as sa

from exchange.closing import open_key, suite_for
from exchange.content import Opened
from exchange.context import Context
from exchange.couriers import Couriers
from exchange.errors import NoApplication
from exchange.header import Header
from exchange.models import Direction, MessageRow, State
from exchange.packs import slot
from yinxin.act import SYSTEM
from yinxin.errors import InternalError, YinxinError
from yinxin.exchange import Application
from yinxin.steps import step
from yinxin.store import alone

_log = logging.getLogger("yinxin.exchange")

VERB = "exchange.deliver"
#: messages of one kind from one peer that are delivered before others have their turn
_AT_ONCE = 100


class Delivering:
    """The verb of delivering."""

    def __init__(self, ctx: Context, couriers: Couriers) -> None:
        self._store = ctx.store
        self._own = ctx.own
        self._peers = ctx.peers
        self._folder = ctx.folder
        self._application = ctx.application
        self._couriers = couriers

    def run(self) -> int:
        """Deliver what is due; how many messages. A job."""
        count = 0
        queues = self._queues()
        if not queues:
            return count
        with alone(self._store.engine, "exchange-deliver") as held:
            for peer, kind in queues if held else ():
                application, work = self._application(kind), f"deliver {kind}"[:40]
                if application is None or not self._couriers.due(peer, work):
                    continue
                try:
                    count += self._drain(application, peer, kind)
                except YinxinError as error:
                    self._couriers.failed(peer, work, error.code, timedelta(seconds=1))
                except Exception:  # noqa: BLE001 - what a peer says may show a fault of ours: the others are delivered all the same
                    _log.exception("delivering %s of %s failed", kind, peer)
                    self._couriers.failed(peer, work, InternalError.code, timedelta(seconds=1))
                else:
                    self._couriers.done(peer, work, timedelta())
        return count

    def open(self, row: MessageRow) -> Opened:
        """A message that came in, opened; raises PartAltered, MalformedEnvelope, CannotDecrypt, or as the key centre."""
        header = Header.decode(row.header)
        certificate = self._own.organ(header.recipient)
        key = open_key(
            row.key,
            certificate,
            lambda envelope, recipient: self._own.open(header.recipient, envelope, recipient),
        )
        anchors = self._peers.anchors(row.peer)
        return Opened.of(header, self._folder, suite_for(certificate), key, anchors=anchors, first=slot(row))

    def _queues(self) -> list[tuple[str, str]]:
        query = (
            sa.select(MessageRow.peer, MessageRow.kind)
            .where(MessageRow.direction == Direction.IN, MessageRow.state == State.RECEIVED)
            .distinct()
        )
        with self._store.read() as session:
            return [(peer, kind) for peer, kind in session.execute(query)]

    def _drain(self, application: Application, peer: str, kind: str) -> int:
        count = 0
        while count < _AT_ONCE and (row := self._next(peer, kind)) is not None:
            self._one(application, row)
            count += 1
        return count

    def _next(self, peer: str, kind: str) -> MessageRow | None:
        query = (
            sa.select(MessageRow)
            .where(
                MessageRow.direction == Direction.IN,
                MessageRow.state == State.RECEIVED,
                MessageRow.peer == peer,
                MessageRow.kind == kind,
            )
            .order_by(MessageRow.seq)
            .limit(1)
        )
        with self._store.read() as session:
            row = session.scalars(query).one_or_none()
            if row is not None:
                session.expunge(row)
            return row

    def _one(self, application: Application, row: MessageRow) -> None:
        """1. Opened, and its files put where they belong. 2. Taken by the application, and recorded as delivered."""
        subject = f"message:{row.id}"
        try:
            message = self.open(row)
            prepared = application.prepare(message)
            step("exchange.deliver.1-prepared")
            with self._store.act(SYSTEM, VERB, subject, peer=row.peer, seq=row.seq, kind=row.kind) as act:
                held = act.session.get(MessageRow, (Direction.IN, row.peer, row.seq), with_for_update=True)
                if held is None or held.state != State.RECEIVED:
                    raise NoApplication(kind=row.kind)
                held.state, held.settled = State.DELIVERED, self._store.clock.now()
                act.session.flush()
                application.take(act, message, prepared)
            step("exchange.deliver.2-taken")
        except YinxinError as error:
            self._store.refuse(SYSTEM, VERB, subject, error)
            if error.retryable or error.status >= 500:  # ours to mend: the message is good
                raise
            self._put_aside(row, error)

    def _put_aside(self, row: MessageRow, error: YinxinError) -> None:
        subject = f"message:{row.id}"
        with self._store.act(
            SYSTEM, VERB, subject, peer=row.peer, seq=row.seq, undeliverable=error.code
        ) as act:
            held = act.session.get(MessageRow, (Direction.IN, row.peer, row.seq), with_for_update=True)
            if held is not None and held.state == State.RECEIVED:
                held.state, held.error = State.UNDELIVERABLE, error.code
                held.settled = self._store.clock.now()
