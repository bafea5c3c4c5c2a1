"""SCEP: each operation and message, one certificate for each transaction, and the answers to what is wrong."""

import base64
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ca.enrolment import Protocol
from ca.scep import message as wire
from tests.support.forked import run
from tests.support.openssl import openssl
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import AES_256_CBC, ContentCipher, EnvelopedData, envelop
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.signed_data import SignedData, build
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed

from .conftest import OFFICER, REGISTRAR, Site
from .crasher import ask, leave, request_in
from .protocols import client_of, granted, unchanged

pytestmark = pytest.mark.engines("any")


TYPE = "application/x-pki-message"
BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_CERT_ID = "0", "1", "2", "4"


@dataclass
class Answer:
    status: str
    failure: str | None
    text: str
    signed: SignedData
    #: what was enveloped
    certificates: list[Certificate]
    content: bytes


@dataclass
class Device:
    """A client with a key, a self-signed certificate over it, and a credential."""

    site: Site
    challenge: str
    key: PrivateKey
    certificate: Certificate
    transaction: str = "T-1"
    http: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.http = self.http or client_of(self.site)

    def csr(self, name: str = "device-1", challenge: str | None = None) -> bytes:
        given = self.challenge if challenge is None else challenge
        attributes = der.tlv(0xA0, wire.attribute(oids.CHALLENGE_PASSWORD, der.utf8(given)) if given else b"")
        subject = Name.of({"commonName": name})
        info = der.sequence(der.integer(0), subject.der, self.key.public_key.spki, attributes)
        algorithm = self.key.public_key.signature_algorithm.identifier
        return der.sequence(info, algorithm, der.bits(self.key.sign(info)))

    def message(
        self, kind: str, content: bytes, *, signer: PrivateKey | None = None, certificate: Certificate | None = None,
        cipher: ContentCipher = AES_256_CBC, recipient: Certificate | None = None, nonce: bytes = bytes(16),
    ) -> bytes:  # fmt: skip
        agent = recipient or self.site.ca.agents.deciphering().certificate
        attributes = [
            wire.attribute(wire.MESSAGE_TYPE, der.printable(kind)),
            wire.attribute(wire.TRANSACTION_ID, der.printable(self.transaction)),
            wire.attribute(wire.SENDER_NONCE, der.octets(nonce)),
        ]
        shown = certificate or self.certificate
        return build(
            signer=signer or self.key,
            certificate=shown,
            certificates=[shown],
            content=envelop(content, agent, cipher=cipher, oaep=False),
            embed=True,
            content_type=oids.DATA,
            attributes=attributes,
        )

    def send(
        self, message: bytes, *, opener: PrivateKey | None = None, to: Certificate | None = None
    ) -> Answer:
        """The answer: its signature is checked, its content opened."""
        answer = self.http.post("/scep?operation=PKIOperation", data=message, content_type=TYPE)
        assert (answer.status_code, answer.content_type) == (200, TYPE), answer.text
        return self.read(answer.data, opener=opener, to=to)

    def read(self, data: bytes, *, opener: PrivateKey | None = None, to: Certificate | None = None) -> Answer:
        signed = SignedData.load(data, "CertRep")
        inside = signed.content
        agent = signed.verify(None if inside is not None else b"", "CertRep")
        assert agent == self.site.ca.agents.deciphering().certificate
        values = {oid: der.content(value) for oid, value in signed.signer.values.items()}
        assert values[wire.MESSAGE_TYPE] == b"3"
        assert values[wire.TRANSACTION_ID].decode() == self.transaction
        assert values[wire.RECIPIENT_NONCE] == bytes(16)
        content, found = b"", []
        if inside is not None:
            key = opener or self.key
            content = EnvelopedData.load(inside).open(to or self.certificate, key.pkcs8())
            text = openssl("pkcs7", "-inform", "DER", "-print_certs", input=content)
            found = Certificate.load_many(text.encode()) if "BEGIN CERTIFICATE" in text else []
        failure = values.get(wire.FAIL_INFO)
        return Answer(
            values[wire.PKI_STATUS].decode(), failure.decode() if failure else None,
            values.get(wire.FAIL_INFO_TEXT, b"").decode(), signed, found, content,
        )  # fmt: skip

    def ask(self, kind: str, content: bytes, **parts: Any) -> Answer:
        return self.send(self.message(kind, content, **parts))

    def enrol(self) -> Certificate:
        answer = self.ask("19", self.csr())
        assert answer.status == "0", answer.text
        return answer.certificates[0]


KEY = PrivateKey.generate("rsa-3072")
OTHER = PrivateKey.generate("rsa-3072")


def own(site: Site, key: PrivateKey, name: str = "device-1", *usage: str) -> Certificate:
    """A self-signed certificate."""
    now = site.clock.now().replace(microsecond=0)
    subject = Name.of({"commonName": name})
    usages = frozenset(usage or {"digitalSignature", "keyEncipherment"})
    template = CertificateTemplate(
        subject, now - timedelta(days=1), now + timedelta(days=9), key_usage=usages
    )
    algorithm = key.public_key.signature_algorithm
    tbs = to_be_signed(
        template, spki=key.public_key.spki, issuer_name=subject, issuer_key_id=key.public_key.key_id,
        serial=1, algorithm=algorithm,
    )  # fmt: skip
    return Certificate(assemble(tbs, algorithm, key.sign(tbs)))


@pytest.fixture
def device(site: Site) -> Device:
    made, secret = granted(site, Protocol.SCEP)
    site.ca.agents.deciphering()  # made before: nothing but what a message does is looked at
    return Device(site, f"{made.id}:{secret}", KEY, own(site, KEY))


def mine(device: Device) -> list[Any]:
    return device.site.rows(requested_by=f"credential:{device.challenge.split(':')[0]}")


# --- what goes well --------------------------------------------------------------------------------------------


def test_what_is_offered(device: Device) -> None:
    caps = device.http.get("/scep?operation=GetCACaps").text.split()
    assert {"AES", "POSTPKIOperation", "Renewal", "SHA-256"} <= set(caps)
    assert not {"DES3", "SHA-1"} & set(caps)
    answer = device.http.get("/scep/pkiclient.exe?operation=GetCACert&message=x")
    assert answer.content_type == "application/x-x509-ca-ra-cert"
    text = openssl("pkcs7", "-inform", "DER", "-print_certs", input=answer.data)
    found = Certificate.load_many(text.encode())
    assert found == [
        device.site.ca.agents.deciphering().certificate,
        device.site.ca.certificate("intl-issuing"),
        device.site.ca.certificate("intl-root"),
    ]
    assert found[0].public_key.algorithm == "rsa"
    assert device.http.get("/scep?operation=GetNextCACert").status_code == 404


def test_enrolled_by_post_and_get(device: Device) -> None:
    certificate = device.enrol()
    assert certificate.subject.common_name == "device-1"
    assert certificate.public_key == KEY.public_key
    by_get = device.http.get(
        "/scep", query_string={"operation": "PKIOperation", "message": base64.b64encode(device.message("19", device.csr()))}
    )  # fmt: skip
    assert device.read(by_get.data).certificates[0] == certificate
    (row,) = mine(device)
    assert row.profile == "tls-client"


def test_a_certificate_renews_itself(device: Device) -> None:
    old = device.enrol()
    new = Device(device.site, "", OTHER, old, transaction="T-2")
    message = new.message("17", new.csr(), signer=KEY, certificate=old)
    answer = new.send(message, opener=KEY, to=old)
    assert answer.status == "0", answer.text
    renewed = answer.certificates[0]
    assert (renewed.public_key, renewed.subject.pairs) == (OTHER.public_key, old.subject.pairs)
    assert new.send(message, opener=KEY, to=old).certificates[0] == renewed
    refused = new.ask("17", new.csr("device-2"), signer=KEY, certificate=old)
    assert (refused.status, refused.failure) == ("2", BAD_REQUEST)


def test_a_poll_gives_what_was_issued(device: Device) -> None:
    names = der.sequence(device.certificate.issuer.der, device.certificate.subject.der)
    assert device.ask("20", names).failure == BAD_REQUEST
    certificate = device.enrol()
    assert device.ask("20", names).certificates[0] == certificate


def named(certificate: Certificate) -> bytes:
    return der.sequence(certificate.issuer.der, der.integer(certificate.serial))


def test_certificates_and_lists_are_fetched(device: Device) -> None:
    certificate = device.enrol()
    holder = {"signer": KEY, "certificate": certificate}

    def fetch(kind: str, content: bytes) -> Answer:
        return device.send(device.message(kind, content, **holder), to=certificate)  # type: ignore[arg-type]

    assert fetch("21", named(certificate)).certificates == [certificate]
    answer = device.ask("22", named(certificate))
    text = openssl("pkcs7", "-inform", "DER", "-print_certs", input=answer.content)
    block = text[text.index("-----BEGIN X509 CRL") :]
    assert CertificateList.load(block.encode()).number
    # certificates are for holders; a person's for nobody else
    assert device.ask("21", named(certificate)).failure == BAD_CERT_ID
    person = device.site.ca.issue(REGISTRAR, device.site.person()).certificate
    assert fetch("21", named(person)).failure == BAD_CERT_ID
    assert fetch("22", der.sequence(Name.of({"commonName": "x"}).der, der.integer(1))).failure == BAD_CERT_ID


# --- invariants ------------------------------------------------------------------------------------------------


@pytest.mark.engines("both")
def test_64_at_once_give_one_certificate(device: Device) -> None:
    """Seen to fail when the reference is a fresh identifier instead of the transaction's."""
    message = device.message("19", device.csr())
    gate = threading.Barrier(16)

    def send(n: int) -> bytes:
        http = device.http.application.test_client()
        if n < 16:
            gate.wait()
        return bytes(http.post("/scep?operation=PKIOperation", data=message, content_type=TYPE).data)

    with ThreadPoolExecutor(16) as pool:
        answers = [device.read(each) for each in pool.map(send, range(64))]
    assert {each.status for each in answers} <= {"0", "3"}
    assert len({each.certificates[0] for each in answers if each.status == "0"}) == 1
    assert [row.state for row in mine(device)] == ["issued"]
    names = der.sequence(device.certificate.issuer.der, device.certificate.subject.der)
    assert device.ask("20", names).status == "0"


@pytest.mark.parametrize("step", ["2-linted", "3-intended", "4-signed", "5-stored"])
def test_a_transaction_killed_at_any_step(founded: Callable[..., Site], step: str) -> None:
    site = founded()
    made, secret = granted(site, Protocol.SCEP)
    device = Device(site, f"{made.id}:{secret}", KEY, own(site, KEY))
    message = device.message("19", device.csr())
    leave(site.folder, message, method="POST", path="/scep?operation=PKIOperation", content_type=TYPE)
    site.ca.agents.signing()
    site.ca.agents.deciphering()
    site.keys.close()
    assert run(ask, site.url, site.folder, f"ca.issue.{step}") == -signal.SIGKILL

    device.site = founded()
    device.http = client_of(device.site)
    answer = device.read(device.http.open(**request_in(site.folder)).data)
    names = der.sequence(device.certificate.issuer.der, device.certificate.subject.der)
    if step in ("3-intended", "4-signed"):
        assert answer.status == "3"
        assert device.ask("20", names).status == "3"
    device.site.clock.advance(timedelta(seconds=61))
    device.site.ca.reconcile()
    assert device.send(message).certificates == device.send(message).certificates
    assert device.ask("20", names).status == "0"
    rows = mine(device)
    assert [row.state for row in rows].count("issued") == 1
    assert all(row.revoked_at for row in rows if row.state == "abandoned")


# --- what is wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["none", "secret", "id", "form", "withdrawn", "other protocol"])
def test_challenge_passwords(device: Device, wrong: str) -> None:
    """Seen to fail, for “secret”, when `usable` stands where `proved` does."""
    identifier, secret = device.challenge.split(":")
    if wrong == "withdrawn":
        device.site.ca.enrolment.withdraw(OFFICER, identifier)
    made, word = granted(device.site, Protocol.EST)
    challenge = {
        "none": "", "secret": f"{identifier}:x", "id": f"x:{secret}", "form": secret, "other protocol": f"{made.id}:{word}",
    }.get(wrong, device.challenge)  # fmt: skip
    with unchanged(device.site):
        answer = device.ask("19", device.csr(challenge=challenge))
    assert (answer.status, answer.failure) == ("2", BAD_MESSAGE_CHECK)
    assert len(answer.text) > 20
    assert device.site.events("ca.issue")[-1]["outcome"] == "refused"
    assert secret not in str(device.site.events())


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("other key", BAD_MESSAGE_CHECK), ("forged", BAD_MESSAGE_CHECK), ("foreign recipient", BAD_MESSAGE_CHECK),
        ("bad request", BAD_MESSAGE_CHECK), ("unknown type", BAD_REQUEST), ("answer", BAD_REQUEST), ("weak", BAD_ALG),
        ("renewal of nothing", BAD_CERT_ID), ("revoked", BAD_REQUEST),
    ],
)  # fmt: skip
def test_messages_that_are_refused(device: Device, kind: str, failure: str) -> None:
    """For “weak”, triple DES, seen to fail when a cipher that is not known is taken for AES."""
    site = device.site
    if kind == "other key":
        message = device.message("19", device.csr(), signer=OTHER, certificate=own(site, OTHER))
    elif kind == "forged":
        good = device.message("19", device.csr())
        message = good[:-1] + bytes((good[-1] ^ 1,))
    elif kind == "foreign recipient":
        message = device.message("19", device.csr(), recipient=device.certificate)
    elif kind == "bad request":
        message = device.message("19", b"nonsense")
    elif kind == "unknown type":
        message = device.message("99", device.csr())
    elif kind == "answer":
        message = device.message("3", device.csr())
    elif kind == "renewal of nothing":
        message = device.message("17", device.csr())
    elif kind == "revoked":
        certificate = device.enrol()
        site.ca.revoke(OFFICER, f"{certificate.serial:x}", "superseded")
        message = device.message("19", device.csr())
    else:
        message = triple_des(device)
    with unchanged(site):
        opener = OTHER if kind == "other key" else None
        answer = device.send(message, opener=opener)
    assert (answer.status, answer.failure) == ("2", failure), answer.text
    assert site.events("ca.issue")[-1]["outcome"] == "refused"


def triple_des(device: Device) -> bytes:
    """A message that OpenSSL encrypted as SCEP once did."""
    folder = device.site.folder
    agent = device.site.ca.agents.deciphering().certificate
    (folder / "agent.pem").write_text(agent.pem)
    (folder / "content").write_bytes(device.csr())
    openssl("cms", "-encrypt", "-binary", "-des3", "-outform", "DER", "-in", folder / "content", "-out", folder / "sealed", folder / "agent.pem")  # fmt: skip
    attributes = [
        wire.attribute(wire.MESSAGE_TYPE, der.printable("19")),
        wire.attribute(wire.TRANSACTION_ID, der.printable(device.transaction)),
        wire.attribute(wire.SENDER_NONCE, der.octets(bytes(16))),
    ]
    return build(
        signer=KEY, certificate=device.certificate, certificates=[device.certificate],
        content=(folder / "sealed").read_bytes(), embed=True, content_type=oids.DATA, attributes=attributes,
    )  # fmt: skip


def test_sha_1_is_refused(device: Device) -> None:
    """Seen to fail when `hash_algorithm` takes an algorithm that it does not know for SHA-256."""
    sha256 = INTL.hash.identifier
    sha1 = der.sequence(der.oid("1.3.14.3.2.26"))
    message = device.message("19", device.csr())
    outer, wrapped = der.elements(message)
    version, digests, content, certificates, infos = der.elements(der.tagged(wrapped, 0))
    (info,) = der.elements(infos, der.SET)
    parts = [sha1 if each == sha256 else each for each in der.elements(info)]
    assert digests == der.set_of([sha256])
    data = der.sequence(
        version, der.set_of([sha1]), content, certificates, der.set_of([der.sequence(*parts)])
    )
    answer = device.send(der.sequence(outer, der.explicit(0, data)))
    assert (answer.status, answer.failure) == ("2", BAD_ALG)


def test_another_request_under_a_used_transaction(device: Device) -> None:
    device.enrol()
    assert device.ask("19", device.csr("device-9")).failure == BAD_REQUEST
    assert len(mine(device)) == 1


@pytest.mark.parametrize("body", [b"", b"x", b"\x30\x80\x00\x00", der.sequence(), bytes(70000)])
def test_bodies_that_are_no_message(device: Device, body: bytes) -> None:
    answer = device.http.post("/scep?operation=PKIOperation", data=body, content_type=TYPE)
    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/scep", 404), ("/scep?operation=Nothing", 404), ("/scep?operation=PKIOperation", 400),
        ("/scep?operation=PKIOperation&message=!!", 400),
    ],
)  # fmt: skip
def test_operations_that_are_none(device: Device, path: str, status: int) -> None:
    assert device.http.get(path).status_code == status


def test_huge_bodies(device: Device) -> None:
    answer = device.http.post("/scep?operation=PKIOperation", data=bytes(2 << 20), content_type=TYPE)
    assert answer.status_code == 413


def test_strangers_do_not_fill_the_log(device: Device) -> None:
    """Seen to fail when the refusal is recorded by `Store.refuse`."""
    before = len(device.site.events())
    for _ in range(70):
        device.http.post("/scep?operation=PKIOperation", data=b"x", content_type=TYPE)
    assert len(device.site.events()) == before + 60


def test_a_key_that_may_not_sign_signs_no_message(device: Device) -> None:
    """Seen to fail with the key usage not asked: it enrolled."""
    other = own(device.site, KEY, "device-1", "keyEncipherment")
    with unchanged(device.site):
        refused = device.ask("19", device.csr(), certificate=other)
    assert (refused.status, refused.failure) == ("2", BAD_MESSAGE_CHECK)
    assert "keyEncipherment" in refused.text
    assert device.site.events("ca.issue")[-1]["error"] == "crypto.usage_not_allowed"


@pytest.mark.parametrize("what", ["message", "content"])
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_messages(
    device: Device, caplog: pytest.LogCaptureFixture, what: str, data: st.DataObject
) -> None:
    """Whatever a message became, it is answered, issues nothing and leaves no exception in the log."""
    body = bytearray(device.message("19", device.csr()) if what == "message" else device.csr())
    before = bytes(body)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 9999)) % len(body)
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if bytes(body) == before:
        return
    caplog.clear()
    sent = bytes(body) if what == "message" else device.message("19", bytes(body))
    answer = device.http.post("/scep?operation=PKIOperation", data=sent, content_type=TYPE)
    if answer.status_code == 200:
        signed = SignedData.load(answer.data, "CertRep")
        assert der.content(signed.signer.values[wire.PKI_STATUS]) == b"2"
    else:
        assert answer.status_code == 400, answer.text
    assert not [each for each in caplog.records if each.exc_info]
    assert mine(device) == []
