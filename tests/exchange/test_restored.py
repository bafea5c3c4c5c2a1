"""A sender that was restored to before it signed what it had sent: it signs the same messages anew, and catches up by the receipts that they got."""

import pytest

from exchange.confirm import confirm
from exchange.errors import Behind
from exchange.receipt import SEED, Blind, Line, Receipt
from exchange.receive import Receipted
from exchange.runs import first_waiting

from .sites import letter
from .test_signed_twice import brought, part_of, sound, written

pytestmark = pytest.mark.engines("both")


def left(two):
    with two.jia.store.read() as session:
        return first_waiting(session, "yi.example")


def test_what_was_receipted_apart_is_settled_together(two):
    """Two runs before the restore are one after it. Seen to fail (sent for ever, the last message alone settled) while one receipt answered a run."""
    run = written(two, letter(1), letter(2), letter(3))
    before = [brought(two, part_of(two, run, *span)) for span in ((0, 2), (2, 3))]
    assert [type(each) for each in before] == [Receipted, Receipted]
    assert two.jia.courier.push(two.jia.peers.get("yi.example")) == 3
    assert left(two) is None
    sound(two)


def test_what_is_partly_known_is_settled_whole(two):
    """Messages were added since. Seen to fail as the one above."""
    run = written(two, letter(4), letter(5), letter(6))
    assert isinstance(brought(two, part_of(two, run, 0, 1)), Receipted)
    assert isinstance(brought(two, part_of(two, run, 1, 2)), Receipted)
    assert two.jia.courier.push(two.jia.peers.get("yi.example")) == 3
    assert left(two) is None
    sound(two)


def test_receipts_that_are_brought_back_are_all_taken(two):
    """Of a sender that is asked. Seen to fail while its door took the first one."""
    run = written(two, letter(7), letter(8))
    assert isinstance(brought(two, part_of(two, run, 0, 1)), Receipted)
    assert two.yi.courier.fetch(two.yi.peers.get("jia.example")) == 1
    assert left(two) is None
    sound(two)


def test_what_was_lost_for_good_is_said(two):
    """The other site has messages that the restored one never wrote: people have to look, and are told what has happened.

    Seen to fail while it was taken for a changed message (`exchange.forked`).
    """
    run = written(two, letter(9))
    (header,) = run.headers
    lines = (Line(header.seq, header.digest, None), Line(header.seq + 1, "00" * 32, None))
    receipt = Receipt("yi.example", "jia.example", header.at, lines, Blind(two.yi.own.suite, bytes(SEED)))
    given = receipt.encoded, two.yi.signing.sign(receipt.signed)
    with pytest.raises(Behind) as told:
        confirm(two.jia.ctx, two.jia.peers.get("yi.example"), given)
    assert told.value.facts["seq"] == header.seq + 1
    assert left(two) == header.seq
