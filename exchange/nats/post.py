"""The carrier `nats`: what waits for a peer is put into its inbox on a NATS server, and what lies in ours is taken from there.

The outbox is the record and the server none: a run is put there again until its signed receipt is here, whatever became of it there,
and what lies there is removed once it is on record here and its receipt is on its way. What comes twice, late or in pieces that were
broken off is told by our own numbers and signatures, as of a file that is carried by hand.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from exchange.calls import Calls
from exchange.confirm import confirm
from exchange.context import Context
from exchange.courier import RECONCILE, behind_magic, read_receipt, receipt_frames
from exchange.couriers import Couriers
from exchange.errors import CarrierMisconfigured, CarrierUnreachable, MalformedEnvelope
from exchange.frames import Tag
from exchange.models import Carrier
from exchange.nats.connection import Connection
from exchange.nats.stream import Inbox, Piece
from exchange.peers import Peer
from exchange.receive import VERB as RECEIVE
from exchange.receive import Lacking, Receipted, Receiving
from exchange.reconcile import Reconciling
from exchange.runs import Reader, first_waiting, next_run
from yinxin.act import SYSTEM
from yinxin.errors import InternalError, YinxinError
from yinxin.steps import step
from yinxin.store import alone

_log = logging.getLogger("yinxin.exchange")

#: the works of a peer's rows among the couriers, and the row of the server itself, which is no site
PUT, TAKE, SERVER = "nats-put", "nats-take", "-"
#: publications of one peer that are taken or put before others have their turn
_AT_ONCE = 20
#: octets of a publication that are held in memory: it is sealed, and lies in a file of nobody's beyond that
_HELD = 16 << 20
_WHOLE = 1 << 40
_DAY = timedelta(days=1)


class Post:
    """What this site has on the NATS server. One process at a time."""

    def __init__(
        self, ctx: Context, receiving: Receiving, reconciling: Reconciling, couriers: Couriers
    ) -> None:
        self._ctx = ctx
        self._store = ctx.store
        self._settings = ctx.settings.nats
        self._every = timedelta(seconds=ctx.settings.every)
        self._again = timedelta(seconds=self._settings.again)
        self._receiving = receiving
        self._reconciling = reconciling
        self._couriers = couriers
        self._calls = Calls()
        self._connection: Connection | None = None

    def run(self) -> None:
        """Begin to take and to put, and wait for neither; a job."""
        if self._settings.url:
            self._calls.begin([SERVER], lambda _: self.work())

    def work(self, *, at_once: bool = False) -> int:
        """Take what lies in the inbox and put what waits into others', unless the server is left alone; how many publications."""
        peers = [each for each in self._ctx.peers.standing() if each.carrier is Carrier.NATS]
        if not peers or not (at_once or self._couriers.due(SERVER, PUT)):
            return 0
        with alone(self._store.engine, "exchange-nats") as held:
            if not held:
                return 0
            try:
                inbox = self._inbox()
                count = 0
                if inbox.first(self._ctx.own.site, 1) is not None:
                    count += sum(
                        self._tried(each, TAKE, partial(self._taken, inbox), at_once) for each in peers
                    )
                return count + sum(
                    self._tried(each, PUT, partial(self._put, inbox, at_once), True) for each in peers
                )
            except (CarrierUnreachable, CarrierMisconfigured) as error:
                self._lost(peers, error)
                return 0

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def _inbox(self) -> Inbox:
        """Ours and others', by the connection that is kept."""
        if self._connection is None or self._connection.closed:
            self._connection = Connection(self._settings, self._store.randomness)
            Inbox(self._settings, self._connection).prepare(self._ctx.own.site)
            self._couriers.done(SERVER, PUT, timedelta())
            self._couriers.over(CarrierUnreachable.code, CarrierMisconfigured.code)
        return Inbox(self._settings, self._connection)

    def _lost(self, peers: Sequence[Peer], error: YinxinError) -> None:
        """The server is not there: it is left alone for a while, ever longer, and each peer's standing says why."""
        self.close()
        self._couriers.failed(SERVER, PUT, error.code, self._every)
        for each in peers:
            self._couriers.failed(each.site, TAKE, error.code, self._every)

    def _tried(self, peer: Peer, work: str, do: Callable[[Peer], int], at_once: bool) -> int:  # noqa: FBT001 - as everywhere here
        """Whatever goes wrong with one peer is remembered, and tried again later; the others have their turn all the same."""
        if not (at_once or self._couriers.due(peer.site, work)):
            return 0
        try:
            return do(peer)
        except (CarrierUnreachable, CarrierMisconfigured) as error:
            if self._connection is None or self._connection.closed:
                raise
            self._failed(peer, work, error.code)
        except YinxinError as error:
            self._failed(peer, work, error.code)
        except Exception:  # noqa: BLE001 - what a peer says may show a fault of ours
            _log.exception("the post of %s failed", peer.site)
            self._failed(peer, work, InternalError.code)
        return 0

    def _failed(self, peer: Peer, work: str, error: str) -> None:
        if work == TAKE:
            self._couriers.failed(peer.site, work, error, self._every)
        else:  # when it is put there again is said already
            self._couriers.noted(peer.site, work, error)

    # --- taking ------------------------------------------------------------------------------------------------

    def _taken(self, inbox: Inbox, peer: Peer) -> int:
        """Take the publications of a peer in their order; how many. What is not there whole yet is left."""
        own, count = self._ctx.own.site, 0
        subject = inbox.subject(own, peer.site)
        while count < _AT_ONCE and (piece := inbox.first(own, 1, subject)) is not None:
            with SpooledTemporaryFile(_HELD) as spool:
                upto, whole = _gathered(inbox, own, piece, cast("BinaryIO", spool))
                if upto is None:
                    break
                if whole:
                    spool.seek(0)
                    receipts = self._heard(peer, cast("BinaryIO", spool))
                    step("exchange.nats.1-taken")
                    if receipts:
                        inbox.put(peer.site, own, self._store.identifier(), behind_magic(receipts))
            inbox.drop(own, subject, upto)
            count += whole
        if count:
            self._couriers.done(peer.site, TAKE, timedelta())
        return count

    def _heard(self, peer: Peer, stream: BinaryIO) -> list[bytes]:
        """Put a publication on record; the receipts to give for it.

        One that is not the peer's, or of no form, is refused on record and done with: what is good in it is sent again. Raises what is
        ours to mend.
        """
        receipts: list[bytes] = []
        reader = Reader(stream)
        try:
            with self._store.refusing(SYSTEM, RECEIVE, f"exchange-peer:{peer.site}"):
                while (frame := reader.ahead()) is not None:
                    if frame.tag is Tag.HEADER:
                        answer = self._receiving.receive(peer, reader)
                        if isinstance(answer, Lacking):
                            raise MalformedEnvelope(reason=f"{len(answer.parts)} parts are missing")
                        if isinstance(answer, Receipted):
                            receipts.append(receipt_frames(answer))
                    elif frame.tag is Tag.RECEIPT:
                        if confirm(self._ctx, peer, read_receipt(reader)):
                            self._couriers.answered(peer.site, PUT, self._again)
                    elif frame.tag is Tag.STATEMENT:
                        self._reconciling.take(peer, reader)
                    else:
                        raise MalformedEnvelope(reason=f"a frame {frame.tag.name} out of place")
        except YinxinError as error:
            if error.retryable or error.status >= 500:
                raise
            self._couriers.failed(peer.site, TAKE, error.code, timedelta())
        return receipts

    # --- putting -----------------------------------------------------------------------------------------------

    def _put(self, inbox: Inbox, at_once: bool, peer: Peer) -> int:  # noqa: FBT001 - as everywhere here
        """Put there what waits and is not there yet, or has no receipt after so long; how many runs."""
        count, own = 0, self._ctx.own.site
        with alone(self._store.engine, f"exchange-{peer.site}") as held:
            with self._store.read() as session:
                first = first_waiting(session, peer.site)
            again_ = self._reconciling.again
            while held and count < _AT_ONCE and (lost := again_.run(peer.site)) is not None:
                octets = behind_magic(lost.pieces(self._ctx.folder, _WHOLE))
                inbox.put(peer.site, own, self._store.identifier(), octets)
                again_.handed(peer.site, lost)
                count += 1
            if held and first is not None:
                upto, late = self._couriers.handed(peer.site, PUT)
                again = upto >= first and (late or at_once)
                after = first - 1 if again else max(upto, first - 1)
                while count < _AT_ONCE:
                    run = next_run(self._store, self._ctx.signing, peer.site, after)
                    if run is None:
                        break
                    octets = behind_magic(run.pieces(self._ctx.folder, _WHOLE))
                    inbox.put(peer.site, own, self._store.identifier(), octets)
                    step("exchange.nats.2-put")
                    after = run.upto
                    self._couriers.hand(peer.site, PUT, after, self._again, again=again)
                    again, count = False, count + 1
        if self._couriers.due(peer.site, RECONCILE) or at_once:
            inbox.put(peer.site, own, self._store.identifier(), [self._reconciling.statement(peer)])
            self._couriers.done(peer.site, RECONCILE, _DAY)
        return count


def _gathered(inbox: Inbox, site: str, piece: Piece, into: BinaryIO) -> tuple[int | None, bool]:
    """Gather what begins with this piece: up to which place it is done with, and whether it is a whole publication.

    No place: the rest may still come. One whose beginning is not there, or behind which another one follows, is never whole.
    """
    if piece.number != 1:
        return piece.place, False
    while True:
        into.write(piece.data)
        if piece.last:
            return piece.place, True
        following = inbox.first(site, piece.place + 1, piece.subject)
        if following is None:
            return None, False
        if (following.of, following.number) != (piece.of, piece.number + 1):
            return piece.place, False
        piece = following
