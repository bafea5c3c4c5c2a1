"""A peer that signs the same numbers twice, in whatever order and however fast: nobody is left with a receipt, or without a proof, by it."""

import io
from contextlib import ExitStack
from dataclasses import replace

import pytest
import sqlalchemy as sa

from exchange.check import check
from exchange.confirm import confirm
from exchange.courier import behind_magic
from exchange.errors import Forked, MalformedEnvelope
from exchange.header import Header
from exchange.models import Direction, MessageRow
from exchange.receipt import SEED, Blind, Line, Receipt
from exchange.receive import Early, Receipted, Receiving
from exchange.runs import Reader, next_run, roll_of
from yinxin.act import SYSTEM
from yinxin.steps import listen

from .sites import letter

pytestmark = pytest.mark.engines("both")


def written(two, *letters):
    """The next run of the first site, on record there and not brought."""
    for each in letters:
        two.jia.sending.send(SYSTEM, each)
    return next_run(two.jia.store, two.jia.signing, "yi.example")


def part_of(two, run, begin, end=None, **forged):
    """Some of a run's messages as a run of their own, well signed; with `forged` fields the first of them is another one."""
    headers, keys = list(run.headers[begin:end]), run.keys[begin:end]
    headers[0] = replace(headers[0], **forged)
    for at in range(1, len(headers)):
        headers[at] = replace(headers[at], previous=headers[at - 1].digest)
    signature = two.jia.signing.sign(roll_of(headers))
    return replace(run, headers=tuple(headers), keys=keys, signature=signature)


def brought(two, run):
    octets = b"".join(behind_magic(run.pieces(two.jia.folder, 1 << 40)))
    return two.yi.receiving.receive(two.yi.peers.get("jia.example"), Reader(io.BytesIO(octets)))


def told(two, answer):
    """How many messages a receipt settles at the sender."""
    return confirm(two.jia.ctx, two.jia.peers.get("yi.example"), (answer.receipt, answer.signature))


def sound(two):
    for site in (two.jia, two.yi):
        assert check(site.ctx, site.own.roots(), SYSTEM).faults == ()


def test_no_receipt_where_what_was_signed_is_not_kept(two):
    """What ends with the same number and begins elsewhere has no place beside the signature that is here.

    Seen to fail (a receipt, and no signature on record over the first message) without `_signed_twice`.
    """
    run = written(two, letter(1), letter(2), letter(3))
    tail = part_of(two, run, 1)
    assert isinstance(brought(two, tail), Early)
    with pytest.raises(Forked):
        brought(two, run)
    answers = [brought(two, part_of(two, run, 0, 1)), brought(two, tail)]
    assert [type(each) for each in answers] == [Receipted, Receipted]
    assert [told(two, each) for each in answers] == [1, 2]
    sound(two)


def test_nothing_is_settled_by_a_receipt_that_is_not_kept(two):
    """Nor by one that is not blinded, for a run with a roll.

    Seen to fail (settled, and no receipt on record for the first message) while a receipt beside another was passed over, and
    (settled by it) while any format was taken for any run.
    """
    blind = Blind(two.yi.own.suite, bytes(SEED))
    run = written(two, letter(4), letter(5), letter(6))
    lines = [Line(each.seq, each.digest, None) for each in run.headers]

    def said(some, blind=None):
        receipt = Receipt("yi.example", "jia.example", run.headers[0].at, tuple(some), blind)
        return Receipted(receipt.encoded, two.yi.signing.sign(receipt.signed))

    with pytest.raises(MalformedEnvelope):
        told(two, said(lines))
    assert told(two, said(lines[1:], blind)) == 2
    with pytest.raises(Forked):
        told(two, said(lines, blind))
    assert (told(two, said(lines[1:], blind)), told(two, said(lines[:1], blind))) == (0, 1)
    assert isinstance(brought(two, run), Receipted)
    sound(two)


@pytest.mark.parametrize("error", [7, ["a.b"], "x" * 81, "two words", "<b>"])
def test_a_refusal_is_told_by_a_code(error):
    """Seen to fail while anything was taken for one: on PostgreSQL it could not be kept, and the run was sent for ever."""
    receipt = Receipt("yi.example", "jia.example", "2026-01-01T00:00:00Z", (Line(1, "00", error),))
    with pytest.raises(MalformedEnvelope):
        Receipt.decode(receipt.encoded)
    good = replace(receipt, lines=(Line(1, "00", "exchange.too_secret"),))
    assert Receipt.decode(good.encoded) == good


def test_what_is_put_on_record_meanwhile_is_looked_at(two, monkeypatch):
    """Two runs over the same numbers at once, one of them early: only one is on record, and only that one is ever signed for.

    Seen to fail (a receipt for messages that are not here; a signature kept that is over none of them) without `_held_otherwise`.
    """
    run = written(two, letter(7), letter(8), letter(9))
    forged = part_of(two, run, 1, object="document:other")

    def reached(name):
        if name == "exchange.receive.2-signed":
            listen(None)
            assert isinstance(brought(two, forged), Early)

    with ExitStack() as stack:
        stack.callback(listen, None)
        listen(reached)
        with pytest.raises(Forked):
            brought(two, run)
    more = written_after(two, run, letter(10), letter(11))
    other, hold = part_of(two, more, 0, 1, object="document:another"), Receiving._hold

    def holding(self, peer, each, expected):
        monkeypatch.undo()
        assert isinstance(brought(two, other), Early)
        return hold(self, peer, each, expected)

    monkeypatch.setattr(Receiving, "_hold", holding)
    with pytest.raises(Forked):
        brought(two, more)
    with two.yi.store.read() as session:
        rows = session.scalars(
            sa.select(MessageRow)
            .where(MessageRow.direction == Direction.IN, MessageRow.seq >= run.first)
            .order_by(MessageRow.seq)
        ).all()
        kept = [(row.seq, Header.decode(row.header).object, row.state) for row in rows]
    assert kept == [
        (run.first + 1, "document:other", "early"),
        (run.first + 2, "document:9", "early"),
        (more.first, "document:another", "early"),
    ]


def written_after(two, run, *letters):
    for each in letters:
        two.jia.sending.send(SYSTEM, each)
    return next_run(two.jia.store, two.jia.signing, "yi.example", run.upto)
