"""CMP: each message, the state of a transaction, and the answers to what is wrong."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ca.cmp.message import CERT_PROFILE, IMPLICIT_CONFIRM, Body, Message, info
from ca.cmp.models import CmpTransactionRow
from ca.cmp.refusal import Failure, Status
from ca.pair import PairRequest
from ca.request import Holder
from tests.support.forked import run
from tests.support.hollow import hollowed
from tests.support.openssl import openssl
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.oids import Extension
from yinxin.crypto.password_mac import PBM, PBMAC1, PasswordMac
from yinxin.crypto.received_key import open_received
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import INTL, SM

from .cmp_client import MEDIA_TYPE, Peer, confirmation, issued, requests, status, template
from .conftest import OFFICER, REGISTRAR, Site
from .crasher import ask, leave, request_in
from .protocols import client_of, unchanged

pytestmark = pytest.mark.engines("any")


IT = "1.3.6.1.5.5.7.4"


@pytest.fixture
def peer(site: Site) -> Peer:
    return Peer.new(site)


@pytest.fixture
def key() -> PrivateKey:
    return PrivateKey.generate(INTL)


def stage(site: Site) -> list[str]:
    import sqlalchemy as sa

    with site.store.read() as session:
        return list(session.scalars(sa.select(CmpTransactionRow.stage)))


def mine(peer: Peer) -> list[Any]:
    return peer.site.rows(requested_by=f"credential:{peer.reference}")


# --- what goes well --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PBM, PBMAC1])
def test_enrolled_and_confirmed(peer: Peer, key: PrivateKey, kind: str) -> None:
    peer.kind = kind
    answer = peer.ask(Body.IR, requests(key))
    assert answer.kind is Body.IP
    assert issued(answer).public_key == key.public_key
    assert der.dotted(der.elements(answer.header.protection)[0]) == kind
    # the root comes under the secret's protection
    assert peer.site.ca.certificate("intl-root").der in answer.content
    assert stage(peer.site) == ["waiting"]
    assert peer.confirm(answer).kind is Body.PKICONF
    assert peer.confirm(answer).kind is Body.PKICONF
    assert stage(peer.site) == ["confirmed"]


@pytest.mark.parametrize("kind", [Body.CR, Body.P10CR])
def test_the_other_requests(peer: Peer, key: PrivateKey, kind: Body) -> None:
    csr = CertificationRequest.build(key, {"commonName": "gateway-7"}).der
    answer = peer.ask(
        kind, csr if kind is Body.P10CR else requests(key), general={IMPLICIT_CONFIRM: der.null()}
    )
    assert answer.kind is Body.CP
    assert issued(answer).public_key == key.public_key
    assert IMPLICIT_CONFIRM in (answer.header.general or {})
    assert stage(peer.site) == ["confirmed"]


def test_the_profile_is_named_by_address_or_header(peer: Peer, key: PrivateKey) -> None:
    san = [("dns", "a.example.gov.cn")]
    wanted = der.sequence(der.utf8("tls-server"))
    peer.ask(Body.IR, requests(key, template(key, "a.example.gov.cn", san)), general={CERT_PROFILE: wanted})
    peer.path = "/.well-known/cmp/p/tls-client"
    other = PrivateKey.generate(INTL)
    peer.ask(Body.IR, requests(other))
    assert {row.profile for row in mine(peer)} == {"tls-server", "tls-client"}


def test_a_certificate_updates_itself(peer: Peer, key: PrivateKey) -> None:
    device = peer.enrolled()
    assert device.certificate is not None
    for kind, request in (
        (Body.KUR, template(key, "")),
        (Body.CR, der.sequence(der.integer(0), der.sequence(der.explicit(5, device.certificate.subject.der), der.implicit(6, key.public_key.spki)))),
    ):  # fmt: skip
        answer = device.ask(kind, requests(key, request))
        assert status(answer)[0] in (Status.ACCEPTED, Status.GRANTED_WITH_MODS)
        assert issued(answer).subject.pairs == device.certificate.subject.pairs
        agent = answer.certificates()[0]
        agent.public_key.verify(answer.protection or b"", answer.protected)
        assert agent == peer.site.ca.agents.signing().certificate
        assert device.confirm(answer).kind is Body.PKICONF


def test_a_credential_updates_what_it_had(peer: Peer, key: PrivateKey) -> None:
    old = peer.enrolled().certificate
    assert old is not None
    replaced = der.sequence(der.explicit(4, old.issuer.der), der.integer(old.serial))
    controls = der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.5.1.5"), replaced))
    answer = peer.ask(Body.KUR, requests(key, template(key, "", controls=controls)))
    assert answer.kind is Body.KUP
    assert issued(answer).subject.pairs == old.subject.pairs
    stranger = Peer.new(peer.site)
    answer = stranger.ask(Body.KUR, requests(key, template(key, "", controls=controls)))
    assert status(answer)[:2] == (Status.REJECTION, Failure.BAD_CERT_ID)


def revocation(certificate: Certificate, reason: int | None = None) -> bytes:
    wanted = der.sequence(
        der.tlv(0x81, der.content(der.integer(certificate.serial))), der.explicit(3, certificate.issuer.der)
    )
    extension = Extension(oids.REASON_CODE, False, der.enumerated(reason or 0))
    return der.sequence(der.sequence(wanted, der.sequence(extension.der) if reason is not None else b""))


@pytest.mark.parametrize("by", ["itself", "credential"])
def test_a_certificate_is_revoked(peer: Peer, by: str) -> None:
    device = peer.enrolled()
    assert device.certificate is not None
    sender = device if by == "itself" else peer
    message = sender.message(Body.RR, revocation(device.certificate, 1))
    answer = sender.send(message)
    assert (answer.kind, status(answer)[0]) == (Body.RP, Status.ACCEPTED)
    (row,) = mine(peer)
    assert row.reason == "keyCompromise"
    entry = CertificateList(peer.site.ca.crl("intl-issuing")).lookup(device.certificate.serial)
    assert entry is not None
    # the answer was lost: it is given again, also to the certificate that this very message revoked
    assert sender.send(message).der == answer.der
    again = peer.send(peer.message(Body.RR, revocation(device.certificate)))
    assert status(again)[:2] == (Status.REJECTION, Failure.CERT_REVOKED)


@pytest.mark.parametrize("by", ["itself", "credential"])
def test_a_revocation_killed_before_its_answer_is_answered_when_it_comes_again(
    founded: Callable[..., Site], by: str
) -> None:
    """Seen to fail, both, with what is revoked already rejected, and for “itself” with its sender refused."""
    peer = Peer.new(founded())
    device = peer.enrolled()
    assert device.certificate is not None
    sender = device if by == "itself" else peer
    message = sender.message(Body.RR, revocation(device.certificate, 4), time=None)
    leave(peer.site.folder, message, method="POST", path="/cmp", content_type=MEDIA_TYPE)
    peer.site.ca.agents.signing()
    peer.site.keys.close()
    assert run(ask, peer.site.url, peer.site.folder, "ca.cmp.2-revoked") == -signal.SIGKILL
    peer.site = founded()
    sender.http = client_of(peer.site)
    answer = sender.send(message)
    assert (answer.kind, status(answer)[0]) == (Body.RP, Status.ACCEPTED)
    (row,) = mine(peer)
    assert row.reason == "superseded"
    # what another revoked is not this transaction's
    other = sender.message(Body.RR, revocation(device.certificate, 4), time=None)
    assert status(sender.send(other))[1] == Failure.CERT_REVOKED


def test_a_recovered_key_does_not_revoke_its_pair(site: Site, key: PrivateKey) -> None:
    """Seen to fail with the key usage not asked: the encryption key, which others hold too, revoked its own certificate."""
    csr = CertificationRequest.build(key, {}).der
    request = PairRequest("pair-1", "person-signing", csr, Holder("person", "zhang", "clerk-a"))
    pair = site.ca.pairs.issue(REGISTRAR, request)
    certificate = pair.encryption
    envelope = site.ca.pairs.envelope(REGISTRAR, "pair-1")
    peer = Peer(site, certificate=certificate, key=open_received(envelope, key, pair.signing))
    with unchanged(site):
        answer = peer.ask(Body.RR, revocation(certificate, 1))
    assert answer.kind is Body.ERROR
    assert status(answer)[:2] == (Status.REJECTION, Failure.SIGNER_NOT_TRUSTED)
    assert [each["error"] for each in site.events() if each.get("error")] == ["crypto.usage_not_allowed"]


@pytest.mark.parametrize("why", ["foreign", "unknown", "hold"])
def test_what_is_not_revoked(peer: Peer, why: str) -> None:
    device = peer.enrolled()
    assert device.certificate is not None
    other = peer.site.ca.issue(REGISTRAR, peer.site.request()).certificate
    wanted, reason, bit = {
        "foreign": (other, 1, Failure.NOT_AUTHORIZED),
        "unknown": (peer.site.ca.certificate("intl-root"), 1, Failure.NOT_AUTHORIZED),
        "hold": (device.certificate, 6, Failure.BAD_REQUEST),
    }[why]
    with unchanged(peer.site):
        answer = peer.ask(Body.RR, revocation(wanted, reason))
    assert status(answer)[:2] == (Status.REJECTION, bit)


@pytest.mark.parametrize("number", [2, 6, 17, 19, 20, 22])
def test_inquiries(peer: Peer, number: int) -> None:
    answer = peer.ask(Body.GENM, der.sequence(info(f"{IT}.{number}", None)))
    assert answer.kind is Body.GENP
    (told,) = der.elements(answer.content)
    name, *value = der.elements(told)
    assert der.dotted(name) == f"{IT}.{ {20: 18, 22: 23}.get(number, number) }"
    assert value or number == 20
    if number == 17:
        found = [Certificate(each) for each in der.elements(value[0])]
        assert found[0] == peer.site.ca.certificate("intl-issuing")
        assert found[-1] == peer.site.ca.certificate("intl-root")
    if number == 6:
        assert CertificateList(value[0]).number
    if number == 19:
        assert "prime256v1" in openssl("asn1parse", "-inform", "DER", input=value[0])


def test_what_nobody_knows_is_said(peer: Peer) -> None:
    assert status(peer.ask(Body.GENM, der.sequence(info("1.2.3", None))))[1] == Failure.BAD_REQUEST


def test_the_sm_suite(peer: Peer) -> None:
    key = PrivateKey.generate(SM)
    answer = peer.ask(Body.IR, requests(key))
    certificate = issued(answer)
    assert certificate.issuer == peer.site.ca.certificate("sm-issuing").subject
    assert peer.confirm(answer, digest=SM.hash.digest(certificate.der)).kind is Body.PKICONF
    device = Peer(peer.site, certificate=certificate, key=key)
    answer = device.ask(Body.GENM, der.sequence(info(f"{IT}.17", None)))
    assert answer.certificates()[0] == peer.site.ca.agents.signing("sm").certificate


# --- confirmation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["status", "empty", "hash", "error", "late"])
def test_a_certificate_that_is_not_confirmed_is_revoked(peer: Peer, key: PrivateKey, how: str) -> None:
    """Seen to fail, for “late”, when `tend` looks at begun transactions only."""
    answer = peer.ask(Body.IR, requests(key))
    digest = INTL.hash.digest(issued(answer).der)
    if how == "late":
        peer.site.clock.advance(timedelta(minutes=59))
        peer.site.ca.tend_cmp()
        assert mine(peer)[0].revoked_at is None
        peer.site.clock.advance(timedelta(minutes=2))
        peer.site.ca.tend_cmp()
        after = peer.confirm(answer)
        assert status(after)[1] == Failure.CERT_REVOKED
    elif how == "error":
        content = der.sequence(der.sequence(der.integer(2)))
        assert peer.follow(answer, Body.ERROR, content).kind is Body.PKICONF
    elif how == "hash":
        assert peer.confirm(answer, digest=bytes(32)).kind is Body.ERROR
    else:
        content = der.sequence() if how == "empty" else confirmation(digest, 2)
        assert peer.follow(answer, Body.CERTCONF, content).kind is Body.PKICONF
    (row,) = mine(peer)
    assert row.reason == "cessationOfOperation"
    assert stage(peer.site) == ["rejected"]
    assert CertificateList(peer.site.ca.crl("intl-issuing")).lookup(int(row.serial, 16)) is not None
    # and it stays so, whatever comes
    assert peer.confirm(answer).kind is Body.ERROR
    assert [each.serial for each in mine(peer)] == [row.serial]


def test_a_confirmation_needs_our_nonce(peer: Peer, key: PrivateKey) -> None:
    """Seen to fail when `_continued` does not compare."""
    answer = peer.ask(Body.IR, requests(key))
    assert status(peer.confirm(answer, recipient_nonce=bytes(16)))[1] == Failure.BAD_REQUEST
    assert stage(peer.site) == ["waiting"]


def test_a_confirmation_of_somebody_elses_transaction(peer: Peer, key: PrivateKey) -> None:
    answer = peer.ask(Body.IR, requests(key))
    other = Peer.new(peer.site)
    assert other.confirm(answer).kind is Body.ERROR
    assert stage(peer.site) == ["waiting"]


@pytest.mark.parametrize("by", ["certificate", "credential"])
def test_a_message_that_comes_again_when_its_transaction_is_forgotten_ends_nothing(
    peer: Peer, key: PrivateKey, by: str
) -> None:
    """Whoever overheard it sends it again, and confirms nothing. Seen to fail: the certificate was revoked as unconfirmed."""
    sender, kind = (peer.enrolled(), Body.KUR) if by == "certificate" else (peer, Body.IR)
    name = "" if by == "certificate" else "gateway-7"
    message = sender.message(kind, requests(key, template(key, name)), time=None)
    answer = sender.send(message)
    assert sender.confirm(answer).kind is Body.PKICONF
    peer.site.clock.advance(timedelta(days=31))
    peer.site.ca.tend_cmp()
    assert stage(peer.site) == []
    again = sender.send(message)
    assert status(again)[1] == Failure.TRANSACTION_ID_IN_USE
    peer.site.clock.advance(timedelta(days=1))
    peer.site.ca.tend_cmp()
    (row,) = peer.site.rows(serial=f"{issued(answer).serial:x}")
    assert row.revoked_at is None


# --- invariants ------------------------------------------------------------------------------------------------


@pytest.mark.engines("both")
def test_64_at_once_give_one_certificate(peer: Peer, key: PrivateKey) -> None:
    """Seen to fail when the reference is a fresh identifier instead of the transaction's."""
    message = peer.message(Body.IR, requests(key))
    gate = threading.Barrier(16)

    def send(n: int) -> bytes:
        http = peer.http.application.test_client()
        if n < 16:
            gate.wait()
        return bytes(http.post("/cmp", data=message, content_type=MEDIA_TYPE).data)

    with ThreadPoolExecutor(16) as pool:
        answers = [Message.load(each) for each in pool.map(send, range(64))]
    assert {each.kind for each in answers} == {Body.IP}
    told = {status(each)[0] for each in answers}
    assert told <= {Status.GRANTED_WITH_MODS, Status.WAITING}
    whole = {each.der for each in answers if status(each)[0] != Status.WAITING}
    assert len(whole) == 1
    for each in answers:
        if status(each)[0] == Status.WAITING:
            polled = peer.follow(each, Body.POLLREQ, der.sequence(der.sequence(der.integer(0))))
            assert issued(polled).der == issued(Message.load(next(iter(whole)))).der
    assert [row.state for row in mine(peer)] == ["issued"]
    assert peer.send(message).der in whole


@pytest.mark.parametrize(
    "step",
    ["ca.cmp.1-begun", *(f"ca.issue.{each}" for each in ("2-linted", "3-intended", "4-signed", "5-stored")), "ca.cmp.2-issued", "ca.cmp.3-kept"],
)  # fmt: skip
@pytest.mark.parametrize("then", ["again", "poll", "never"])
def test_a_transaction_killed_at_any_step(founded: Callable[..., Site], step: str, then: str) -> None:
    """Seen to fail, for “never”, when `reject` does not look for the certificate by its reference."""
    peer = Peer.new(founded())
    key = PrivateKey.generate(INTL)
    message = peer.message(Body.IR, requests(key), time=None)
    leave(peer.site.folder, message, method="POST", path="/cmp", content_type=MEDIA_TYPE)
    peer.site.ca.agents.signing()
    peer.site.keys.close()
    assert run(ask, peer.site.url, peer.site.folder, step) == -signal.SIGKILL

    peer.site = founded()
    peer.http = client_of(peer.site)
    if then == "never":
        peer.site.clock.advance(timedelta(minutes=61))
        peer.site.ca.reconcile()
        peer.site.ca.tend_cmp()
        assert stage(peer.site) == ["rejected"]
        assert all(row.revoked_at is not None for row in mine(peer))
        return
    answer = Message.load(peer.http.open(**request_in(peer.site.folder)).data)
    if then == "poll" and status(answer)[0] == Status.WAITING:
        pending = der.sequence(der.sequence(der.integer(0)))
        polled = peer.follow(answer, Body.POLLREQ, pending)
        assert polled.kind is Body.POLLREP
        peer.site.clock.advance(timedelta(seconds=61))
        answer = peer.follow(polled, Body.POLLREQ, pending)
    elif status(answer)[0] == Status.WAITING:
        peer.site.clock.advance(timedelta(seconds=61))
        answer = peer.send(message)
    assert peer.confirm(answer).kind is Body.PKICONF
    rows = mine(peer)
    assert [row.state for row in rows].count("issued") == 1
    assert all(row.revoked_at for row in rows if row.state == "abandoned")


@pytest.mark.parametrize("step", ["4-rejecting", "5-revoked"])
def test_a_rejection_killed_at_any_step(founded: Callable[..., Site], step: str) -> None:
    peer = Peer.new(founded())
    key = PrivateKey.generate(INTL)
    answer = peer.ask(Body.IR, requests(key))
    header = answer.header
    message = peer.message(
        Body.CERTCONF, der.sequence(), transaction=header.transaction, recipient_nonce=header.sender_nonce
    )
    leave(peer.site.folder, message, method="POST", path="/cmp", content_type=MEDIA_TYPE)
    peer.site.ca.agents.signing()
    peer.site.keys.close()
    assert run(ask, peer.site.url, peer.site.folder, f"ca.cmp.{step}") == -signal.SIGKILL
    peer.site = founded()
    assert stage(peer.site) == ["rejecting"]
    peer.site.ca.tend_cmp()
    assert stage(peer.site) == ["rejected"]
    assert mine(peer)[0].reason == "cessationOfOperation"


# --- what is wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "failure"),
    [
        ({"version": 1}, Failure.UNSUPPORTED_VERSION),
        ({"version": 4}, Failure.UNSUPPORTED_VERSION),
        ({"transaction": b""}, Failure.BAD_DATA_FORMAT),
        ({"transaction": bytes(65)}, Failure.BAD_DATA_FORMAT),
        ({"sender_nonce": bytes(8)}, Failure.BAD_SENDER_NONCE),
    ],
)
def test_headers_that_are_refused(
    peer: Peer, key: PrivateKey, parts: dict[str, Any], failure: Failure
) -> None:
    with unchanged(peer.site):
        answer = peer.ask(Body.IR, requests(key), **parts)
    assert status(answer)[:2] == (Status.REJECTION, failure)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_message_of_another_time(peer: Peer, key: PrivateKey, minutes: int) -> None:
    at = peer.site.clock.now().replace(microsecond=0) + timedelta(minutes=minutes)
    answer = peer.ask(Body.IR, requests(key), time=at)
    assert status(answer)[1] == Failure.BAD_TIME
    assert answer.protection is not None
    assert mine(peer) == []


@pytest.mark.parametrize("wrong", ["secret", "reference", "body", "none", "withdrawn", "foreign", "cut"])
def test_strangers(peer: Peer, key: PrivateKey, wrong: str, openssl: Callable[..., str]) -> None:
    """Seen to fail, for “secret” and “body”, when a wrong MAC is passed over."""
    message = peer.message(Body.IR, requests(key))
    expected = Failure.BAD_MESSAGE_CHECK
    whole = Message.load(message)
    if wrong == "secret":
        peer.secret, message = "x", Peer(peer.site, peer.reference, "x").message(Body.IR, requests(key))
    elif wrong == "reference":
        message = Peer(peer.site, "0" * 26, peer.secret).message(Body.IR, requests(key))
    elif wrong == "body":
        other = Message.load(peer.message(Body.IR, requests(PrivateKey.generate(INTL))))
        header = der.elements(message)[0]
        message = der.sequence(header, der.elements(other.der)[1], *der.elements(message)[2:])
    elif wrong in ("none", "cut"):
        header, body, *_ = der.elements(message)
        message = der.sequence(header, body)
        expected = Failure.WRONG_INTEGRITY
    elif wrong == "withdrawn":
        peer.site.ca.enrolment.withdraw(OFFICER, peer.reference)
    else:
        file = peer.site.folder / "foreign.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", file.with_suffix(".key"), "-out", file)  # fmt: skip
        der_ = file.with_suffix(".der")
        openssl(
            "pkcs8", "-topk8", "-nocrypt", "-in", file.with_suffix(".key"), "-outform", "DER", "-out", der_
        )
        foreign = Peer(peer.site, certificate=Certificate.load(file.read_bytes()), key=PrivateKey.load(der_.read_bytes()))  # fmt: skip
        message, expected = foreign.message(Body.IR, requests(key)), Failure.BAD_CERT_ID
    assert whole.kind is Body.IR
    with unchanged(peer.site):
        answer = peer.send(message)
    assert answer.kind is Body.ERROR
    assert status(answer)[:2] == (Status.REJECTION, expected)
    assert answer.protection is None
    assert peer.site.events("ca.issue")[-1]["outcome"] == "refused"


def test_strangers_do_not_fill_the_log(peer: Peer, key: PrivateKey) -> None:
    """Seen to fail when `_record` calls `Store.refuse`."""
    before = len(peer.site.events())
    stranger = Peer(peer.site, "0" * 26, peer.secret)
    for _ in range(70):
        stranger.ask(Body.IR, requests(key))
    assert len(peer.site.events()) == before + 60


@pytest.mark.parametrize("rounds", [1, 99, 50_001, 2**31])
def test_rounds_out_of_bounds_are_not_computed(peer: Peer, key: PrivateKey, rounds: int) -> None:
    fresh = PasswordMac.fresh(PBM, bytes(16))
    name, parameters = der.elements(fresh.identifier)
    salt, owf, _, mac = der.elements(parameters)
    header = peer.header(sender_key=peer.reference.encode())
    bad = der.sequence(name, der.sequence(salt, owf, der.integer(rounds), mac))
    whole = peer.message(Body.IR, requests(key))
    _, body, protection = der.elements(whole)
    from dataclasses import replace

    answer = peer.send(der.sequence(replace(header, protection=bad).der, body, protection))
    assert status(answer)[1] == Failure.BAD_ALG


def refusal(kind: str, peer: Peer, key: PrivateKey) -> tuple[Body, bytes, Failure]:
    """(message, content, failure) of a request that is not granted."""
    other = PrivateKey.generate(INTL)
    domain = template(key, "a.other.gov.cn", [("dns", "a.other.gov.cn")])
    forged = template(key)
    signed = der.sequence(key.public_key.signature_algorithm.identifier, der.bits(other.sign(forged)))
    used = peer.enrolled("used").key or key
    return {
        "raVerified": (Body.IR, requests(key, proof=der.tlv(0x80, b"")), Failure.BAD_POP),
        "no proof": (Body.IR, der.sequence(der.sequence(template(key))), Failure.BAD_POP),
        "forged proof": (Body.IR, requests(key, forged, der.implicit(1, signed)), Failure.BAD_POP),
        "two requests": (Body.IR, der.sequence(*der.elements(requests(key)) * 2), Failure.BAD_DATA_FORMAT),
        "no request": (Body.IR, der.sequence(), Failure.BAD_DATA_FORMAT),
        "foreign domain": (Body.IR, requests(key, domain), Failure.BAD_CERT_TEMPLATE),
        "key in use": (Body.IR, requests(used, template(used, "x")), Failure.BAD_CERT_TEMPLATE),
        "update of nothing": (Body.KUR, requests(key), Failure.BAD_CERT_ID),
        "bad request": (Body.P10CR, der.sequence(), Failure.BAD_DATA_FORMAT),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["raVerified", "no proof", "forged proof", "two requests", "no request", "foreign domain", "key in use", "update of nothing", "bad request"],
)  # fmt: skip
def test_requests_that_are_refused(peer: Peer, key: PrivateKey, kind: str) -> None:
    body, content, failure = refusal(kind, peer, key)
    message = peer.message(body, content)
    with unchanged(peer.site):
        answer = peer.send(message)
    assert answer.kind in (Body.IP, Body.CP, Body.KUP)
    number, bit, words = status(answer)
    assert (number, bit) == (Status.REJECTION, failure)
    assert len(words.splitlines()) == 2
    assert peer.site.events("ca.issue")[-1]["outcome"] == "refused"
    assert peer.send(message).der == answer.der


def test_a_used_transaction_takes_no_other_request(peer: Peer, key: PrivateKey) -> None:
    answer = peer.ask(Body.IR, requests(key))
    again = peer.ask(Body.IR, requests(PrivateKey.generate(INTL)), transaction=answer.header.transaction)
    assert status(again)[1] == Failure.TRANSACTION_ID_IN_USE
    assert len(mine(peer)) == 1


def test_another_name_is_no_update(peer: Peer, key: PrivateKey) -> None:
    device = peer.enrolled()
    answer = device.ask(Body.KUR, requests(key, template(key, "gateway-8")))
    assert status(answer)[:2] == (Status.REJECTION, Failure.BAD_CERT_TEMPLATE)


def test_a_revoked_certificate_speaks_for_nobody(peer: Peer, key: PrivateKey) -> None:
    device = peer.enrolled()
    peer.site.ca.revoke(OFFICER, mine(peer)[0].serial, "superseded")
    answer = device.ask(Body.KUR, requests(key, template(key, "")))
    assert status(answer)[1] == Failure.CERT_REVOKED


@pytest.mark.parametrize("kind", [Body.NESTED, Body.PKICONF, Body.IP])
def test_bodies_that_no_client_sends(peer: Peer, kind: Body) -> None:
    assert status(peer.ask(kind, der.sequence()))[1] == Failure.BAD_REQUEST


@pytest.mark.parametrize("body", [b"", b"x", b"\x30\x80\x00\x00", der.sequence(), bytes(70000)])
def test_bodies_that_are_no_message(peer: Peer, body: bytes) -> None:
    answer = peer.send(body)
    assert (answer.kind, status(answer)[1]) == (Body.ERROR, Failure.BAD_DATA_FORMAT)


def test_other_types_and_methods(peer: Peer) -> None:
    assert peer.http.post("/cmp", data=b"x", content_type="text/plain").status_code == 415
    assert peer.http.get("/cmp").status_code == 405
    assert peer.http.post("/cmp", data=bytes(2 << 20), content_type=MEDIA_TYPE).status_code == 413
    peer.path = "/cmp/p/nothing"
    key = PrivateKey.generate(INTL)
    assert status(peer.ask(Body.IR, requests(key)))[1] == Failure.NOT_AUTHORIZED


def test_a_message_that_lacks_something_is_answered(
    peer: Peer, key: PrivateKey, caplog: pytest.LogCaptureFixture
) -> None:
    """Seen to fail: an exception in the log, and no answer in CMP, where the protection is by no algorithm."""
    for each in hollowed(peer.message(Body.IR, requests(key))):
        assert status(peer.send(each))[0] == Status.REJECTION
    assert [each for each in caplog.records if each.exc_info] == []
    assert mine(peer) == []


@pytest.mark.parametrize("what", ["message", "content"])
@given(data=st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_messages(
    peer: Peer, caplog: pytest.LogCaptureFixture, what: str, data: st.DataObject
) -> None:
    """Whatever a message became, it is answered in CMP, issues nothing and leaves no exception in the log."""
    key = WHOLE
    body = bytearray(peer.message(Body.IR, requests(key)) if what == "message" else requests(key))
    before = bytes(body)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 9999)) % len(body)
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if bytes(body) == before:
        return
    caplog.clear()
    # a message changed outside is refused by its protection, one changed inside by what it says
    answer = peer.send(bytes(body) if what == "message" else peer.message(Body.IR, bytes(body)))
    assert status(answer)[0] == Status.REJECTION
    assert not [each for each in caplog.records if each.exc_info]
    assert mine(peer) == []


WHOLE = PrivateKey.generate(INTL)
