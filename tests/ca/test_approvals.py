"""Nobody is enough alone for a ceremony (law 3): it is held by proposal; what counts as an approval, tests/authz tries."""

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from authz.directory import Directory, DirectoryFile
from authz.proposal.errors import (
    ApprovalsMissing,
    ApproverNotPermitted,
    ApproverUntrusted,
    BadProposal,
    ExecutorApproved,
    ForeignApprover,
    NotTheSigner,
    ProposalClosed,
    ProposerApproves,
)
from ca.ceremony.conduct import conduct
from ca.ceremony.errors import CeremonyHeld, FileDiffers, PlanRefused, ProposalNeeded
from ca.ceremony.kinds import read_plan
from ca.ceremony.proposal import content_of
from ca.hierarchy.models import CeremonyRow
from ca.settings import CeremonySettings
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.proposal import Approved

from .conftest import CLERK, OFFICER, Site
from .neighbours import REASON, Office, council_plan

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def path(office: Office) -> Path:
    return office.sample("request")


def refused(office: Office, path: Path, error: type[YinxinError], *, by: str = "zhao") -> YinxinError:
    """Holding is refused with this error, recorded, and leaves nothing."""
    before = len(office.site.rows())
    with pytest.raises(error) as raised:
        office.conduct(path, by=by)
    last = office.site.events("authz.execute")[-1]
    assert (last["outcome"], last["error"]) == ("refused", error.code)
    assert last["subject"] == f"proposal:{office.proposed[read_plan(path).digest]}"
    assert raised.value.entry == last["id"]
    assert len(office.site.rows()) == before
    assert office.site.events("ca.ceremony") == []
    assert not (office.site.folder / "ceremony").exists()
    return raised.value


def test_two_people_are_enough_and_are_recorded(office: Office, path: Path) -> None:
    """Seen to fail when: what is recorded while it is held does not bear the proposal."""
    done = office.hold(path)
    intent, end = office.site.events("ca.ceremony")
    id_ = office.proposed[read_plan(path).digest]
    assert (intent["outcome"], intent["facts"]["kind"], intent["facts"]["proposal"]) == (
        "intent",
        "request",
        id_,
    )
    assert [each["person"] for each in intent["facts"]["approvals"]] == ["qian", "feng"]
    assert list(done.approvals) == intent["facts"]["approvals"]
    assert [event["actor"]["id"] for event in office.site.events("authz.approve")] == ["qian", "feng"]
    assert intent["actor"]["id"] == "zhao"
    assert {intent["request"], end["request"]} == {f"proposal:{id_}"}
    assert {event["request"] for event in office.site.events("kms.create")} == {f"proposal:{id_}"}
    with office.site.store.read() as session:
        assert session.get_one(CeremonyRow, read_plan(path).digest).proposal == id_


def test_approvals_are_timestamped(office: Office, path: Path) -> None:
    """Seen to fail when: the token is not put into the signature."""
    office.approve(path, "qian")
    shown = office.site.authz.proposals.show(OFFICER, office.propose(path))
    (approval,) = shown.approvals
    assert approval["stamped"][:19] == approval["at"][:19]
    assert len(office.site.events("ca.timestamp")) == 1


def test_one_is_not_enough(office: Office, path: Path) -> None:
    office.approve(path, "qian")
    error = refused(office, path, ApprovalsMissing)
    assert (error.facts["needed"], error.facts["given"]) == (2, 1)


def test_none_is_not_enough_for_the_platform_itself(office: Office, path: Path) -> None:
    """Seen to fail when: `_approvals` believes that nobody need be asked, and when it does not count people."""
    site, plan = office.site, read_plan(path)
    one = {"person": "qian", "post": "officer-qian"}
    for approved in (
        None,
        Approved("p", "d", None, SYSTEM, ()),
        Approved("p", "d", None, SYSTEM, (one, one)),
    ):
        with pytest.raises(ProposalNeeded):
            conduct(site.ctx, site.keys, SYSTEM, plan, site.folder, beside=path.parent, approved=approved)
    with pytest.raises(ProposalNeeded):
        site.ca.found(OFFICER, plan, path.parent)


def test_the_number_of_the_settings_counts_when_it_has_grown(
    founded: Callable[..., Site], office: Office, path: Path
) -> None:
    for person in ("qian", "feng"):
        office.approve(path, person)
    stricter = founded(ceremony=CeremonySettings(approvals=3))
    again = Office(stricter, office.plans, office.people, proposed=office.proposed)
    assert refused(again, path, ApprovalsMissing).facts["needed"] == 3


def test_whoever_proposes_or_holds_it_does_not_approve_it_while_others_can(
    office: Office, path: Path
) -> None:
    office.propose(path, by="feng")
    with pytest.raises(ProposerApproves):
        office.approve(path, "feng")
    office.enrol("chu")
    for person in ("qian", "chu"):
        office.approve(path, person)
    assert refused(office, path, ExecutorApproved, by="qian").facts["others"] == 3


def test_with_nobody_else_she_may(office: Office, path: Path) -> None:
    ended = [
        {"person": person, "post": post, "valid_from": "2020-01-01T00:00:00+08:00", "valid_to": "2021-01-01T00:00:00+08:00"}
        for person, post in (("zhao", "officer"), ("chu", "officer-chu"))
    ]  # fmt: skip
    Directory(office.site.store).load(SYSTEM, DirectoryFile.parse({"appointments": ended}))
    office.propose(path, by="feng")
    for person in ("qian", "feng"):
        _approve_shown_to(office, path, person)
    assert office.conduct(path, by="qian").files


def _approve_shown_to(office: Office, path: Path, person: str) -> None:
    """As the command does: the statement is given, signed, and handed in."""
    from yinxin.crypto import cms

    actor, proposals = office.officer(person), office.site.authz.proposals
    id_ = office.propose(path)
    signed = proposals.statement(actor, id_)
    proposals.approve(actor, id_, signed, cms.sign_detached(office.people[person], signed, signed_at=None))


def test_a_revoked_certificate_approves_nothing(office: Office, path: Path) -> None:
    for person in ("qian", "feng"):
        office.approve(path, person)
    office.site.ca.revoke(
        office.officer("feng"), office.people["qian"].certificate.fingerprint, "keyCompromise"
    )
    error = refused(office, path, ApproverUntrusted)
    assert error.facts["reason"].code == "crypto.certificate_revoked"


def test_somebody_of_another_site_approves_nothing(office: Office, path: Path, tmp_path: Path) -> None:
    """Her certificate has the same name, and another root."""
    folder = tmp_path / "council"
    folder.mkdir()
    other = Site(
        f"sqlite:///{folder / 'site.sqlite'}", folder, public_url=office.site.ctx.settings.public_url
    )
    other.found(council_plan(("intl",)))
    stranger = Office.of(other).people["qian"]
    other.close()
    with pytest.raises(ForeignApprover):
        office.approve(path, "qian", identity=stranger)
    with pytest.raises((ForeignApprover, NotTheSigner)):
        office.approve(path, "qian", identity=office.people["feng"])


def test_a_plan_that_is_altered_afterwards_is_another_proposal(office: Office, path: Path) -> None:
    for person in ("qian", "feng"):
        office.approve(path, person)
    before = office.proposed[read_plan(path).digest]
    path.write_text(path.read_text("utf-8").replace("示范省政务签发机构", "乙省政务签发机构"))
    refused(office, path, ApprovalsMissing)
    assert office.proposed[read_plan(path).digest] != before


def test_it_expires(office: Office, path: Path) -> None:
    for person in ("qian", "feng"):
        office.approve(path, person)
    office.site.clock.advance(timedelta(days=30, seconds=1))
    refused(office, path, ProposalClosed)


def test_an_approver_who_lost_the_post(office: Office, path: Path) -> None:
    for person in ("qian", "feng"):
        office.approve(path, person)
    ended = {"person": "feng", "post": "officer-feng", "valid_from": "2020-01-01T00:00:00+08:00", "valid_to": "2021-01-01T00:00:00+08:00"}  # fmt: skip
    Directory(office.site.store).load(SYSTEM, DirectoryFile.parse({"appointments": [ended]}))
    refused(office, path, ApproverNotPermitted)


def test_a_clerk_neither_proposes_nor_founds(office: Office, path: Path) -> None:
    content = content_of(read_plan(path), path.parent, 65536)
    with pytest.raises(Denied):
        office.site.authz.proposals.propose(CLERK, "ca.ceremony", content, reason=REASON)
    with pytest.raises(Denied):
        office.site.ca.found(CLERK, read_plan(path), path.parent)


def test_a_ceremony_that_was_begun_goes_on_without_asking_again(office: Office, path: Path) -> None:
    office.hold(path)
    with office.site.store.act(OFFICER, "ca.ceremony", "test") as act:
        act.session.get_one(CeremonyRow, read_plan(path).digest).done = None
    site = office.site
    again = conduct(site.ctx, site.keys, OFFICER, read_plan(path), site.folder, beside=path.parent)
    assert again.approvals == ()
    assert [event["facts"].get("resumed") for event in site.events("ca.ceremony") if event["outcome"] == "intent"][-1]  # fmt: skip


def test_it_is_held_once(office: Office, path: Path) -> None:
    office.hold(path)
    keys = len(office.site.keys.register())
    with pytest.raises(ProposalClosed):
        office.site.authz.proposals.execute(OFFICER, office.propose(path))
    assert office.conduct(path).certificates == {}
    assert len(office.site.keys.register()) == keys
    assert len([event for event in office.site.events("ca.authority") if event["subject"] == "authority:intl-national"]) == 1  # fmt: skip


def test_a_plan_that_was_held_is_not_proposed_again(office: Office, path: Path) -> None:
    """It would be approved and carried out, and nothing made: next year's renewal with last year's file."""
    office.hold(path)
    proposals = office.site.authz.proposals
    content = content_of(read_plan(path), path.parent, 65536)
    with pytest.raises(CeremonyHeld) as raised:
        proposals.propose(OFFICER, "ca.ceremony", content, reason=REASON)
    assert office.site.events("authz.propose")[-1]["error"] == "ca.ceremony_held"
    assert "title" in raised.value.text("zh")
    assert "title" in raised.value.text("en")
    path.write_text(path.read_text().replace('title = "', 'title = "2027年', 1))
    another = content_of(read_plan(path), path.parent, 65536)
    assert proposals.propose(OFFICER, "ca.ceremony", another, reason=REASON).row.id != raised.value.entry


# --- the files of a plan ------------------------------------------------------------------------------------------


def _asked(name: str) -> CertificationRequest:
    return CertificationRequest.build(PrivateKey.generate(INTL), {"commonName": name})


def test_the_files_are_part_of_what_is_approved(office: Office) -> None:
    """Another file under the same name, and one that the plan does not name, are not proposed."""
    csr, another = (_asked(name) for name in ("子县政务签发机构", "丑县政务签发机构"))
    (office.plans / "county-zi.csr.pem").write_text(csr.pem)
    path = office.sample("subordinate-site", INTL.hash.digest(csr.der).hex())
    plan = read_plan(path)
    content = content_of(plan, path.parent, 65536)
    proposals = office.site.authz.proposals

    def propose(**files: str) -> None:
        given = {"plan": plan.model_dump(mode="json"), "files": {**content.files, **files}}
        proposals.propose(OFFICER, "ca.ceremony", given, reason=REASON)

    (name,) = content.files
    other = base64.b64encode(another.pem.encode()).decode()
    with pytest.raises(FileDiffers):
        propose(**{name: other})
    for extra in ("more.pem", "../more.pem"):
        with pytest.raises(PlanRefused):
            propose(**{extra: other})
    with pytest.raises(PlanRefused):
        propose(**{name: "not base64!"})
    with pytest.raises(BadProposal):
        proposals.propose(OFFICER, "ca.ceremony", {"plan": {"kind": "coronation"}}, reason=REASON)
