"""The registers of seals on a founded province after its main job: what a use rests on, and what becomes of a seal."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from authz.proposal.errors import ApproverConcerned
from kms.errors import PurposeNotRemote
from ops.accounts import Account
from ops.acting import acting_person
from ops.data import DataDirectory
from seal.cli import group
from seal.errors import (
    HolderNeeded,
    KeeperElsewhere,
    NotApproved,
    SealExists,
    SealMoved,
    SealNotInUse,
    UseOver,
    UseUnknown,
)
from seal.models import State
from seal.service import Seals
from seal.use import SIGNATURES
from tests.laws.province import client, finished, opened, template
from yinxin import canonical
from yinxin.authz import Denied
from yinxin.client import Client
from yinxin.crypto import INTL, SM, RevocationEvidence
from yinxin.crypto import seal as structures
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList
from yinxin.errors import YinxinError

__all__ = ["finished", "template"]

pytestmark = pytest.mark.engines("any")
NAME = "示范省人民政府办公厅"


@pytest.fixture(scope="module")
def site(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("seals") / "data"))
    with opened(folder) as platform:
        people: dict[str, Client] = {}

        def ask(person: str) -> Client:
            return people.setdefault(person, client(platform, person))

        keeper = ask("demo-seal")
        (document,) = list(keeper.documents.list(box="all"))
        dossier = keeper.documents.show(document.id)
        steps = {each.verb: each.entry for each in dossier.steps}
        found = keeper.seals.of_organ("province-office")
        yield SimpleNamespace(
            platform=platform,
            ask=ask,
            document=f"document:{document.id}",
            steps=steps,
            seal=found,
            folder=folder,
        )


def begin(site: SimpleNamespace, person: str = "demo-seal", **given: str) -> structures.Seal:
    usual = {"subject": site.document, "title": "通知", "approval": site.steps["document.sign-off"]}
    return site.ask(person).seals.begin(site.seal.id, **(usual | given))


def decided(site: SimpleNamespace, kind: str, content: dict[str, object]) -> dict[str, object]:
    """Proposed by the keeper, approved by the leader and the officer, carried out by the deputy."""
    proposal = site.ask("demo-seal").proposals.propose(kind, content, reason="因工作需要，申请办理")
    for approver in ("demo-leader", "demo-officer"):
        each = site.ask(approver).proposals
        each.approve(each.show(proposal.id))
    done = site.ask("demo-deputy").proposals.execute(proposal.id)
    return dict(done.outcome or {})


def refused(error: type[YinxinError], act: Callable[[], object]) -> None:
    with pytest.raises(error):
        act()


def test_the_use_of_the_main_job_is_in_the_register(site):
    uses = list(site.ask("demo-seal").seals.uses(subject=site.document))
    (use,) = [each for each in uses if each.times == 1]
    sealed = site.ask("demo-registrar").documents.file(site.document.removeprefix("document:"), "sealed.pdf")
    assert (use.sha256, use.sm3) == (INTL.hash.digest(sealed).hex(), SM.hash.digest(sealed).hex())
    assert (use.approval, use.approved_by) == (site.steps["document.sign-off"], "demo-leader")
    assert (use.person, use.post, use.impressions) == ("demo-seal", "province-office-seal-keeper", 1)
    assert use.finished is not None


def test_a_stranger_verifies_the_seal_itself(site):
    """The structure against the trusted root, with the authorities' lists; and by whom it may be used."""
    trust = [
        Certificate.load((site.folder / "trust" / f"{suite}.root.pem").read_bytes())
        for suite in ("intl", "sm")
    ]
    ca = site.platform.ca
    names = ("sm-root", "sm-issuing")
    known = structures.Known(
        tuple(trust),
        tuple(ca.certificate(name) for name in names),
        RevocationEvidence(crls=tuple(CertificateList.load(ca.crl(name)) for name in names)),
    )
    made = structures.read(site.seal.load().der)
    assert (made.name, made.type, made.version, made.id) == (NAME, 1, 4, site.seal.id)
    path = structures.verify(made, known, at=site.platform.clock.now())
    assert path.leaf.subject.get("commonName") == "制章者（国密）"
    for suite in ("intl", "sm"):
        made.check_user(site.seal.certificate(suite))
    refused(structures.NotASealUser, lambda: made.check_user(path.leaf))


def test_nothing_is_sealed_without_the_approval_of_that_very_thing(site):
    """Seen to fail when subject, author, verb or organ of the cited entry is not looked at."""
    refused(NotApproved, lambda: begin(site, approval="01J0000000000000000000000X"))
    refused(NotApproved, lambda: begin(site, subject="document:another"))
    # her own act is no approval, a review is no sign-off, and only the keeper puts the seal on
    refused(NotApproved, lambda: begin(site, approval=site.steps["document.seal"]))
    refused(Denied, lambda: begin(site, approval=site.steps["document.approve"]))
    refused(Denied, lambda: begin(site, "demo-registrar"))
    # nor does what another organ's leader has signed off, or countersigned
    entry = site.platform.seal.entry(site.steps["document.sign-off"])
    fields = entry.fields()
    fields["actor"]["organ"] = "city-jia"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Seals, "entry", lambda *_: replace(entry, data=canonical.encode(fields)))
        refused(NotApproved, lambda: begin(site))
    # and no way leads past the register
    refused(
        PurposeNotRemote,
        lambda: site.ask("demo-seal").kms.sign(
            "seal-province-office-sm", bytes(32), purpose="document.seal", subject=site.document
        ),
    )


def test_a_use_signs_so_often_and_no_more(site):
    use, seals = begin(site), site.ask("demo-seal").seals
    assert use.times > 1
    signer = seals.signer(use.id, site.seal.certificate("sm").public_key)
    for _ in range(SIGNATURES):
        signer.sign(b"page")
    refused(UseOver, lambda: signer.sign(b"page"))
    refused(UseUnknown, lambda: site.ask("demo-registrar").seals.sign(use.id, "sm", bytes(32)))
    assert begin(site).id == use.id  # cut short and begun again: one use
    seals.finish(use.id, sha256="a" * 64, sm3="b" * 64)
    refused(UseOver, lambda: signer.sign(b"page"))
    refused(UseOver, lambda: seals.finish(use.id, sha256="c" * 64, sm3="d" * 64))


def test_a_seal_from_its_application_to_its_end(site):
    """Seen to fail when a suspended seal is not refused, when a replaced one stays in use, and when destroying forgets the suspension."""
    keeper = site.ask("demo-seal").seals
    plan = {"organ": "province-office", "keeper": "province-office-seal-keeper", "name": f"{NAME}财务专用章"}
    refused(
        KeeperElsewhere,
        lambda: site.ask("demo-seal").proposals.propose(
            "seal.make", plan | {"keeper": "city-jia-registrar"}, reason="保管岗位不属于本机关"
        ),
    )
    made = keeper.show(str(decided(site, "seal.make", plan)["seal"]))
    assert made.state == State.ACTIVE
    assert made.load().picture.width == 42
    refused(SealExists, lambda: decided(site, "seal.make", plan))
    approval = {"subject": site.document, "title": "通知", "approval": site.steps["document.sign-off"]}
    use = keeper.begin(made.id, **approval)
    # lost: one person is enough to stop it, also what has begun; several bring it back
    refused(Denied, lambda: site.ask("demo-clerk").seals.suspend(made.id, "lost"))
    keeper.suspend(made.id, "lost")
    refused(SealNotInUse, lambda: keeper.begin(made.id, **approval))
    refused(SealNotInUse, lambda: keeper.sign(use.id, "sm", bytes(32)))
    refused(SealMoved, lambda: keeper.suspend(made.id, "lost"))
    decided(site, "seal.resume", {"seal": made.id})
    keeper.begin(made.id, **approval)
    # renewed: the new one is in use, the old one is not
    renewed = keeper.show(str(decided(site, "seal.make", plan | {"replaces": made.id})["seal"]))
    assert (renewed.replaces, keeper.show(made.id).state) == (made.id, State.REPLACED)
    assert renewed.load().picture == made.load().picture
    # handed over: the former keeper's post puts it on no more
    site.ask("demo-leader").seals.hand_over(renewed.id, "province-office-registrar")
    refused(Denied, lambda: keeper.begin(renewed.id, **approval))
    lost = keeper.suspend(renewed.id, "lost").changed
    decided(site, "seal.destroy", {"seal": renewed.id, "reason": "lost"})
    assert keeper.show(renewed.id).changed == lost
    refused(SealMoved, lambda: decided(site, "seal.resume", {"seal": renewed.id}))
    # and the list that verifiers carry says so
    now = site.platform.clock.now()
    anchors = (Certificate.load((site.folder / "trust" / "sm.root.pem").read_bytes()),)
    known = structures.Known(anchors, (site.platform.ca.certificate("sm-issuing"),), require_revocation=False)
    told = structures.standing.read(keeper.status_list(), renewed.load(), known, at=now)
    told.check(site.seal.load(), now)
    told.check(renewed.load(), renewed.created)  # what it was put on before still holds
    refused(structures.SealEnded, lambda: told.check(renewed.load(), now))


def test_a_personal_seal_is_bound_to_its_holders_own_certificates(site):
    """Whom it is for has no part in deciding it, and no key of the platform puts it on."""
    plan = {"organ": "province-office", "keeper": "province-office-leader", "sort": "personal"}
    proposals = site.ask("demo-seal").proposals
    refused(HolderNeeded, lambda: proposals.propose("seal.make", plan, reason="因工作需要，申请办理"))
    proposal = proposals.propose("seal.make", plan | {"holder": "demo-leader"}, reason="因工作需要，申请办理")
    leader = site.ask("demo-leader").proposals
    refused(ApproverConcerned, lambda: leader.approve(leader.show(proposal.id)))
    for approver in ("demo-officer", "demo-deputy"):
        each = site.ask(approver).proposals
        each.approve(each.show(proposal.id))
    done = proposals.execute(proposal.id)
    made = site.ask("demo-seal").seals.show(str((done.outcome or {})["seal"]))
    seal, picture = made.load(), made.load().picture
    assert (seal.name, seal.type, picture.width, picture.height) == ("演示签发", 2, 18, 18)
    for suite in ("intl", "sm"):
        own = Account.of(DataDirectory(site.folder), "demo-leader", suite).identity().certificate
        seal.check_user(own)
    refused(structures.NotASealUser, lambda: seal.check_user(site.seal.certificate("sm")))


def test_by_command(site):
    run = SimpleNamespace(
        platform=lambda: site.platform, actor=lambda: acting_person(site.platform, None, None)
    )

    def command(*words: str) -> str:
        done = CliRunner().invoke(group, words, obj=run)
        assert done.exit_code == 0, done.output
        return done.output

    listed = json.loads(command("list", "--json"))
    assert site.seal.id in {each["id"] for each in listed}
    shown = json.loads(command("show", site.seal.id, "--json"))
    assert shown["name"] == NAME
    uses = json.loads(command("uses", "--seal", site.seal.id, "--json"))
    assert uses[0]["subject"] == site.document
    drawn = site.folder / "drawn.png"
    told = json.loads(command("draw", NAME, "--out", str(drawn), "--json"))
    assert (told["file"], told["name"], told["millimetres"]) == (str(drawn), NAME, 42)
    assert drawn.read_bytes().startswith(b"\x89PNG")
    listing = site.folder / "seals.der"
    told = json.loads(command("status-list", "--out", str(listing), "--json"))
    ended = sum(1 for each in listed if each["state"] != "active")
    assert (told["file"], told["ended"]) == (str(listing), ended)
    assert str(ended) in command("status-list", "--out", str(listing))
