"""Several organs issue one document: each countersigns the very text and seals it, and a stranger sees that all of them did."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from apps.document.errors import NoNameSeal, NotAnOrder
from apps.document.joint.errors import (
    JointTwice,
    NotAsked,
    NotEquals,
    NotJointly,
    NotOfThisSite,
    SealedByYou,
    SealsMissing,
    UrgedEnoughToSign,
)
from apps.document.numbered.errors import CopyOver, NoSuchCopy, OnScreenOnly, WitnessIsActor
from seal.errors import NotApproved, NotHerOwn
from seal.plan import SealPlan
from tests.document.joint import MAIN, SECOND, THIRD, TITLE, Desk, settled
from tests.laws.province import folder, opened, template
from yinxin import evidence, ofd, pdf, steps
from yinxin.errors import NotPermitted
from yinxin.evidence.attribute import NOTHING_BESIDE
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.evidence.trust import Trust
from yinxin.flow import NoSuchRecord, WrongState
from yinxin.ofd.package import unpack

__all__ = ["folder", "template"]
pytestmark = pytest.mark.engines("any")


@pytest.fixture(scope="module")
def desk(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("joint")
    shutil.copytree(template, root / "data")
    with opened(root / "data") as platform:
        settled(platform)
        yield Desk(platform, root)


def trust(desk: Desk) -> Trust:
    return Trust.load(desk.platform.data.path("trust"))


class Cut(BaseException):
    """The process ends here."""


def cut_short_everywhere(act, kind: str = "document.seal.") -> list[str]:
    """Do an act that is cut short at each of its steps in turn, and at last not at all; the steps."""
    met: list[str] = []

    def reached(name: str) -> None:
        if name.startswith(kind) and name not in met:
            met.append(name)
            raise Cut

    steps.listen(reached)
    try:
        while True:
            try:
                act()
            except Cut:
                continue
            return met
    finally:
        steps.listen(None)


def said(desk: Desk, data: bytes) -> str:
    held: list = []
    evidence.verify(data, trust(desk), at=desk.platform.clock.now(), held=held, beside=NOTHING_BESIDE)
    return "\n".join(each.zh for each in held)


def test_three_organs_issue_one_document(desk):
    document = desk.draft()
    second, third = desk.as_(SECOND, "leader").documents, desk.as_(THIRD, "leader").documents
    with pytest.raises(NoSuchRecord):
        second.show(document)
    desk.put(document)
    assert desk.state(document) == "countersigning"
    main = desk.as_(MAIN, "leader").documents
    with pytest.raises(WrongState):
        main.sign_off(document)
    assert [each.id for each in second.list("todo")] == [document]
    second.countersign(document)
    assert not list(second.list("todo"))
    with pytest.raises(NotAsked):
        second.countersign(document)
    assert desk.standing(document) == {SECOND: "signed", THIRD: "asked"}
    third.countersign(document)
    assert desk.state(document) == "reviewed"
    main.sign_off(document)
    keeper = desk.as_(MAIN).documents
    number = keeper.number(document)
    assert number.startswith("示财〔")
    with pytest.raises(SealsMissing):
        keeper.seal(document)
    desk.as_(THIRD).documents.seal(document)
    with pytest.raises(SealedByYou):
        desk.as_(THIRD).documents.seal(document)
    half = {name: keeper.file(document, name) for name in ("sealed.pdf", "sealed.ofd")}
    for data in half.values():
        with pytest.raises((EvidenceMismatch, ofd.OfdAltered)):
            said(desk, data)
    assert desk.state(document) == "numbered"
    seal = desk.as_(SECOND).documents.seal
    assert cut_short_everywhere(lambda: seal(document)) == [
        "document.seal.1-intended",
        "document.seal.2-signed",
        "document.seal.3-finished",
    ]
    uses = list(desk.as_(SECOND).seals.uses(subject=f"document:{document}"))
    assert [(each.times, bool(each.finished)) for each in uses] == [(3, True)]  # begun after the first step
    keeper.seal(document)
    keeper.dispatch(document)
    organs = ["示范省应急管理厅", "示范省卫生健康委员会", "示范省财政厅"]
    sealed = keeper.file(document, "sealed.pdf")
    roots = [each for each in trust(desk).roots if each.public_key.suite.name == "intl"]
    found = pdf.verify_all(sealed, roots, desk.platform.clock.now())
    assert [each.certificate.subject.get("organizationName") for each in found] == organs
    for data in (sealed, keeper.file(document, "sealed.ofd"), keeper.evidence(document)):
        words = said(desk, data)
        for organ in organs:
            assert organ in words
        assert words.count("会签了本文内容") == 2
        assert words.count("签发了本文内容") == 1
    # it is in the lists of all three, and a recipient has one copy
    for organ in (MAIN, SECOND, THIRD):
        (row,) = [each for each in desk.as_(organ).documents.list("sent") if each.id == document]
        assert row.joint == [SECOND, THIRD]
    shown = desk.as_(SECOND).documents.show(document)
    assert [each.organ for each in shown.copies] == ["city-jia"]
    with pytest.raises(NotPermitted):
        desk.as_(SECOND).documents.withdraw(document, "不是主办机关")


def test_what_changes_is_countersigned_anew_and_what_does_not_holds(desk):
    document = desk.draft("joint-2")
    desk.put(document)
    second, third = desk.as_(SECOND, "leader").documents, desk.as_(THIRD, "leader").documents
    second.countersign(document)
    third.refuse_countersign(document, "第二条与本厅职责不符")
    assert desk.state(document) == "draft"
    # the same text again: who has signed it need not again
    assert desk.standing(document) == {SECOND: "signed", THIRD: "not-asked"}
    desk.put(document)
    assert desk.standing(document) == {SECOND: "signed", THIRD: "asked"}
    third.refuse_countersign(document, "还是不符")
    clerk = desk.as_(MAIN).documents
    other = desk.file.with_name("other.md")
    other.write_text(desk.file.read_text("utf-8") + "\n请认真落实。\n", "utf-8")
    attached = clerk.attach(document, other)
    assert desk.standing(document) == {SECOND: "void", THIRD: "not-asked"}
    clerk.detach(document, attached.id)
    desk.put(document)
    third.countersign(document)
    assert desk.state(document) == "reviewed"


def test_who_may_issue_together_and_who_is_only_asked(desk):
    draft = desk.draft
    for named, refusal in (
        ({"joint": ("city-jia",), "recipients": ("city-yi",)}, NotEquals),
        ({"joint": ("nowhere",)}, NotOfThisSite),
        ({"joint": (MAIN,)}, JointTwice),
        ({"joint": (SECOND,), "consulted": (SECOND,)}, JointTwice),
        ({"joint": ("city-jia",)}, JointTwice),
    ):
        with pytest.raises(refusal):
            draft("joint-refused", **named)
    document = draft("joint-3", joint=(), consulted=("province-office",))
    desk.put(document)
    office = desk.as_("demo-leader").documents
    with pytest.raises(NotPermitted):
        office.countersign(document)
    office.concur(document)
    assert desk.state(document) == "reviewed"
    # consent is no approval of the organ's seal
    shown = office.show(document)
    entry = next(each.entry for each in shown.steps if each.verb == "document.concur")
    keeper = desk.as_("demo-seal")
    seal = keeper.seals.of_organ("province-office")
    with pytest.raises(NotPermitted):
        keeper.seals.begin(seal.id, subject=f"document:{document}", title=TITLE, approval=entry)


def test_a_leader_approves_the_seal_of_her_own_organ_alone(desk):
    document = desk.draft("joint-4")
    desk.put(document)
    desk.as_(SECOND, "leader").documents.countersign(document)
    steps = desk.as_(MAIN).documents.show(document).steps
    entry = next(each.entry for each in steps if each.verb == "document.countersign")
    keeper = desk.as_(MAIN)
    seal = keeper.seals.of_organ(MAIN)
    with pytest.raises(NotApproved):
        keeper.seals.begin(seal.id, subject=f"document:{document}", title=TITLE, approval=entry)


def test_they_are_urged_and_their_time_is_counted(desk):
    document = desk.draft("joint-5", urgency="特急")
    desk.put(document)
    clerk = desk.as_(MAIN).documents
    (one, _) = clerk.show(document).countersigners
    assert one.due - desk.platform.clock.now() < timedelta(hours=5)
    assert clerk.urge_countersign(document) == [SECOND, THIRD]
    with pytest.raises(UrgedEnoughToSign):
        clerk.urge_countersign(document)
    assert [each.urged for each in clerk.show(document).countersigners] == [1, 1]


def test_every_copy_of_a_secret_has_its_number(desk, tmp_path):
    document = desk.draft("numbered", joint=(), level="confidential", recipients=("city-jia", SECOND))
    desk.put(document)
    leader = desk.as_(MAIN, "leader").documents
    leader.sign_off(document)
    keeper, receiver = desk.as_(MAIN).documents, desk.as_(SECOND).documents
    keeper.number(document)
    keeper.seal(document)
    sealed = keeper.file(document, "sealed.pdf")
    keeper.dispatch(document)
    receiver.receive(document)
    held = [(each.number, each.organ, each.medium) for each in keeper.show(document).numbered]
    assert held == [(1, MAIN, "file"), (2, "city-jia", "file"), (3, SECOND, "file")]
    # the recipients have the same file, and no number in it; a print that was cut short has taken one
    assert receiver.file(document, "sealed.pdf") == sealed
    assert "00000" not in text_of(sealed, tmp_path)
    assert cut_short_everywhere(lambda: receiver.print_copy(document), "document.print.") == [
        "document.print.1-allotted"
    ]
    made = receiver.print_copy(document, "王处长")
    assert made.startswith(b"%PDF")
    with pytest.raises(pdf.PdfNotSealed):
        pdf.verify_all(made, trust(desk).roots, desk.platform.clock.now())
    shown = receiver.show(document).numbered
    assert [(each.number, each.reader) for each in shown] == [(3, None), (4, None), (5, None), (6, "王处长")]
    # back, or destroyed before two people, by number; nobody else's
    with pytest.raises(NotPermitted):
        receiver.take_back_copy(document, 4)
    keeper.take_back_copy(document, 4)
    with pytest.raises(NoSuchCopy):
        receiver.destroy_copy(document, 4, "已不在本机关")
    with pytest.raises(OnScreenOnly):
        keeper.destroy_copy(document, 2, "电子件")
    receiver.destroy_copy(document, 6, "销毁清册〔2026〕1号")
    with pytest.raises(WitnessIsActor):
        receiver.witness_destruction(document, 6)
    desk.as_(SECOND, "leader").documents.witness_destruction(document, 6)
    with pytest.raises(CopyOver):
        receiver.destroy_copy(document, 6, "再次")
    states = {each.number: each.state for each in keeper.show(document).numbered}
    assert states == {1: "held", 2: "held", 3: "held", 4: "returned", 5: "held", 6: "destroyed"}
    keeper.withdraw(document, "发错机关", ["city-jia"])
    assert {each.number: each.state for each in keeper.show(document).numbered}[2] == "returned"


def text_of(data: bytes, folder: Path) -> str:
    file = folder / "sealed.pdf"
    file.write_bytes(data)
    return subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True, text=True).stdout


def test_an_order_bears_the_name_seal_that_its_signer_put_on_herself(desk, tmp_path):
    file = tmp_path / "order.md"
    file.write_text("# 关于表彰先进单位的命令\n\n决定对有关单位予以表彰。\n", "utf-8")
    clerk, leader = desk.as_(MAIN).documents, desk.as_(MAIN, "leader").documents
    person = f"{MAIN}-leader"

    def signed_off(reference: str) -> str:
        document = clerk.draft(file, reference=reference, kind="ORDER", recipients=("city-jia",))
        clerk.submit(document)
        leader.approve(document)
        leader.sign_off(document)
        return document

    plain = signed_off("order-1")
    with pytest.raises(NoNameSeal):
        leader.put_name_seal(plain)
    clerk.number(plain)
    name = desk.platform.authz.directory.person(person).name
    assert name in text_of(clerk.file(plain, "layout.pdf"), tmp_path)
    found, plan = desk.platform.seal.found, {"organ": MAIN, "sort": "personal", "holder": person}
    with pytest.raises(NotHerOwn):
        found(SealPlan(**plan, keeper=f"{MAIN}-registrar"), "name-0")
    seal = found(SealPlan(name="财政印", **plan, keeper=person), "name-1")
    sealed = signed_off("order-2")
    with pytest.raises(NoNameSeal):
        clerk.put_name_seal(sealed)
    assert cut_short_everywhere(lambda: leader.put_name_seal(sealed), "document.put-name-seal.") == [
        "document.put-name-seal.1-begun",
        "document.put-name-seal.2-put",
    ]
    (use,) = desk.as_(MAIN, "leader").seals.uses(seal=seal.id)
    assert (use.subject, use.person, use.approved_by) == (f"document:{sealed}", person, person)
    assert use.finished is not None
    clerk.number(sealed)
    laid_out = clerk.file(sealed, "layout.pdf")
    assert name not in text_of(laid_out, tmp_path)
    (tmp_path / "order.pdf").write_bytes(laid_out)
    images = subprocess.run(
        ["pdfimages", "-list", tmp_path / "order.pdf"], capture_output=True, check=True, text=True
    ).stdout
    assert " image " in images
    parts = unpack(clerk.file(sealed, "layout.ofd"))
    assert any(path.endswith(".png") for path in parts)
    # what she signed off as an order lends her seal to nothing else
    other = desk.draft("not-an-order", joint=())
    desk.put(other)
    leader.sign_off(other)
    with pytest.raises(NotAnOrder):
        leader.put_name_seal(other)
    steps_ = leader.show(sealed).steps
    approval = next(each.entry for each in steps_ if each.verb == "document.sign-off")
    with pytest.raises(NotApproved):
        desk.as_(MAIN).seals.begin(seal.id, subject=f"document:{sealed}", title=TITLE, approval=approval)


def test_an_order_of_two_organs_is_signed_by_both_leaders(desk, tmp_path):
    """GB/T 9704-2012, 7.3.5.3: each leader's title and name seal in a row of its own, the issuing organ's first; its number is that organ's.

    Seen to fail when the policy leaves a joint organ's leader her name seal only where she signs off, and when titles lack the organ.
    """
    file = tmp_path / "joint-order.md"
    file.write_text("# 关于公布联合规定的令\n\n现予公布，自公布之日起施行。\n", "utf-8")
    clerk = desk.as_(MAIN).documents
    named = {"kind": "ORDER", "joint": (SECOND,), "recipients": ("city-jia",)}
    document = clerk.draft(file, reference="joint-order", **named)
    desk.put(document)
    first, second = desk.as_(MAIN, "leader").documents, desk.as_(SECOND, "leader").documents
    second.countersign(document)
    person = f"{SECOND}-leader"
    plan = SealPlan(name="卫健印", organ=SECOND, sort="personal", holder=person, keeper=person)
    seal = desk.platform.seal.found(plan, "name-2")
    with pytest.raises(WrongState):  # the issuing organ's leader comes first
        second.put_name_seal(document)
    first.sign_off(document)
    with pytest.raises(NoSuchRecord):  # an organ that has no part in it
        desk.as_(THIRD, "leader").documents.put_name_seal(document)
    second.put_name_seal(document)
    (use,) = desk.as_(SECOND, "leader").seals.uses(seal=seal.id)
    assert (use.subject, use.person, use.approved_by) == (f"document:{document}", person, person)
    before = clerk.number(document)
    assert re.fullmatch("示财令第[0-9]+号", before)
    page = re.sub(r"\s", "", text_of(clerk.file(document, "layout.pdf"), tmp_path))
    for part in ("示范省财政厅", "示范省卫生健康委员会", "示范省财政厅负责人", "示范省卫生健康委员会负责人"):
        assert part in page
    names = [desk.platform.authz.directory.person(f"{organ}-leader").name for organ in (MAIN, SECOND)]
    assert [name in page for name in names] == [True, False]  # the second one's seal stands for her name
    desk.as_(SECOND).documents.seal(document)
    clerk.seal(document)
    clerk.dispatch(document)
    sealed = clerk.file(document, "sealed.pdf")
    roots = [each for each in trust(desk).roots if each.public_key.suite.name == "intl"]
    assert len(pdf.verify_all(sealed, roots, desk.platform.clock.now())) == 2
    for data in (sealed, clerk.file(document, "sealed.ofd"), clerk.evidence(document)):
        words = said(desk, data)
        assert words.count("会签了本文内容") == 1
        assert words.count("签发了本文内容") == 1
    with pytest.raises(NotJointly):
        clerk.draft(file, reference="joint-minutes", **{**named, "kind": "MINUTES"})
