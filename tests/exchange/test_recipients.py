"""What forms and the API say of recipients at other sites before anything is lost, and what the page there says of who issued it."""

import base64
import re
from contextlib import ExitStack
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from apps.document.errors import UnknownRecipient
from apps.document.models import Document
from tests.document import joint
from tests.laws.asking import Desk
from tests.laws.province import client, identity
from yinxin import evidence
from yinxin.act import SYSTEM
from yinxin.crypto import cms
from yinxin.evidence.attribute import NOTHING_BESIDE
from yinxin.evidence.trust import Trust

from .governments import CITY, OTHER_CITY, Governments, governments
from .sites import Net, admit, copied, join, opened, settings

pytestmark = pytest.mark.engines("any")
#: an organ that no directory knows
STRANGE = "city-bing"


@pytest.fixture(scope="module")
def sites(template, tmp_path_factory):
    with ExitStack() as stack:
        made = stack.enter_context(governments(stack, template, tmp_path_factory.mktemp("recipients")))
        made.line("jia.example", "yi.example")
        yield made


def test_who_cannot_get_this_level_is_told_while_it_is_written(sites: Governments):
    """In the API with the reason, in the form beside the organ that is ticked and in the list of the others.

    Seen to fail when those that are cleared too low are left out, and when whoever is ticked as a recipient is warned of as a copy as well.
    """
    clerk = sites.as_(sites.jia, "demo-clerk")
    assert [each.organ for each in clerk.recipients("confidential", uncleared=True)] == [CITY, OTHER_CITY]
    assert list(clerk.recipients("secret")) == []
    low = {each.organ: each for each in clerk.recipients("secret", uncleared=True)}
    assert set(low) == {CITY, OTHER_CITY}
    assert not low[CITY].cleared
    assert low[CITY].reason is not None
    assert "获准接收的最高密级是“秘密”，本文密级是“机密”" in low[CITY].reason.zh
    assert "cleared up to" in low[CITY].reason.en
    page = sites.desk(sites.jia, "demo-clerk")
    text = page.send("GET", f"/documents/new?level=secret&recipients={CITY}").text
    # once, where it is ticked, and not beside the same organ in the list of copies
    assert text.count("本文密级是“机密”，高于该机关获准接收的最高密级") == 1
    assert "另有 1 个外站机关获准接收的密级低于本文" in text
    assert "乙市人民政府（秘密）" in text
    assert "高于该机关获准接收的最高密级" not in page.send("GET", f"/documents/new?recipients={CITY}").text


def test_who_cannot_get_it_is_told_before_it_is_dispatched(sites: Governments):
    """Seen to fail when what is sealed and not yet sent is not looked at, and when a recipient that nobody knows any more has a copy here."""
    document = sites.issue("undispatched", (CITY, OTHER_CITY), dispatch=False)
    registrar = sites.as_(sites.jia, "demo-registrar")
    assert registrar.show(document).barred == []
    admit(sites.jia.exchange, sites.yi.exchange, clearance="internal", relation="child")
    try:
        barred = registrar.show(document).barred
        assert [each.organ for each in barred] == [CITY, OTHER_CITY]
        assert "获准接收的最高密级是“内部”，本文密级是“秘密”" in barred[0].reason.zh
        page = sites.desk(sites.jia, "demo-registrar").send("GET", f"/documents/{document}").text
        assert "按现在的密级，本文发不到以下机关" in page
        with pytest.raises(Exception, match="too_secret"):
            registrar.dispatch(document)
        assert registrar.show(document).document.state == "sealed"
    finally:
        admit(sites.jia.exchange, sites.yi.exchange, relation="child")
    # whose site is no peer any more is nobody's: it is not taken for an organ of this one
    for named in ([STRANGE], []):
        with sites.jia.store.act(SYSTEM, "test.name", f"document:{document}") as act:
            act.session.get_one(Document, document).copied_to = named
        if named:
            with pytest.raises(UnknownRecipient):
                registrar.dispatch(document)
    registrar.dispatch(document)
    sites.travel()
    assert sites.copies(sites.jia, document) == {CITY: "delivered", OTHER_CITY: "delivered"}


def test_a_leader_decides_on_a_page(sites: Governments):
    """The form says what, the next page what she signs; what is wrong is said at its field, before she signs anything.

    Seen to fail when the statement is made of the address again, and not of what she was shown; and when the form is silent on what holds.
    """
    document = sites.issue("on-a-page", (CITY,))
    desk = sites.desk(sites.jia, "demo-leader")

    def form(path: str, **fields: str):
        key = sites.jia.store.identifier()
        return desk.send("POST", path, data={"_key": key, **fields})

    # what holds now, and by which item, stands above what she decides
    now = desk.send("GET", f"/documents/{document}/grade").text
    for words in ("现为", "秘密★2年", "依据：国家秘密事项目录第 3 项"):
        assert words in now, words
    wrong = form(
        f"/documents/{document}/grade", what="regrade", level="confidential", amount="11", reason="x"
    )
    assert wrong.status_code == 422, wrong.text
    assert "保密期限最长 10 年" in wrong.text
    wrong = form(f"/documents/{document}/grade", what="regrade", level="confidential", reason="x")
    assert "保密期限须填写且只填写一项" in wrong.text
    asked = {"what": "extend", "amount": "5", "basis": "第 8 项", "reason": "项目延期"}
    told = form(f"/documents/{document}/grade", **asked)
    assert told.status_code == 303, told.text
    where = urlsplit(told.headers["Location"])
    page = desk.send("GET", f"{where.path}?{where.query}").text
    for words in ("秘密★5年", "第 8 项", "项目延期", "所涉的文件"):
        assert words in page, words
    statement = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])
    by = identity(sites.jia.data.root, "demo-leader")
    signature = cms.sign_detached(by, statement, signed_at=datetime.now(UTC))
    signed = {
        "statement": base64.b64encode(statement).decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    assert desk.send("GET", where.path).status_code == 422
    assert desk.send("GET", f"{where.path}?what=regrade&level=public&reason=x").status_code == 422
    # a signature that is none: she has what she was to sign before her yet
    wrong = form(where.path, **(signed | {"signature": base64.b64encode(b"none").decode()}))
    assert wrong.status_code in (400, 422)
    assert "秘密★5年" in wrong.text
    done = form(where.path, **signed)
    assert done.status_code == 303, done.text
    shown = sites.show(sites.jia, "demo-leader", document)
    assert [each.mark for each in shown.grades] == ["秘密★2年", "秘密★5年"]
    # it stands in the evidence, and a stranger verifies it there
    held: list = []
    trust, now = Trust.load(sites.jia.data.path("trust")), sites.jia.clock.now()
    packed = sites.as_(sites.jia, "demo-registrar").evidence(document)
    evidence.verify(packed, trust, at=now, held=held, beside=NOTHING_BESIDE)
    assert any("延长了本文的保密期限，理由：项目延期" in each.zh for each in held)


def test_the_page_there_names_who_issued_it_together(template, tmp_path):
    """Joint organs of another site, by the names that were signed, though this site knows none of them.

    Seen to fail when the names are looked for in the directory.
    """
    net = Net()
    with ExitStack() as stack:
        made = []
        for site, organs in (("jia.example", joint.MAIN), ("yi.example", CITY)):
            own = settings(site, **{"exchange.organs": f'["{organs}"]'})
            made.append(stack.enter_context(opened(copied(template, tmp_path, site), *own)))
        near, far = made
        for each in made:
            join(net, each)
        joint.settled(near)
        admit(near.exchange, far.exchange)
        admit(far.exchange, near.exchange)
        desk = joint.Desk(near, tmp_path)
        document = desk.draft(recipients=(CITY,))
        desk.put(document)
        for organ in (joint.SECOND, joint.THIRD):
            desk.as_(organ, "leader").documents.countersign(document)
        desk.as_(joint.MAIN, "leader").documents.sign_off(document)
        keeper = desk.as_(joint.MAIN).documents
        keeper.number(document)
        for organ in (joint.SECOND, joint.THIRD, joint.MAIN):
            desk.as_(organ).documents.seal(document)
        keeper.dispatch(document)
        near.document.carry()
        near.exchange.courier.call(near.exchange.peers.get("yi.example"), at_once=True)
        far.exchange.delivering.run()
        shown = client(far, "city-jia-registrar").documents.show(document)
        organs = ["示范省财政厅", "示范省卫生健康委员会", "示范省应急管理厅"]
        assert (shown.issuers, shown.document.joint) == (organs, [joint.SECOND, joint.THIRD])
        assert (shown.copy_number, shown.countersigners) == (None, [])
        page = Desk(far, "city-jia-registrar").send("GET", f"/documents/{document}").text
        assert "示范省卫生健康委员会、示范省应急管理厅" in page
