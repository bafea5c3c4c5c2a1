"""Nobody is enough alone (law 3): what counts as an approval, and every way in which it does not."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from authz.directory import Directory, DirectoryFile
from ca.ceremony.approval import file_of
from ca.ceremony.errors import (
    ApprovalExpired,
    ApprovalForAnother,
    ApprovalForAnotherSite,
    ApprovalsMissing,
    ApproverInTwoPosts,
    ApproverNotPermitted,
    ApproverRevoked,
    ApproverTwice,
    ConductorApproves,
    ForeignApprover,
    PostApprovedTwice,
)
from ca.ceremony.kinds import read_plan
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.crypto import cms
from yinxin.crypto.errors import BadSignature, DigestMismatch
from yinxin.errors import YinxinError
from yinxin.statement import Statement

from .conftest import CLERK, OFFICER, Site
from .neighbours import Office, council_plan

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def office(site: Site) -> Office:
    return Office.of(site)


@pytest.fixture
def path(office: Office) -> Path:
    return office.sample("request")


def refused(office: Office, path: Path, error: type[YinxinError], *, by: str = "zhao") -> YinxinError:
    """Holding is refused with this error, recorded, and leaves nothing."""
    before = len(office.site.rows())
    with pytest.raises(error) as raised:
        office.conduct(path, by=by)
    last = office.site.events("ca.ceremony")[-1]
    assert (last["outcome"], last["error"]) == ("refused", error.code)
    assert last["subject"] == f"ceremony:{read_plan(path).digest}"
    assert raised.value.entry == last["id"]
    assert len(office.site.rows()) == before
    assert not (office.site.folder / "ceremony").exists()
    return raised.value


def test_two_people_are_enough_and_are_recorded(office: Office, path: Path) -> None:
    done = office.hold(path)
    intent = next(event for event in office.site.events("ca.ceremony") if event["outcome"] == "intent" and event["facts"]["kind"] == "request")  # fmt: skip
    assert [each["person"] for each in intent["facts"]["approvals"]] == ["feng", "qian"]
    assert [each.fields() for each in done.approvals] == intent["facts"]["approvals"]
    assert [event["actor"]["id"] for event in office.site.events("ca.approve-ceremony")] == ["qian", "feng"]
    assert intent["actor"]["id"] == "zhao"


def test_one_is_not_enough(office: Office, path: Path) -> None:
    """Seen to fail when `_approved` does not count."""
    office.approve(path, "qian")
    error = refused(office, path, ApprovalsMissing)
    assert (error.facts["needed"], error.facts["given"]) == (2, 1)


def test_none_is_not_enough_for_the_platform_itself(office: Office, path: Path) -> None:
    """Seen to fail when `_approved` believes that nobody need be asked."""
    from ca import conduct

    with pytest.raises(ApprovalsMissing):
        conduct(office.site.ctx, office.site.keys, SYSTEM, read_plan(path), office.site.folder)


def test_one_person_counts_once(office: Office, path: Path) -> None:
    office.approve(path, "qian")
    office.approve(path, "qian", name="qian-again")
    refused(office, path, ApproverTwice)


def test_one_person_in_two_posts_counts_once(office: Office, path: Path) -> None:
    appointment = {"person": "qian", "post": "officer-chu", "valid_from": "2020-01-01T00:00:00+08:00"}
    Directory(office.site.store).load(SYSTEM, DirectoryFile.parse({"appointments": [appointment]}))
    first = office.people["qian"]
    second = office.enrol("qian", "officer-chu")
    office.approve(path, "qian", identity=first)
    other = Actor(Kind.PERSON, "qian", post="officer-chu", organ="province")
    office.approve(path, "qian", identity=second, actor=other, name="qian-as-chu")
    refused(office, path, ApproverInTwoPosts)


def test_two_people_in_one_post_count_once(office: Office, path: Path) -> None:
    appointment = {"person": "feng", "post": "officer-qian", "valid_from": "2020-01-01T00:00:00+08:00"}
    Directory(office.site.store).load(SYSTEM, DirectoryFile.parse({"appointments": [appointment]}))
    office.approve(path, "qian")
    identity = office.enrol("feng", "officer-qian")
    other = Actor(Kind.PERSON, "feng", post="officer-qian", organ="province")
    office.approve(path, "feng", identity=identity, actor=other)
    refused(office, path, PostApprovedTwice)


def test_whoever_holds_it_does_not_approve_it_while_others_can(office: Office, path: Path) -> None:
    """Seen to fail when `_apart` is left out."""
    for person in ("qian", "feng"):
        office.approve(path, person)
    error = refused(office, path, ConductorApproves, by="qian")
    assert error.facts["others"] == 3


def test_with_nobody_else_she_may(site: Site) -> None:
    office = Office.of(site)
    ended = [
        {"person": person, "post": post, "valid_from": "2020-01-01T00:00:00+08:00", "valid_to": "2021-01-01T00:00:00+08:00"}
        for person, post in (("zhao", "officer"), ("chu", "officer-chu"))
    ]  # fmt: skip
    Directory(site.store).load(SYSTEM, DirectoryFile.parse({"appointments": ended}))
    path = office.sample("request")
    for person in ("qian", "feng"):
        office.approve(path, person)
    assert office.conduct(path, by="qian").files


def test_a_revoked_certificate_approves_nothing(office: Office, path: Path) -> None:
    """Seen to fail when `_trusted` does not ask the checker."""
    for person in ("qian", "feng"):
        office.approve(path, person)
    office.site.ca.revoke(
        office.officer("feng"), office.people["qian"].certificate.fingerprint, "keyCompromise"
    )
    error = refused(office, path, ApproverRevoked)
    assert error.facts["reason"].code == "crypto.certificate_revoked"


def test_somebody_of_another_site_approves_nothing(office: Office, path: Path, tmp_path: Path) -> None:
    """Seen to fail when `_trusted` does not ask the checker."""
    folder = tmp_path / "council"
    folder.mkdir()
    other = Site(
        f"sqlite:///{folder / 'site.sqlite'}", folder, public_url=office.site.ctx.settings.public_url
    )
    other.found(council_plan(("intl",)))
    stranger = Office.of(other).people["qian"]
    office.approve(path, "qian", identity=stranger)
    office.approve(path, "feng")
    refused(office, path, ForeignApprover)
    other.close()


def test_a_signature_in_anothers_name_approves_nothing(office: Office, path: Path) -> None:
    """Seen to fail when `_trusted` does not look at the binding."""
    office.approve(path, "feng")
    office.approve(path, "qian", identity=office.people["feng"])
    refused(office, path, ForeignApprover)


def test_a_plan_that_is_altered_afterwards(office: Office, path: Path) -> None:
    """Seen to fail when `_read` does not compare the digests."""
    for person in ("qian", "feng"):
        office.approve(path, person)
    path.write_text(path.read_text("utf-8").replace("示范省政务签发机构", "乙省政务签发机构"))
    error = refused(office, path, ApprovalForAnother)
    assert error.facts["digest"] == read_plan(path).digest != error.facts["approved"]


def test_an_approval_for_another_site(founded: Callable[..., Site]) -> None:
    office = Office.of(founded(public_url="http://127.0.0.2:8080"))
    path = office.sample("request")
    for person in ("qian", "feng"):
        office.approve(path, person)
    again = Office(founded(), office.plans, office.people)
    refused(again, path, ApprovalForAnotherSite)


@pytest.mark.parametrize("by", [timedelta(days=30, seconds=1), -timedelta(minutes=6)])
def test_an_approval_of_another_time(office: Office, path: Path, by: timedelta) -> None:
    """Seen to fail when `_read` does not look at the time."""
    for person in ("qian", "feng"):
        office.approve(path, person)
    office.site.clock.advance(by)
    refused(office, path, ApprovalExpired)


def test_an_approver_who_lost_the_post(office: Office, path: Path) -> None:
    for person in ("qian", "feng"):
        office.approve(path, person)
    ended = {"person": "feng", "post": "officer-feng", "valid_from": "2020-01-01T00:00:00+08:00", "valid_to": "2021-01-01T00:00:00+08:00"}  # fmt: skip
    Directory(office.site.store).load(SYSTEM, DirectoryFile.parse({"appointments": [ended]}))
    refused(office, path, ApproverNotPermitted)


def test_a_clerk_neither_approves_nor_holds(office: Office, path: Path) -> None:
    identity = office.enrol("zhang", "clerk-a")
    with pytest.raises(Denied):
        office.approve(path, "zhang", identity=identity, actor=CLERK)
    statement = Statement.of(CLERK, "ca.approve-ceremony", f"ceremony:{read_plan(path).digest}", office.site.clock.now(), {"plan": read_plan(path).digest, "kind": "request", "site": office.site.ctx.settings.public_url})  # fmt: skip
    file_of(path, "zhang").write_bytes(cms.sign_attached(identity, statement.encode(), signed_at=None))
    office.approve(path, "qian")
    refused(office, path, ApproverNotPermitted)
    with pytest.raises(Denied):
        office.site.ca.conduct(CLERK, read_plan(path), path, office.site.folder)


def test_octets_that_were_changed(office: Office, path: Path) -> None:
    office.approve(path, "feng")
    file = office.approve(path, "qian")
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"person":"qian"', b'"person":"feng"'))
    before = len(office.site.rows())
    with pytest.raises((BadSignature, DigestMismatch)):
        office.conduct(path)
    assert len(office.site.rows()) == before


def test_a_ceremony_that_was_begun_goes_on_without_asking_again(office: Office, path: Path) -> None:
    from ca.hierarchy.models import CeremonyRow

    office.hold(path)
    with office.site.store.act(OFFICER, "ca.ceremony", "test") as act:
        act.session.get_one(CeremonyRow, read_plan(path).digest).done = None
    for person in ("qian", "feng"):
        file_of(path, person).unlink()
    assert office.conduct(path).approvals == ()
    assert [event["facts"].get("resumed") for event in office.site.events("ca.ceremony") if event["outcome"] == "intent"][-1]  # fmt: skip


@pytest.mark.engines("both")
def test_it_is_held_once(office: Office, path: Path) -> None:
    office.hold(path)
    keys = len(office.site.keys.register())
    assert office.conduct(path).certificates == {}
    assert len(office.site.keys.register()) == keys
    assert len([event for event in office.site.events("ca.authority") if event["subject"] == "authority:intl-national"]) == 1  # fmt: skip
