"""Messages between two sites: what is sent arrives once, in order, receipted; what must not leave does not."""

import io
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from exchange.courier import Courier, behind_magic
from exchange.errors import (
    Forked,
    MalformedEnvelope,
    NoTimestamp,
    NotSignedByPeer,
    PartAltered,
    TooSecret,
)
from exchange.header import Header, Part
from exchange.models import (
    AwaitedRow,
    ChainRow,
    MessageRow,
)
from exchange.receive import Early
from exchange.runs import Reader, next_run, roll_of
from yinxin.act import SYSTEM
from yinxin.client import in_process
from yinxin.crypto.suite import INTL
from yinxin.exchange import Enclosed

from .sites import Taking, letter

pytestmark = pytest.mark.engines("any")


def test_what_is_sent_arrives_once_in_order_and_is_receipted(two, tmp_path):
    file = tmp_path / "附件.bin"
    file.write_bytes(bytes(range(256)) * 12_000)

    sent = [two.jia.sending.send(SYSTEM, letter(number)) for number in (1, 2)]
    sent.append(
        two.jia.sending.send(
            SYSTEM, letter(3, files=[Enclosed("附件.bin", "application/octet-stream", file)])
        )
    )
    assert two.jia.sending.send(SYSTEM, letter(2)) == sent[1]
    two.net.down.add("yi.example")
    assert two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True) == 0
    assert two.jia.courier.couriers.of("yi.example")["send"][1] == "exchange.peer_unreachable"
    two.net.down.clear()
    assert two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True) == 3
    assert two.taking.answers == [("r1", None), ("r2", None), ("r3", None)]
    assert two.yi.delivering.run() == 3
    assert two.taking.taken == [1, 2, 3]
    assert two.taking.files[2] == [file.read_bytes()]
    assert two.yi.delivering.run() == 0
    said = two.jia.reconciling.ask(two.jia.peers.get("yi.example"))
    assert (said.sent.seq, said.sent.receipted, said.difference) == (3, 3, None)


@pytest.mark.parametrize(
    "said",
    [
        *({"id": text} for text in ('a"; x="b', "a/b", "..", "a\n", "号", "")),
        {"object": "document:\0"},
        {"sender": "city-jia\r\n"},
        {"kind": "test\x7f"},
    ],
)
def test_a_header_says_nothing_that_harms_where_it_is_written(said):
    """Its texts go into addresses, file names and rows. Seen to fail when lengths alone are asked."""
    part = Part("0" * 64, 1)
    sites = ("jia.example", "yi.example")
    header = Header(
        INTL,
        *sites,
        1,
        "",
        "m1",
        "city-jia",
        "city-yi",
        "test",
        "document:1",
        "internal",
        "2026-01-01T00:00:00Z",
        "0" * 64,
        (part,),
    )
    assert Header.decode(header.encoded) == header
    header.demand_sound()
    with pytest.raises(MalformedEnvelope):
        Header.decode(replace(header, **said).encoded)
    with pytest.raises(MalformedEnvelope):  # nor does it get a number here
        replace(header, **said).demand_sound()


def test_what_an_application_falls_over_holds_up_no_other_kind(two, monkeypatch):
    """A fault of ours that a peer's words show stands in its own line's way, and in nobody else's.

    Seen to fail when `Delivering.run` catches errors of the tree alone.
    """
    falling = Taking()
    falling.fault = KeyError("reason")
    monkeypatch.setitem(two.yi.applications, "falls", falling)
    monkeypatch.setitem(two.yi.applications, "behind", behind := Taking())
    for number, kind in ((7080, "behind"), (7081, "falls"), (7082, "test"), (7083, "behind")):
        two.jia.sending.send(SYSTEM, letter(number, kind=kind))
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    two.yi.delivering.run()
    assert (behind.taken, two.taking.taken[-1]) == ([7080, 7083], 7082)
    assert two.yi.courier.couriers.of("jia.example")["deliver falls"][:2] == (1, "internal")
    # mended, it goes on
    falling.fault = None
    two.yi.courier.couriers.done("jia.example", "deliver falls", timedelta())
    two.yi.delivering.run()
    assert falling.taken == [7081]


def test_what_is_graded_too_high_never_leaves(two):
    with pytest.raises(TooSecret) as refused:
        two.jia.sending.send(SYSTEM, letter(90, grade="secret"))
    assert refused.value.entry is not None


def test_what_comes_again_early_or_changed(two, tmp_path):
    """A run gets the receipt it got; one that is early waits for those before it; another one under a known number is an incident.

    Seen to fail when `Receiving._place` does not compare digests, and when `_follow` is left out.
    """
    peer, ours = two.jia.peers.get("yi.example"), two.yi.peers.get("jia.example")
    for number in range(10, 13):
        two.jia.sending.send(SYSTEM, letter(number))
    first = next_run(two.jia.store, two.jia.signing, peer.site)
    for number in range(13, 15):
        two.jia.sending.send(SYSTEM, letter(number))
    second = next_run(two.jia.store, two.jia.signing, peer.site, first.upto)

    def brought(run, octets=None):
        octets = octets or b"".join(behind_magic(run.pieces(two.jia.folder, 1 << 40)))
        return two.yi.receiving.receive(ours, Reader(io.BytesIO(octets)))

    before = two.yi.reconciling.reach(ours.site)[1].seq
    assert brought(second) == Early(before + 1)
    assert two.yi.reconciling.reach(ours.site)[1].seq == before
    answer = brought(first)
    assert two.yi.reconciling.reach(ours.site)[1].seq == before + 5
    assert brought(first) == answer
    assert brought(second) == brought(second)
    # an octet of anything that travels
    octets = b"".join(behind_magic(first.pieces(two.jia.folder, 1 << 40)))
    for at in (20, 300, octets.index(b"K") + 40, octets.index(b"P\x00") + 90, len(octets) - 5):
        changed = octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]
        # a part that is here is passed over: whatever came in its place was never looked at
        with suppress(MalformedEnvelope, NotSignedByPeer, PartAltered):
            assert brought(first, changed) == answer
    # another message under a number that is on record, well signed
    header = replace(first.headers[-1], object="document:forged")
    headers = (*first.headers[:-1], header)
    forged = replace(first, headers=headers, signature=two.jia.signing.sign(roll_of(headers)))
    with pytest.raises(Forked):
        brought(forged)
    # signed by nobody who may
    with pytest.raises(NotSignedByPeer):
        brought(replace(first, signature=two.yi.signing.sign(first.signed)))
    two.yi.delivering.run()
    two.jia.courier.call(peer, at_once=True)
    assert two.taking.taken[-5:] == [10, 11, 12, 13, 14]


def test_a_part_that_was_changed_on_disk_is_named(two):
    """Seen to fail when `Opened.of` does not check the part, and when a part is not bound to whose it is."""
    sent = two.jia.sending.send(SYSTEM, letter(20))
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    with two.yi.store.read() as session:
        row = session.get(MessageRow, ("in", "jia.example", sent.seq))
        part = Header.decode(row.header).parts[0]
        session.expunge(row)
    path, at = two.yi.folder.packed(row.pack), row.pack_at
    data = path.read_bytes()
    path.write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
    with pytest.raises(PartAltered) as told:
        two.yi.delivering.open(row)
    assert told.value.facts["digest"] == part.digest
    path.write_bytes(data)
    # nor does another site pass it on as its own, though it opens nothing of it
    genuine, row.header = row.header, replace(Header.decode(row.header), sender_site="bo.example").encoded
    with pytest.raises(PartAltered):
        two.yi.delivering.open(row)
    row.header = genuine
    assert two.yi.delivering.run() == 1
    with pytest.raises(sa.exc.DatabaseError), two.yi.store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE exchange_message SET header = x'00'"))


def test_carried_by_hand_both_ways(two, tmp_path):
    out, back = tmp_path / "out", tmp_path / "back"
    two.jia.sending.send(SYSTEM, letter(30))
    two.yi.sending.send(SYSTEM, letter(31, sender="city-yi", recipient="city-jia"))
    assert two.jia.carrying.out(two.jia.peers.get("yi.example"), out) == 1
    with out.open("rb") as stream:
        assert two.yi.carrying.take(stream).messages == 1
    assert two.yi.carrying.out(two.yi.peers.get("jia.example"), back) == 1
    for settled in (1, 0):  # a file that comes twice
        with back.open("rb") as stream:
            carried = two.jia.carrying.take(stream)
        assert (carried.messages, carried.settled, carried.difference) == (1, settled, None)
    assert two.yi.delivering.run() == 1
    assert two.jia.delivering.run() == 1
    two.yi.courier.call(two.yi.peers.get("jia.example"), at_once=True)
    assert two.taking.answers[-1] == ("r31", None)


def test_a_peer_that_cannot_be_reached_asks(two):
    """Large parts too; who shows no certificate, or another site's, is given nothing."""
    two.jia.sending.send(SYSTEM, letter(40))
    unreached = two.yi.settings.model_copy(update={"url": ""})
    asking = Courier(replace(two.yi.ctx, settings=unreached), two.yi.receiving, two.yi.reconciling)
    assert asking.call(two.yi.peers.get("jia.example"), at_once=True) == 1
    assert two.taking.answers[-1] == ("r40", None)
    stranger = httpx.Client(transport=in_process(two.net.sites["jia.example"].app))
    for said in (
        "questions",
        "receipts",
    ):  # nothing of what she brings is read either: it is not called malformed
        answer = stranger.post(
            f"https://jia.example/exchange/v1/{said}",
            content=b"x",
            headers={"Content-Type": "application/octet-stream"},
        )
        assert answer.status_code == 403
    assert two.yi.delivering.run() == 1


def test_lost_data_is_found_by_reconciling(two):
    """Seen to fail when `_difference` compares numbers alone."""
    peer = two.jia.peers.get("yi.example")
    assert two.jia.health().ok
    with two.yi.store.act(SYSTEM, "test.lose", "exchange-peer:jia.example") as act:
        chain = act.session.get(ChainRow, ("in", "jia.example"))
        kept = chain.head
        chain.head = "00" * 32
    said = two.jia.reconciling.ask(peer)
    assert said.difference == "sent-differs"
    health = two.jia.health()
    assert not health.ok
    assert health.facts["differences"] == {"yi.example": "sent-differs"}
    with two.yi.store.act(SYSTEM, "test.find", "exchange-peer:jia.example") as act:
        act.session.get(ChainRow, ("in", "jia.example")).head = kept
    assert two.jia.reconciling.ask(peer).difference is None


def test_without_a_timestamp_nothing_is_accepted(two, monkeypatch):
    """Law 7. Seen to fail when `Signing.sign` signs without a token."""
    two.jia.sending.send(SYSTEM, letter(50))
    run = next_run(two.jia.store, two.jia.signing, "yi.example")
    octets = b"".join(behind_magic(run.pieces(two.jia.folder, 1 << 40)))
    monkeypatch.setattr(two.yi.ca.timestamps, "stamp", lambda *_: None)
    with pytest.raises(NoTimestamp):
        two.yi.receiving.receive(two.yi.peers.get("jia.example"), Reader(io.BytesIO(octets)))
    monkeypatch.undo()
    assert two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True) == 1
    assert two.yi.delivering.run() == 1


def test_a_part_is_awaited_of_its_own_peer(two):
    """Another that announced it, and brought other octets, stands in nobody's way. Seen to fail when digests alone are awaited."""
    sent = two.jia.sending.send(SYSTEM, letter(80))
    run = next_run(two.jia.store, two.jia.signing, "yi.example")
    part = run.headers[-1].parts[0]
    with two.yi.store.housekeep() as session:
        row = AwaitedRow(peer="bo.example", digest=part.digest, suite="intl", size=part.size)
        row.since = two.yi.store.clock.now()
        session.add(row)
    two.yi.folder.take("bo.example", INTL, part, 0, io.BytesIO(b"x" * (part.size - 1)))
    small = two.jia.settings.model_copy(update={"inline": 0})
    courier = Courier(replace(two.jia.ctx, settings=small), two.jia.receiving, two.jia.reconciling)
    assert courier.push(two.jia.peers.get("yi.example")) == 1
    assert two.yi.folder.has(part)
    with two.yi.store.read() as session:
        assert session.scalars(sa.select(AwaitedRow.peer)).all() == ["bo.example"]
    assert two.yi.delivering.run() == 1
    assert two.taking.taken[-1] == 80
    assert sent.state == "waiting"
