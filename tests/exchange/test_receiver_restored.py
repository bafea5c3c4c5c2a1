"""A receiver that was restored to before it gave receipts: it is sent again what it lost where it says so, signed, and on no other word."""

import io
import shutil
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from exchange.again import Again
from exchange.check import check
from exchange.confirm import confirm
from exchange.courier import RECONCILE
from exchange.errors import Forked
from exchange.models import Direction, MessageRow, ReceiptRow, ReconciliationRow, State
from exchange.receipt import SEED, Blind, Line, Receipt
from exchange.receive import Early
from exchange.reconcile import BEHIND, LOST, _file
from exchange.runs import first_waiting, next_run
from exchange.statement import Reach, Statement
from tests.laws.province import opened
from yinxin.act import SYSTEM
from yinxin.clock import rfc3339

from .sites import Taking, join, letter, settings

pytestmark = pytest.mark.engines("any")


class Receiver:
    """The second of two sites, and its copy of an earlier moment."""

    def __init__(self, two, folder, stack) -> None:
        self.two, self.stack = two, stack
        two.yi.store.engine.dispose()
        self.copy = shutil.copytree(two.yi._root, folder / "copy")

    def restore(self, **more: str) -> Taking:
        """It is what it was; what its application takes from now on."""
        more = {"exchange.inline": "100000", **more}
        platform = self.stack.enter_context(opened(self.copy, *settings("yi.example", **more)))
        self.two.yi, taking = join(self.two.net, platform), Taking()
        self.two.yi.applications["test"] = taking
        return taking

    def lost(self, *numbers: int) -> None:
        """Take these letters, each a run of its own, and be restored to before."""
        for number in numbers:
            self.two.jia.sending.send(SYSTEM, letter(number))
            assert push(self.two) == 1


@pytest.fixture(scope="module")
def restored():
    """What was restored goes on until the last test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def receiver(two, tmp_path_factory, restored):
    if two.yi.store.engine.dialect.name != "sqlite":
        pytest.skip("a copy of its folder is a copy of its database")
    return Receiver(two, tmp_path_factory.mktemp("moment"), restored)


def push(two):
    return two.jia.courier.push(two.jia.peers.get("yi.example"))


def again(two):
    return two.jia.reconciling.again.run("yi.example")


def left(two):
    with two.jia.store.read() as session:
        return first_waiting(session, "yi.example")


def receipts(site, direction):
    with site.store.read() as session:
        rows = sa.select(ReceiptRow.upto, ReceiptRow.receipt).where(ReceiptRow.direction == direction)
        return dict(map(tuple, session.execute(rows).all()))


def differences(site):
    with site.store.read() as session:
        query = sa.select(ReconciliationRow.difference).order_by(ReconciliationRow.id)
        return list(session.scalars(query))


def sound(two):
    for site in (two.jia, two.yi):
        assert check(site.ctx, site.own.roots(), SYSTEM).faults == ()


def stated(site, peer, **forged):
    """What a site says of itself, well signed, as it travels; with `forged` parts otherwise."""
    sent, received = site.reconciling.reach(peer)
    said = Statement(site.own.site, peer, rfc3339(site.store.clock.now()), sent, received)
    encoded = replace(said, **forged).encoded
    return _file(encoded, site.signing.sign(encoded))


def test_it_catches_up_when_something_is_sent(two, receiver):
    """Seen to fail (`exchange.forked`, for ever) while nothing was sent twice that had a receipt."""
    receiver.lost(1, 2)
    given = receipts(two.jia, Direction.OUT)
    taking = receiver.restore()
    two.jia.sending.send(SYSTEM, letter(3))
    assert push(two) == 1
    two.yi.delivering.run()
    assert taking.taken == [1, 2, 3]
    assert (left(two), again(two)) == (None, None)
    # the receipts from before are those that count
    assert given.items() <= receipts(two.jia, Direction.OUT).items()
    assert differences(two.jia)[-1] == LOST
    assert two.jia.reconciling.ask(two.jia.peers.get("yi.example")).difference is None
    sound(two)


def test_it_catches_up_by_reconciling_when_nothing_is_sent(two, receiver):
    """Once a day. Seen to fail while only what waits was a reason to call."""
    receiver.lost(4, 5)
    taking = receiver.restore()
    assert two.jia.courier._reconciled(two.jia.peers.get("yi.example")) == 0
    two.yi.delivering.run()
    assert taking.taken == [4, 5]
    sound(two)


def test_it_knows_that_it_is_behind(two, receiver):
    """By what the other site says of receipts; and the other site, told so, sends when it is next due. Seen to fail without `received-lost`."""
    two.jia.courier.couriers.done("yi.example", RECONCILE, timedelta(days=1))
    receiver.lost(6)
    assert "yi.example" not in two.jia.courier._due()
    taking = receiver.restore()
    assert two.yi.reconciling.ask(two.yi.peers.get("jia.example")).difference == BEHIND
    assert "yi.example" in two.jia.courier._due()
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    two.yi.delivering.run()
    assert taking.taken == [6]
    assert "yi.example" not in two.jia.courier._due()


def test_it_catches_up_by_asking(two, receiver):
    """A site that nobody calls; parts that do not come with the run are asked for, packed ones too. Seen to fail ("out of order", for ever)."""
    receiver.lost(7, 8)
    two.jia.sending.send(SYSTEM, letter(9))
    taking = receiver.restore()
    two.jia.settings.__dict__["inline"] = 0
    try:
        assert two.yi.courier.fetch(two.yi.peers.get("jia.example")) == 3
    finally:
        two.jia.settings.__dict__["inline"] = 100_000
    two.yi.delivering.run()
    assert taking.taken == [7, 8, 9]
    assert (left(two), again(two)) == (None, None)
    sound(two)


def test_it_catches_up_by_files(two, receiver, tmp_path):
    """What is signed and waits is in the file once. Seen to fail while a file held what waits alone; and (twice in it) while that was taken for lost."""
    receiver.lost(10, 11)
    two.jia.sending.send(SYSTEM, letter(21))
    assert next_run(two.jia.store, two.jia.signing, "yi.example") is not None
    taking = receiver.restore()
    two.yi.carrying.out(two.yi.peers.get("jia.example"), tmp_path / "there")
    assert two.jia.carrying.take(io.BytesIO((tmp_path / "there").read_bytes())).difference == LOST
    assert two.jia.carrying.out(two.jia.peers.get("yi.example"), tmp_path / "back") == 3
    assert two.yi.carrying.take(io.BytesIO((tmp_path / "back").read_bytes())).messages == 3
    assert two.jia.carrying.out(two.jia.peers.get("yi.example"), tmp_path / "more") == 1
    two.yi.delivering.run()
    assert taking.taken == [10, 11, 21]
    assert push(two) == 1
    sound(two)


# --- what is no restore ----------------------------------------------------------------------------------------


def test_nothing_is_sent_again_on_an_unsigned_word(two, receiver, monkeypatch):
    """Whoever has its line alone says that messages lack. Seen to fail with the statement not asked for."""
    receiver.lost(12)
    two.jia.sending.send(SYSTEM, letter(13))
    run = next_run(two.jia.store, two.jia.signing, "yi.example")
    monkeypatch.setattr(two.yi.receiving, "receive", lambda *_: Early(run.first - 1))
    with pytest.raises(Forked) as told:
        push(two)
    assert told.value.facts["seq"] == run.first - 1
    assert again(two) is None
    monkeypatch.undo()
    assert push(two) == 1


def test_nothing_is_sent_again_to_who_has_another_message(two, receiver):
    """A fork is one whatever it lacks. Seen to fail with the head not compared."""
    receiver.lost(14, 15)
    _, received = two.yi.reconciling.reach("jia.example")
    forged = Reach(received.seq - 1, "00" * 32, received.seq - 1)
    found = two.jia.reconciling.compare(
        two.jia.peers.get("yi.example"), stated(two.yi, "jia.example", received=forged)
    )
    assert found.difference == "sent-differs"
    assert again(two) is None


def test_nothing_is_sent_again_for_what_was_said_before_the_receipt(two, receiver):
    """An old statement that somebody brings, or that was on its way meanwhile. Seen to fail (an alarm, and sent again) with its time not looked at."""
    old = stated(two.yi, "jia.example")
    receiver.lost(16)
    assert two.jia.reconciling.compare(two.jia.peers.get("yi.example"), old).difference is None
    assert again(two) is None


def test_who_lacks_again_what_was_just_sent_is_met_once(two, receiver, monkeypatch):
    """And not asked for ever. Seen to fail (twenty statements in one call) while it was asked after each."""
    receiver.lost(17, 18)
    receiver.restore()
    two.jia.sending.send(SYSTEM, letter(19))
    lost = Again.lost
    monkeypatch.setattr(Again, "lost", lambda self, peer, after: lost(self, peer, after + 1))
    before = len(differences(two.jia))
    with pytest.raises(Forked):
        push(two)
    assert len(differences(two.jia)) == before + 1
    monkeypatch.undo()
    with pytest.raises(Forked):
        push(two)
    # its next statement says it anew
    two.jia.reconciling.ask(two.jia.peers.get("yi.example"))
    assert push(two) == 1


def test_a_second_receipt_that_says_otherwise_settles_nothing(two, receiver):
    """What it took it does not refuse afterwards, nor take what it refused. Seen to fail (passed over) with the outcomes not compared."""
    receiver.lost(20)
    with two.jia.store.read() as session:
        query = sa.select(MessageRow).where(MessageRow.direction == Direction.OUT).order_by(MessageRow.seq)
        row = session.scalars(query).all()[-1]
    peer, blind = two.jia.peers.get("yi.example"), Blind(two.yi.own.suite, bytes(SEED))

    def said(error):
        at = rfc3339(two.yi.store.clock.now())
        receipt = Receipt("yi.example", "jia.example", at, (Line(row.seq, row.digest, error),), blind)
        return confirm(two.jia.ctx, peer, (receipt.encoded, two.yi.signing.sign(receipt.signed)))

    assert said(None) == 0
    with pytest.raises(Forked) as told:
        said("exchange.too_secret")
    assert told.value.facts["seq"] == row.seq
    with two.jia.store.read() as session:
        assert session.get_one(MessageRow, ("out", "yi.example", row.seq)).state == State.RECEIVED
