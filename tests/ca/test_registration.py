"""Applications: three people, one certificate, and every other way refused and recorded."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NoReturn

import pytest

import ca.registration.finish
from authz.directory import DirectoryFile
from ca.errors import KeyInUse
from ca.registration.errors import (
    BadCheck,
    NotYourRegistration,
    RegistrationReused,
    TooManyOpen,
    UnknownRegistration,
    WrongState,
)
from ca.registration.models import RegistrationRow
from ca.registration.vet import Check
from kms.errors import HsmGone, KeyLost
from kms.sign import KeySigner
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError

from .conftest import AUDITOR, CLERK, OFFICER, PROVINCE, REGISTRAR, Site
from .test_faces import PEOPLE, app, client, raw, run  # noqa: F401 - fixtures
from .test_refuse import short
from .test_suspend import at_once

CHECKS = (Check("身份证件", "与本人相符"), Check("任职文件", "子政任〔2026〕3号"))
OTHER = Actor(Kind.PERSON, "li", post="clerk-b", organ="county-b")
#: registration officers of the other county and of the city
ELSEWHERE = Actor(Kind.PERSON, "zhou", post="registration-b", organ="county-b")
CITY = Actor(Kind.PERSON, "zheng", post="registration-city", organ="city")


@pytest.fixture
def staffed(site: Site) -> Iterator[Site]:
    """The site, with registration officers of the city and of the other county."""
    values: dict[str, Any] = {name: [*rows] for name, rows in PROVINCE.items()}
    for person, post, organ in (
        ("zhou", "registration-b", "county-b"),
        ("zheng", "registration-city", "city"),
    ):
        values["posts"].append({"id": post, "organ": organ, "name_zh": "证书注册岗", "name_en": "Registration", "roles": ["registration-officer"]})  # fmt: skip
        values["people"].append({"id": person, "name": "周彧" if person == "zhou" else "郑旸"})
        values["appointments"].append({"person": person, "post": post, "valid_from": "2020-01-01T00:00:00+08:00"})  # fmt: skip
    from authz.directory import Directory

    Directory(site.store).load(SYSTEM, DirectoryFile.parse(values))
    for name, actor in (("elsewhere", ELSEWHERE), ("city", CITY), ("other", OTHER)):
        PEOPLE[name] = actor
    yield site
    for name in ("elsewhere", "city", "other"):
        del PEOPLE[name]


def applied(site: Site, actor: Actor = CLERK, reference: str = "a-1", **parts: Any) -> RegistrationRow:
    """Her own application, submitted."""
    return site.ca.registrations.submit(actor, site.person(reference, actor.id, actor.post or "", **parts))


def vetted(site: Site, by: Actor = REGISTRAR, **parts: Any) -> RegistrationRow:
    return site.ca.registrations.vet(by, applied(site, **parts).id, CHECKS)


def again(site: Site, row: RegistrationRow) -> RegistrationRow:
    return site.ca.registrations.show(OFFICER, row.id)


def refused(site: Site, error: type[YinxinError], act: Callable[[], object]) -> None:
    """It is refused so, and the refusal is the last thing on record."""
    with pytest.raises(error):
        act()
    last = site.events()[-1]
    assert (last["outcome"], last["error"]) == ("refused", error.code)


# --- the way ---------------------------------------------------------------------------------------------------


def test_from_application_to_certificate(staffed: Site) -> None:
    registrations = staffed.ca.registrations
    row = applied(staffed)
    assert (row.state, row.organ, row.holder, row.applicant) == ("submitted", "county-a", "zhang", "zhang")
    row = registrations.vet(REGISTRAR, row.id, CHECKS)
    assert (row.state, row.vetted_by, row.checks[0]["subject"]) == ("vetted", "wu", "身份证件")
    row = registrations.approve(CITY, row.id)
    assert (row.state, row.decided_by) == ("issued", "zheng")
    own, *above = registrations.certificate(CLERK, row.id)
    assert f"{own.serial:x}" == row.serial
    assert above[-1].is_self_issued
    with pytest.raises(Denied):
        registrations.certificate(OTHER, row.id)
    (certificate,) = staffed.rows(serial=row.serial)
    assert (certificate.reference, certificate.state) == (f"registration/{row.id}", "issued")
    intent = next(e for e in staffed.events("ca.issue") if e["outcome"] == "intent")
    assert intent["decision"] == {"registration": row.id, "approved_by": "zheng", "approved": intent["decision"]["approved"]}  # fmt: skip
    approval = next(e for e in staffed.events("ca.approve") if e["outcome"] == "done")
    assert approval["decision"]["policies"] == ["ca.decides-on-applications"]
    assert "身份证件" not in str(staffed.events("ca.vet"))


def test_whoever_vets_while_she_is_let_approve_does_not_approve(
    staffed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two requests of one officer, at once. Seen to fail: she had vetted and approved it, and its certificate was issued."""
    registrations, row = staffed.ca.registrations, applied(staffed)
    permitted = registrations._permitted

    def overtaken(actor: Actor, verb: str, row: RegistrationRow) -> dict[str, Any]:
        decision = permitted(actor, verb, row)
        if verb == "ca.approve":
            registrations.vet(actor, row.id, CHECKS)
        return decision

    monkeypatch.setattr(registrations, "_permitted", overtaken)
    refused(staffed, WrongState, lambda: registrations.approve(REGISTRAR, row.id))
    assert (again(staffed, row).state, again(staffed, row).vetted_by) == ("vetted", "wu")
    assert staffed.rows(reference=f"registration/{row.id}") == []


def test_a_reference_gives_one_application(staffed: Site) -> None:
    key = PrivateKey.generate(INTL)
    first = applied(staffed, key=key)
    assert applied(staffed, key=key).id == first.id
    refused(staffed, RegistrationReused, lambda: applied(staffed, key=key, days=30))
    # another applicant's references are her own
    assert applied(staffed, OTHER).id != first.id


def test_sent_eight_times_at_once_it_is_one(staffed: Site) -> None:
    request = staffed.person("at-once")
    done = at_once(8, lambda: staffed.ca.registrations.submit(CLERK, request).id)
    assert len(done) == 8
    assert len(set(done)) == 1


def test_a_service_is_applied_for_by_its_organ(staffed: Site) -> None:
    row = staffed.ca.registrations.submit(CLERK, staffed.request("s-1"))
    assert (row.holder_kind, row.organ) == ("service", "county-a")
    refused(staffed, Denied, lambda: staffed.ca.registrations.submit(OTHER, staffed.request("s-2")))


# --- attacks ---------------------------------------------------------------------------------------------------


def test_nobody_decides_on_her_own(staffed: Site) -> None:
    """Seen to fail without the policy `ca.not-ones-own-application`."""
    registrations = staffed.ca.registrations
    row = applied(staffed, REGISTRAR)
    refused(staffed, Denied, lambda: registrations.vet(REGISTRAR, row.id, CHECKS))
    registrations.vet(OFFICER, row.id, CHECKS)
    refused(staffed, Denied, lambda: registrations.approve(REGISTRAR, row.id))
    # nor on one for a service that she applied for
    other = registrations.submit(REGISTRAR, staffed.request("s-1"))
    refused(staffed, Denied, lambda: registrations.vet(REGISTRAR, other.id, CHECKS))
    assert registrations.approve(CITY, row.id).state == "issued"


def test_who_vetted_does_not_approve(staffed: Site) -> None:
    """Seen to fail without the policy `ca.vetter-does-not-approve`."""
    row = vetted(staffed, OFFICER)
    refused(staffed, Denied, lambda: staffed.ca.registrations.approve(OFFICER, row.id))
    assert staffed.ca.registrations.approve(REGISTRAR, row.id).state == "issued"


@pytest.mark.parametrize("actor", [ELSEWHERE, OTHER, CLERK, AUDITOR, SYSTEM])
def test_nobody_decides_outside_her_region_or_office(staffed: Site, actor: Actor) -> None:
    registrations = staffed.ca.registrations
    row = applied(staffed)
    refused(staffed, Denied, lambda: registrations.vet(actor, row.id, CHECKS))
    refused(staffed, Denied, lambda: registrations.refuse(actor, row.id, "x"))
    row = registrations.vet(REGISTRAR, row.id, CHECKS)
    refused(staffed, Denied, lambda: registrations.approve(actor, row.id))
    assert again(staffed, row).state == "vetted"


def test_nobody_reads_or_withdraws_anothers(staffed: Site) -> None:
    registrations = staffed.ca.registrations
    row = applied(staffed)
    for stranger in (OTHER, ELSEWHERE):
        refused(staffed, Denied, lambda stranger=stranger: registrations.show(stranger, row.id))  # type: ignore[misc]
        refused(staffed, NotYourRegistration, lambda stranger=stranger: registrations.withdraw(stranger, row.id))  # type: ignore[misc]  # fmt: skip
    for reader in (CLERK, REGISTRAR, OFFICER, AUDITOR):
        assert registrations.show(reader, row.id).id == row.id
    with pytest.raises(UnknownRegistration):
        registrations.show(OFFICER, "nothing")


def test_of_64_who_approve_at_once_one_issues(staffed: Site) -> None:
    """Seen to fail when `change` does not name the state before it."""
    row = vetted(staffed)
    done = at_once(64, lambda: staffed.ca.registrations.approve(CITY, row.id).state)
    assert done.count("issued") == 1
    assert done.count(WrongState) == 63
    assert len(staffed.rows(holder="zhang")) == 1
    assert again(staffed, row).state == "issued"


def test_steps_out_of_turn_change_nothing(staffed: Site) -> None:
    registrations = staffed.ca.registrations
    row = applied(staffed)
    refused(staffed, WrongState, lambda: registrations.approve(CITY, row.id))
    registrations.vet(REGISTRAR, row.id, CHECKS)
    refused(staffed, WrongState, lambda: registrations.vet(OFFICER, row.id, CHECKS))
    registrations.refuse(REGISTRAR, row.id, " 任职文件不符 ")
    for late in (
        lambda: registrations.approve(CITY, row.id),
        lambda: registrations.refuse(CITY, row.id, "x"),
        lambda: registrations.withdraw(CLERK, row.id),
    ):
        refused(staffed, WrongState, late)
    with pytest.raises(WrongState, match="is refused now, and this step takes one that is vetted") as told:
        registrations.approve(CITY, row.id)
    assert "目前为“已驳回”，不能执行该步骤（需为 已核验）" in told.value.text("zh")
    assert again(staffed, row).reason == "任职文件不符"
    assert staffed.rows(holder="zhang") == []


def test_what_could_never_be_granted_is_refused_at_once(staffed: Site) -> None:
    with pytest.raises(YinxinError):
        applied(staffed, csr=short(staffed))
    with pytest.raises(YinxinError):
        applied(staffed, profile="root")
    with pytest.raises(YinxinError):
        staffed.ca.registrations.submit(CLERK, staffed.person("x", "zhang", "clerk-b"))
    assert list(staffed.ca.registrations.search(CLERK, ca.registration.find.Wanted(applicant="zhang"))) == []


@pytest.mark.parametrize("checks", [(), (Check(" ", "x"),), (Check("x", "y" * 501),), CHECKS * 11])
def test_a_vetting_says_what_was_checked(staffed: Site, checks: tuple[Check, ...]) -> None:
    row = applied(staffed)
    refused(staffed, BadCheck, lambda: staffed.ca.registrations.vet(REGISTRAR, row.id, checks))
    assert again(staffed, row).state == "submitted"


def test_nobody_floods_the_officers(founded: Callable[..., Site]) -> None:
    site = founded(registration={"most_open": 2})
    for number in range(2):
        applied(site, reference=f"f-{number}")
    refused(site, TooManyOpen, lambda: applied(site, reference="f-2"))
    (first, _) = site.ca.registrations.search(CLERK, ca.registration.find.Wanted(applicant="zhang"))
    assert site.ca.registrations.withdraw(CLERK, first.id).state == "withdrawn"
    assert applied(site, reference="f-2").state == "submitted"


# --- time and accidents ----------------------------------------------------------------------------------------


def test_an_application_expires_when_nobody_decides(staffed: Site) -> None:
    """Seen to fail when `change` does not look at the time."""
    row = vetted(staffed)
    staffed.clock.advance(timedelta(days=30))
    refused(staffed, WrongState, lambda: staffed.ca.registrations.approve(CITY, row.id))
    assert again(staffed, row).state == "vetted"
    staffed.ca.tend_registrations()
    assert again(staffed, row).state == "expired"
    assert staffed.events()[-1]["verb"] == "ca.expire"
    staffed.ca.tend_registrations()
    assert len(staffed.events("ca.expire")) == 1


@pytest.mark.parametrize("fault", [HsmGone(token="t", reason="x"), KeyLost(label="intl-issuing")])
def test_an_approval_cut_off_is_issued_later_once(
    staffed: Site, monkeypatch: pytest.MonkeyPatch, fault: YinxinError
) -> None:
    """Also where the fault is final until an operator has mended it, as a token that was emptied is."""

    def gone(*_: object) -> NoReturn:
        raise fault

    row = vetted(staffed)
    with monkeypatch.context() as patched:
        patched.setattr(KeySigner, "sign", gone)
        with pytest.raises(type(fault)):
            staffed.ca.registrations.approve(CITY, row.id)
        assert again(staffed, row).state == "approved"
        refused(staffed, WrongState, lambda: staffed.ca.registrations.approve(OFFICER, row.id))
    at_once(4, staffed.ca.tend_registrations)
    row = again(staffed, row)
    assert (row.state, row.decided_by) == ("issued", "zheng")
    assert [each.state for each in staffed.rows(holder="zhang")] == ["abandoned", "issued"]


def test_what_can_never_be_issued_becomes_refused(staffed: Site) -> None:
    """Her key was certified for a service while the application waited."""
    key = PrivateKey.generate(INTL)
    row = vetted(staffed, key=key)
    staffed.ca.issue(REGISTRAR, staffed.request(key=key))
    with pytest.raises(KeyInUse):
        staffed.ca.registrations.approve(CITY, row.id)
    row = again(staffed, row)
    assert row.state == "refused"
    assert "已用于证书" in (row.reason or "")


def test_a_certificate_and_its_application_are_marked_together(
    staffed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused in the middle of its issuance: no certificate is handed out for it."""
    row = vetted(staffed)
    issue = ca.registration.finish.issue

    def meanwhile(*arguments: Any, **more: Any) -> object:
        with staffed.store.act(SYSTEM, "test.refuse", "x") as act:
            act.session.get_one(RegistrationRow, row.id).state = "refused"
        return issue(*arguments, **more)

    monkeypatch.setattr(ca.registration.finish, "issue", meanwhile)
    with pytest.raises(WrongState):
        staffed.ca.registrations.approve(CITY, row.id)
    assert [each.state for each in staffed.rows(holder="zhang")] == ["abandoned"]


# --- faces -----------------------------------------------------------------------------------------------------


def test_over_http(staffed: Site, client: Callable[[str], Any], raw: Any) -> None:  # noqa: F811
    csr = CertificationRequest(staffed.person().csr)
    holder = {"kind": "person", "id": "zhang", "post": "clerk-a"}
    clerk, registrar, city = (client(name).ca.registrations for name in ("clerk", "registrar", "city"))
    row = clerk.submit("web-1", "person-signing", csr, holder)
    assert clerk.submit("web-1", "person-signing", csr, holder).id == row.id
    assert [each.id for each in clerk.list(applicant="zhang")] == [row.id]
    assert [each.id for each in registrar.list(state="submitted")] == [row.id]
    with pytest.raises(Denied):
        list(client("other").ca.registrations.list(organ="county-a"))
    with pytest.raises(Denied):
        client("elsewhere").ca.registrations.show(row.id)
    assert registrar.vet(row.id, {"身份证件": "相符"}).checks == [{"subject": "身份证件", "finding": "相符"}]
    issued = city.approve(row.id)
    assert client("officer").ca.certificate(issued.serial).load().public_key == csr.public_key
    with pytest.raises(WrongState):
        city.refuse(row.id, "太晚了")
    # a replay of the approval with its own idempotency key gives its own answer
    headers = {"Authorization": "Bearer city", "Idempotency-Key": "again"}
    for _ in range(2):
        answer = raw.post(f"/api/ca/v1/registrations/{row.id}/approval", json={}, headers=headers)
        assert answer.status_code == 409
    assert len(staffed.rows(holder="zhang")) == 1
    both = clerk.submit(
        "web-2", "person-signing", CertificationRequest(staffed.person().csr), holder, pair=True
    )
    assert (row.pair, both.pair) == (False, True)


def test_on_the_command_line(staffed: Site, run: Callable[..., Any], tmp_path: Any) -> None:  # noqa: F811
    csr = tmp_path / "r.pem"
    csr.write_text(CertificationRequest(staffed.person().csr).pem)
    row = run("registration", "submit", "--profile", "person-signing", "--csr", csr, "--json", person=CLERK)
    assert [each["id"] for each in run("registration", "list", "--json")] == [row["id"]]
    assert row["id"] in run("registration", "list", "--mine", person=CLERK)
    run("registration", "vet", row["id"], "--check", "身份证件=相符", person=REGISTRAR)
    done = run("registration", "approve", row["id"], "--json", person=CITY)
    assert run("show", "--serial", done["serial"], "--json")["holder"] == "zhang"
    second = run("registration", "submit", "--profile", "tls-server", "--csr", _server(staffed, tmp_path), "--holder", "b", "--json", person=CLERK)  # fmt: skip
    assert run("registration", "refuse", second["id"], "--reason", "不需要", "--json")["state"] == "refused"
    third = run("registration", "submit", "--pair", "--profile", "person-signing", "--csr", csr, "--json", person=CLERK)  # fmt: skip
    assert (row["pair"], third["pair"]) == (False, True)
    assert run("registration", "withdraw", third["id"], "--json", person=CLERK)["state"] == "withdrawn"
    assert "withdrawn" in run("registration", "show", third["id"])


def _server(site: Site, folder: Any) -> Any:
    file = folder / "server.pem"
    file.write_text(CertificationRequest(site.request().csr).pem)
    return file
