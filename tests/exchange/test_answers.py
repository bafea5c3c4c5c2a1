"""Answers, and what is passed on: a city answers the province whose document it had, and a county has the province's by the city's hand."""

import re
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from apps.document.intake.models import Answer
from apps.document.models import Document, File
from apps.document.sites import report, secrecy
from apps.document.sites.errors import NotPassedOn, ParcelUnfit
from apps.document.sites.models import Advice
from apps.document.sites.take import Deliveries
from authz.models import PersonRow
from exchange.models import Direction, MessageRow
from exchange.models import State as MessageState
from tests.laws.province import identity
from yinxin.act import SYSTEM
from yinxin.crypto import cms
from yinxin.distribution import State
from yinxin.documents import SecrecyIn
from yinxin.exchange import Outgoing
from yinxin.statement import Statement

from .governments import BASIS, CITY, COUNTY, OTHER_CITY, PROVINCE, TOWN, Governments, governments

pytestmark = pytest.mark.engines("any")
REGISTRAR = "city-jia-registrar"


@pytest.fixture(scope="module")
def sites(template, tmp_path_factory):
    with ExitStack() as stack:
        made = stack.enter_context(governments(stack, template, tmp_path_factory.mktemp("answers")))
        made.line("jia.example", "yi.example")
        made.line("yi.example", "bing.example")
        yield made


def registered(sites: Governments, document: str, organ: str = CITY) -> str:
    """Signed for, registered and read: it waits for an answer."""
    sites.as_(sites.yi, f"{organ}-registrar").receive(document)
    desk = sites.desk(sites.yi, f"{organ}-registrar")
    intake = desk.send("POST", f"/api/document/v1/documents/{document}/registration").json()["id"]
    closed = desk.send("POST", f"/api/document/v1/intakes/{intake}/closing", json={"text": "阅"})
    assert closed.status_code == 204, closed.text
    return intake


def named(sites: Governments, intake: str, answer: str, organ: str = CITY) -> None:
    desk = sites.desk(sites.yi, f"{organ}-registrar")
    path = f"/api/document/v1/intakes/{intake}/answer"
    done = desk.send("POST", path, json={"document": answer})
    assert done.status_code == 204, done.text


def test_an_answer_stands_beside_what_it_answers_at_both_sites(sites: Governments):
    """Seen to fail when no advice is queued, and when the receipt in it is not heard: then it stays overdue and is urged on."""
    document = sites.issue("asks", (CITY, OTHER_CITY))
    sites.travel()
    # its receipt cannot be told for now: the answer says it as well
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.document.service.tell", lambda *_: (0, []))
        intake = registered(sites, document)
        answer = sites.answer("answers")
        sites.yi.document.carry()
        named(sites, intake, answer)
        sites.travel()
    assert sites.show(sites.yi, REGISTRAR, document).answers[0].id == answer
    assert sites.show(sites.yi, REGISTRAR, answer).answering[0].id == document
    registrar = sites.as_(sites.jia, "demo-registrar")
    shown = registrar.show(document)
    assert [(each.id, each.organ) for each in shown.answers] == [(answer, CITY)]
    assert [each.id for each in registrar.show(answer).answering] == [document]
    assert sites.copies(sites.jia, document) == {CITY: "received", OTHER_CITY: "delivered"}
    assert list(registrar.urge(document)) == [OTHER_CITY]
    page = sites.desk(sites.jia, "demo-registrar").send("GET", f"/documents/{document}").text
    assert "已答复" in page
    assert f"/documents/{answer}" in page
    page = sites.desk(sites.jia, "demo-registrar").send("GET", f"/documents/{answer}").text
    assert "答复的公文" in page
    sites.travel()
    assert sites.copies(sites.jia, document)[CITY] == "received"
    with sites.yi.store.read() as session:
        assert session.scalars(sa.select(Advice.told_at)).all()[0] is not None


def test_an_answer_within_one_site_is_the_same_record(sites: Governments):
    """Of what the city answers there is a row at its own site, before any other site has heard of it."""
    with sites.yi.store.read() as session:
        (row,) = session.scalars(sa.select(Answer)).all()
    with sites.jia.store.read() as session:
        (there,) = session.scalars(sa.select(Answer)).all()
    assert (row.document, row.organ, row.answer) == (there.document, there.organ, there.answer)


def test_nobody_answers_for_another(sites: Governments):
    """Seen to fail, each, when the check that it is named by is taken out of `link`."""
    document = sites.issue("foreign", (CITY, OTHER_CITY))
    sites.travel()
    registered(sites, document)
    registered(sites, document, OTHER_CITY)
    answer, second = sites.answer("foreign-1"), sites.answer("foreign-2", OTHER_CITY)
    sites.travel()
    deliveries: Deliveries = sites.jia.exchange.applications["document"]
    with sites.yi.store.read() as session:
        receipts = {
            each: report.signed(session, document, each, State.RECEIVED) for each in (CITY, OTHER_CITY)
        }
    anchors = sites.jia.exchange.peers.anchors("yi.example")

    def hear(about: str = document, receipt: str = CITY, **said: Any) -> None:
        where = {"sender": CITY, "recipient": PROVINCE, "peer": "yi.example"}
        where |= {name: said.pop(name) for name in tuple(said) if name in where}
        body = {"v": 1, "what": "answer", "document": about, "answer": answer, **receipts[receipt], **said}
        deliveries.prepare(SimpleNamespace(body=body, object=f"document:{about}", anchors=anchors, **where))

    hear()
    for words, wrong in (
        ("没有由该机关发来", {"answer": second}),
        ("没有由该机关发来", {"answer": "nowhere"}),
        ("没有答复的公文", {"answer": document}),
        ("不是收文机关制发的", {"recipient": CITY}),
        ("不是收文机关制发的", {"about": "nowhere"}),
        ("不是收文机关制发的", {"about": answer, "answer": second}),
        ("声明不是对该公文的", {"receipt": OTHER_CITY}),
        ("字段不符", {"cms": "zz"}),
        ("没有答复的公文", {"answer": 7}),
    ):
        with pytest.raises(ParcelUnfit) as refused:
            hear(**wrong)
        assert words in refused.value.text("zh"), (wrong, refused.value)
    # once it has answered with one document, another is none
    another = sites.answer("foreign-3")
    sites.travel()
    for number, which in enumerate((answer, answer, another)):
        body = {"v": 1, "what": "answer", "document": document, "answer": which, **receipts[CITY]}
        name = f"document:{document}:{PROVINCE}:answer-{number}"
        message = Outgoing(name, CITY, PROVINCE, "document", f"document:{document}", "internal", body)
        sites.yi.exchange.inside.send(message)
    sites.travel()
    with sites.jia.store.read() as session:
        assert session.get_one(Answer, (document, CITY)).answer == answer
        put_aside = (MessageRow.direction == Direction.IN, MessageRow.state == MessageState.UNDELIVERABLE)
        assert session.scalars(sa.select(MessageRow.error).where(*put_aside)).all() == [ParcelUnfit.code]


def test_what_came_from_one_site_goes_on_to_a_third(sites: Governments, monkeypatch):
    """Held to the roots of the site that issued it; refused, with the reason, where that one is not known.

    Seen to fail when the roots of the site that passes it on are taken, when what it is told of secrecy is not told on, and when it is not
    asked whose certificate a decision was signed with.
    """
    document = sites.issue("passed-on", (CITY,))
    sites.travel()
    city = sites.as_(sites.yi, REGISTRAR)
    city.receive(document)
    # the county's site has not heard of the province's yet
    assert list(city.redispatch(document, (COUNTY,))) == [COUNTY]
    sites.travel()
    assert sites.copies(sites.yi, document) == {CITY: "received", COUNTY: "refused"}
    assert "不在本站的交换名录中，无从核验其印章" in sites.refused(sites.bing, document, COUNTY)

    sites.line("jia.example", "bing.example", below="neighbour")
    peers = sites.bing.exchange.peers
    anchors = peers.anchors
    monkeypatch.setattr(peers, "anchors", lambda site: () if site == "yi.example" else anchors(site))
    assert list(city.redispatch(document, (TOWN,))) == [TOWN]
    sites.travel()
    shown = sites.show(sites.bing, f"{TOWN}-registrar", document)
    assert (shown.document.organ, shown.copies[0].sender) == (PROVINCE, CITY)
    assert [(each.mark, each.basis) for each in shown.grades] == [("秘密★2年", BASIS)]
    assert sites.as_(sites.bing, f"{TOWN}-registrar").file(document, "sealed.pdf") == sites.as_(
        sites.jia, "demo-registrar"
    ).file(document, "sealed.pdf")
    page = sites.desk(sites.bing, f"{TOWN}-registrar").send("GET", f"/documents/{document}").text
    assert "由甲市人民政府转发" in page
    # the site that it came from, not taken for somebody who drafted it
    assert re.search(r"来文站点</dt><dd><code>yi\.example<", page)
    assert "起草人" not in page
    sites.as_(sites.bing, f"{TOWN}-registrar").receive(document)
    # what the province decides comes on by the city, in the province's own words
    sites.as_(sites.jia, "demo-leader").regrade(
        document, "confidential", SecrecyIn(amount=5, basis="第 4 项"), "定密有误"
    )
    sites.travel()
    assert sites.copies(sites.yi, document)[TOWN] == "received"
    shown = sites.show(sites.bing, f"{TOWN}-registrar", document)
    assert [each.mark for each in shown.grades] == ["秘密★2年", "秘密★5年"]
    assert [each.organ for each in shown.steps if each.verb == "document.regrade"] == [PROVINCE]
    # who passed it on has no say in it
    hear = sites.bing.exchange.applications["document"].prepare
    body = {"v": 1, "what": "secrecy", "document": document, "decisions": []}
    common = {"object": f"document:{document}", "recipient": TOWN, "anchors": ()}
    hear(SimpleNamespace(body=body, sender=CITY, peer="yi.example", **common))
    with pytest.raises(ParcelUnfit):
        hear(SimpleNamespace(body=body, sender=PROVINCE, peer="jia.example", **common))
    # nor has anybody else of the province, whatever organ her statement names
    with sites.jia.store.read() as session:
        (real,) = secrecy.told(session, sites.row(sites.jia, document))
    statement = Statement.decode(bytes.fromhex(real["statement"]))
    false = replace(statement, person="city-jia-registrar").encode()
    by = identity(sites.yi.data.root, "city-jia-registrar")
    signature = cms.sign_detached(by, false, signed_at=statement.at)
    forged = {**real, "statement": false.hex(), "cms": signature.hex()}
    with pytest.raises(ParcelUnfit) as refused:
        hear(SimpleNamespace(body={**body, "decisions": [forged]}, sender=CITY, peer="yi.example", **common))
    assert "签名人不是发文机关的" in refused.value.text("zh")


def test_no_two_papers_of_a_document_have_one_number(sites: Governments, monkeypatch, tmp_path):
    """Printed at three sites, each with a register of its own; the number on the paper is the one in the register, and tells what it is a copy of.

    Seen to fail when what is made elsewhere is numbered as what is made here, and when what is passed on does not say which copy it is.
    """
    drawn = []
    monkeypatch.setattr(
        "apps.document.numbered.print._drawn", lambda _file, _pages, mark: drawn.append(mark) or b"%PDF"
    )
    sites.line("jia.example", "bing.example", below="neighbour")
    document = sites.issue("printed-everywhere", (CITY, OTHER_CITY))
    sites.travel()
    for organ in (CITY, OTHER_CITY):
        sites.as_(sites.yi, f"{organ}-registrar").receive(document)
    sites.as_(sites.yi, REGISTRAR).redispatch(document, (COUNTY,))
    sites.travel()
    sites.as_(sites.bing, f"{COUNTY}-registrar").receive(document)
    printers = (
        (sites.jia, "demo-registrar", PROVINCE),
        (sites.yi, REGISTRAR, CITY),
        (sites.yi, f"{OTHER_CITY}-registrar", OTHER_CITY),
        (sites.bing, f"{COUNTY}-registrar", COUNTY),
    )
    marks = []
    for platform, person, organ in printers:
        keeper = sites.as_(platform, person)
        keeper.print_copy(document)
        keeper.print_copy(document)
        shown = keeper.show(document).numbered
        papers = [each.mark for each in shown if (each.organ, each.medium) == (organ, "paper")]
        for mark, paper in zip(papers, drawn[-2:], strict=True):
            file = tmp_path / f"{mark}.pdf"
            file.write_bytes(paper.pdf)
            said = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True)
            assert said.stdout.count(mark) == 3, said.stdout  # at the corner, and at the foot of both pages
        marks += papers
    # 000002-2 of the city's copy went on to the county
    assert sites.show(sites.bing, f"{COUNTY}-registrar", document).copy_number == "000002-2"
    assert marks == [
        *("000004", "000005"),
        *("000002-3", "000002-4"),
        *("000003-5", "000003-6"),
        *("000002-2-2", "000002-2-3"),
    ]
    page = sites.desk(sites.yi, REGISTRAR).send("GET", f"/documents/{document}").text
    assert "000002-3" in page
    sites.as_(sites.yi, REGISTRAR).destroy_copy(document, 3, "销毁清册〔2026〕1号")


def test_what_is_passed_on_and_changed_is_refused(sites: Governments, monkeypatch):
    """Seen to fail when the seal of a document that is passed on is not verified: then what else is signed over it refuses it, in other words."""
    sites.line("jia.example", "bing.example", below="neighbour")
    document = sites.issue("changed", (CITY,), level="internal")
    sites.travel()
    city = sites.as_(sites.yi, REGISTRAR)
    city.receive(document)
    with sites.yi.store.act(SYSTEM, "test.alter", f"document:{document}") as act:
        file = act.session.get_one(File, (document, "sealed.pdf"))
        data = bytearray(file.data)
        data[data.index(b"stream") + 40] ^= 1
        file.data, file.sha256 = bytes(data), sha256(data).hexdigest()
    city.redispatch(document, (COUNTY,))
    sites.travel()
    assert sites.copies(sites.yi, document)[COUNTY] == "refused"
    assert "盖章之后文件被改动过" in sites.refused(sites.bing, document, COUNTY)


def test_top_secret_is_not_passed_on(sites: Governments):
    """Seen to fail when `redispatch` does not ask."""
    document = sites.issue("top", (CITY,), level="internal")
    sites.travel()
    sites.as_(sites.yi, REGISTRAR).receive(document)
    with sites.yi.store.act(SYSTEM, "test.grade", f"document:{document}") as act:
        act.session.get_one(Document, document).level = "top-secret"
        act.session.get_one(PersonRow, REGISTRAR).clearance = "top-secret"
    with pytest.raises(NotPassedOn) as told:
        sites.as_(sites.yi, REGISTRAR).redispatch(document, (COUNTY,))
    assert told.value.entry is not None
