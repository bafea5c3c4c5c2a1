"""Attribute certificates of a site: what is on record and nothing else, once, linted, recorded, taken back when it ends.

Seen to fail when: the linter's token is not asked for; what is stated is read before the transaction that writes it down;
a revocation does not outdate the list; ended appointments are not looked for; the policies are not asked.
"""

import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz.directory.models import DelegationRow
from authz.grant.models import GrantRow
from authz.models import AppointmentRow, PersonRow, PostRole
from ca.attribute import issue as issuing
from ca.attribute.errors import (
    AttributeCertificateOver,
    AttributeLintFailed,
    BadLifetime,
    BadTarget,
    CertificateNotInForce,
    NoAttributeAuthority,
    NotAPersonsCertificate,
    NothingInForce,
    NotRevocable,
    UnknownAttributeAuthority,
    UnknownAttributeCertificate,
)
from ca.attribute.lint import findings
from ca.attribute.models import AttributeCertificateRow
from ca.attribute.request import AttributeRequest
from ca.attribute.service import AttributeFilter, told
from ca.errors import ReferenceReused, UnknownCertificate
from ca.recheck.judge import list_faults
from tests.support.forked import run
from yinxin import evidence
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import PLATFORM, Denied
from yinxin.crypto import der, oids
from yinxin.crypto.attribute import AttributeCertificate, Controls
from yinxin.crypto.attribute.claims import Clearance
from yinxin.crypto.attribute.errors import AttributeCertificateExpired, AttributeCertificateRevoked
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import UnknownSuite
from yinxin.crypto.oids import Extension
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import suite
from yinxin.crypto.tbs import throwaway_sign
from yinxin.errors import YinxinError

from .conftest import AUDITOR, CLERK, OFFICER, REGISTRAR
from .crasher import attributes as crash_attributes

pytestmark = pytest.mark.engines("any")

LI = Actor(Kind.PERSON, "li", post="clerk-b", organ="county-b")
DAY = timedelta(days=1)


@pytest.fixture
def zhang(site):
    return site.ca.issue(REGISTRAR, site.person())


def asked(serial, reference="a-1", **parts):
    return AttributeRequest.of(reference, serial, **parts)


def trust(site):
    """What a stranger trusts: the roots, and the certificates in nobody's file."""
    names = [name for name in site.ca.authorities() if name.endswith("-root")]
    return evidence.Trust(tuple(site.ca.certificate(name) for name in names), ())


def offline(site, row, **beside):
    """What `yinxin verify` says of the file that was handed out."""
    held = []
    text = site.ca.attributes.bundle(row).encode()
    evidence.verify(text, trust(site), at=site.clock.now(), held=held, beside=evidence.Beside(**beside))
    return " ".join(each.zh for each in held)


def change(site, statement):
    with site.store.act(SYSTEM, "authz.load", "directory:test") as act:
        act.session.execute(statement)


def grant(site, organ="county-a", **parts):
    """A grant on record; giving one is authz's to test."""
    now = site.clock.now()
    usual = {
        "id": "g-1", "template": "ca.grant-registration", "holder": "post:clerk-a", "organ": organ,
        "valid_from": now - DAY, "valid_to": now + 30 * DAY, "source": "示政发〔2026〕8号", "granted_by": "zhao",
        "granted_at": now - DAY,
    }  # fmt: skip
    change(site, sa.insert(GrantRow).values(**(usual | parts)))


def rows(site, **wanted):
    with site.store.read() as session:
        return list(session.scalars(sa.select(AttributeCertificateRow).filter_by(**wanted)))


# --- issuing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["intl", "sm", "pq"])
def test_what_is_on_record_is_stated_and_holds_offline(site, name):
    change(site, sa.update(PersonRow).where(PersonRow.id == "zhang").values(clearance="secret"))
    holder = site.ca.issue(REGISTRAR, site.person(suite=name))
    grant(site)
    row = site.ca.attributes.issue(CLERK, asked(holder.serial, digest=True))
    made = AttributeCertificate(row.der)
    assert made.signature_algorithm == suite(name).signature
    assert (row.state, made.revocable, row.authority) == ("issued", False, f"{name}-attributes")
    assert made.serial >> 128 == site.ctx.settings.node
    said = told(row)
    assert (said["person"], said["post"], said["organ"], said["roles"]) == (
        "zhang",
        "clerk-a",
        "county-a",
        ["clerk"],
    )
    assert (said["clearance"], [each["id"] for each in said["grants"]]) == ("secret", ["g-1"])
    words = offline(site, row)
    for word in ("张喆", "子县人民政府", "经办人", "机密", "示政发〔2026〕8号", "证书注册", "短期"):
        assert word in words
    intent, done = site.events("ca.issue-attribute-certificate")
    assert (intent["outcome"], done["outcome"]) == ("intent", "done")
    assert intent["facts"]["grants"] == ["g-1"]
    assert intent["decision"]["allowed"]
    authority = Certificate(site.rows(profile="attribute-authority", authority=f"{name}-issuing")[0].der)
    assert not authority.is_ca
    assert Controls.read(authority.extensions[oids.AA_CONTROLS].value).permits(oids.GRANTS)


def test_the_same_reference_gives_the_same_one_and_another_question_is_refused(site, zhang):
    first = site.ca.attributes.issue(CLERK, asked(zhang.serial))
    assert site.ca.attributes.issue(REGISTRAR, asked(zhang.certificate.fingerprint)).der == first.der
    with pytest.raises(ReferenceReused):
        site.ca.attributes.issue(CLERK, asked(zhang.serial, hours=2))
    assert len(rows(site)) == 1


@pytest.mark.engines("both")
def test_many_at_once_under_one_reference_get_one(site, zhang):
    def ask(_):
        try:
            return site.ca.attributes.issue(CLERK, asked(zhang.serial)).serial
        except YinxinError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(16)))
    assert len(answers - {"ca.issuance_under_way"}) == 1
    (row,) = rows(site, state="issued")
    assert site.ca.attributes.issue(CLERK, asked(zhang.serial)).serial == row.serial


def test_it_lasts_no_longer_than_anything_that_it_states(site, zhang):
    now = site.clock.now()
    hour = site.ca.attributes.issue(CLERK, asked(zhang.serial, "h", hours=1))
    assert now < hour.not_after < now + timedelta(hours=1)
    grant(site, valid_to=now + timedelta(hours=3))
    short = site.ca.attributes.issue(CLERK, asked(zhang.serial, "s"))
    assert now + timedelta(hours=2) < short.not_after < now + timedelta(hours=3)
    assert "授权 g-1" in offline(site, short)
    change(
        site,
        sa.update(AppointmentRow)
        .where(AppointmentRow.person == "zhang")
        .values(valid_to=now + timedelta(minutes=5)),
    )
    assert site.ca.attributes.issue(CLERK, asked(zhang.serial, "m")).not_after < now + timedelta(minutes=5)
    site.clock.advance(timedelta(minutes=4, seconds=59))
    with pytest.raises(NothingInForce):
        site.ca.attributes.issue(CLERK, asked(zhang.serial, "n"))
    later = evidence.Beside((site.ca.attributes.bundle(hour).encode(),))
    with pytest.raises(AttributeCertificateExpired):
        evidence.verify(hour.der, trust(site), at=now + timedelta(hours=2), held=[], beside=later)


def test_a_delegate_with_limits_has_no_role_and_only_what_is_left(site, zhang):
    grant(site)
    now = site.clock.now()
    with site.store.act(SYSTEM, "authz.load", "directory:test") as act:
        act.session.execute(sa.delete(AppointmentRow).where(AppointmentRow.person == "zhang"))
        act.session.add(DelegationRow(
            id="d-1", post="clerk-a", delegator="wu", delegate="zhang", valid_from=now - DAY, valid_to=now + DAY,
            actions=["ca.read"], statement=b"s", signature=b"s", certificate="c", given=now,
        ))  # fmt: skip
        act.session.flush()
        act.session.add(
            AppointmentRow(
                person="zhang",
                post="clerk-a",
                valid_from=now - DAY,
                valid_to=now + DAY,
                kind="delegation",
                delegation="d-1",
            )
        )
    claims = AttributeCertificate(site.ca.attributes.issue(REGISTRAR, asked(zhang.serial)).der).claims
    assert (claims.appointment.kind, claims.appointment.actions, claims.roles) == (
        "delegation",
        ("ca.read",),
        (),
    )
    assert [each.actions for each in claims.grants] == [("ca.read",)]


WISHES = (
    ({"hours": 100_000}, BadLifetime),
    ({"hours": 0}, BadLifetime),
    ({"targets": ["not a name"]}, BadTarget),
    ({"targets": ["a.b", "a.b"]}, BadTarget),
    ({"targets": [f"a{i}.b" for i in range(33)]}, BadTarget),
    ({"suite": "rot13"}, UnknownSuite),
)


def test_bad_wishes_are_refused_by_name_and_recorded(site, zhang):
    for wanted, error in WISHES:
        with pytest.raises(error):
            site.ca.attributes.issue(CLERK, asked(zhang.serial, **wanted))
    assert rows(site) == []
    events = site.events("ca.issue-attribute-certificate")
    assert [event["outcome"] for event in events] == ["refused"] * len(WISHES)


def test_whom_nothing_is_stated_of(site, zhang):
    server = site.ca.issue(REGISTRAR, site.request("server"))
    pair = site.rows(profile="attribute-authority")[0]
    for serial, error in (
        (server.serial, NotAPersonsCertificate),
        (pair.serial, NotAPersonsCertificate),
        ("abcdef", UnknownCertificate),
    ):
        with pytest.raises(error):
            site.ca.attributes.issue(OFFICER, asked(serial))
    site.ca.suspend(OFFICER, zhang.serial)
    with pytest.raises(CertificateNotInForce):
        site.ca.attributes.issue(OFFICER, asked(zhang.serial))
    site.ca.resume(OFFICER, zhang.serial)
    authority = site.rows(profile="attribute-authority", authority="intl-issuing")[0]
    site.ca.revoke(OFFICER, authority.serial, "cessationOfOperation")
    with pytest.raises(NoAttributeAuthority):
        site.ca.attributes.issue(OFFICER, asked(zhang.serial))
    assert rows(site) == []


def test_the_policies_decide(site, zhang):
    for actor, allowed in ((LI, False), (AUDITOR, False), (CLERK, True), (REGISTRAR, True), (OFFICER, True)):
        if allowed:
            row = site.ca.attributes.issue(actor, asked(zhang.serial, actor.id))
            assert site.ca.attributes.show(actor, row.serial).der == row.der
            continue
        with pytest.raises(Denied):
            site.ca.attributes.issue(actor, asked(zhang.serial, actor.id))
    refused = [each for each in site.events("ca.issue-attribute-certificate") if each["outcome"] == "refused"]
    assert [each["actor"]["id"] for each in refused] == ["li", "sun"]
    with pytest.raises(UnknownAttributeCertificate):
        site.ca.attributes.show(LI, row.serial)
    assert len(site.ca.attributes.search(AUDITOR, AttributeFilter(organ="province"))) == 3
    assert len(site.ca.attributes.search(CLERK, AttributeFilter(person="zhang"))) == 3
    with pytest.raises(Denied):
        site.ca.attributes.search(LI, AttributeFilter(organ="county-a"))
    with pytest.raises(Denied):
        site.ca.attributes.search(LI, AttributeFilter(person="zhang"))


# --- nothing unlinted, nothing lost ---------------------------------------------------------------------------------


def test_what_breaks_a_rule_is_not_signed(site, zhang, monkeypatch):
    """Whatever writes the octets: they are judged against what is on record."""
    real = issuing.AttributeTemplate

    def lying(**parts):
        return real(**{**parts, "claims": replaced(parts["claims"])})

    def replaced(claims):
        return type(claims)(claims.appointment, Clearance("1.2.3", "top-secret"), claims.roles, claims.grants)

    signed = []
    monkeypatch.setattr(issuing, "AttributeTemplate", lying)
    monkeypatch.setattr(issuing, "_sign", lambda *parts: signed.append(parts))
    with pytest.raises(AttributeLintFailed, match=r"4\.2\.7"):
        site.ca.attributes.issue(CLERK, asked(zhang.serial))
    assert (signed, rows(site)) == ([], [])


def test_every_rule_of_the_linter_can_fail(site, zhang, monkeypatch):
    cases = []
    real = issuing.judge
    monkeypatch.setattr(issuing, "judge", lambda case, name: cases.append(case) or real(case, name))
    site.ca.attributes.issue(CLERK, asked(zhang.serial, targets=["a.example"]))
    (case,) = cases
    parts, algorithm = der.elements(case.certificate.tbs), case.authority.public_key.signature_algorithm

    def broken(position, value):
        changed = [*parts[:position], value, *parts[position + 1 :]]
        made = AttributeCertificate(throwaway_sign(der.sequence(*changed), algorithm))
        return {each.clause for each in findings(type(case)(**{**vars(case), "certificate": made}))}

    def listed(*more, without=""):
        known = [Extension.read(each) for each in der.elements(parts[7])]
        return der.sequence(
            *(each.der for each in known if each.oid != without), *(each.der for each in more)
        )

    target = der.sequence(der.explicit(0, der.tlv(0x82, b"a.b")))
    long = der.sequence(*(der.generalized(case.certificate.not_before + days * DAY) for days in (0, 99)))
    name = der.implicit(0, der.sequence(der.sequence(der.tlv(0xA4, zhang.certificate.subject.der))))
    tried = {
        "RFC 5755 4.2.2": broken(1, der.sequence(der.implicit(0, der.sequence(der.elements(der.sequence(*der.elements(bytes((0x30,)) + der.elements(parts[1])[0][1:])))[0], der.integer(9))))),
        "RFC 5755 4.2.3 and 4.5": broken(2, name),
        "RFC 5755 4.2.5": broken(4, der.integer(9)),
        "RFC 5755 4.2.6": broken(5, long),
        "RFC 5755 4.2.7, 4.4 and 7.4": broken(6, der.sequence(*der.elements(parts[6]), der.sequence(der.oid("1.2.3"), der.set_of([der.null()])))),
        "RFC 5755 4.2.9 and 4.3.3": broken(7, listed(Extension("1.2.3", False, der.null()))),
        "RFC 5755 4.3.2": broken(7, listed(Extension(oids.TARGET_INFORMATION, True, der.sequence(target, target)), without=oids.TARGET_INFORMATION)),
        "RFC 5755 4.3.5, 4.3.6 and 6": broken(7, listed(without=oids.NO_REV_AVAIL)),
    }  # fmt: skip
    for clause, found in tried.items():
        assert clause in found
    assert findings(case) == ()


def test_a_dead_security_module_leaves_nothing_that_blocks(site, zhang, monkeypatch):
    def broken(*_):
        raise RuntimeError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(issuing, "_sign", broken)
        with pytest.raises(RuntimeError):
            site.ca.attributes.issue(CLERK, asked(zhang.serial))
    assert [row.state for row in rows(site)] == ["abandoned"]
    assert site.ca.attributes.issue(CLERK, asked(zhang.serial)).state == "issued"


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("2-linted", marks=pytest.mark.slow),
        "3-intended",
        "4-signed",
        pytest.param("5-stored", marks=pytest.mark.slow),
    ],
)
def test_it_is_killed_at_any_step_and_issued_once(founded, step):
    site = founded()
    zhang = site.ca.issue(REGISTRAR, site.person())
    (site.folder / "serial").write_text(zhang.serial)
    site.keys.close()
    name = f"ca.issue-attribute-certificate.{step}"
    assert run(crash_attributes, site.url, site.folder, name) == -signal.SIGKILL
    site = founded()
    left = {"2-linted": [], "5-stored": ["issued"]}.get(step, ["intent"])
    assert [row.state for row in rows(site)] == left
    site.clock.advance(timedelta(seconds=61))
    site.ca.attributes.tend()
    made = site.ca.attributes.issue(CLERK, asked(zhang.serial, "crash", hours=48))
    assert sorted(row.state for row in rows(site)) == sorted(
        {"intent": "abandoned"}.get(each, each) for each in {*left, "issued"}
    )
    assert offline(site, made)


@pytest.mark.parametrize("step", ["ca.revoke-attribute-certificate.1-recorded", "ca.attribute-list.1-signed"])
def test_a_revocation_that_was_cut_off_stands(founded, step):
    site = founded()
    zhang = site.ca.issue(REGISTRAR, site.person())
    row = site.ca.attributes.issue(CLERK, asked(zhang.serial, "crash", hours=48))
    (site.folder / "serial").write_text(zhang.serial)
    site.keys.close()
    assert run(crash_attributes, site.url, site.folder, step) == -signal.SIGKILL
    made = CertificateList(founded().ca.attributes.list("intl-attributes"))
    assert made.lookup(int(row.serial, 16)) is not None


# --- taken back -----------------------------------------------------------------------------------------------------


def test_one_that_is_taken_back_is_on_the_list_at_once(site, zhang):
    row = site.ca.attributes.issue(CLERK, asked(zhang.serial, hours=24 * 30))
    made = AttributeCertificate(row.der)
    assert made.crl_urls == (f"{site.ctx.settings.public_url}/ca/intl-attributes.acrl",)
    assert "未被撤销" in offline(site, row)
    before = CertificateList(site.ca.attributes.list("intl-attributes"))
    assert before.der == site.ca.attributes.list("intl-attributes")
    done = site.ca.attributes.revoke(REGISTRAR, row.serial, "privilegeWithdrawn")
    after = CertificateList(site.ca.attributes.list("intl-attributes"))
    assert (after.number, done.crl_number) == (before.number + 1, before.number + 1)
    assert after.lookup(made.serial).reason == "privilegeWithdrawn"
    assert after.scope.only_attribute
    assert list_faults(after.der) == ()
    with pytest.raises(AttributeCertificateRevoked):
        offline(site, row)
    with pytest.raises(AttributeCertificateOver):
        site.ca.attributes.revoke(REGISTRAR, row.serial, "superseded")
    with pytest.raises(UnknownAttributeAuthority):
        site.ca.attributes.list("nobody")
    # half of its time later there is another, and once its certificate is long over it leaves the list
    site.clock.advance(timedelta(hours=13))
    site.ca.attributes.tend()
    assert CertificateList(site.ca.attributes.list("intl-attributes")).number == after.number + 1
    for _ in range(4):
        site.clock.advance(timedelta(days=11))
        last = CertificateList(site.ca.attributes.list("intl-attributes"))
    assert last.lookup(made.serial) is None


def test_a_short_one_is_not_taken_back_and_says_what_to_do(site, zhang):
    row = site.ca.attributes.issue(CLERK, asked(zhang.serial))
    with pytest.raises(NotRevocable):
        site.ca.attributes.revoke(CLERK, row.serial, "superseded")
    site.ca.revoke(OFFICER, zhang.serial, "keyCompromise")
    with pytest.raises(YinxinError) as refused:
        offline(site, row)
    assert refused.value.code == "crypto.certificate_revoked"


ENDS = {
    "appointment": (lambda now: sa.update(AppointmentRow).where(AppointmentRow.person == "zhang").values(valid_to=now, ended="transferred"), "affiliationChanged"),
    "retired": (lambda now: sa.update(PersonRow).where(PersonRow.id == "zhang").values(retired=now), "affiliationChanged"),
    "role": (lambda _: sa.delete(PostRole).where(PostRole.post == "clerk-a"), "privilegeWithdrawn"),
    "clearance": (lambda _: sa.update(PersonRow).where(PersonRow.id == "zhang").values(clearance="public"), "privilegeWithdrawn"),
    "grant": (lambda now: sa.update(GrantRow).values(revoked_at=now, revoked_by="zhao", revoked_because="x"), "privilegeWithdrawn"),
    "shortened": (lambda now: sa.update(AppointmentRow).where(AppointmentRow.person == "zhang").values(valid_to=now + DAY), "privilegeWithdrawn"),
}  # fmt: skip


@pytest.mark.parametrize("what", ["appointment", "role", "grant"])
def test_what_is_stated_no_longer_is_taken_back_by_the_timer(site, zhang, what):
    ended(site, zhang, what)


@pytest.mark.slow
@pytest.mark.parametrize("what", sorted(ENDS.keys() - {"appointment", "role", "grant"}))
def test_so_is_what_is_lowered_or_shortened(site, zhang, what):
    ended(site, zhang, what)


def ended(site, zhang, what):
    grant(site)
    change(site, sa.update(PersonRow).where(PersonRow.id == "zhang").values(clearance="secret"))
    row = site.ca.attributes.issue(CLERK, asked(zhang.serial, hours=24 * 7))
    grant(site, id="g-2")
    assert site.ca.attributes.tend() == 0  # what is added does not matter
    statement, reason = ENDS[what]
    change(site, statement(site.clock.now()))
    assert site.ca.attributes.tend() == 1
    assert rows(site)[0].reason == reason
    found = CertificateList(site.ca.attributes.list("intl-attributes")).lookup(int(row.serial, 16))
    assert found.reason == reason
    assert site.events("ca.revoke-attribute-certificate")[-1]["actor"]["kind"] == "system"
    assert site.ca.attributes.tend() == 0


def test_the_holders_revoked_certificate_takes_it_along(site, zhang):
    row = site.ca.attributes.issue(CLERK, asked(zhang.serial, hours=48))
    site.ca.revoke(OFFICER, zhang.serial, "superseded")
    assert site.ca.attributes.tend() == 1
    assert CertificateList(site.ca.attributes.list("intl-attributes")).lookup(int(row.serial, 16)) is not None


def test_a_grant_over_the_platform_is_named(site, zhang):
    grant(site, organ=PLATFORM)
    row = site.ca.attributes.issue(CLERK, asked(zhang.serial))
    assert "平台及其下级" in offline(site, row)
