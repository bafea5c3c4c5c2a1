"""The exchange over HTTP, as departments' systems, officers and auditors have it: what each sees, what each is refused."""

import csv
import io

import pytest

from exchange.errors import NoSuchMessage, NotReceipted, UnknownPeer
from tests.laws.province import client
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify

from .sites import letter

pytestmark = pytest.mark.engines("both")
PEER = "yi.example"


@pytest.fixture(scope="module")
def officer(two):
    return client(two.net.sites["jia.example"], "demo-officer").exchange


@pytest.fixture(scope="module")
def registrar(two):
    """Of the organ that sends."""
    return client(two.net.sites["jia.example"], "city-jia-registrar").exchange


def test_peers_and_cards(two, officer, registrar):
    """Seen to fail when a peer is shown to whoever is signed in."""
    [peer] = officer.peers()
    assert peer == officer.peer(PEER)
    assert (peer.site, peer.carrier, peer.clearance, peer.waiting) == (PEER, "push", "confidential", 0)
    assert peer.digest == two.jia.peers.get(PEER).card.digest
    assert [(each.id, each.reached) for each in officer.organs(PEER)] == [("city-yi", True)]
    assert officer.peer_card(PEER) == two.jia.peers.get(PEER).signed
    assert officer.card() == two.jia.publishing.card()
    with pytest.raises(UnknownPeer):
        officer.peer("bo.example")
    for ask in (
        lambda: list(registrar.peers()),
        lambda: registrar.peer(PEER),
        lambda: registrar.organs(PEER),
        lambda: registrar.peer_card(PEER),
        registrar.card,
    ):
        with pytest.raises(Denied) as told:
            ask()
        assert told.value.entry is not None


def test_the_message_log_and_the_life_of_a_message(two, officer, registrar):
    """Pages hold each message once; whose it is not is not told of it. Seen to fail when the organ is left out of the question."""
    sent = [two.jia.sending.send(SYSTEM, letter(number)) for number in range(100, 103)]
    waiting = registrar.message("out", PEER, sent[0].id)
    assert [each.moment for each in waiting.steps] == ["made"]
    assert officer.peer(PEER).waiting == 3
    with pytest.raises(NotReceipted):
        registrar.evidence("out", PEER, sent[0].id)
    two.jia.courier.call(two.jia.peers.get(PEER), at_once=True)
    two.yi.delivering.run()

    listed = [each.id for each in registrar.messages(kind="test", limit="1")]
    assert [each for each in listed if each in {one.id for one in sent}] == [each.id for each in sent[::-1]]
    assert len(listed) == len(set(listed))
    assert [each.id for each in officer.messages(object="document:101", direction="out")] == [sent[1].id]
    assert list(officer.messages(state="waiting")) == []

    ours = registrar.message("out", PEER, sent[1].id)
    assert [each.moment for each in ours.steps] == ["made", "signed", "receipted", "recorded"]
    assert [each.site for each in ours.steps] == ["jia.example", "jia.example", PEER, "jia.example"]
    assert all(each.stamped for each in ours.steps[1:3])
    assert ours.run.first <= sent[1].seq <= ours.run.upto
    theirs = client(two.net.sites[PEER], "demo-auditor").exchange.message("in", "jia.example", sent[1].id)
    assert [each.moment for each in theirs.steps] == ["made", "signed", "came", "receipted", "delivered"]
    assert theirs.digest == ours.digest

    trust = Trust.load(two.net.sites["jia.example"].data.path("trust"))
    verify(registrar.evidence("out", PEER, sent[1].id), trust, at=two.jia.store.clock.now(), held=[])

    other = client(two.net.sites["jia.example"], "dept-health-registrar").exchange
    assert list(other.messages()) == []
    for ask in (other.message, other.evidence):
        with pytest.raises(NoSuchMessage):
            ask("out", PEER, sent[1].id)
    clerk = client(two.net.sites["jia.example"], "demo-clerk").exchange
    with pytest.raises(Denied):
        list(clerk.messages())


def test_the_log_as_a_file(two, officer):
    two.jia.sending.send(SYSTEM, letter(110))
    answer = officer._connection.send("GET", "/api/exchange/v1/message-export", params={"direction": "out"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert next(each["object"] for each in rows) == "document:110"
    assert {each["direction"] for each in rows} == {"out"}
    # whoever may not is told so, and not cut off in the middle of an answer that began well
    asking = client(two.net.sites["jia.example"], "demo-clerk").exchange
    with pytest.raises(Denied):
        list(asking.messages())
    clerk = asking._connection
    refused = clerk.http.get(
        "/api/exchange/v1/message-export", headers={"Authorization": f"Bearer {clerk.token}"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, Denied.code)
    wrong = officer._connection.http.get(
        "/api/exchange/v1/messages?after=x", headers={"Authorization": f"Bearer {officer._connection.token}"}
    )
    assert wrong.status_code == 400


def test_reconciling_and_carrying(two, officer, registrar, tmp_path):
    said = officer.reconcile(PEER)
    assert (said.peer, said.difference, said.received.seq) == (PEER, None, officer.peer(PEER).sent)
    assert next(officer.reconciliations(PEER)) == said
    assert officer.peer(PEER).reconciled == said.at
    assert officer.peer(PEER).heard >= said.at

    file = tmp_path / "medium"
    two.jia.sending.send(SYSTEM, letter(120))
    assert officer.carry_out(PEER, file) == 1
    taken = client(two.net.sites[PEER], "demo-administrator").exchange.carry_in(file)
    assert (taken.messages, taken.difference) == (1, None)
    assert two.taking.taken[-1] == 120
    for ask in (lambda: registrar.reconcile(PEER), lambda: registrar.carry_out(PEER, file)):
        with pytest.raises(Denied):
            ask()


def test_a_site_is_proposed(two, officer):
    """What approvers compare stands in the proposal."""
    proposal = officer.propose_admission(
        officer.peer_card(PEER), "neighbour", "internal", reason="对方名片另列了接收机关"
    )
    words = [each.zh for each in proposal.describes]
    assert any(two.jia.peers.get(PEER).card.digest in each for each in words), words
    assert officer.propose_stop(PEER, reason="对方站点机构已经撤销").kind == "exchange.stop-peer"
