"""EST: every operation, one certificate for each request, and the answers to what is wrong."""

import base64
import email
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ca.enrolment import Protocol
from tests.support.forked import run
from tests.support.openssl import openssl
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.signed_data import SignedData
from yinxin.crypto.suite import INTL, SM

from .conftest import OFFICER, Site
from .crasher import ask, leave, request_in
from .protocols import client_of, granted, shown, unchanged

pytestmark = pytest.mark.engines("any")


ROOT = "/.well-known/est"


@pytest.fixture
def est(site: Site) -> Any:
    return Client(site)


class Client:
    """A client with a credential."""

    def __init__(self, site: Site, **parts: Any) -> None:
        self.site = site
        self.http = client_of(site)
        self.credential, self.password = granted(site, Protocol.EST, **parts)

    def post(self, what: str, csr: bytes, *, peer: Certificate | None = None, **parts: Any) -> Any:
        auth = parts.pop("auth", None if peer else (self.credential.id, self.password))
        given = {
            "data": base64.encodebytes(csr),
            "content_type": "application/pkcs10",
            "environ_overrides": shown(peer) if peer else {},
        }
        return self.http.post(f"{ROOT}/{what}", auth=auth, **{**given, **parts})

    def enrol(self, csr: bytes, label: str = "") -> Certificate:
        answer = self.post(f"{label}/simpleenroll" if label else "simpleenroll", csr)
        assert answer.status_code == 200, answer.text
        return only(answer)


def bag(answer: Any) -> list[Certificate]:
    assert answer.content_type == "application/pkcs7-mime; smime-type=certs-only"
    text = openssl("pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(answer.data))
    return Certificate.load_many(text.encode())


def only(answer: Any) -> Certificate:
    (certificate,) = bag(answer)
    return certificate


def asking(name: str = "a.example.gov.cn", key: PrivateKey | None = None, *, dns: bool = True) -> bytes:
    key = key or PrivateKey.generate(INTL)
    return CertificationRequest.build(key, {"commonName": name}, [("dns", name)] if dns else []).der


def with_attribute(key: PrivateKey, oid: str, value: bytes) -> bytes:
    """A request for device-1 with one attribute."""
    plain = CertificationRequest.build(key, {"commonName": "device-1"})
    version, subject, spki, _ = der.elements(der.elements(plain.der)[0])
    attributes = der.tlv(0xA0, der.sequence(der.oid(oid), der.set_of([value])))
    info = der.sequence(version, subject, spki, attributes)
    return der.sequence(info, key.public_key.signature_algorithm.identifier, der.bits(key.sign(info)))


# --- what goes well --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["intl", "sm"])
def test_the_authorities_certificates(est: Client, suite: str) -> None:
    found = bag(est.http.get(f"{ROOT}/cacerts" if suite == "intl" else f"{ROOT}/sm/cacerts"))
    assert [each.der for each in found] == [
        est.site.ca.certificate(f"{suite}-issuing").der,
        est.site.ca.certificate(f"{suite}-root").der,
    ]


def test_enrolled_and_enrolled_again(est: Client) -> None:
    csr = asking()
    certificate = est.enrol(csr)
    assert certificate.san == (("dns", "a.example.gov.cn"),)
    assert est.enrol(csr) == certificate
    (row,) = est.site.rows(requested_by=f"credential:{est.credential.id}")
    assert row.profile == "tls-server"


def test_the_label_is_the_profile(est: Client) -> None:
    est.enrol(asking("device-1", dns=False), "tls-client")
    answer = est.post("tls-server/simpleenroll", asking("device-2", dns=False))
    assert answer.status_code == 400
    assert "subjectAltName" in answer.text


def test_a_request_whose_certificate_ended_gives_no_other(est: Client) -> None:
    csr = asking()
    serial = f"{est.enrol(csr).serial:x}"
    est.site.ca.revoke(OFFICER, serial, "superseded")
    answer = est.post("simpleenroll", csr)
    assert answer.status_code == 409
    assert serial in answer.text


@pytest.mark.parametrize("new_key", [True, False])
def test_a_certificate_renews_itself(est: Client, new_key: bool) -> None:
    key = PrivateKey.generate(INTL)
    old = est.enrol(asking(key=key))
    csr = CertificationRequest.build(
        PrivateKey.generate(INTL) if new_key else key, old.subject, [("dns", "a.example.gov.cn")]
    ).der
    new = only(est.post("simplereenroll", csr, peer=old))
    assert (new.subject.pairs, new.san) == (old.subject.pairs, old.san)
    assert only(est.post("simplereenroll", csr, peer=old)) == new
    (_, event) = est.site.events("ca.issue")[-2:]
    assert event["actor"]["certificate"] == old.fingerprint


def test_a_credential_renews_what_it_had(est: Client) -> None:
    old = est.enrol(asking())
    csr = CertificationRequest.build(PrivateKey.generate(INTL), old.subject, old.san).der
    assert only(est.post("simplereenroll", csr)).subject == old.subject
    other = asking("b.example.gov.cn")
    assert est.post("simplereenroll", other).status_code == 404


def parts(answer: Any) -> list[Any]:
    head = f"Content-Type: {answer.content_type}\n\n".encode()
    return list(email.message_from_bytes(head + answer.data).walk())[1:]


def test_a_key_is_made(est: Client) -> None:
    csr = asking("device-1", dns=False)
    answer = est.post("serverkeygen", csr)
    first, second = parts(answer)
    assert first.get_content_type() == "application/pkcs8"
    key = PrivateKey.load(first.get_payload(decode=True))
    assert second.get_content_type() == "application/pkcs7-mime"
    text = openssl("pkcs7", "-inform", "DER", "-print_certs", input=second.get_payload(decode=True))
    assert Certificate.load(text.encode()).public_key == key.public_key
    assert key.public_key != CertificationRequest(csr).public_key
    # it is kept nowhere, so the same request cannot have it again
    assert est.post("serverkeygen", csr).status_code == 409
    assert len(est.site.rows(requested_by=f"credential:{est.credential.id}")) == 1


@pytest.mark.parametrize("how", ["request", "peer", "shared"])
def test_a_key_is_sealed_for_whom_the_client_names(est: Client, how: str) -> None:
    own = PrivateKey.generate(INTL)
    peer = est.enrol(asking("device-0", own, dns=False)) if how == "peer" else None
    asked = PrivateKey.generate(INTL) if how == "peer" else own
    if how == "shared":
        csr = with_attribute(asked, oids.DECRYPT_KEY_ID, der.octets(est.credential.id.encode()))
    else:
        wanted = der.octets(own.public_key.key_id)
        csr = with_attribute(asked, oids.ASYMMETRIC_DECRYPT_KEY_ID, wanted)
    answer = est.post("serverkeygen", csr, peer=peer, auth=(est.credential.id, est.password))
    assert answer.status_code == 200, answer.text
    first, second = parts(answer)
    assert first.get_param("smime-type") == "server-generated-key"
    envelope = EnvelopedData.load(first.get_payload(decode=True))
    if how == "shared":
        secret = base64.urlsafe_b64decode(est.password + "=")
        inner = envelope.open_shared(secret, est.credential.id.encode())
    else:
        inner = envelope.open(peer or own.public_key, own.pkcs8())
    signed = SignedData.load(der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, inner)), "key package")
    agent = signed.verify(None, "key package")
    assert signed.content_type == oids.KEY_PACKAGE
    assert agent == est.site.ca.agents.signing().certificate
    (pkcs8,) = der.elements(signed.content or b"")
    text = openssl("pkcs7", "-inform", "DER", "-print_certs", input=second.get_payload(decode=True))
    assert Certificate.load(text.encode()).public_key == PrivateKey.load(pkcs8).public_key


def test_a_made_key_is_in_no_table_and_no_record(est: Client) -> None:
    """Seen to fail when the reference of the issuance holds the key."""
    answer = est.post("serverkeygen", asking("device-1", dns=False))
    pkcs8 = parts(answer)[0].get_payload(decode=True)
    scalar = pkcs8[36:68]  # of a P-256 PrivateKeyInfo
    assert pkcs8[34:36] == b"\x04\x20"
    raw = (est.site.folder.parent / "raw").with_suffix(".txt")
    with est.site.store.engine.connect() as connection:
        from yinxin.store import Base

        raw.write_text(repr([connection.execute(t.select()).all() for t in Base.metadata.sorted_tables]))
    kept = raw.read_text()
    for form in (repr(scalar)[2:-1], scalar.hex(), base64.b64encode(scalar).decode()[4:40]):
        assert form not in kept


def test_what_a_request_should_contain(est: Client) -> None:
    answer = est.http.get(f"{ROOT}/tls-server/csrattrs")
    assert answer.content_type == "application/csrattrs"
    text = openssl("asn1parse", "-inform", "DER", input=base64.b64decode(answer.data))
    for part in ("prime256v1", "secp384r1", "rsaEncryption", "X509v3 Subject Alternative Name"):
        assert part in text
    assert est.http.get(f"{ROOT}/nothing/csrattrs").status_code == 400


def test_the_sm_suite(est: Client) -> None:
    key = PrivateKey.generate(SM)
    certificate = est.enrol(asking(key=key))
    assert certificate.public_key == key.public_key
    assert certificate.issuer == est.site.ca.certificate("sm-issuing").subject


# --- invariants ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["simpleenroll", "serverkeygen"])
@pytest.mark.engines("both")
def test_64_at_once_give_one_certificate(est: Client, what: str) -> None:
    """Seen to fail when the reference is a fresh identifier instead of the request's digest."""
    csr = asking("device-1", dns=False)
    gate = threading.Barrier(16)

    def ask(n: int) -> Any:
        if n < 16:
            gate.wait()
        return client_of_thread(est).post(what, csr)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(64)))
    statuses = {each.status_code for each in answers}
    assert statuses <= {200, 202, 409} if what == "serverkeygen" else statuses <= {200, 202}
    assert all(each.headers["Retry-After"] for each in answers if each.status_code == 202)
    given_out = [each for each in answers if each.status_code == 200]
    assert given_out
    if what == "simpleenroll":
        assert len({each.data for each in given_out}) == 1
        assert est.post(what, csr).status_code == 200
    else:
        assert len(given_out) == 1
    rows = est.site.rows(requested_by=f"credential:{est.credential.id}")
    assert [row.state for row in rows] == ["issued"]


def client_of_thread(est: Client) -> Client:
    """The same credential, another connection."""
    again = object.__new__(Client)
    again.site, again.credential, again.password = est.site, est.credential, est.password
    again.http = est.http.application.test_client()
    return again


@pytest.mark.parametrize("step", ["2-linted", "3-intended", "4-signed", "5-stored"])
def test_an_enrolment_killed_at_any_step(founded: Callable[..., Site], step: str) -> None:
    """Seen to fail when the reference is a fresh identifier: the certificate of the dead process is one too many."""
    est = Client(founded())
    csr, name = asking(), f"credential:{est.credential.id}"
    token = base64.b64encode(f"{est.credential.id}:{est.password}".encode()).decode()
    leave(
        est.site.folder, base64.b64encode(csr), method="POST", path=f"{ROOT}/simpleenroll",
        content_type="application/pkcs10", headers={"Authorization": f"Basic {token}"},
    )  # fmt: skip
    est.site.ca.agents.signing()
    est.site.keys.close()
    assert run(ask, est.site.url, est.site.folder, f"ca.issue.{step}") == -signal.SIGKILL

    site = founded()
    http = client_of(site)
    sent = request_in(site.folder)
    if step in ("3-intended", "4-signed"):
        assert http.open(**sent).status_code == 202
    site.clock.advance(timedelta(seconds=61))
    assert only(http.open(**sent)) == only(http.open(**sent))
    rows = site.rows(requested_by=name)
    assert [row.state for row in rows].count("issued") == 1
    assert all(row.revoked_at for row in rows if row.state == "abandoned")


# --- what is wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["none", "password", "id", "bearer", "withdrawn", "expired"])
def test_strangers(est: Client, wrong: str) -> None:
    auth: Any = {"none": None, "password": (est.credential.id, "x"), "id": ("x", est.password)}
    given = {"auth": auth.get(wrong, (est.credential.id, est.password))}
    if wrong == "bearer":
        given = {"auth": None, "headers": {"Authorization": "Bearer x"}}
    if wrong == "withdrawn":
        est.site.ca.enrolment.withdraw(OFFICER, est.credential.id)
    if wrong == "expired":
        est.site.clock.advance(timedelta(days=91))
    with unchanged(est.site):
        answer = est.post("simpleenroll", asking(), **given)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert est.site.events("ca.issue")[-1]["outcome"] == "refused"


def test_strangers_do_not_fill_the_log(est: Client) -> None:
    """Seen to fail when the refusal is recorded by `Store.refuse`."""
    before = len(est.site.events())
    for _ in range(70):
        est.post("simpleenroll", asking(), auth=None)
    assert len(est.site.events()) == before + 60


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"data": b"AAAA"}, 400),
        ({"data": b""}, 400),
        ({"data": b"\xff!"}, 400),
        ({"content_type": "application/json"}, 422),
        ({"data": base64.b64encode(bytes(70000))}, 400),
        ({"data": bytes(2 << 20)}, 413),
    ],
)
def test_bodies_that_are_no_request(est: Client, parts: dict[str, Any], status: int) -> None:
    with unchanged(est.site):
        answer = est.post("simpleenroll", b"", **parts)
    assert answer.status_code in (status, 415 if status == 422 else status), answer.text
    assert answer.mimetype in ("text/plain", "application/problem+json")


def refusal(kind: str, est: Client) -> tuple[str, bytes, dict[str, Any], int]:
    """(operation, request, arguments, expected status) of something that is not granted."""
    key = PrivateKey.generate(INTL)
    old = est.enrol(asking("c.example.gov.cn", key))
    renewal = CertificationRequest.build(key, old.subject, old.san)
    forged = bytearray(asking())
    forged[-1] ^= 1
    return {
        "foreign domain": ("simpleenroll", asking("a.other.gov.cn"), {}, 400),
        "other profile": ("person-signing/simpleenroll", asking(), {}, 403),
        "unknown profile": ("nothing/simpleenroll", asking(), {}, 403),
        "no possession": ("simpleenroll", bytes(forged), {}, 400),
        "key in use": ("simpleenroll", asking("d.example.gov.cn", key), {}, 409),
        "challenge": ("simpleenroll", with_attribute(key, oids.CHALLENGE_PASSWORD, der.utf8("x")), {}, 400),
        "other name": ("simplereenroll", asking("e.example.gov.cn", key), {"peer": old}, 400),
        "renewal of nothing": ("simplereenroll", renewal.der, {"auth": None}, 401),
        "foreign key identifier": (
            "serverkeygen",
            with_attribute(key, oids.ASYMMETRIC_DECRYPT_KEY_ID, der.octets(bytes(20))),
            {},
            400,
        ),
        "foreign shared key": (
            "serverkeygen",
            with_attribute(key, oids.DECRYPT_KEY_ID, der.octets(b"x")),
            {},
            400,
        ),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "foreign domain", "other profile", "unknown profile", "no possession", "key in use", "challenge",
        "other name", "renewal of nothing", "foreign key identifier", "foreign shared key",
    ],
)  # fmt: skip
def test_what_is_not_granted(est: Client, kind: str) -> None:
    what, csr, arguments, status = refusal(kind, est)
    with unchanged(est.site):
        answer = est.post(what, csr, **arguments)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "text/plain"
    assert est.site.events("ca.issue")[-1]["outcome"] == "refused"


@pytest.mark.parametrize("why", ["revoked", "expired", "foreign"])
def test_a_certificate_that_counts_no_more_renews_nothing(est: Client, why: str) -> None:
    key = PrivateKey.generate(INTL)
    old = est.enrol(asking(key=key))
    if why == "revoked":
        est.site.ca.revoke(OFFICER, f"{old.serial:x}", "superseded")
    elif why == "expired":
        est.site.clock.advance(timedelta(days=400))
    else:
        made = Path(est.site.folder) / "foreign.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", made.with_suffix(".key"), "-out", made)  # fmt: skip
        old = Certificate.load(made.read_bytes())
    with unchanged(est.site):
        answer = est.post("simplereenroll", asking(key=key), peer=old)
    assert answer.status_code in (400, 404), answer.text


def test_fullcmc_says_that_it_is_not_there(est: Client) -> None:
    assert est.post("fullcmc", b"").status_code == 501


@pytest.fixture(scope="module")
def whole() -> bytes:
    return asking("a.example.gov.cn")


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_requests(est: Client, whole: bytes, caplog: pytest.LogCaptureFixture, data: st.DataObject) -> None:  # fmt: skip
    """Whatever a request became, it is answered in words, issues nothing and leaves no exception in the log."""
    body = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if bytes(body) == whole:
        return
    caplog.clear()
    answer = est.post("simpleenroll", bytes(body))
    assert answer.status_code in (400, 409), answer.text
    assert not [each for each in caplog.records if each.exc_info]
    assert est.site.rows(requested_by=f"credential:{est.credential.id}") == []
