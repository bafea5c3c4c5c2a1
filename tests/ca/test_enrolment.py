"""Enrolment credentials: what they prove, what they cover, and that they give what was granted and no more."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz.errors import UnknownOrgan
from ca.enrolment import Grant, Protocol
from ca.enrolment.credential import ANY_DOMAIN, spelled, spend
from ca.enrolment.errors import (
    BadGrant,
    CredentialRefused,
    CredentialSpent,
    CredentialWithdrawn,
    NotGranted,
    UnknownCredential,
)
from ca.enrolment.models import CredentialRow
from ca.errors import ReferenceReused, UnknownProfile
from ca.request import Application
from kms.errors import WrappedKeyAltered
from tests.support.locks import until_waiting
from yinxin.authz import Denied
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.steps import listen

from .conftest import AUDITOR, CLERK, REGISTRAR

pytestmark = pytest.mark.engines("any")


def wanted(site, **parts):
    given = Grant(
        Protocol.EST,
        "county-a",
        ("tls-client", "tls-server"),
        site.clock.now() + timedelta(days=90),
        domains=ANY_DOMAIN,
    )
    return replace(given, **parts)


def asking(name="a.example.gov.cn", *, dns=True):
    key = PrivateKey.generate(INTL)
    return CertificationRequest.build(key, {"commonName": name}, [("dns", name)] if dns else []).der


def test_a_certificate_is_had_on_a_credential(site):
    made, secret = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    known = site.ca.enrolment.proved(made.id, spelled(secret), Protocol.EST)
    issued = site.ca.enrolment.issue(known, "est/1", asking())
    (row,) = site.rows(reference="est/1")
    assert (row.serial, row.profile, row.organ, row.holder) == (
        issued.serial,
        "tls-server",
        "county-a",
        "a.example.gov.cn",
    )
    assert row.requested_by == f"credential:{made.id}"
    intent, done = site.events("ca.issue")
    assert intent["decision"] == {
        "credential": made.id,
        "granted_by": "wu",
        "granted": made.fields()["created"],
    }
    assert done["actor"] == {
        "kind": "service",
        "id": f"credential:{made.id}",
        "organ": "county-a",
        "via": "est",
    }


def test_what_is_asked_for_decides_among_the_granted_profiles(site):
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    site.ca.enrolment.issue(made, "est/1", asking("device-1", dns=False))
    assert site.rows(reference="est/1")[0].profile == "tls-client"


def test_a_name_may_come_from_the_alternative_names_alone(site):
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    csr = CertificationRequest.build(PrivateKey.generate(INTL), {}, [("dns", "b.example.gov.cn")]).der
    issued = site.ca.enrolment.issue(made, "est/1", csr)
    assert issued.certificate.subject.common_name == "b.example.gov.cn"


def test_the_secret_is_in_no_table_and_no_record(site):
    """Seen to fail when the row keeps the secret itself as its blob."""
    _, secret = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    with site.store.engine.connect() as connection:
        kept = repr(connection.execute(sa.select(CredentialRow.__table__)).all()).encode()
    for form in (secret, spelled(secret).encode(), secret.hex().encode()):
        assert form not in kept
        assert all(form.decode("latin-1") not in str(event) for event in site.events())
    assert repr(secret)[2:-1].encode() not in kept


def test_a_secret_moved_to_another_credential_does_not_open(site):
    """Seen to fail when the context does not name the credential."""
    one, secret = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    other, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    with site.store.engine.begin() as connection:
        table = CredentialRow.__table__
        source = connection.execute(sa.select(table).where(table.c.id == one.id)).one()
        moved = sa.update(table).where(table.c.id == other.id)
        connection.execute(moved.values(nonce=source.nonce, blob=source.blob))
    with pytest.raises(WrappedKeyAltered):
        site.ca.enrolment.proved(other.id, spelled(secret), Protocol.EST)


@pytest.mark.parametrize("wrong", ["secret", "id", "protocol", "withdrawn", "expired"])
def test_a_stranger_is_told_the_same_whatever_is_wrong(site, wrong):
    made, secret = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    id_, text, protocol = made.id, spelled(secret), Protocol.EST
    if wrong == "secret":
        text = spelled(bytes(32))
    elif wrong == "id":
        id_ = "0" * 26
    elif wrong == "protocol":
        protocol = Protocol.CMP
    elif wrong == "withdrawn":
        site.ca.enrolment.withdraw(REGISTRAR, made.id)
    else:
        site.clock.advance(timedelta(days=90))
    with pytest.raises(CredentialRefused):
        site.ca.enrolment.proved(id_, text, protocol)


@pytest.mark.parametrize("there", [True, False])
def test_a_refusal_costs_the_same_whether_there_is_such_a_credential(site, monkeypatch, there):
    """Seen to fail when what is not there is refused before the security module is asked: 6 ms of 15 told it."""
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    opened, reveal = [], site.keys.reveal
    monkeypatch.setattr(site.keys, "reveal", lambda *asked: opened.append(asked) or reveal(*asked))
    with pytest.raises(CredentialRefused):
        site.ca.enrolment.proved(made.id if there else "0" * 26, spelled(bytes(32)), Protocol.EST)
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("profile", "name", "field"),
    [
        ("person-signing", "a.example.gov.cn", "profile"),
        ("", "a.other.gov.cn", "dns"),
        ("", "notexample.gov.cn", "dns"),
    ],
)
def test_beyond_the_grant(site, profile, name, field):
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site, domains=("example.gov.cn",)))
    with pytest.raises(NotGranted) as refused:
        site.ca.enrolment.issue(made, "est/1", asking(name), profile=profile)
    assert refused.value.facts["field"] == field
    assert site.rows(reference="est/1") == []
    assert [event["outcome"] for event in site.events("ca.issue")] == ["refused"]


@pytest.mark.parametrize("protocol", ["est", "cmp", "scep"])
def test_which_hosts_a_credential_is_for_is_said_and_recorded(site, protocol):
    """Where the protocol proves no control of them. Seen to fail with the protocol, and with the profile, not asked."""
    open_ = wanted(site, protocol=Protocol(protocol), domains=())
    for domains in ((), ("*", "example.gov.cn")):
        with pytest.raises(BadGrant) as refused:
            site.ca.enrolment.grant(REGISTRAR, replace(open_, domains=domains))
        assert refused.value.facts["field"] == "domains"
    site.ca.enrolment.grant(REGISTRAR, replace(open_, profiles=("tls-client",)))
    site.ca.enrolment.grant(REGISTRAR, replace(open_, protocol=Protocol.ACME))
    made, _ = site.ca.enrolment.grant(REGISTRAR, replace(open_, domains=ANY_DOMAIN))
    assert made.fields()["domains"] == ["*"]
    assert site.events("ca.grant-credential")[-1]["facts"]["domains"] == ["*"]


@pytest.mark.parametrize(
    "domain",
    [
        "Zi.example.gov.cn",
        "*.example.gov.cn",
        "example.gov.cn.",
        "https://a.cn",
        "a.cn:443",
        "例.cn",
        "10.0.0.1",
        "",
    ],
)
def test_what_no_host_name_could_lie_in_is_no_domain(site, domain):
    """Seen to fail with domains taken as they come: such a credential gave nothing, and nobody was told why."""
    with pytest.raises(BadGrant) as refused:
        site.ca.enrolment.grant(REGISTRAR, wanted(site, domains=("example.gov.cn", domain)))
    assert refused.value.facts["field"] == "domains"
    assert f"“{domain}”" in refused.value.text("zh")


@pytest.mark.parametrize("uses", [0, 1_000_001])
def test_how_often_is_counted(site, uses):
    """The column is an integer of 32 bits. Seen to fail without a bound above."""
    with pytest.raises(BadGrant) as refused:
        site.ca.enrolment.grant(REGISTRAR, wanted(site, uses=uses))
    assert refused.value.facts["field"] == "uses"


def test_a_host_in_the_common_name_lies_within_the_granted_domains_too(site):
    """Seen to fail with only the alternative names looked at."""
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site, domains=("example.gov.cn",)))
    with pytest.raises(NotGranted) as refused:
        site.ca.enrolment.issue(made, "est/1", asking("portal.other.gov.cn", dns=False))
    assert refused.value.facts["asked"] == "portal.other.gov.cn"
    for number, name in enumerate(("device-17", "device.Example.gov.cn")):
        site.ca.enrolment.issue(made, f"est/{number + 2}", asking(name, dns=False))


def test_a_credential_gives_what_was_granted_and_no_more(site):
    """Sixteen at once on a credential for three. Seen to fail when the count is read before and written after."""
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site, uses=3))
    asked = [asking(f"{n}.example.gov.cn") for n in range(16)]

    def ask(n):
        try:
            return site.ca.enrolment.issue(made, f"est/{n}", asked[n])
        except CredentialSpent as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(ask, range(16)))
    assert len(site.rows(state="issued", requested_by=f"credential:{made.id}")) == 3
    assert sum(isinstance(each, CredentialSpent) for each in got) == 13
    assert all(row.revoked_at for row in site.rows(state="abandoned"))
    assert site.rows(state="intent") == []


def ended(site, made, how):
    if how == "withdrawn":
        site.ca.enrolment.withdraw(REGISTRAR, made.id)
    else:
        site.clock.advance(timedelta(minutes=1))


@pytest.mark.parametrize("uses", [None, 2])
@pytest.mark.parametrize("how", ["withdrawn", "expired"])
def test_what_ends_while_a_certificate_is_made_gives_none(site, how, uses):
    """Seen to fail, each, with the credential not asked where the certificate is stored: it was handed out."""
    minute = site.clock.now() + timedelta(minutes=1)
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site, uses=uses, expires=minute))

    def reached(name):
        if name == "ca.issue.4-signed":
            listen(None)
            ended(site, made, how)

    listen(reached)
    try:
        with pytest.raises(CredentialRefused):
            site.ca.enrolment.issue(made, "est/1", asking())
    finally:
        listen(None)
    (row,) = site.rows(reference="est/1")
    assert (row.state, row.revoked_at is None, row.der) == ("abandoned", False, None)
    with site.store.read() as session:
        assert session.get_one(CredentialRow, made.id).uses_left == uses


@pytest.mark.engines("both")
def test_a_withdrawal_waits_for_a_certificate_that_is_being_stored(site):
    """So what is had on a credential was had before it was withdrawn. Seen to fail with the row only read: it waited for nothing."""
    if site.store.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    with ThreadPoolExecutor() as pool:
        with site.store.act(made.actor, "ca.issue", "certificate:-") as act:
            spend(act.session, made, site.clock.now())
            other = pool.submit(site.ca.enrolment.withdraw, REGISTRAR, made.id)
            assert until_waiting(site.store.engine, other)
        other.result()
    with pytest.raises(CredentialRefused):
        site.ca.enrolment.usable(made.id, Protocol.EST)


def test_a_transaction_repeated_gives_the_same_certificate_and_costs_nothing(site):
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site, uses=1))
    csr = asking()
    first = site.ca.enrolment.issue(made, "est/1", csr)
    assert site.ca.enrolment.issue(made, "est/1", csr) == first
    with pytest.raises(ReferenceReused):
        site.ca.enrolment.issue(made, "est/1", asking())


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"profiles": ()}, BadGrant),
        ({"profiles": ("tls-server", "tls-server")}, BadGrant),
        ({"profiles": ("root",)}, BadGrant),
        ({"profiles": ("nothing",)}, UnknownProfile),
        ({"profiles": ("person-signing",)}, BadGrant),
        ({"uses": 0}, BadGrant),
        ({"protocol": Protocol.ACME, "profiles": ("tls-wildcard",), "domains": ()}, BadGrant),
        ({"protocol": Protocol.EST, "profiles": ("tls-wildcard",), "domains": ("example.gov.cn",)}, BadGrant),
        ({"organ": "nowhere"}, UnknownOrgan),
        ({"holder_kind": "person", "holder": "li", "post": "clerk-b", "profiles": ("person-signing",)}, BadGrant),
    ],
)  # fmt: skip
def test_grants_that_make_no_sense(site, parts, error):
    with pytest.raises(error):
        site.ca.enrolment.grant(REGISTRAR, wanted(site, **parts))
    (refused,) = site.events("ca.grant-credential")
    assert refused["outcome"] == "refused"


@pytest.mark.parametrize("days", [-1, 0, 1097])
def test_a_credential_does_not_live_for_ever(site, days):
    with pytest.raises(BadGrant):
        site.ca.enrolment.grant(REGISTRAR, wanted(site, expires=site.clock.now() + timedelta(days=days)))


@pytest.mark.parametrize("actor", [CLERK, AUDITOR])
def test_who_may_not_issue_may_not_grant(site, actor):
    with pytest.raises(Denied):
        site.ca.enrolment.grant(actor, wanted(site))


def test_the_registrar_of_one_county_grants_nothing_in_another(site):
    with pytest.raises(Denied):
        site.ca.enrolment.grant(REGISTRAR, wanted(site, organ="county-b"))


def test_withdrawing_twice(site):
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site))
    site.ca.enrolment.withdraw(REGISTRAR, made.id)
    with pytest.raises(CredentialWithdrawn):
        site.ca.enrolment.withdraw(REGISTRAR, made.id)
    with pytest.raises(UnknownCredential):
        site.ca.enrolment.withdraw(REGISTRAR, "0" * 26)


def test_an_application_that_another_protocol_read(site):
    made, _ = site.ca.enrolment.grant(REGISTRAR, wanted(site, profiles=("tls-client",)))
    asked = Application(PrivateKey.generate(INTL).public_key, Name.of({"commonName": "system-1"}))
    assert site.ca.enrolment.issue(made, "cmp/1", asked).certificate.subject.common_name == "system-1"
