"""Revocation, lists and OCSP: judged by OpenSSL, in effect at once, and silent rather than wrong."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ca import check
from ca.errors import (
    AlreadyRevoked,
    BadReason,
    CrlNotNewer,
    UnderARoot,
    UnknownAuthority,
    UnknownCertificate,
)
from ca.services import service
from ca.status import crl
from ca.status.models import CrlRow
from kms.errors import HsmGone
from kms.sign import KeySigner
from tests.support.databases import heard
from tests.support.openssl import openssl
from yinxin.authz import Denied
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import CertificateRevoked, Expired, RevocationUnknown, UnknownIssuer
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import (
    CertId,
    CertificateList,
    Good,
    OcspError,
    OcspRequest,
    OcspResponse,
    Reason,
    Revoked,
    Status,
    Unknown,
    build_ocsp_error,
)
from yinxin.crypto.suite import INTL, SHA1, SHA256, SM3
from yinxin.crypto.tbs import throwaway_sign
from yinxin.errors import YinxinError

from .conftest import CLERK, OFFICER, REGISTRAR, Site


def gone(*_: object) -> bytes:
    raise HsmGone(token="t", reason="gone")


def status(site: Site, serial: int, suite: str = "intl", **parts: object) -> Status:
    issuer = site.ca.certificate(f"{suite}-issuing")
    response = OcspResponse(site.ca.ocsp(OcspRequest.build([CertId.of(serial, issuer, **parts)])))
    response.verify(issuer, site.clock.now())
    return response.answers[0].status


# --- revocation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["intl", "sm"])
def test_a_revocation_is_in_effect_at_once(site: Site, suite: str) -> None:
    issued = site.ca.issue(REGISTRAR, site.person(suite=suite))
    serial = issued.certificate.serial
    assert status(site, serial, suite) == Good()
    shard = site.rows(serial=issued.serial)[0].shard
    named = f"{suite}-issuing/{shard}"
    assert issued.certificate.crl_urls == (f"{site.ctx.settings.public_url}/crl/{named}.crl",)
    before = CertificateList(site.ca.crl(named))
    done = site.ca.revoke(REGISTRAR, issued.serial, "keyCompromise")
    at = site.clock.now().replace(microsecond=0)
    assert status(site, serial, suite) == Revoked(at, Reason.KEY_COMPROMISE)
    after = CertificateList(site.ca.crl(named))
    for each in (after, CertificateList(site.ca.crl(f"{suite}-issuing"))):
        assert each.lookup(serial) == Revoked(at, Reason.KEY_COMPROMISE)
    assert (before.lookup(serial), after.number) == (None, before.number + 1)
    assert done.crl_number == after.number
    assert site.ca.checker.revoked(issued.certificate.fingerprint)
    with pytest.raises(CertificateRevoked):
        site.ca.checker.check(issued.certificate, (), site.clock.now())


def test_a_second_revocation_is_refused_and_changes_nothing(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.revoke(REGISTRAR, issued.serial, "superseded")
    first = site.rows(serial=issued.serial)[0].revoked_at
    site.clock.advance(timedelta(hours=1))
    with pytest.raises(AlreadyRevoked):
        site.ca.revoke(REGISTRAR, issued.certificate.fingerprint, "keyCompromise")
    row = site.rows(serial=issued.serial)[0]
    assert (row.revoked_at, row.reason) == (first, "superseded")
    assert site.events()[-1]["error"] == AlreadyRevoked.code


def test_of_eight_revocations_at_once_one_is_done(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.person())
    done: list[object] = []

    def revoke() -> None:
        try:
            done.append(site.ca.revoke(REGISTRAR, issued.serial, "superseded").reason)
        except YinxinError as error:
            done.append(type(error))

    threads = [threading.Thread(target=revoke) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count("superseded") == 1
    assert done.count(AlreadyRevoked) == 7


@pytest.mark.parametrize("name", ["ff", "0" * 64, "not hexadecimal", ""])
def test_an_unknown_certificate_is_named(site: Site, name: str) -> None:
    with pytest.raises(UnknownCertificate):
        site.ca.revoke(OFFICER, name, "superseded")


@pytest.mark.parametrize("form", ["{:X}", "0x{:x}", "00{:x}"])
def test_a_serial_number_is_found_however_it_is_written(site: Site, form: str) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    assert site.ca.show(OFFICER, form.format(issued.certificate.serial)).serial == issued.serial


@pytest.mark.parametrize("reason", ["certificateHold", "cACompromise", "removeFromCRL", "because"])
def test_a_reason_that_is_not_used_is_refused(site: Site, reason: str) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    with pytest.raises(BadReason):
        site.ca.revoke(REGISTRAR, issued.serial, reason)


def test_an_authoritys_certificate_takes_a_ceremony(site: Site) -> None:
    serial = f"{site.ca.certificate('intl-issuing').serial:x}"
    with pytest.raises(UnderARoot):
        site.ca.revoke(OFFICER, serial, "keyCompromise")


def test_who_may_not_revoke_is_denied(site: Site) -> None:
    issued = site.ca.issue(OFFICER, site.person("b", "li", "clerk-b"))
    for actor in (CLERK, REGISTRAR):
        with pytest.raises(Denied):
            site.ca.revoke(actor, issued.serial, "superseded")
    assert site.rows(serial=issued.serial)[0].revoked_at is None


def test_a_dead_security_module_does_not_stop_a_revocation(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    serial, issuer = issued.certificate.serial, site.ca.certificate("intl-issuing")
    with monkeypatch.context() as patch:
        patch.setattr(KeySigner, "sign", gone)
        assert site.ca.revoke(REGISTRAR, issued.serial, "keyCompromise").crl_number is None
        # nobody is told “good” any more, by list or by answer
        with pytest.raises(HsmGone):
            site.ca.crl("intl-issuing")
        answer = site.ca.ocsp(OcspRequest.build([CertId.of(serial, issuer)]))
        assert answer == build_ocsp_error(OcspError.TRY_LATER)
    assert CertificateList(site.ca.crl("intl-issuing")).lookup(serial) is not None


# --- lists -----------------------------------------------------------------------------------------------------


def test_openssl_verifies_the_lists(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.revoke(REGISTRAR, issued.serial, "superseded")
    folder, trust = site.folder, site.folder / "trust"
    for name, anchor in (("intl-root", "intl.root"), ("intl-issuing", "intl.issuing")):
        (folder / "list").write_bytes(site.ca.crl(name))
        said = openssl("crl", "-inform", "DER", "-in", folder / "list", "-CAfile", trust / f"{anchor}.pem", "-noout", "-text")  # fmt: skip
        assert "verify OK" in said
    assert f"{issued.certificate.serial:034X}" in said
    pems = [CertificateList(site.ca.crl(name)).pem for name in ("intl-root", "intl-issuing")]
    (folder / "lists.pem").write_text("".join(pems))
    (folder / "leaf.pem").write_text(issued.certificate.pem)
    said = openssl("verify", "-crl_check_all", "-CRLfile", folder / "lists.pem", "-CAfile", trust / "intl.root.pem", "-untrusted", trust / "intl.issuing.pem", folder / "leaf.pem", status=2)  # fmt: skip
    assert "certificate revoked" in said


def test_openssl_verifies_the_signature_of_an_sm2_list(site: Site) -> None:
    from yinxin.crypto import der

    tbs, _, signature = der.elements(site.ca.crl("sm-issuing"))
    folder = site.folder
    (folder / "tbs").write_bytes(tbs)
    (folder / "signature").write_bytes(der.octets_of_bits(signature))
    key = openssl("x509", "-in", folder / "trust" / "sm.issuing.pem", "-noout", "-pubkey")
    (folder / "key.pem").write_text(key)
    openssl("dgst", "-sm3", "-verify", folder / "key.pem", "-signature", folder / "signature", "-sigopt", "distid:1234567812345678", folder / "tbs")  # fmt: skip


def test_a_list_is_made_anew_when_half_its_time_is_over(site: Site) -> None:
    first = CertificateList(site.ca.crl("sm-root"))
    site.clock.advance(timedelta(hours=11))
    assert site.ca.crl("sm-root") == first.der
    site.clock.advance(timedelta(hours=1, seconds=1))
    second = CertificateList(site.ca.crl("sm-root"))
    assert second.number == first.number + 1
    assert second.next_update > first.next_update


def test_a_complete_list_outlasts_a_dead_security_module_until_its_end(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = site.ca.crl("intl-root")
    monkeypatch.setattr(KeySigner, "sign", gone)
    site.clock.advance(timedelta(hours=23))
    assert site.ca.crl("intl-root") == first
    site.clock.advance(timedelta(hours=1))
    with pytest.raises(HsmGone):
        site.ca.crl("intl-root")


def test_numbers_rise_without_repetition_when_two_make_lists_at_once(site: Site) -> None:
    issuer = site.ctx.issuers.get("intl-issuing")
    before = CertificateList(site.ca.crl("intl-issuing")).number
    made: list[int] = []
    threads = [
        threading.Thread(target=lambda: made.append(crl.renew(site.ctx, issuer).number)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # who waited for the lease takes the list that was made meanwhile
    with site.store.read() as session:
        numbers = sa.select(CrlRow.number).where(CrlRow.authority == "intl-issuing", CrlRow.shard == 0)
        stored = sorted(session.scalars(numbers))
    assert stored == list(range(1, stored[-1] + 1))
    assert set(made) <= set(stored) - set(range(1, before + 1))


def test_a_list_that_lacks_a_revocation_does_not_replace_the_one_in_force(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force = site.ca.crl("intl-issuing")
    issued = site.ca.issue(REGISTRAR, site.request())
    true = crl.build_crl
    monkeypatch.setattr(crl, "build_crl", lambda **parts: true(**{**parts, "revoked": []}))
    assert site.ca.revoke(REGISTRAR, issued.serial, "superseded").crl_number is None
    for name in ("intl-issuing", f"intl-issuing/{site.rows(serial=issued.serial)[0].shard}"):
        with pytest.raises(CrlNotNewer):
            site.ca.crl(name)
    with site.store.read() as session:
        newest = session.get_one(CrlRow, ("intl-issuing", 0, CertificateList(in_force).number))
        assert newest.der == in_force


def test_an_unknown_authority_is_named(site: Site) -> None:
    with pytest.raises(UnknownAuthority):
        site.ca.crl("xy-root")


# --- OCSP ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_", [SHA1, SHA256, SM3])
def test_every_way_to_name_a_certificate_is_understood(site: Site, hash_: object) -> None:
    serial = int(site.rows(profile="tsa", authority="sm-issuing")[0].serial, 16)
    assert status(site, serial, "sm", hash_=hash_) == Good()


def test_what_was_never_issued_is_unknown(site: Site) -> None:
    assert status(site, 1 << 128 | 5) == Unknown()
    # a serial number of another authority
    other = int(site.rows(authority="sm-issuing")[0].serial, 16)
    assert status(site, other) == Unknown()


def test_the_nonce_comes_back_and_the_responder_is_delegated(site: Site) -> None:
    issuer = site.ca.certificate("intl-issuing")
    request = OcspRequest.build([CertId.of(7, issuer)], b"n" * 32)
    response = OcspResponse(site.ca.ocsp(request))
    assert response.nonce == b"n" * 32
    (responder,) = response.certificates
    assert responder.extended_key_usage == {"OCSPSigning"}


@pytest.mark.parametrize("asked", [b"", b"\x30\x00", b"x" * 100, b"\x30" * 70_000])
def test_a_malformed_question_is_answered_as_such(site: Site, asked: bytes) -> None:
    assert site.ca.ocsp(asked) == build_ocsp_error(OcspError.MALFORMED_REQUEST)


def test_for_others_certificates_there_is_no_answer(site: Site) -> None:
    stranger = site.ca.certificate("intl-root")
    ours = CertId.of(5, site.ca.certificate("intl-issuing"))
    theirs = CertId.of(5, site.ca.certificate("sm-issuing"))
    for ids in ([CertId.of(5, stranger)], [ours, theirs], [ours] * 17):
        assert site.ca.ocsp(OcspRequest.build(ids)) == build_ocsp_error(OcspError.UNAUTHORIZED)


def test_openssl_asks_and_believes(site: Site, served: Callable[[], str]) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    folder, trust = site.folder, site.folder / "trust"
    (folder / "leaf.pem").write_text(issued.certificate.pem)

    def ask() -> str:
        return openssl("ocsp", "-issuer", trust / "intl.issuing.pem", "-cert", folder / "leaf.pem", "-url", f"{served()}/ocsp", "-CAfile", trust / "intl.root.pem", "-verify_other", trust / "intl.issuing.pem", "-text")  # fmt: skip

    said = ask()
    assert "Response verify OK" in said
    assert f"{folder / 'leaf.pem'}: good" in said
    site.ca.revoke(REGISTRAR, issued.serial, "keyCompromise")
    said = ask()
    assert "Response verify OK" in said
    assert f"{folder / 'leaf.pem'}: revoked" in said
    assert "Reason: keyCompromise" in said


# --- asked from inside -----------------------------------------------------------------------------------------


def test_the_checker_knows_ours_from_others(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.person())
    site.ca.checker.check(issued.certificate, (), site.clock.now())
    assert not site.ca.checker.revoked(issued.certificate.fingerprint)
    # the same octets under another signature
    forged = Certificate(throwaway_sign(issued.certificate.tbs, INTL.signature))
    with pytest.raises(YinxinError) as refused:
        site.ca.checker.check(forged, (), site.clock.now())
    assert refused.value.code == "crypto.bad_signature"
    with pytest.raises(UnknownCertificate):
        site.ca.checker.revoked(forged.fingerprint)
    with pytest.raises(Expired):
        site.ca.checker.check(issued.certificate, (), site.clock.now() + timedelta(days=1200))


def test_a_certificate_signed_by_us_and_not_on_record_is_not_trusted(site: Site) -> None:
    from ca.prepare import prepare
    from ca.request import examine
    from ca.sign import sign

    order = examine(site.person(), site.ctx.profiles["person-signing"], site.ctx.register, site.ctx.settings)
    issuer = site.ctx.issuers.get("intl-issuing")
    lost = sign(prepare(order, issuer, site.ctx.settings, site.clock, site.randomness), issuer)
    with pytest.raises(RevocationUnknown):
        site.ca.checker.check(lost, (), site.clock.now())


def test_a_strangers_certificate_has_no_issuer_here(site: Site) -> None:
    from yinxin.crypto.names import Name
    from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed

    key, now = PrivateKey.generate(INTL), site.clock.now().replace(microsecond=0)
    template = CertificateTemplate(
        Name.of({"CN": "x"}), now, now + timedelta(days=1), key_usage=frozenset({"digitalSignature"})
    )
    tbs = to_be_signed(
        template,
        spki=key.public_key.spki,
        issuer_name=template.subject,
        issuer_key_id=key.public_key.key_id,
        serial=1,
        algorithm=INTL.signature,
    )
    with pytest.raises(UnknownIssuer):
        site.ca.checker.check(Certificate(assemble(tbs, INTL.signature, key.sign(tbs))), (), now)


@pytest.mark.parametrize("suite", ["intl", "sm"])
def test_evidence_convinces_somebody_who_has_the_root_only(site: Site, suite: str) -> None:
    issued = site.ca.issue(REGISTRAR, site.person(suite=suite))
    signed_at = site.clock.now()
    site.clock.advance(timedelta(minutes=5))
    proof = site.ca.evidence(issued.certificate, signed_at)
    statements = RevocationEvidence(
        tuple(map(OcspResponse, proof.ocsp)), tuple(map(CertificateList, proof.crls))
    )
    root = site.ca.certificate(f"{suite}-root")
    validate(
        issued.certificate,
        proof.chain[:1],
        [root],
        at=signed_at,
        usage=Usage.SIGNATURE,
        revocation=statements,
    )
    site.ca.revoke(REGISTRAR, issued.serial, "superseded")
    with pytest.raises(CertificateRevoked):
        check.evidence(site.ctx, issued.certificate, site.clock.now() + timedelta(seconds=1))


def test_without_a_responder_there_is_no_answer(site: Site) -> None:
    site.clock.advance(timedelta(days=400))
    issuer = site.ca.certificate("intl-issuing")
    assert site.ca.ocsp(OcspRequest.build([CertId.of(5, issuer)])) == build_ocsp_error(OcspError.UNAUTHORIZED)
    health = site.ca.health()
    assert not health.ok
    assert "ocsp-responder" in health.text.en


def test_the_responder_is_found_among_a_million_as_quickly_as_among_ten(site: Site) -> None:
    """By the index of the profile alone: asked for authority and revocation as well, SQLite reads all certificates.

    Seen to fail when it was asked so.
    """
    issuer = site.ctx.issuers.get("intl-issuing")
    with heard() as asked:
        service(site.ctx, "ocsp-responder", issuer)
    (query,) = (each for each, _ in asked if "FROM ca_certificate" in each)
    condition = query.partition("WHERE")[2]
    assert "ca_certificate.profile =" in condition
    assert "AND" not in condition
