"""Law 8: algorithms are names in a suite. Whatever signs takes one, and every object says which it used.

That no literal stands outside the crypto folder is `test_layout.py`; here the objects of the finished province are
read, by OpenSSL where it can, and the same job is done by people whose certificates are of the other suite.

Seen to fail when: `_pending_key` makes every account a key of intl; `stamp` asks for intl whatever it is told.
"""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from apps.document.models import File
from ca.models import CertificateRow
from ca.status.models import CrlRow
from kms.create import request_key
from kms.models import KeyRow
from ops.accounts import Account
from ops.platform import Platform
from tests.laws.province import client, opened
from tests.support.openssl import openssl
from yinxin.crypto import cms, timestamps
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import UnknownSuite
from yinxin.crypto.status import CertId, CertificateList, OcspRequest, OcspResponse
from yinxin.crypto.suite import INTL, PQ, SM, suite
from yinxin.flow import Signature

#: as OpenSSL names them; what it does not know it gives by its identifier, and ML-DSA's differ in the last number only
SIGNATURES = {"intl": "ecdsa-with-SHA256", "sm": "SM2-with-SM3", "pq": "2.16.840.1.101.3.4.3."}
#: the suites in which organs seal, everybody has an account and the log has a tree
EVERYDAY = ("intl", "sm")


def test_every_certificate_and_list_says_its_suite(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "data"))
    with opened(folder) as platform, platform.store.read() as session:
        rows = list(session.scalars(sa.select(CertificateRow)))
        lists = list(session.execute(sa.select(CrlRow.authority, CrlRow.der).where(CrlRow.der.is_not(None))))
        keys = {row.label: row.suite for row in session.scalars(sa.select(KeyRow))}
    seen = set()
    for row in rows:
        name = row.authority.split("-")[0]
        assert row.der is not None
        text = openssl("x509", "-inform", "DER", "-noout", "-text", input=row.der)
        assert f"Signature Algorithm: {SIGNATURES[name]}" in text
        assert Certificate(row.der).public_key.suite.name == name
        seen.add((row.profile, name))
    profiles = ("root", "issuing", "ocsp-responder", "tsa", "evidence")
    assert {(profile, name) for profile in profiles for name in SIGNATURES} <= seen
    assert {(profile, name) for profile in ("organ-seal", "person-signing") for name in EVERYDAY} <= seen
    for each in lists:
        text = openssl("crl", "-inform", "DER", "-noout", "-text", input=each.der)
        assert SIGNATURES[each.authority.split("-")[0]] in text
        assert CertificateList(each.der).authority_key_id
    assert {keys["log-ed25519"], keys["log-sm2"]} == {"intl", "sm"}


@pytest.mark.parametrize("name", SIGNATURES)
def test_status_and_time_are_told_in_the_suite_that_was_asked(platform: Platform, name: str) -> None:
    chosen = suite(name)
    issuing = platform.ca.certificate(f"{name}-issuing")
    with platform.store.read() as session:
        query = sa.select(CertificateRow.serial).where(
            CertificateRow.authority == f"{name}-issuing", CertificateRow.profile == "tsa"
        )
        serial = int(session.scalars(query).one(), 16)
    answer = OcspResponse(platform.ca.ocsp(OcspRequest.build([CertId.of(serial, issuing)])))
    answer.verify(issuing, platform.clock.now())
    said = openssl("ocsp", "-respin", "/dev/stdin", "-noverify", "-text", input=answer.der)
    assert SIGNATURES[name] in said
    question = timestamps.request(chosen.hash, chosen.hash.digest(b"x"))
    token = timestamps.Token.from_response(platform.ca.timestamp(name, question), question)
    assert token.hash.name == chosen.hash.name
    assert (
        chosen.hash.name
        in openssl("ts", "-reply", "-in", "/dev/stdin", "-token_in", "-text", input=token.der).lower()
    )


def test_the_job_is_done_by_people_of_either_suite(platform: Platform) -> None:
    """SM2 all the way: sign-in, sign-off and receipt, each with a timestamp of its own suite; both seals as always."""
    from ops.demo.story import SAMPLE

    def by(person: str) -> object:
        return client(platform, person, "sm").documents

    document = by("demo-clerk").draft(SAMPLE, reference="law-8", recipients=["city-jia"])
    by("demo-clerk").submit(document)
    by("demo-reviewer").approve(document)
    by("demo-leader").sign_off(document)
    by("demo-registrar").number(document)
    by("demo-seal").seal(document)
    by("demo-registrar").dispatch(document)
    by("city-jia-registrar").receive(document)
    with platform.store.read() as session:
        signed = list(session.scalars(sa.select(Signature)))
        sm = session.get_one(File, (document, "sealed.sm.p7s")).data
        sealed = session.get_one(File, (document, "sealed.pdf")).data
    assert len(signed) == 2
    for each in signed:
        found = cms.verify_detached(each.cms, each.statement)
        assert found.certificate.public_key.suite is SM
        assert found.timestamp_token is not None
        assert found.timestamp_token.hash == SM.hash
    assert cms.verify_detached(sm, sealed).certificate.public_key.suite is SM
    from yinxin import evidence, pdf

    intl = Certificate.load(platform.data.path("trust", "intl.root.pem").read_bytes())
    assert pdf.verify(sealed, [intl], platform.clock.now()).certificate.public_key.suite is INTL
    held: list[object] = []
    bundle = client(platform, "demo-registrar").documents.evidence(document)
    trust = evidence.Trust.load(platform.data.path("trust"))
    evidence.verify(bundle, trust, at=platform.clock.now(), held=held)
    assert len(held) >= 6


def test_people_with_a_post_quantum_certificate_sign_in_and_work(platform: Platform) -> None:
    """The demo officer and the demo clerk have one; a PKCS#12 file brings it."""
    from ops.demo.story import SAMPLE

    clerk, officer = client(platform, "demo-clerk", "pq"), client(platform, "demo-officer", "pq")
    document = clerk.documents.draft(SAMPLE, reference="law-8-pq", recipients=["city-jia"])
    clerk.documents.submit(document)
    (found,) = [
        each for each in officer.ca.certificates(holder="demo-clerk") if each.authority == "pq-issuing"
    ]
    assert found.profile == "person-signing"
    own = Account.of(platform.data, "demo-clerk", "pq").identity()
    assert own.certificate.public_key.suite is PQ
    assert own.certificate.public_key.algorithm == PQ.key_algorithm


def test_the_log_has_a_tree_of_each_suite(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "data"))
    with opened(folder) as platform:
        notes = {name: platform.audit.signed(suite(name)) for name in EVERYDAY}
        (entry,) = platform.audit.entries(limit=1)
        proofs = {name: platform.audit.proof(entry.event, suite(name)) for name in EVERYDAY}
        for name, proof in proofs.items():
            proof.verify([platform.audit.verifiers[suite(name).hash.name]])
    assert "sm3" in notes["sm"].encode().decode().split("\n")[0]
    assert notes["intl"].encode() != notes["sm"].encode()


def test_an_unknown_suite_is_refused_by_name(platform: Platform) -> None:
    with pytest.raises(UnknownSuite) as caught:
        platform.ca.timestamp("md5", b"")
    assert "intl, sm, pq" in caught.value.text("zh")
    with pytest.raises(UnknownSuite):
        request_key("x", "seal", suite="rot13")
    with pytest.raises(UnknownSuite):
        suite("rot13")
