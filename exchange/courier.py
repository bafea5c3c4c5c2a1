"""The courier: takes what waits to each peer that can be called, asks for what waits there when this site cannot be, and reconciles once a day."""

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from exchange import frames
from exchange.calls import Calls
from exchange.confirm import confirm
from exchange.context import Context
from exchange.couriers import Couriers
from exchange.errors import Forked, PeerUnreachable
from exchange.frames import Tag
from exchange.header import Part
from exchange.line import CHUNK, Arrived, Lack, Line
from exchange.models import Carrier
from exchange.peers import Peer
from exchange.receive import Lacking, Receipted, Receiving
from exchange.reconcile import BEHIND, LOST, Reconciling
from exchange.runs import Reader, Run, next_run, waited_for, waiting
from exchange.signed import Signature
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import alone

SEND, ASK, RECONCILE = "send", "ask", "reconcile"
#: a peer is reconciled with so often
_AGAIN = timedelta(days=1)
#: runs that one peer is sent or asked for before others have their turn
_AT_ONCE = 20


class _Lacks(Exception):
    """A peer lacks messages from this number on, which it has given receipts for."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected


class Courier:
    """Sends, asks and reconciles by HTTPS. One process at a time for each peer, and several peers at a time."""

    def __init__(self, ctx: Context, receiving: Receiving, reconciling: Reconciling) -> None:
        self._ctx = ctx
        self._store = ctx.store
        self._folder = ctx.folder
        self._settings = ctx.settings
        self._receiving = receiving
        self._reconciling = reconciling
        self._again = reconciling.again
        self._calls = Calls()
        self.couriers = Couriers(ctx.store)

    def run(self) -> None:
        """Begin to call every peer that is due, and wait for none; a job."""
        self._calls.begin(self._due(), self._called)

    def _due(self) -> set[str]:
        """The peers that something waits for, that are to be asked for what waits there, or to be reconciled with."""
        with self._store.read() as session:
            wanting = (set(waited_for(session)) | self._again.peers()) - self.couriers.resting(SEND)
        reached = {each.site: each for each in self._ctx.peers.standing()}
        asked = {site for site, each in reached.items() if self._asks(each)} - self.couriers.resting(ASK)
        reconciled = {
            site for site, each in reached.items() if each.url and each.carrier is not Carrier.NATS
        } - self.couriers.resting(RECONCILE)
        pushed = {site for site, each in reached.items() if each.carrier is Carrier.PUSH}
        return (wanting & pushed) | asked | reconciled

    def _called(self, site: str) -> None:
        peer = self._ctx.peers.get(site)
        self.call(peer)
        if peer.url and peer.carrier is not Carrier.NATS and self.couriers.due(site, RECONCILE):
            self._tried(peer, RECONCILE, self._reconciled, _AGAIN)

    def _reconciled(self, peer: Peer) -> int:
        lost = self._reconciling.ask(peer).difference == LOST
        return self.call(peer, at_once=True) if lost else 0

    def call(self, peer: Peer, *, at_once: bool = False) -> int:
        """Send and ask, if it is due or `at_once`; whatever goes wrong is remembered, and tried again later."""
        sends = peer.carrier is Carrier.PUSH and (at_once or self.couriers.due(peer.site, SEND))
        with self._store.read() as session:
            sends = sends and (bool(waiting(session, peer.site)) or peer.site in self._again.peers())
        asks = self._asks(peer) and (at_once or self.couriers.due(peer.site, ASK))
        if not (sends or asks):
            return 0
        count = 0
        with alone(self._store.engine, f"exchange-{peer.site}") as held:
            if held and sends:
                count += self._tried(peer, SEND, self.push, timedelta())
            if held and asks:
                count += self._tried(peer, ASK, self.fetch, timedelta(seconds=self._settings.ask_every))
        return count

    def push(self, peer: Peer) -> int:
        """Send what waits; how many messages were receipted. Raises PeerUnreachable, Forked, NotSignedByPeer and its kin."""
        count = 0
        with Line(peer, self._ctx.http) as line:
            for _ in range(_AT_ONCE):
                again = self._again.run(peer.site)
                run = again or next_run(self._store, self._ctx.signing, peer.site)
                if run is None:
                    break
                try:
                    count += self._sent(peer, line, run)
                except _Lacks as lacks:
                    # it is sent again to whoever says so in a signed statement, and on no other word
                    if again or self._reconciling.ask(peer).difference != LOST:
                        raise Forked(peer=peer.site, seq=lacks.expected) from None
                    continue
                if again:
                    self._again.handed(peer.site, again)
        return count

    def fetch(self, peer: Peer) -> int:
        """Ask for what waits at a peer; how many runs came. Raises as `push`."""
        count = 0
        with Line(peer, self._ctx.http) as line:
            while count < _AT_ONCE and self._fetched(peer, line):
                count += 1
        return count

    def _asks(self, peer: Peer) -> bool:
        return not self._settings.url and bool(peer.url) and peer.carrier in (Carrier.PUSH, Carrier.PULL)

    def _tried(self, peer: Peer, work: str, do: Callable[[Peer], int], wait: timedelta) -> int:
        try:
            count = do(peer)
        except YinxinError as error:
            self.couriers.failed(peer.site, work, error.code, timedelta(seconds=self._settings.every))
            return 0
        self.couriers.done(peer.site, work, wait)
        return count

    def _sent(self, peer: Peer, line: Line, run: Run) -> int:
        """1. The run leaves. 2. The parts that it lacks leave. 3. The receipt is taken."""
        # a line that failed may be too slow for a whole run in one request: then its parts go by themselves, and go on where they stopped
        inline = -1 if self.couriers.failures(peer.site, SEND) else self._settings.inline
        for _ in range(3):
            octets = b"".join(behind_magic(run.pieces(self._folder, inline)))
            answer = line.ask("POST", "/runs", content=octets)
            if answer.headers.get("Content-Type") == frames.MEDIA_TYPE:
                step("exchange.push.1-answered")
                given = read_receipts(Reader(io.BytesIO(answer.content)))
                return sum(confirm(self._ctx, peer, each) for each in given)
            said = Lack.model_validate_json(answer.content)
            if said.expected is not None:
                raise _Lacks(said.expected)
            for each in said.lacking:
                self._part(peer, line, run, each.digest, each.received)
            inline = -1
        raise PeerUnreachable(site=peer.site, reason="parts")

    def _part(self, peer: Peer, line: Line, run: Run, digest: str, received: int) -> None:
        found = next((each for each in run.placed() if each[0].digest == digest), None)
        if found is None:
            raise PeerUnreachable(site=peer.site, reason="it asks for a part of another run")
        part, where = found
        while received < part.size:
            with self._folder.open(part, where, behind=received) as stream:
                octets = stream.read(CHUNK)
            answer = line.ask("POST", f"/parts/{digest}", content=octets, params={"offset": received})
            at = Arrived.model_validate_json(answer.content).received
            if at <= received:
                raise PeerUnreachable(site=peer.site, reason="it takes no octet")
            received = at

    def _fetched(self, peer: Peer, line: Line, *, told: bool = False) -> bool:
        with line.stream("/questions") as stream:
            reader = Reader(stream)
            if reader.ahead() is None:
                return False
            answer = self._receiving.receive(peer, reader)
        if isinstance(answer, Lacking):
            for part, received in answer.parts:
                self._bring(peer, line, answer.run, part, received)
            answer = self._receiving.finish(peer, answer.run)
        if not isinstance(answer, Receipted):
            # whoever was restored to before what it gave receipts for tells the peer so, and is given it again
            if told or self._reconciling.ask(peer).difference != BEHIND:
                raise PeerUnreachable(site=peer.site, reason="out of order")
            return self._fetched(peer, line, told=True)
        step("exchange.pull.1-received")
        line.ask("POST", "/receipts", content=frames.MAGIC + receipt_frames(answer))
        return True

    def _bring(self, peer: Peer, line: Line, run: Run, part: Part, received: int) -> None:
        suite = next(header.suite for header, each in run.parts() if each.digest == part.digest)
        while received < part.size:
            got = line.ask("GET", f"/parts/{part.digest}", params={"offset": received}).content
            if not got:
                raise PeerUnreachable(site=peer.site, reason="it gives no octet")
            self._folder.take(peer.site, suite, part, received, io.BytesIO(got))
            received += len(got)


def receipt_frames(answer: Receipted) -> bytes:
    """The frames of a receipt and of those before it, without the magic line."""
    return b"".join(
        frames.frame(tag, data)
        for each in (*answer.before, answer)
        for tag, data in (
            (Tag.RECEIPT, each.receipt),
            (Tag.RECEIPT_SIGNATURE, each.signature.cms),
            (Tag.RECEIPT_STANDING, each.signature.standing),
        )
    )


def read_receipts(reader: Reader) -> list[tuple[bytes, Signature]]:
    """The receipts of an answer, at least one, not yet believed; raises MalformedEnvelope."""
    given = [read_receipt(reader)]
    while (frame := reader.ahead()) is not None and frame.tag is Tag.RECEIPT:
        given.append(read_receipt(reader))
    return given


def read_receipt(reader: Reader) -> tuple[bytes, Signature]:
    """A receipt and its signature, not yet believed; raises MalformedEnvelope."""
    return reader.take(Tag.RECEIPT), Signature(
        reader.take(Tag.RECEIPT_SIGNATURE), reader.take(Tag.RECEIPT_STANDING)
    )


def behind_magic(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Frames as a stream of their own."""
    yield frames.MAGIC
    yield from pieces
