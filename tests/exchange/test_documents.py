"""Official documents between two sites: sent, signed for, returned, recalled and refused there; both sites say the same of it."""

import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from apps.document import direction
from apps.document.core import Organ
from apps.document.errors import CopyDownward, NotDownward, NotUpward, SkipsLevel
from apps.document.layout.kinds import Kind
from apps.document.sites.carry import Sites
from apps.document.sites.choose import Addressable
from apps.document.sites.errors import NotCleared, ParcelUnfit
from apps.document.sites.models import Arrival
from authz.models import OrganClosure, OrganRow, PostRole, PostRow
from exchange.errors import UnknownRecipient
from exchange.inside import Inside
from ops.cli.export_documents import exported
from ops.demo.story import SAMPLE
from ops.platform import Platform
from tests.laws.asking import Desk
from tests.laws.province import client
from yinxin.act import SYSTEM
from yinxin.distribution import Copy, Receipt
from yinxin.distribution.models import Rest
from yinxin.errors import Conflict
from yinxin.exchange import Reached
from yinxin.steps import listen
from yinxin.text import Text

from .sites import Net, admit, copied, join, opened, sealed, settings

pytestmark = pytest.mark.engines("any")
THERE = ("city-jia", "city-yi", "dept-health")
#: and the one whose copy is changed before it leaves
TAMPERED = "county-zi"
#: and an organ that the province's own directory does not know
STRANGE = "town-zi-east"


class Died(BaseException):
    """As if the process had: nothing catches it."""


class Tampering(Sites):
    """A way to other sites on which an octet under the seal of one copy changes."""

    def carry(self, parcel):
        if parcel.key.organ == TAMPERED:
            file = parcel.files[0]
            data = bytearray(file.path.read_bytes())
            data[data.index(b"stream") + 40] ^= 1
            path = file.path.with_suffix(".changed")
            path.write_bytes(data)
            said = parcel.facts | {"sha256": sha256(data).hexdigest()}
            parcel = replace(parcel, facts=said, files=(replace(file, path=path), *parcel.files[1:]))
        super().carry(parcel)


def first_unreached(send):
    """A way out on which the first recipient is not known any more."""
    asked = []

    def sent(self, message):
        asked.append(message)
        if len(asked) == 1:
            raise UnknownRecipient(organ=message.recipient)
        return send(self, message)

    return sent


@dataclass
class Governments:
    """The province, and a site with four organs."""

    near: Platform
    far: Platform

    def travel(self) -> None:
        """Everything that waits goes where it is to go, and what answers it comes back."""
        for here, there in ((self.near, "yi.example"), (self.far, "jia.example")) * 2:
            here.document.carry()
            here.exchange.courier.call(here.exchange.peers.get(there), at_once=True)
            for each in (self.near, self.far):
                each.exchange.delivering.run()

    def rested(self) -> None:
        """What could not go has rested long enough."""
        for each in (self.near, self.far):
            with each.store.housekeep() as session:
                session.execute(sa.update(Rest).values(due=each.store.clock.now()))

    def states(self, platform: Platform, document: str) -> dict[str, str]:
        with platform.store.read() as session:
            rows = session.scalars(sa.select(Copy).where(Copy.item == document))
            return {row.organ: row.state for row in rows}

    def told(self, document: str, organ: str) -> str | None:
        with self.near.store.read() as session:
            return session.get_one(Copy, ("document", document, organ)).reason


@pytest.fixture(scope="module")
def two(template, tmp_path_factory):
    folder, net = tmp_path_factory.mktemp("documents"), Net()
    with ExitStack() as stack:
        made = []
        for site, organs in (
            ("jia.example", '["province-office"]'),
            ("yi.example", str([*THERE, TAMPERED, STRANGE])),
        ):
            more = {"exchange.organs": organs.replace("'", '"')}
            made.append(stack.enter_context(opened(copied(template, folder, site), *settings(site, **more))))
        near, far = (join(net, each) for each in made)
        admit(near, far)
        admit(far, near)
        yield Governments(*made)


def test_a_document_between_governments(two, tmp_path):
    """Seen to fail when the seal is not verified, when a recall does not ask whether somebody has answered, when the first report that cannot be sent ends the telling, and when urging and 清退 stay here."""
    near, far = two.near, two.far
    registrar = client(near, "demo-registrar").documents
    document = sealed(near, tmp_path, "between", (*THERE, TAMPERED))
    vars(near.document)["sites"] = Tampering(near.store, near.document.exchange)

    # whoever is not cleared for it is not sent it, and whoever sends it is told so
    admit(near.exchange, far.exchange, clearance="public")
    with pytest.raises(Exception, match="too_secret"):
        registrar.dispatch(document)
    assert registrar.show(document).document.state == "sealed"
    admit(near.exchange, far.exchange)

    # sent, and delivered once however often it is carried
    registrar.dispatch(document)
    assert set(two.states(near, document).values()) == {"waiting"}
    near.document.carry()
    assert set(two.states(near, document).values()) == {"sent"}
    two.travel()
    arrived = dict.fromkeys(THERE, "delivered")
    assert two.states(near, document) == {**arrived, TAMPERED: "refused"}
    assert two.states(far, document) == arrived
    jia, health = (client(far, f"{organ}-registrar").documents for organ in ("city-jia", "dept-health"))
    assert [each.id for each in jia.list("todo")] == [document]
    shown = jia.show(document)
    assert shown.document.number == registrar.show(document).document.number
    assert jia.file(document, "sealed.pdf") == registrar.file(document, "sealed.pdf")
    assert [each.name for each in shown.attachments] == ["方案.txt"]
    # under the national seal too, verified by the sender's roots
    assert [each.name for each in shown.files] == ["sealed.ofd", "sealed.pdf", "sealed.sm.p7s"]
    for name in ("sealed.ofd", "sealed.sm.p7s"):
        assert jia.file(document, name) == registrar.file(document, name)

    # its evidence is its issuer's; whoever moves out takes the sealed files along
    with pytest.raises(Conflict, match="proved_elsewhere"):
        jia.evidence(document)
    (tmp_path / "own").mkdir()
    (line,) = exported(client(far, "city-jia-registrar"), tmp_path / "own")
    assert line["evidence"] is None
    assert sorted(line["sealed"]) == [f"{document}.sealed.{kind}" for kind in ("ofd", "pdf", "sm.p7s")]
    assert (tmp_path / "own" / f"{document}.sealed.pdf").read_bytes() == jia.file(document, "sealed.pdf")

    seen = far.app.test_client()
    bearer = {"Authorization": f"Bearer {jia._connection.token}"}
    for path in ("", "/pages/1.png", "/files/sealed.pdf"):
        answer = seen.get(f"https://localhost/documents/{document}{path}", headers=bearer)
        assert answer.status_code == 200, (path, answer.text)
        assert "导出证据包".encode() not in answer.data
    assert seen.get("https://localhost/documents/", headers=bearer).status_code == 200

    # who is urged there is told of it, once each time
    registrar.urge(document, ("city-jia",))
    two.travel()
    assert {each.organ: each.urged for each in jia.show(document).copies}["city-jia"] == 1

    # signed for there, returned there; the recall crosses the receipt and loses to it, and takes back what nobody answered
    jia.receive(document)
    health.return_(document, "与本系统职责不符")
    registrar.withdraw(document, "误发", ("city-jia", "city-yi"))

    # whoever cannot be told keeps nobody else from being told
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inside, "send", first_unreached(Inside.send))
        far.document.carry()
    assert far.document.health().facts["error"] == UnknownRecipient.code
    with far.store.read() as session:
        told = session.scalars(sa.select(Arrival.told).where(Arrival.document == document)).all()
    assert sum(each is not None for each in told) == 2  # the altered copy's refusal is one of them

    def dies(name: str) -> None:
        if name == "document.report.1-sent":
            raise Died

    two.rested()
    listen(dies)
    try:
        with pytest.raises(Died):
            far.document.carry()
    finally:
        listen(None)
    two.rested()
    two.travel()
    assert far.document.health().facts["resting"] == 0
    both = {"city-jia": "received", "city-yi": "withdrawn", "dept-health": "returned"}
    assert two.states(near, document) == {**both, TAMPERED: "refused"}
    assert two.states(far, document) == both
    assert two.told(document, "dept-health") == "与本系统职责不符"
    with near.store.read() as session:
        proofs = session.scalars(sa.select(Receipt.state).where(Receipt.item == document)).all()
    assert sorted(proofs) == ["delivered"] * 4 + ["received", "refused", "returned", "withdrawn"]
    assert "盖章之后文件被改动过" in two.told(document, TAMPERED)

    # 清退: what was signed for comes back, signed; urging came first, and is not repeated
    registrar.recall(document, "收文范围有误", ("city-jia",))
    two.travel()
    assert jia.show(document).copies[0].recalled_at is not None
    jia.give_back(document)
    two.travel()
    given = {**both, "city-jia": "given-back"}
    assert two.states(near, document) == {**given, TAMPERED: "refused"}
    assert two.states(far, document) == given


@pytest.mark.parametrize(
    "said",
    [
        {"what": "call-in"},
        {"what": "call-in", "reason": 7},
        {"what": "recall"},
        {"what": "recall", "reason": "\0"},
        {"what": "urge"},
        *({"what": "urge", "number": number} for number in (0, -1, "1", True, 1 << 40)),
        {"what": "burn", "reason": "x"},
    ],
)
def test_what_another_site_says_of_a_copy_fits_or_is_put_aside(two, said):
    """Seen to fail before fields were looked at: it came to the database, and stood in the way of all that came behind it."""
    message = SimpleNamespace(
        body={"v": 1, "document": "d1", **said}, object="document:d1", sender=THERE[0], peer="yi.example"
    )
    with pytest.raises(ParcelUnfit):
        two.near.exchange.applications["document"].prepare(message)


def forget(platform: Platform, organ: str) -> None:
    """As if the directory had never known it."""
    with platform.store.act(SYSTEM, "test.forget", f"organ:{organ}") as act:
        act.session.execute(sa.delete(PostRole).where(PostRole.post.startswith(organ)))
        act.session.execute(sa.delete(PostRow).where(PostRow.organ == organ))
        act.session.execute(sa.delete(OrganClosure).where(OrganClosure.organ == organ))
        act.session.execute(sa.delete(OrganRow).where(OrganRow.id == organ))


def test_recipients_are_offered_from_the_signed_directory(two):
    """With what they are cleared for, to whoever may send there; what is graded above is refused with the reason, on record.

    Seen to fail when the level is not compared, and when an organ has to stand in the site's own tree.
    """
    near, far = two.near, two.far
    forget(near, STRANGE)
    clerk = client(near, "demo-clerk").documents
    offered = {each.organ: each for each in clerk.recipients()}
    assert set(offered) == {*THERE, TAMPERED, STRANGE}
    assert offered[STRANGE].name.zh == "子县东镇人民政府"
    assert (offered[STRANGE].site, offered[STRANGE].clearance) == ("yi.example", "confidential")
    assert [each.organ for each in clerk.recipients(text="东镇")] == [STRANGE]
    assert list(clerk.recipients("secret")) == []
    assert list(client(near, "city-jia-registrar").documents.recipients()) == []

    admit(near.exchange, far.exchange, clearance="public")
    with pytest.raises(NotCleared) as told:
        clerk.draft(SAMPLE, reference="too-high", recipients=(STRANGE,))
    assert "获准接收的最高密级是“公开”，本文密级是“内部”" in told.value.text("zh")
    assert told.value.entry is not None
    admit(near.exchange, far.exchange)

    document = clerk.draft(SAMPLE, reference="strange", recipients=(STRANGE,))
    bearer = {"Authorization": f"Bearer {clerk._connection.token}"}
    page = near.app.test_client()
    for path in (f"/documents/{document}", "/documents/new?find=东镇"):
        answer = page.get(f"https://localhost{path}", headers=bearer)
        assert "子县东镇人民政府" in answer.text, path
    assert "子县东镇人民政府（秘密）" in answer.text
    assert "甲市人民政府（秘密）" not in answer.text
    answer = page.get("https://localhost/documents/new?level=secret", headers=bearer)
    assert f"elsewhere-{STRANGE}" not in answer.text  # it is named, and not offered
    assert "子县东镇人民政府（秘密）" in answer.text
    assert "另有 5 个外站机关获准接收的密级低于本文" in answer.text
    assert client(near, "demo-clerk").documents.show(document).document.recipients == [STRANGE]


def test_an_organ_at_another_site_is_offered_once(two):
    """Though this site's own tree has it too: at its site, with what it is cleared for; what stands below it here is offered still.

    Seen to fail when the tree of a new draft, of a revision, and of what is passed down leaves none out; and when what is ticked is shown apart all the same.
    """
    near = two.near
    offered = {each.organ for each in client(near, "demo-clerk").documents.recipients()}
    assert "city-jia" in offered
    document = client(near, "demo-clerk").documents.draft(SAMPLE, reference="once", recipients=("city-jia",))
    desk = Desk(near, "demo-clerk")
    for path in (
        "/documents/new",
        "/documents/new?recipients=city-jia",
        "/documents/new?find=甲市",
        f"/documents/{document}/revise",
    ):
        text = desk.send("GET", path).text
        assert re.findall(r'name="recipients" value="city-jia" id="([^"]+)"', text) == [
            "recipients-elsewhere-city-jia"
        ], path
    assert 'name="recipients" value="dept-finance"' in desk.send("GET", "/documents/new").text
    admit(near.exchange, two.far.exchange, relation="child")
    text = Desk(near, "demo-registrar").send("GET", f"/documents/{document}/redispatch").text
    admit(near.exchange, two.far.exchange)
    assert re.findall(r'name="organs" value="city-jia" id="([^"]+)"', text) == ["organs-elsewhere-city-jia"]


def test_the_rules_of_direction_know_the_sites_above_and_below():
    """Seen to fail when what a site is to this one is left out."""
    tree = (Organ("city", "市", "", None, "city"), Organ("county", "县", "", "city", "county"))
    sites = {"province": "parent", "town": "child", "other": "neighbour"}
    beyond = {
        organ: Reached(
            organ, Text(organ, organ), f"{organ}.example", Text(organ, organ), relation, "internal"
        )
        for organ, relation in sites.items()
    }
    away = {organ: Organ(organ, organ, "", None, "") for organ in beyond}
    known = Addressable({each.id: each for each in tree} | away, beyond)

    def check(kind, own, main=(), copies=(), skips=None):
        direction.check(kind, own, known, main=main, copies=copies, skips=skips)

    check(Kind.REQUEST, "city", ["province"], ["other"])
    check(Kind.REQUEST, "county", ["province"], skips="情况紧急")
    check(Kind.NOTICE, "city", ["town", "other"], ["province"])
    for refused, wrong in (
        (NotUpward, (Kind.REQUEST, "city", ["other"])),
        (NotUpward, (Kind.REQUEST, "city", ["town"])),
        (SkipsLevel, (Kind.REQUEST, "county", ["province"])),
        (CopyDownward, (Kind.REPORT, "city", ["province"], ["town"])),
        (NotDownward, (Kind.DECISION, "city", ["province"])),
    ):
        with pytest.raises(refused):
            check(*wrong)
