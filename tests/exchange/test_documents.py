"""Official documents between two sites: sent, signed for, returned, recalled and refused there; both sites say the same of it."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from apps.document.sites.carry import Sites
from ops.demo.story import SAMPLE
from ops.platform import Platform
from tests.laws.province import client
from yinxin.distribution import Copy, Receipt
from yinxin.steps import listen

from .sites import Net, admit, copied, join, opened, settings

pytestmark = pytest.mark.engines("any")
THERE = ("city-jia", "city-yi", "dept-health")
#: and the one whose copy is changed before it leaves
TAMPERED = "county-zi"


class Died(Exception):
    """As if the process had."""


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
        for site, organs in (("jia.example", '["province-office"]'), ("yi.example", str([*THERE, TAMPERED]))):
            more = {"exchange.organs": organs.replace("'", '"')}
            made.append(stack.enter_context(opened(copied(template, folder, site), *settings(site, **more))))
        near, far = (join(net, each) for each in made)
        admit(near, far)
        admit(far, near)
        yield Governments(*made)


def sealed(platform: Platform, folder: Path) -> str:
    """A sealed document with an attached file, for the four organs."""
    plan = folder / "方案.txt"
    plan.write_text("附件正文。", "utf-8")
    clerk = client(platform, "demo-clerk").documents
    document = clerk.draft(SAMPLE, reference="between", kind="NOTICE", recipients=(*THERE, TAMPERED))
    clerk.attach(document, plan)
    clerk.submit(document)
    client(platform, "demo-reviewer").documents.approve(document, "同意")
    client(platform, "demo-leader").documents.sign_off(document)
    client(platform, "demo-registrar").documents.number(document)
    client(platform, "demo-seal").documents.seal(document)
    return document


def test_a_document_between_governments(two, tmp_path):
    """Seen to fail when the seal is not verified, and when a recall does not ask whether somebody has answered."""
    near, far = two.near, two.far
    registrar = client(near, "demo-registrar").documents
    document = sealed(near, tmp_path)
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

    seen = far.app.test_client()
    bearer = {"Authorization": f"Bearer {jia._connection.token}"}
    for path in ("", "/pages/1.png", "/files/sealed.pdf"):
        answer = seen.get(f"https://localhost/documents/{document}{path}", headers=bearer)
        assert answer.status_code == 200, (path, answer.text)
    assert seen.get("https://localhost/documents/", headers=bearer).status_code == 200

    # signed for there, returned there; the recall crosses the receipt and loses to it, and takes back what nobody answered
    jia.receive(document)
    health.return_(document, "与本系统职责不符")
    registrar.withdraw(document, "误发", ("city-jia", "city-yi"))

    def dies(name: str) -> None:
        if name == "document.report.1-sent":
            raise Died

    listen(dies)
    try:
        with pytest.raises(Died):
            far.document.carry()
    finally:
        listen(None)
    two.travel()
    both = {"city-jia": "received", "city-yi": "withdrawn", "dept-health": "returned"}
    assert two.states(near, document) == {**both, TAMPERED: "refused"}
    assert two.states(far, document) == both
    assert two.told(document, "dept-health") == "与本系统职责不符"
    with near.store.read() as session:
        proofs = session.scalars(sa.select(Receipt.state).where(Receipt.item == document)).all()
    assert sorted(proofs) == ["delivered"] * 4 + ["received", "refused", "returned", "withdrawn"]
    assert "盖章之后文件被改动过" in two.told(document, TAMPERED)
