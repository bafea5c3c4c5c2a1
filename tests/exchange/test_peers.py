"""Whom messages are exchanged with: cards, directories, and who takes no other site's name or organs."""

import io
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
import sqlalchemy as sa

from ca.issue import carry_out
from ca.request import Application, Holder, IssueRequest, examine
from exchange.card import CardOrgan
from exchange.courier import behind_magic
from exchange.directory import CARD, Entry, Heeding
from exchange.errors import (
    UnknownRecipient,
)
from exchange.introduce import card_in, signed_card
from exchange.models import (
    Carrier,
    PeerRow,
    PublishedRow,
    Relation,
)
from exchange.peers import Terms, end, keep, renewed
from exchange.receipt import Receipt
from exchange.runs import Reader, next_run, roll_of
from tests.pdf.authority import Authority
from yinxin.act import SYSTEM
from yinxin.client import in_process
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.evidence.exchanged import of_site
from yinxin.evidence.signatures import Signed

from .sites import letter

pytestmark = pytest.mark.engines("any")


def test_the_directory_goes_down_the_tree_and_a_renewed_card_follows(two):
    """What a parent says of a site makes it a peer; what people decided about a site stands above it."""
    with two.yi.store.act(SYSTEM, "test.execute", "proposal:p2") as act:
        act.session.get(PeerRow, "jia.example").relation = "parent"
    with two.jia.store.act(SYSTEM, "test.execute", "proposal:p2") as act:
        act.session.get(PeerRow, "yi.example").relation = "child"
    two.jia.publishing.run()
    two.jia.publishing.run()
    assert two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True) == 2
    assert two.yi.delivering.run() == 2
    with two.yi.store.read() as session:
        rows = session.scalars(sa.select(PublishedRow).where(PublishedRow.kind == "directory")).all()
        assert [each.issuer for each in rows] == ["jia.example"]
        assert session.get(PeerRow, "jia.example").relation == "parent"
    # from somebody who is no parent it is not believed
    with two.yi.store.act(SYSTEM, "test.execute", "proposal:p3") as act:
        act.session.get(PeerRow, "jia.example").relation = "neighbour"
    with two.jia.store.act(SYSTEM, "test.execute", "proposal:p3") as act:
        act.session.get(PeerRow, "yi.example").clearance = "internal"
    two.net.sites["jia.example"].exchange.publishing.run()
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    two.yi.delivering.run()
    assert two.yi.health().facts["undeliverable"] == 1


def test_a_card_takes_nobodys_organ(two):
    """A peer that names another's organ on a newer card neither gets its messages nor writes in its name.

    Seen to fail when the sender is looked for on the card.
    """
    ours = two.yi.peers.get("jia.example")
    card = card_in(two.jia.publishing.card())
    taken = CardOrgan("city-yi", card.name, card.clearance, card.organs[0].certificate)
    card = replace(card, version=ours.card.version + 1000, organs=(*card.organs, taken))
    data = signed_card(card, two.jia.signing)
    terms = Terms(ours.relation, ours.carrier, ours.clearance, ours.source, ("city-jia", "city-yi"))
    with two.yi.store.act(SYSTEM, "test.execute", "proposal:p4") as act:
        keep(act.session, data, renewed(ours, data), terms, two.yi.store.clock.now())
    with pytest.raises(UnknownRecipient):
        two.yi.peers.recipient("city-yi")
    two.jia.sending.send(SYSTEM, letter(70))
    run = next_run(two.jia.store, two.jia.signing, "yi.example")
    header = replace(run.headers[-1], sender="city-yi")
    headers = (*run.headers[:-1], header)
    forged = replace(run, headers=headers, signature=two.jia.signing.sign(roll_of(headers)))
    octets = b"".join(behind_magic(forged.pieces(two.jia.folder, 1 << 40)))
    answer = two.yi.receiving.receive(two.yi.peers.get("jia.example"), Reader(io.BytesIO(octets)))
    assert Receipt.decode(answer.receipt).lines[-1].error == UnknownRecipient.code


def test_a_directory_brings_no_older_card_back(two):
    """What its site has said since stands, under the clearance that the parent gives it now. Seen to fail when versions are not compared."""
    own = card_in(two.jia.publishing.card())
    card = replace(own, site="bo.example", organs=(replace(own.organs[0], id="city-bo"),))
    for number, (version, clearance) in enumerate(((5, "confidential"), (4, "public"))):
        made = replace(card, version=version)
        entry = Entry(signed_card(made, two.jia.signing), made, clearance, ("city-bo",))
        with two.yi.store.act(SYSTEM, "test.execute", "proposal:p5") as act:
            Heeding(two.yi.ctx)._heed(act, b"directory", "jia.example", 10**10 + number, (entry,))
    peer = two.yi.peers.get("bo.example")
    assert (peer.card.version, peer.clearance) == (5, "public")


def test_a_renewed_card_brings_no_organ_that_nobody_decided_on(two):
    """Whom a site receives for is decided by people or by the parent; what a card says beyond is said, and waits for them.

    Seen to fail when `keep` takes every organ of a card. An organ that the parent says has moved is reached at its new site.
    """
    ours = two.yi.peers.get("jia.example")
    named = card_in(two.jia.publishing.card())
    more = replace(named.organs[0], id="city-wu")
    card = replace(named, version=ours.card.version + 1000, organs=(*named.organs, more))
    message = SimpleNamespace(peer=card.site, kind=CARD, files=(SimpleNamespace(size=1),))
    data = signed_card(card, two.jia.signing)
    message.read = lambda _number: iter((data,))
    heeding = Heeding(two.yi.ctx)
    with two.yi.store.act(SYSTEM, "test.execute", "proposal:p6") as act:
        heeding.take(act, message, heeding.prepare(message))
    peer = two.yi.peers.get("jia.example")
    assert (peer.card.version, two.yi.peers.claimed(peer)) == (card.version, ("city-wu",))
    assert two.yi.peers.recipient("city-jia").peer.site == "jia.example"
    with pytest.raises(UnknownRecipient):
        two.yi.peers.recipient("city-wu")
    assert not two.yi.peers.has("jia.example", "city-wu")

    def entry(site, *reached):
        made = replace(card, site=site, organs=(replace(more, id="city-liu"), more))
        return Entry(signed_card(made, two.jia.signing), made, "internal", reached)

    for number, (first, second) in enumerate(((("city-wu",), ()), ((), ("city-wu",)))):
        told = (entry("bo.example", *first), entry("ding.example", *second))
        with two.yi.store.act(SYSTEM, "test.execute", "proposal:p6") as act:
            heeding._heed(act, b"directory", "jia.example", 10**10 + 10 + number, told[:: 1 - 2 * number])
        assert two.yi.peers.recipient("city-wu").peer.site == ("bo.example", "ding.example")[number]
        with pytest.raises(UnknownRecipient):
            two.yi.peers.recipient("city-liu")


def test_a_child_takes_no_sites_name(two):
    """What it says first of a site gives way to the parent's word; and of one that is on record it brings no keys of its own.

    Seen to fail when whoever vouched for a site first stands above the parent, and when a child's card need not follow from the one
    before.
    """
    heeding, number = Heeding(two.jia.ctx), iter(range(1, 100))

    def entry(signing, site, version):
        own = card_in(signing.publishing.card())
        card = replace(own, site=site, version=version, organs=(replace(own.organs[0], id=f"organ-{site}"),))
        return Entry(signed_card(card, signing.signing), card, "internal", (card.organs[0].id,))

    def told(issuer, *entries):
        with two.jia.store.act(SYSTEM, "test.execute", "proposal:p8") as act:
            heeding._heed(act, b"directory", issuer, next(number), entries)

    def on_record(site):
        peer = two.jia.peers.recipient(f"organ-{site}").peer
        return peer.signed

    with two.jia.store.act(SYSTEM, "test.execute", "proposal:p8") as act:
        row = act.session.get(PeerRow, "yi.example")
        before, row.relation = row.relation, Relation.CHILD
    # the false card says that it is newer; the true one is the parent's
    false, true = entry(two.yi, "zhen.example", 9), entry(two.jia, "zhen.example", 5)
    told("yi.example", false)
    assert on_record("zhen.example") == false.data
    told("guo.example", true)
    assert on_record("zhen.example") == true.data
    told("yi.example", false)
    assert on_record("zhen.example") == true.data
    # nor does it while nobody vouches for it; of what it vouches for itself it may bring a newer card that follows
    told("guo.example")
    told("yi.example", false)
    with pytest.raises(UnknownRecipient):
        on_record("zhen.example")
    first, other, newer = (
        entry(two.yi, "hai.example", 5),
        entry(two.jia, "hai.example", 8),
        entry(two.yi, "hai.example", 7),
    )
    for said, stands in ((first, first), (newer, newer), (first, newer)):
        told("yi.example", said)
        assert on_record("hai.example") == stands.data
    told("yi.example", other)
    assert two.jia.peers.get("hai.example").signed == newer.data
    with two.jia.store.act(SYSTEM, "test.execute", "proposal:p8") as act:
        act.session.get(PeerRow, "yi.example").relation = before


def test_what_a_child_says_of_those_below_it(two):
    """It vouches for none above its own clearance, and has no say about whom people or the parent vouch for.

    Seen to fail when its clearance is not asked, when a child's directory replaces the parent's word, and when who it vouched for stays
    behind it.
    """
    own = card_in(two.yi.publishing.card())

    def entry(site, clearance="confidential"):
        card = replace(own, site=site, organs=(replace(own.organs[0], id=f"organ-{site}"),))
        return Entry(signed_card(card, two.yi.signing), card, clearance, (card.organs[0].id,))

    heeding = Heeding(two.jia.ctx)

    def told(issuer, version, *entries):
        with two.jia.store.act(SYSTEM, "test.execute", "proposal:p8") as act:
            heeding._heed(act, b"directory", issuer, 2 * 10**10 + version, entries)

    def relate(relation, clearance="internal"):
        with two.jia.store.act(SYSTEM, "test.execute", "proposal:p8") as act:
            row = act.session.get(PeerRow, "yi.example")
            row.relation, row.clearance = relation, clearance

    # above nothing that the child itself is cleared for; prepared as it comes, by the parent's side of the tree
    relate("child")
    below = entry("zi.example")
    with two.yi.store.act(SYSTEM, "test.execute", "proposal:p8") as act:
        act.session.get(PeerRow, "jia.example").relation = "parent"
        terms = Terms(Relation.CHILD, Carrier.PUSH, "confidential", "p8", ("organ-zi.example",))
        keep(act.session, below.data, below.card, terms, two.yi.store.clock.now())
    two.yi.publishing.run()
    two.yi.courier.call(two.yi.peers.get("jia.example"), at_once=True)
    two.jia.delivering.run()
    zi = two.jia.peers.recipient("organ-zi.example")
    assert (zi.peer.site, zi.clearance, zi.peer.admitted) == ("zi.example", "internal", False)
    # the parent's word about a site stands, and so does the child's where it was first
    told("guo.example", 1, entry("chou.example", "public"), entry("zi.example", "public"))
    told("yi.example", 1, entry("chou.example"), entry("zi.example"))
    assert two.jia.peers.get("chou.example").clearance == "public"
    assert two.jia.peers.get("zi.example").clearance == "confidential"
    # with the child those go whom only it vouches for
    with two.jia.store.act(SYSTEM, "test.execute", "proposal:p8") as act:
        end(act.session, act.session.get(PeerRow, "yi.example"), "p9", two.jia.store.clock.now())
    with pytest.raises(UnknownRecipient):
        two.jia.peers.recipient("organ-zi.example")
    assert two.jia.peers.get("chou.example").stopped is None
    # and may be vouched for by another then
    told("guo.example", 2, entry("chou.example", "public"), entry("zi.example", "public"))
    assert two.jia.peers.get("zi.example").clearance == "public"


def test_a_name_like_a_sites_is_no_site(two):
    """A client's certificate on the line, and an organ's seal under evidence. Seen to fail when only the name is compared."""
    ctx, key = two.net.sites["jia.example"].ca.ctx, PrivateKey.generate(INTL)
    request = IssueRequest(
        reference="client-1",
        profile="tls-client",
        csr=Application(key.public_key, Name.of([("commonName", "jia.example")])),
        holder=Holder("service", "client-1", None, "city-jia"),
        authority=(issuer := ctx.issuers.issuing("intl-issuing")).name,
    )
    issued = carry_out(
        ctx, SYSTEM, examine(request, ctx.profiles["tls-client"], ctx.register, ctx.settings), issuer
    )
    own = two.jia.own.calling().certificate
    for certificate, status in ((own, 200), (issued.certificate, 403)):
        way = in_process(two.net.sites["yi.example"].app, certificate=certificate.der)
        answer = httpx.Client(transport=way).post(
            "https://yi.example/exchange/v1/questions", headers={"Content-Type": "application/octet-stream"}
        )
        assert answer.status_code == status, answer.text
    seal = Authority(INTL).organ_seal("yi.example").certificate
    with pytest.raises(EvidenceMismatch):
        of_site(Signed(seal, two.jia.store.clock.now()), "yi.example", "the receipt")
