"""The secrecy of a document at other sites: what its leader signed governs it there, and so does what leaders of its organ decide since."""

import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from apps.document import content, grading
from apps.document.decisions import REGRADE, content_of, digest
from apps.document.errors import GradedElsewhere
from apps.document.models import File
from apps.document.sites import secrecy
from apps.document.sites.carry import Sites
from apps.document.sites.errors import ParcelUnfit
from apps.document.sites.models import Advice
from audit.models import EntryRow
from exchange.models import Direction, MessageRow, State
from tests.crypto.conftest import authority, self_signed
from tests.laws.province import identity
from yinxin.calendar import local_date
from yinxin.crypto import cms
from yinxin.crypto.errors import DigestMismatch, UnknownIssuer
from yinxin.crypto.keys import Identity
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.documents import SecrecyIn
from yinxin.exchange import Outgoing
from yinxin.grade import Grade, GradeTooLong
from yinxin.statement import Statement
from yinxin.steps import listen
from yinxin.store import OutboxRow

from .governments import BASIS, CITY, OTHER_CITY, PROVINCE, Governments, governments

pytestmark = pytest.mark.engines("any")
REGISTRAR = "city-jia-registrar"


class Died(BaseException):
    """As if the process had: nothing catches it."""


@pytest.fixture(scope="module")
def sites(template, tmp_path_factory):
    with ExitStack() as stack:
        made = stack.enter_context(governments(stack, template, tmp_path_factory.mktemp("secrecy")))
        made.line("jia.example", "yi.example")
        yield made


@pytest.fixture(scope="module")
def regraded(sites: Governments) -> tuple[str, list[dict[str, str]]]:
    """A document at the city that its leader has regraded twice, and what was told of that."""
    document = sites.issue("regraded", (CITY,))
    leader = sites.as_(sites.jia, "demo-leader")
    leader.regrade(document, "confidential", SecrecyIn(amount=5, basis="第 4 项"), "定密有误")
    leader.regrade(document, "confidential", SecrecyIn(amount=4, basis="第 5 项"), "仍有误")
    sites.travel()
    with sites.jia.store.read() as session:
        return document, secrecy.told(session, sites.row(sites.jia, document))


def marks(found: Any) -> list[tuple[str | None, str]]:
    return [(each.mark, each.basis) for each in found.grades]


def test_period_and_basis_travel_and_so_does_what_is_decided_since(sites: Governments):
    """Seen to fail when decisions are not queued, when what is registered keeps its level, and when `follow` takes again what is here."""
    leader = sites.as_(sites.jia, "demo-leader")
    document = sites.issue("travels", (CITY, OTHER_CITY))
    with sites.jia.store.read() as session:
        signed = content.canonical.decode(grading_content(session, document))
    assert (signed["secrecy"], signed["grade"]["basis"]) == ("秘密★2年", BASIS)
    sites.travel()
    assert sites.copies(sites.jia, document) == {CITY: "delivered", OTHER_CITY: "delivered"}
    shown = sites.show(sites.yi, REGISTRAR, document)
    assert marks(shown) == [("秘密★2年", BASIS)]
    assert shown.document.level == "confidential"
    assert shown.grades[0].ends == sites.show(sites.jia, "demo-leader", document).grades[0].ends
    assert [
        sites.show(sites.yi, f"{each}-registrar", document).copy_number for each in (CITY, OTHER_CITY)
    ] == ["000002", "000003"]
    sites.as_(sites.yi, REGISTRAR).receive(document)
    city = sites.desk(sites.yi, REGISTRAR)
    intake = city.send("POST", f"/api/document/v1/documents/{document}/registration").json()["id"]

    # the line is down: what is decided meanwhile comes in its order
    sites.net.down.add("yi.example")
    with pytest.raises(GradeTooLong):
        leader.regrade(document, "confidential", SecrecyIn(amount=11, basis="第 4 项"), "太长")
    leader.regrade(document, "confidential", SecrecyIn(amount=3, basis="第 4 项"), "定密有误")
    leader.extend_secrecy(document, SecrecyIn(amount=5, basis="第 5 项"), "项目延期")
    sites.jia.document.carry()
    assert len(sites.show(sites.yi, REGISTRAR, document).grades) == 1
    sites.net.down.clear()
    sites.travel()
    shown = sites.show(sites.yi, REGISTRAR, document)
    assert marks(shown) == [("秘密★2年", BASIS), ("秘密★3年", "第 4 项"), ("秘密★5年", "第 5 项")]
    decided = [each for each in shown.steps if each.verb in ("document.regrade", "document.extend-secrecy")]
    assert [(each.organ, each.person, each.comment) for each in decided] == [
        (PROVINCE, "demo-leader", "定密有误"),
        (PROVINCE, "demo-leader", "项目延期"),
    ]
    assert all(each.entry for each in decided)
    page = city.send("GET", f"/documents/{document}").text
    for words in ("秘密★5年", "依据：第 5 项", "定密有误", "份号", "000002"):
        assert words in page, words
    assert "秘密★5年" in city.send("GET", f"/documents/intake/{intake}").text

    # nothing is secret about it any more, there too, and in what was registered; by whom and why stands with it
    leader.declassify(document, "已公开发布")
    sites.travel()
    shown = sites.show(sites.yi, REGISTRAR, document)
    assert marks(shown)[-1] == (None, "已公开发布")
    assert shown.document.level == "internal"
    assert city.send("GET", f"/api/document/v1/intakes/{intake}").json()["intake"]["level"] == "internal"
    # two organs of that site were told of each, and what is here was not taken again
    assert len(shown.grades) == 4
    with sites.jia.store.read() as session:
        advices = session.scalars(sa.select(Advice).where(Advice.document == document)).all()
    assert len(advices) == 6
    assert all(each.told_at is not None for each in advices)


def grading_content(session: Any, document: str) -> bytes:
    from apps.document.desk import content as newest

    return newest(session, document).data


def test_it_ends_there_by_itself_and_what_its_organ_decides_stands_above(sites: Governments, monkeypatch):
    """Seen to fail when the parcel's period is not taken in: then nothing ends there."""
    document = sites.issue("ends", (CITY,))
    sites.travel()
    later = sites.yi.store.clock.now() + timedelta(days=800)
    with monkeypatch.context() as patch:
        patch.setattr(grading, "local_date", lambda _at: local_date(later))
        assert grading.lapse(sites.yi.store) >= 1
        assert grading.lapse(sites.yi.store) == 0
    assert sites.level(sites.yi, document) == "internal"
    shown = sites.show(sites.yi, REGISTRAR, document)
    assert marks(shown)[-1] == (None, grading.EXPIRED)
    assert shown.grades[-1].person == "system"
    # it was extended before it was over: that comes late, and stands
    sites.as_(sites.jia, "demo-leader").extend_secrecy(document, SecrecyIn(amount=6, basis=BASIS), "延长")
    sites.travel()
    assert sites.level(sites.yi, document) == "confidential"
    # what is over when it comes is no secret when it is here
    over = sites.issue(
        "over", (CITY,), period=SecrecyIn(until=local_date(sites.jia.store.clock.now()), basis=BASIS)
    )
    sites.travel()
    assert sites.level(sites.yi, over) == "internal"
    assert marks(sites.show(sites.yi, REGISTRAR, over))[-1] == (None, grading.EXPIRED)


def decision(
    sites: Governments,
    document: str,
    *,
    like: dict[str, str],
    signer: str | Identity = "demo-leader",
    sealed: str | None = None,
    **said: Any,
) -> dict[str, str]:
    """A decision as somebody might make it up."""
    now = sites.jia.store.clock.now()
    with sites.jia.store.read() as session:
        real = session.get_one(File, (document, "sealed.pdf")).sha256
    digests = {"sha256": sealed or real, "sm3": ""}
    after = said.pop("after", "")
    grade = Grade("confidential", amount=1, basis="第 9 项")
    usual = {
        "type": REGRADE,
        "subject": f"document:{document}",
        "person": "demo-leader",
        "post": f"{PROVINCE}-leader",
        "organ": PROVINCE,
        "at": now,
        "content": content_of(digests, (grade, date(2026, 1, 1)), after, "伪造"),
    }
    statement = Statement(**(usual | said)).encode()
    by = signer
    if isinstance(by, str):
        by = identity((sites.yi if by.startswith("city") else sites.jia).data.root, by)
    signature = cms.sign_detached(by, statement, signed_at=now)
    return {"statement": statement.hex(), "cms": signature.hex(), "ocsp": like["ocsp"]}


def test_a_decision_of_anybody_else_is_refused_and_on_record(sites: Governments, regraded):
    """Forged, of another organ, of another document, out of order, from another site.

    Seen to fail, each, when the check that it is named by is taken out of `read_decisions`, `_signed_by` or `_decided`.
    """
    document, told = regraded
    first, second = told
    deliveries = sites.yi.exchange.applications["document"]
    anchors = sites.yi.exchange.peers.anchors("jia.example")

    def hear(decisions: Any, **where: str) -> None:
        body = {"v": 1, "what": "secrecy", "document": document, "decisions": decisions}
        usual = {
            "sender": PROVINCE,
            "recipient": CITY,
            "peer": "jia.example",
            "object": f"document:{document}",
        }
        deliveries.prepare(SimpleNamespace(body=body, anchors=anchors, **(usual | where)))

    hear(told)
    made = decision(sites, document, like=first)
    hear([made])  # as good as any, but for what is here by now: what is told next is held to that
    stranger = self_signed(INTL, authority(Name.of({"serialNumber": "demo-leader"})))
    altered = bytearray.fromhex(first["statement"])
    altered[altered.index("★".encode()[0:1]) if "★".encode() in altered else len(altered) // 2] ^= 1
    for refusal, words, decisions in (
        (
            ParcelUnfit,
            "不是发文机关",
            [
                decision(
                    sites,
                    document,
                    like=first,
                    signer="city-jia-leader",
                    person="city-jia-leader",
                    post=f"{CITY}-leader",
                    organ=CITY,
                )
            ],
        ),
        (ParcelUnfit, "签名人不符", [decision(sites, document, like=first, signer="city-jia-leader")]),
        (ParcelUnfit, "不是发文机关", [decision(sites, document, like=first, subject="document:another")]),
        (ParcelUnfit, "不是发文机关", [decision(sites, document, like=first, sealed="0" * 64)]),
        (ParcelUnfit, "字段不符", [decision(sites, document, like=first, type="document.sign-off")]),
        (ParcelUnfit, "不相衔接", [second]),
        (ParcelUnfit, "不相衔接", [second, first]),
        (ParcelUnfit, "不相衔接", [first, first]),
        (UnknownIssuer, "", [decision(sites, document, like=first, signer=stranger)]),
        (DigestMismatch, "", [{**first, "statement": decision(sites, document, like=first)["statement"]}]),
        (ParcelUnfit, "", [{"statement": first["statement"]}]),
        (ParcelUnfit, "", "none"),
    ):
        with pytest.raises(refusal) as refused:
            hear(decisions)
        assert words in refused.value.text("zh"), refused.value
    for where in ({"recipient": OTHER_CITY}, {"sender": "county-zi"}, {"peer": "bing.example"}):
        with pytest.raises(ParcelUnfit):
            hear(told, **where)

    # another one in the place of what is on record here: its site has two words, and the second does not count
    before = marks(sites.show(sites.yi, REGISTRAR, document))
    for number, forged in enumerate(
        (
            [made],
            [first, decision(sites, document, like=first, after=digest(bytes.fromhex(first["statement"])))],
        )
    ):
        body = {"v": 1, "what": "secrecy", "document": document, "decisions": forged}
        object_ = f"document:{document}"
        sites.jia.exchange.inside.send(
            Outgoing(
                f"document:{document}:{CITY}:forged-{number}",
                PROVINCE,
                CITY,
                "document",
                object_,
                "internal",
                body,
            )
        )
    sites.travel()
    assert marks(sites.show(sites.yi, REGISTRAR, document)) == before
    with sites.yi.store.read() as session:
        put_aside = (MessageRow.direction == Direction.IN, MessageRow.state == State.UNDELIVERABLE)
        errors = session.scalars(sa.select(MessageRow.error).where(*put_aside)).all()
        waiting = session.scalars(sa.select(OutboxRow.data)).all()
        refusals = [*waiting, *session.scalars(sa.select(EntryRow.data))]
    assert errors == [ParcelUnfit.code] * 2
    refused = [each for each in map(json.loads, refusals) if each["outcome"] == "refused"]
    assert sum(each["verb"] == "exchange.deliver" for each in refused) == 2
    # nor does it decide for another site who has it here
    with pytest.raises(GradedElsewhere) as elsewhere:
        sites.as_(sites.yi, "demo-leader").regrade(document, "confidential", SecrecyIn(amount=1), "改")
    assert elsewhere.value.entry is not None


def test_a_level_that_was_not_signed_is_not_taken_in(sites: Governments):
    """Lowered on the way, or another period than the mark's: refused, and its sender is told why.

    Seen to fail when `demand_level` is not asked, and when `_first` does not compare the mark.
    """

    class Lowering(Sites):
        def carry(self, parcel):
            super().carry(replace(parcel, level="internal", facts={**parcel.facts, **said}))

    said: dict[str, Any] = {}
    kept = sites.jia.document.sites
    vars(sites.jia.document)["sites"] = Lowering(sites.jia.store, sites.jia.document.exchange)
    try:
        lowered = sites.issue("lowered", (CITY,))
        sites.travel()
    finally:
        vars(sites.jia.document)["sites"] = kept
    assert sites.copies(sites.jia, lowered) == {CITY: "refused"}
    assert "密级与签发的不符" in sites.refused(sites.yi, lowered, CITY)


def test_what_an_older_site_says_still_reads(sites: Governments, monkeypatch):
    """A content that names no basis, and a parcel that says nothing of secrecy: by its mark; what the message says beside must be of that mark."""
    encode, facts = content.encode, secrecy.facts
    for reference, said, basis in (
        ("older", lambda _given: {}, ""),
        ("between", lambda given: given, BASIS),
        ("untrue", lambda given: {"secrecy": {**given["secrecy"], "amount": 1}}, None),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(
                content, "encode", lambda *given, **more: encode(*given, **(more | {"grade": None}))
            )
            patch.setattr(secrecy, "facts", lambda session, row, said=said: said(facts(session, row)))
            document = sites.issue(reference, (CITY,))
            sites.travel()
        if basis is None:
            assert "保密期限与密级标志不符" in sites.refused(sites.yi, document, CITY)
        else:
            assert marks(sites.show(sites.yi, REGISTRAR, document)) == [("秘密★2年", basis)]


def test_what_is_graded_above_a_site_is_told_there_and_called_in(sites: Governments):
    """The form says who cannot have it; the decision, recall and urging reach whoever has it.

    Seen to fail when an advice, or a recall, is graded as the document is by now.
    """
    document = sites.issue("above", (CITY, OTHER_CITY))
    sites.travel()
    sites.as_(sites.yi, REGISTRAR).receive(document)
    sites.travel()
    leader = sites.as_(sites.jia, "demo-leader")
    assert sites.show(sites.jia, "demo-registrar", document).barred == []
    leader.regrade(document, "secret", SecrecyIn(amount=3, basis="第 7 项"), "内容提升")
    sites.travel()
    assert sites.level(sites.yi, document) == "secret"
    barred = sites.show(sites.jia, "demo-registrar", document).barred
    assert [each.organ for each in barred] == [CITY, OTHER_CITY]
    assert "获准接收的最高密级是“秘密”，本文密级是“机密”" in barred[0].reason.zh
    page = sites.desk(sites.jia, "demo-registrar").send("GET", f"/documents/{document}").text
    assert "按现在的密级，以下机关不应再持有本文，请清退" in page
    registrar = sites.as_(sites.jia, "demo-registrar")
    registrar.urge(document, (OTHER_CITY,))
    sites.travel()
    shown = sites.show(sites.yi, REGISTRAR, document)
    assert {each.organ: each.urged for each in shown.copies}[OTHER_CITY] == 1
    registrar.recall(document, "密级变更", (CITY,))
    registrar.withdraw(document, "密级变更", (OTHER_CITY,))
    sites.travel()
    sites.as_(sites.yi, REGISTRAR).give_back(document)
    sites.travel()
    assert sites.copies(sites.jia, document) == {CITY: "given-back", OTHER_CITY: "withdrawn"}


def test_a_process_that_dies_tells_once(sites: Governments, regraded):
    """Seen to fail when the reference does not say which decision it is."""
    document, _ = regraded

    def dies(name: str) -> None:
        if name == "document.advise.1-sent":
            raise Died

    sites.as_(sites.jia, "demo-leader").extend_secrecy(document, SecrecyIn(amount=7, basis="第 5 项"), "延长")
    listen(dies)
    try:
        with pytest.raises(Died):
            sites.jia.document.carry()
    finally:
        listen(None)
    sites.travel()
    assert marks(sites.show(sites.yi, REGISTRAR, document))[-1] == ("秘密★7年", "第 5 项")
    reference = f"document:{document}:{CITY}:secrecy-3"
    with sites.jia.store.read() as session:
        sent = sa.select(sa.func.count()).where(MessageRow.reference == reference)
        assert session.scalar(sent) == 1
