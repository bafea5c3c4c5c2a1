"""Evidence as it should be holds for ever; parts that do not fit together, though each is genuine, do not."""

import socket
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.evidence.case import Case, digests, verify
from tests.evidence.eras import by_time, era
from tests.pdf.authority import AT, DAY, YEAR, Authority
from yinxin import evidence, pdf
from yinxin.act import Outcome
from yinxin.crypto.errors import CertificateRevoked, DigestMismatch, RevocationUnknown
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import Untrue, YinxinError
from yinxin.evidence.record import EvidenceRecord, RecordBroken
from yinxin.tlog import NoteSigner, NotIncluded, UntrustedNote


def test_it_says_in_words_what_holds(case, packed):
    held = verify(case, packed)
    text = "\n".join(held)
    assert len(held) == 9
    for words in (
        "证据包完整：36 个文件与清单一致",
        "河源省人民政府 河源省人民政府印章 于 2026-11-22 16:00:00+08:00 盖章",
        "《关于开展政务信息系统安全检查的通知》",
        "以 SM2/SM3",
        "省长 王省长 于 2026-11-22 16:00:00+08:00 签发了本文内容",
        "甲市人民政府 机要员 李登记 于 2026-11-22 16:00:00+08:00 签收了本文",
        "退回了本文，理由：附件缺页",
        "6 项操作都在日志 log.hy.example 中（共 12 条）",
    ):
        assert words in text


@pytest.mark.parametrize("later", [YEAR, 6 * YEAR])
def test_it_holds_when_every_certificate_has_expired(case, packed, later):
    assert verify(case, packed, later) == verify(case, packed)


def test_when_an_algorithm_has_lapsed_it_holds_with_its_record_only(case, packed):
    """What renewals prove to have been there before is judged as of then."""
    with pytest.raises(evidence.AlgorithmLapsed) as caught:
        verify(case, packed, 40 * YEAR)
    assert caught.value.facts["algorithm"] == "ecdsa-p256"
    first, later = era("sm", AT + DAY, 20), era("sm", AT + 18 * YEAR, 30)
    record = by_time(
        EvidenceRecord(((first.link(packed, AT + 2 * DAY),),)), later, AT + 19 * YEAR, before=first
    )
    trust = replace(case.trust, roots=(*case.trust.roots, first.root, later.root))
    held = []
    evidence.verify(packed, trust, at=AT + 40 * YEAR, held=held, record=record.encode())
    assert len(held) == len(verify(case, packed)) + 2
    other = packed[:-1] + b"!"
    with pytest.raises(RecordBroken):
        evidence.verify(other, trust, at=AT + 40 * YEAR, held=[], record=record.encode())


def test_a_sealed_pdf_alone_is_verified_too(case, bundle):
    held = verify(case, bundle.sealed)
    assert "盖章" in held[0]
    assert "签发了本文内容" in held[-1]
    assert len(held) == 3


def test_a_sealed_pdf_alone_needs_the_leaders_own_signature(case, bundle):
    """Seen to fail when the sign-off inside a bare PDF is not checked: a seal keeper could put anything there."""
    sign_off = bundle.acts[0]
    city = case.people["p-city"].identity
    forged = replace(sign_off, cms=case.intl.sign(city, sign_off.statement))
    with pytest.raises(evidence.EvidenceMismatch, match="signer of the sign-off"):
        verify(case, case.sealed(forged))
    other = replace(sign_off, cms=case.intl.sign(case.people["p-leader"].identity, b"another statement"))
    with pytest.raises(DigestMismatch):
        verify(case, case.sealed(other))


def test_verification_asks_nobody(case, packed, monkeypatch):
    def refuse(*_args, **_named):
        raise AssertionError("verification asked the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    verify(case, packed)


def test_verification_needs_no_server_library(tmp_path, case, packed):
    """What an outsider installs: no database, no web server."""
    import subprocess
    import sys

    (tmp_path / "file").write_bytes(packed)
    (tmp_path / "a.root.pem").write_text("".join(root.pem for root in case.trust.roots))
    (tmp_path / "log.vkey").write_text(case.log.verifier.encode() + "\n")
    program = f"""
import sys, datetime
from pathlib import Path
for name in ("sqlalchemy", "flask", "psycopg", "pkcs11"):
    sys.modules[name] = None
from yinxin import evidence
held = []
trust = evidence.Trust.load(Path({str(tmp_path)!r}))
evidence.verify(Path({str(tmp_path / "file")!r}).read_bytes(), trust, at=datetime.datetime.fromisoformat({AT.isoformat()!r}), held=held)
print(len(held))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "9\n", done.stderr


def test_it_is_quick(case, packed, record_property):
    verify(case, packed)
    begun = time.perf_counter()
    verify(case, packed)
    took = time.perf_counter() - begun
    record_property("verify_seconds", took)
    print(f"verify: {took:.3f} s for {len(packed)} octets")
    assert took < 10


# --- genuine parts that do not belong together, packed and signed anew by the genuine keeper ---


def refused(case, data, kind=evidence.EvidenceMismatch, match=None):
    with pytest.raises(kind, match=match):
        verify(case, data)


@pytest.fixture(scope="session")
def other(case):
    """Another document of the same province and people."""
    made = Case.__new__(Case)
    made.__dict__.update(case.__dict__, subject="document:01jd0000000000000000000002")
    return made


@pytest.fixture(scope="session")
def other_bundle(other):
    return other.bundle()


def test_another_documents_receipt(case, bundle, other_bundle):
    acts = [bundle.acts[0], other_bundle.acts[1], *bundle.acts[2:]]
    refused(case, case.repacked(bundle, acts=acts), match="subject of a statement")


def test_another_documents_proof(case, bundle, other_bundle):
    proofs = [*bundle.proofs[:-1], other_bundle.proofs[-1]]
    refused(case, case.repacked(bundle, proofs=proofs), match="subject of a log entry")


def test_another_documents_seal(case, bundle, other_bundle):
    changed = case.repacked(bundle, sealed=other_bundle.sealed, sealed_sm=other_bundle.sealed_sm)
    refused(case, changed)


def test_another_documents_second_seal(case, bundle, other_bundle):
    refused(case, case.repacked(bundle, sealed_sm=other_bundle.sealed_sm), DigestMismatch)


def test_the_same_acts_under_another_name(case, bundle):
    refused(case, case.repacked(bundle, subject="document:other"))


@pytest.mark.parametrize("part", ["statement", "cms"])
def test_parts_of_two_receipts_swapped(case, bundle, part):
    one, two = bundle.acts[1], bundle.acts[2]
    swapped = [
        bundle.acts[0],
        replace(one, **{part: getattr(two, part)}),
        replace(two, **{part: getattr(one, part)}),
        bundle.acts[3],
    ]
    refused(case, case.repacked(bundle, acts=swapped), DigestMismatch)


def test_the_states_of_two_signers_swapped_still_hold_by_the_lists(case, bundle):
    """OCSP answers speak of one certificate each; swapped, the CRLs speak for both."""
    one, two = bundle.acts[1], bundle.acts[3]
    acts = [bundle.acts[0], replace(one, ocsp=two.ocsp), bundle.acts[2], replace(two, ocsp=one.ocsp)]
    assert len(verify(case, case.repacked(bundle, acts=acts))) == 9
    with pytest.raises(RevocationUnknown):
        verify(case, case.repacked(bundle, acts=acts, crls=[]))


def test_a_statement_signed_by_another_person(case, bundle):
    received = {"sealed": digests(bundle.sealed)}
    forged = case.signed("p-city", "document.receive", received, by="p-county")
    refused(case, case.repacked(bundle, acts=[bundle.acts[0], forged, *bundle.acts[2:]]), match="signer")


def test_a_receipt_for_another_file(case, bundle):
    wrong = case.signed("p-city", "document.receive", {"sealed": digests(b"another")})
    refused(
        case, case.repacked(bundle, acts=[bundle.acts[0], wrong, *bundle.acts[2:]]), match="document received"
    )


def test_an_act_that_the_log_does_not_know(case, bundle):
    for number in range(len(bundle.proofs)):
        kept = [each for index, each in enumerate(bundle.proofs) if index != number]
        data = case.repacked(bundle, proofs=kept)
        if number == 2:  # dispatch: nobody signs it, so nothing demands it
            assert len(verify(case, data)) == 9
        else:
            refused(case, data, match="not in the log")


def test_an_act_logged_for_another_person(case, bundle):
    entries = case.entries(bundle.sealed)
    city = case.people["p-city"].actor
    for wrong in (
        replace(city, id="p-other"),
        replace(city, organ="organ-x"),
        replace(city, certificate="00" * 32),
    ):
        entries[3] = case.entry("document.receive", wrong)
        refused(case, case.repacked(bundle, proofs=case.proofs(entries)), match="not in the log")


def test_a_refused_act_is_no_act(case, bundle):
    entries = case.entries(bundle.sealed)
    entries[3] = case.entry("document.receive", case.people["p-city"].actor, Outcome.REFUSED)
    refused(case, case.repacked(bundle, proofs=case.proofs(entries)), match="outcome")


def test_the_log_tells_of_another_seal(case, bundle):
    leader = case.people["p-leader"].actor
    found = digests(bundle.sealed)
    right = {
        "seal": case.intl.seal.certificate.fingerprint,
        "sealed_sha256": found["sha256"],
        "sealed_sm3": found["sm3"],
    }
    for name in right:
        entries = case.entries(bundle.sealed)
        entries[1] = case.entry("document.seal", leader, **(right | {name: "00" * 32}))
        refused(case, case.repacked(bundle, proofs=case.proofs(entries)), match="in the log")
        entries[1] = case.entry("document.seal", leader, **{k: v for k, v in right.items() if k != name})
        refused(case, case.repacked(bundle, proofs=case.proofs(entries)), match="another form")


def test_entries_of_another_form(case, bundle):
    for entry in (b"{}", b"[]", b"1", b'"x"', b'{"subject":1}'):
        proofs = [*bundle.proofs, *case.proofs([entry])]
        refused(case, case.repacked(bundle, proofs=proofs), Untrue)


def test_another_log(case, bundle):
    log = NoteSigner("log.hy.example", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
    proofs = case.proofs(case.entries(bundle.sealed), log)
    refused(case, case.repacked(bundle, proofs=proofs), UntrustedNote)


def test_an_entry_that_the_tree_does_not_hold(case, bundle):
    proof = bundle.proofs[0].replace(b"index 1\n", b"index 3\n")
    refused(case, case.repacked(bundle, proofs=[proof, *bundle.proofs[1:]]), NotIncluded)


def test_the_sign_off_cannot_be_left_out(case, bundle):
    refused(case, case.repacked(bundle, acts=bundle.acts[1:]), match="one sign-off")


def test_a_sign_off_of_other_content(case, bundle):
    other = case.signed("p-leader", "document.sign-off", {"content": digests(b"other")})
    refused(case, case.repacked(bundle, acts=[other, *bundle.acts[1:]]), match="content signed off")


def test_a_sign_off_made_a_second_time(case, bundle):
    """The same words signed again are not the signature that the sealed file carries."""
    body = {"revision": 1, "title": case.title, "content": digests(case.content())}
    again = case.signed("p-leader", "document.sign-off", body)
    refused(case, case.repacked(bundle, acts=[again, *bundle.acts[1:]]), match="sign-off")


def test_a_seal_over_content_without_a_sign_off(case, bundle):
    bare = case.intl.seal_pdf(case.layout)
    changed = case.repacked(bundle, sealed=bare, sealed_sm=case.sm.sign(case.sm.seal, bare))
    refused(case, changed, match="not in the document")


def test_a_second_seal_in_the_first_suite(case, bundle):
    refused(
        case, case.repacked(bundle, sealed_sm=case.intl.sign(case.intl.seal, bundle.sealed)), match="suite"
    )


def test_a_person_cannot_seal(case, bundle):
    city = case.people["p-city"].identity
    refused(
        case, case.repacked(bundle, sealed_sm=case.sm.sign(city, bundle.sealed)), match="personal certificate"
    )
    leader = case.people["p-leader"].identity
    with pytest.raises(evidence.EvidenceMismatch, match="personal certificate"):
        verify(case, case.intl.seal_pdf(case.layout, seal=leader))


def test_a_signature_without_a_timestamp(case, bundle):
    from yinxin.crypto import cms
    from yinxin.crypto.keys import Identity

    bare = Identity(case.keeper.key, case.keeper.certificate)
    data = evidence.pack(bundle, cms.sign_detached(bare, evidence.to_sign(bundle), signed_at=AT))
    refused(case, data, match="without a timestamp")


# --- certificates ---


def test_a_certificate_nobody_accounts_for(case, bundle):
    stranger = Authority(INTL).seal.certificate
    refused(case, case.repacked(bundle, certificates=[*bundle.certificates, stranger.der]), Untrue)


def test_a_certificate_inside_a_signature_that_the_evidence_does_not_list(case, bundle):
    from yinxin.crypto import cms

    stranger = Authority(INTL).root.certificate
    identity = replace(case.keeper, chain=(stranger,))
    signature = cms.sign_detached(identity, evidence.to_sign(bundle), signed_at=AT, timestamp=case.intl.token)
    refused(case, evidence.pack(bundle, signature), match="unexplained certificate")


def test_every_certificate_and_list_is_needed(case, bundle):
    for number in range(len(bundle.certificates)):
        kept = [each for index, each in enumerate(bundle.certificates) if index != number]
        data = case.repacked(bundle, certificates=kept)
        if "印章 于" in "".join(_try(case, data)):
            continue  # the certificate also stands inside the signature that needs it
        refused(case, data, YinxinError)
    refused(case, case.repacked(bundle, crls=[]), YinxinError)


def _try(case, data):
    try:
        return verify(case, data)
    except YinxinError:
        return []


def test_strange_roots(case, packed):
    for authority in (Authority(INTL), Authority(SM)):
        trust = evidence.Trust((authority.root.certificate,), case.trust.logs)
        with pytest.raises(YinxinError):
            evidence.verify(packed, trust, at=AT, held=[])


def fresh(case):
    """A province of its own, whose certificates a test may revoke."""
    return Case(Authority(INTL), Authority(SM), case.layout)


def test_a_signer_revoked_before_she_signed(case):
    mine = fresh(case)
    mine.sm.revoke(mine.people["p-town"].identity.certificate, AT - DAY)
    refused(mine, mine.pack(mine.bundle()), CertificateRevoked)


def test_a_signer_revoked_after_she_signed(case):
    mine = fresh(case)
    made = mine.bundle()
    mine.sm.revoke(mine.people["p-town"].identity.certificate, AT + DAY)
    mine.intl.revoke(mine.intl.seal.certificate, AT + DAY)
    mine.sm.at += 2 * DAY
    mine.intl.at += 2 * DAY
    later = [each.crl(issuer) for each in (mine.intl, mine.sm) for issuer in (each.root, each.issuing)]
    data = mine.repacked(made, crls=[*made.crls, *later])
    assert len(verify(mine, data, timedelta(days=3))) == 9


# --- trust ---


def test_trust_is_read_from_a_folder(tmp_path, case):
    with pytest.raises(evidence.TrustMissing):
        evidence.Trust.load(tmp_path / "nowhere")
    (tmp_path / "intl.root.pem").write_text(case.intl.root.certificate.pem)
    with pytest.raises(evidence.TrustMissing):
        evidence.Trust.load(tmp_path)
    (tmp_path / "log.vkey").write_text(case.log.verifier.encode() + "\n\n")
    (tmp_path / "sm.root.pem").write_text(case.sm.root.certificate.pem)
    assert evidence.Trust.load(tmp_path) == case.trust
    (tmp_path / "log.vkey").write_bytes(b"\xff\xfe")
    with pytest.raises(evidence.TrustMissing):
        evidence.Trust.load(tmp_path)
    (tmp_path / "log.vkey").write_text("nonsense")
    with pytest.raises(YinxinError):
        evidence.Trust.load(tmp_path)


def test_trust_of_several_folders(tmp_path, case):
    """Seen to fail when the last folder alone counts, as an option that is given twice does by itself."""
    for name in ("intl", "sm"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.vkey").write_text(case.log.verifier.encode() + "\n")
        (tmp_path / name / f"{name}.root.pem").write_text(getattr(case, name).root.certificate.pem)
    both = evidence.Trust.of([tmp_path / "intl", tmp_path / "sm"])
    assert both.roots == (case.intl.root.certificate, case.sm.root.certificate)
    assert both.logs == (case.log.verifier, case.log.verifier)
    # a folder that has nothing is a slip, and is not passed over
    with pytest.raises(evidence.TrustMissing):
        evidence.Trust.of([tmp_path / "intl", tmp_path / "nowhere"])


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG", b"PDF"])
def test_files_of_another_kind(case, data):
    with pytest.raises(evidence.UnknownFile):
        verify(case, data)


def test_a_signature_alone(case):
    """It is no attribute certificate, and whoever has it reads how to check it."""
    signature = case.intl.sign(case.people["p-leader"].identity, b"a letter")
    with pytest.raises(evidence.UnknownFile, match="openssl cms -verify"):
        verify(case, signature)


def test_a_broken_pdf(case):
    with pytest.raises(pdf.PdfNotSealed):
        verify(case, b"%PDF-1.7 nothing")


def test_a_missing_extra_is_named():
    """What somebody sees who installed the kit alone."""
    import subprocess
    import sys

    program = (
        "import sys; sys.modules['pyhanko'] = None\n"
        "from yinxin.errors import YinxinError\n"
        "try:\n    import yinxin.evidence\nexcept YinxinError as error:\n    print(error.code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "pdf.support_missing"
