"""What shows a message and its receipt to a stranger, and nothing of the others beside it."""

import io
from dataclasses import replace

import pytest
import sqlalchemy as sa

from exchange.ask import Known, message_for
from exchange.check import check
from exchange.courier import behind_magic
from exchange.enter import Entered, enter
from exchange.errors import (
    AmbiguousMessage,
    MalformedEnvelope,
    NoSuchMessage,
    NotReceipted,
    NotSignedByPeer,
)
from exchange.export import export_for
from exchange.header import Header
from exchange.life import life
from exchange.models import Direction, MessageRow, ReceiptRow, SealRow, State
from exchange.receipt import Receipt
from exchange.receive import Receipted
from exchange.roll import SIGNED_LAST
from exchange.runs import Reader, next_run
from yinxin import canonical
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.crypto.errors import DigestMismatch
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.evidence import container
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.evidence.exchanged import ExchangedMessage
from yinxin.evidence.standalone.saying import Broken
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify

from .sites import letter

pytestmark = pytest.mark.engines("any")
#: an auditor sees the evidence of every message
REGISTRAR = OTHER = Actor(Kind.PERSON, "demo-auditor", "province-office-auditor", "province-office")
OFFICER = Actor(Kind.PERSON, "demo-officer", "province-office-security-officer", "province-office")
CITY = Actor(Kind.PERSON, "city-jia-registrar", "city-jia-registrar", "city-jia")


@pytest.fixture(scope="module")
def trust(two):
    return Trust.load(two.net.sites["jia.example"].data.path("trust"))


def judged(two, trust, bundle):
    """What is said of a bundle, in words."""
    held = []
    verify(bundle, trust, at=two.jia.store.clock.now(), held=held)
    return [each.en for each in held]


def exported(two, part):
    """The container as a site that signs anything would export it."""
    return part.pack(two.yi.signing.sign(part.to_sign()).cms)


def pushed(two, *letters):
    """Messages that go as one run, receipted and delivered."""
    sent = [two.jia.sending.send(SYSTEM, each) for each in letters]
    assert two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True) == len(letters)
    two.yi.delivering.run()
    return sent


def unrolled(two, *letters):
    """As `pushed`, of a site that knows no rolls: signed over the last header, as they were."""
    sent = [two.jia.sending.send(SYSTEM, each) for each in letters]
    with two.jia.store.read() as session:
        rows = session.scalars(
            sa.select(MessageRow).filter_by(direction="out", state="waiting").order_by(MessageRow.seq)
        ).all()
        first, last = rows[0].seq, rows[-1]
        made = two.jia.signing.sign(last.header)
        upto = last.seq
    with two.jia.store.act(SYSTEM, "test.execute", "exchange-peer:yi.example") as act:
        now = two.jia.store.clock.now()
        act.session.add(
            SealRow(
                direction="out",
                peer="yi.example",
                upto=upto,
                first=first,
                format=SIGNED_LAST,
                signature=made.cms,
                standing=made.standing,
                at=now,
            )
        )
    assert two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True) == len(letters)
    two.yi.delivering.run()
    return sent


def test_a_message_is_proved_to_a_stranger(two, trust):
    """Offline, with both sites' roots. Seen to fail when the header is not looked for in the roll, and a line not in the receipt."""
    sent = two.jia.sending.send(SYSTEM, letter(60))
    with pytest.raises(NotReceipted):
        export_for(two.jia, REGISTRAR, Known(sent.id))
    pushed_too = pushed(two, letter(60), letter(61))[1]
    for site, actor, direction in ((two.jia, REGISTRAR, "out"), (two.yi, OTHER, "in")):
        bundle = export_for(site, actor, Known(sent.id, direction=direction))
        words = judged(two, trust, bundle)
        assert any("city-jia to city-yi, test, document:60, graded internal" in each for each in words), words
        assert any("yi.example signed" in each and "received it" in each for each in words), words
        assert any("1 other messages, of which this bundle has digests alone" in each for each in words)
    assert judged(two, trust, export_for(two.jia, REGISTRAR, Known(pushed_too.id)))
    for place in range(0, len(bundle), len(bundle) // 40):
        changed = bundle[:place] + bytes((bundle[place] ^ 1,)) + bundle[place + 1 :]
        with pytest.raises(YinxinError):
            judged(two, trust, changed)


def test_of_the_messages_beside_it_there_are_digests_alone(two, trust, monkeypatch):
    """Not what they are about, whom they are from or that the other site refused one of them.

    Seen to fail when the headers up to the last go along, and when the receipt is shown with all its lines.
    """
    low = two.yi.settings.model_copy(update={"clearance": "internal"})
    monkeypatch.setattr(two.yi.receiving, "_settings", low)
    sent = pushed(two, letter(62), letter(63, grade="confidential"), letter(64))
    monkeypatch.undo()
    with two.jia.store.read() as session:
        rows = session.scalars(
            sa.select(MessageRow)
            .where(MessageRow.direction == "out", MessageRow.id.in_([each.id for each in sent]))
            .order_by(MessageRow.seq)
        ).all()
        digests, headers = [each.digest for each in rows], [Header.decode(each.header) for each in rows]
    assert [each.state for each in rows] == ["received", "refused", "received"]
    for number, own in enumerate(headers):
        files, _, _ = container.unpack(export_for(two.jia, REGISTRAR, Known(own.id)))
        shown = b"".join(files.values())
        for other in headers[:number] + headers[number + 1 :]:
            for said in (other.id, other.object, other.key, *(part.digest for part in other.parts)):
                assert said.encode() not in shown
            assert other.digest.encode() in shown
        assert (b"exchange.too_secret" in shown) is (number == 1)
        # nor does the signed receipt tell by a digest that somebody makes of what she guesses
        lines = canonical.decode(files["receipt.json"])["messages"]
        for other, line in zip(headers, lines, strict=True):
            for guess in ({}, {"error": "exchange.too_secret"}):
                said = canonical.encode({"seq": other.seq, "digest": other.digest} | guess)
                assert INTL.hash.digest(said).hex() != line
        assert canonical.decode(files["roll.json"])["headers"] == digests
    assert "refused it (exchange.too_secret)" in " ".join(
        judged(two, trust, export_for(two.jia, REGISTRAR, Known(sent[1].id)))
    )


def test_the_verifier_that_is_one_file_sends_to_the_other(two, alone):
    """It judges what logs prove, of which there is nothing in such a bundle: it says so, and where to. Changed, it is refused as such.

    Seen to fail when it looks for the descriptor of another kind of evidence, and calls every bundle of this one malformed.
    """
    (sent,) = pushed(two, letter(59))
    bundle = export_for(two.jia, REGISTRAR, Known(sent.id))
    with pytest.raises(Broken, match="use yinxin verify"):
        alone.verify(bundle, [], None)
    at = bundle.index(sent.id.encode())
    with pytest.raises(Broken, match=r"is not what the manifest lists|malformed"):
        alone.verify(bundle[:at] + b"x" + bundle[at + 1 :], [], None)


def test_another_message_is_not_put_in_its_place(two, trust, monkeypatch):
    """Whatever an exporter puts together: header, roll, receipt and line belong to each other or nothing holds.

    Seen to fail when the header is not compared with the roll's digest, the line with the receipt's, and the identifier with the header.
    """
    low = two.yi.settings.model_copy(update={"clearance": "internal"})
    monkeypatch.setattr(two.yi.receiving, "_settings", low)
    sent = pushed(two, letter(65), letter(66, grade="confidential"))
    monkeypatch.undo()
    one, other = (
        ExchangedMessage.of(container.unpack(export_for(two.jia, REGISTRAR, Known(each.id)))[0])
        for each in sent
    )
    assert judged(two, trust, exported(two, one))
    assert judged(two, trust, exported(two, other))
    later = pushed(two, letter(67))[0]
    alone = ExchangedMessage.of(container.unpack(export_for(two.jia, REGISTRAR, Known(later.id)))[0])
    said, roll = canonical.decode(one.headers[0]), canonical.decode(one.roll)
    line, receipt = canonical.decode(other.line), canonical.decode(one.receipt)

    def header(**changed):
        return replace(one, headers=[canonical.encode(said | changed)])

    def listed(digests, **changed):
        return replace(one, roll=canonical.encode(roll | {"headers": digests} | changed))

    changed = INTL.hash.digest(canonical.encode(said | {"object": "document:forged"})).hex()
    wrong = {
        "another header": replace(one, headers=other.headers),
        "the same header under another name": replace(one, id=other.id),
        "a changed header": header(object="document:forged"),
        "a header under another number": header(seq=said["seq"] + 1),
        "a header before the roll": header(seq=roll["first"] - 1),
        "a header behind the roll": header(seq=roll["first"] + 2),
        "a header without a number": replace(
            one, headers=[canonical.encode({k: v for k, v in said.items() if k != "seq"})]
        ),
        "a digest put into the roll": replace(
            listed([changed, roll["headers"][1]]), headers=header(object="document:forged").headers
        ),
        "digests changed about": listed(roll["headers"][::-1]),
        "a roll of other numbers": listed(roll["headers"], first=roll["first"] + 1),
        "a roll to another site": listed(roll["headers"], to="bo.example"),
        "the roll of another run": replace(one, roll=alone.roll, signature=alone.signature),
        "the signature of another run": replace(one, signature=alone.signature),
        "no roll": replace(one, roll=None),
        "the line of another message": replace(one, line=other.line),
        "a line that a refusal was left out of": replace(
            other, line=canonical.encode({k: v for k, v in line.items() if k != "error"})
        ),
        "a line under another number": replace(
            one, line=canonical.encode(canonical.decode(one.line) | {"seq": said["seq"] + 1})
        ),
        "no line": replace(one, line=None),
        "the receipt of another run": replace(
            one, receipt=alone.receipt, receipted=alone.receipted, line=alone.line
        ),
        "a receipt of other lines": replace(
            one, receipt=canonical.encode(receipt | {"messages": receipt["messages"][::-1]})
        ),
        "a receipt to another site": replace(one, receipt=canonical.encode(receipt | {"peer": "bo.example"})),
        "a receipt of the sender's own": replace(one, receipted=one.signature),
    }
    for what, part in wrong.items():
        with pytest.raises((EvidenceMismatch, DigestMismatch)):
            pytest.fail(f"{what}: {judged(two, trust, exported(two, part))}")


def test_what_was_signed_before_there_were_rolls_holds(two, trust):
    """On the line, on record and as evidence; it is receipted as its sender reads it, and shown as it was signed.

    Seen to fail when every signature is held against a roll, and when every receipt has digests of its lines.
    """
    sent = unrolled(two, letter(68), letter(69), letter(70))
    with two.yi.store.read() as session:
        seal = session.scalars(sa.select(SealRow).filter_by(direction="in", upto=sent[-1].seq)).one()
        receipt = session.scalars(sa.select(ReceiptRow).filter_by(direction="in", upto=seal.upto)).one()
        assert (seal.format, Receipt.decode(receipt.receipt).blind) == (SIGNED_LAST, None)
    for site, direction in ((two.jia, "out"), (two.yi, "in")):
        bundle = export_for(site, REGISTRAR, Known(sent[0].id, direction=direction))
        assert any("document:68" in each for each in judged(two, trust, bundle))
        assert site.health().ok
        row = message_for(site, REGISTRAR, Known(sent[0].id, direction=direction))
        assert any(each.moment == "signed" and each.stamped for each in life(site, row).steps)
    files, _, _ = container.unpack(bundle)
    part = ExchangedMessage.of(files)
    assert (len(part.headers), part.roll, part.line) == (3, None, None)
    last = [part.headers[-1]]
    assert judged(two, trust, exported(two, replace(part, headers=last, id=sent[2].id)))
    for wrong in (
        replace(part, headers=part.headers[::-1]),
        replace(part, headers=[part.headers[0], part.headers[2]]),
        replace(part, headers=part.headers[:2]),
        replace(part, receipt=part.receipt.replace(b"yi.example", b"bo.example")),
    ):
        with pytest.raises((EvidenceMismatch, DigestMismatch)):
            judged(two, trust, exported(two, wrong))


def test_a_run_is_what_its_roll_says(two):
    """A roll that is another one is refused as it comes, and so is a signature under the wrong format.

    Seen to fail when the roll is not compared with the headers, and when what is signed is not asked by the format.
    """
    two.jia.sending.send(SYSTEM, letter(71))
    two.jia.sending.send(SYSTEM, letter(72))
    run, peer = next_run(two.jia.store, two.jia.signing, "yi.example"), two.yi.peers.get("jia.example")

    def brought(octets):
        return two.yi.receiving.receive(peer, Reader(io.BytesIO(octets)))

    def travelling(each):
        return b"".join(behind_magic(each.pieces(two.jia.folder, 1 << 40)))

    whole = travelling(run)
    for digest in (run.headers[0].digest, run.headers[1].digest):
        at = whole.index(run.signed) + run.signed.index(digest.encode())
        other = b"0" if whole[at : at + 1] != b"0" else b"1"
        with pytest.raises(MalformedEnvelope):
            brought(whole[:at] + other + whole[at + 1 :])
    with pytest.raises(NotSignedByPeer):  # the roll left out
        brought(travelling(replace(run, format=SIGNED_LAST)))
    last = two.jia.signing.sign(run.headers[-1].encoded)
    with pytest.raises(NotSignedByPeer):  # and put before a signature that knows none
        brought(travelling(replace(run, signature=last)))
    assert isinstance(brought(whole), Receipted)
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    two.yi.delivering.run()


def test_everything_on_record_holds(two):
    """Runs and receipts of both formats, at both ends. Seen to fail when `signed_by` holds every signature against one of them."""
    for site in (two.jia, two.yi):
        anchors = site.own.roots()
        found = check(site.ctx, anchors, SYSTEM)
        assert (found.faults, found.signatures > 10) == ((), True)


def test_a_message_is_found_by_its_site_too(two):
    """A peer may call a message of its own like another: it does not get into that one's place.

    Seen to fail when the first of that identifier is taken, and when the organ is compared afterwards.
    """
    sent = two.jia.sending.send(SYSTEM, letter(85))
    header = next_run(two.jia.store, two.jia.signing, "yi.example").headers[-1]
    forged = replace(header, sender_site="yi.example", recipient_site="jia.example")
    forged = replace(forged, sender="city-yi", recipient="province-office", seq=10**6)
    with two.jia.store.act(SYSTEM, "test.execute", "exchange-peer:yi.example") as act:
        entry = Entered(forged, b"key", State.REFUSED)
        enter(act.session, Direction.IN, [entry], two.jia.store.clock.now())
    assert message_for(two.jia, REGISTRAR, Known(sent.id, "yi.example", "out")).seq == sent.seq
    with pytest.raises(AmbiguousMessage):
        message_for(two.jia, OFFICER, Known(sent.id))
    assert message_for(two.jia, CITY, Known(sent.id)).seq == sent.seq
    with pytest.raises(NoSuchMessage):
        message_for(two.jia, CITY, Known(sent.id, direction="in"))
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    two.yi.delivering.run()
