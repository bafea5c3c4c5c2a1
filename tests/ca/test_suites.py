"""Authorities of every kind of key: what each signs is verified by somebody else's implementation."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ocsp as library_ocsp

from ca import CeremonyPlan, Holder, IssueRequest, rehearse
from ca.ceremony.kinds import ServicesPlan
from ca.errors import BadPlan, LintFailed, WeakKey
from ca.issue import carry_out
from ca.profile import Profile
from ca.request import Application, Order, examine
from kms.models import Place
from tests.support.openssl import openssl
from yinxin.act import SYSTEM
from yinxin.crypto import timestamps
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.status import CertId, OcspRequest
from yinxin.crypto.suite import INTL, PQ, suite

from .conftest import REGISTRAR, ROOT, Site
from .test_lint import pkilint

pytestmark = pytest.mark.engines("any")


EMBEDDED = ROOT / "plans" / "embedded.toml"


def parsed(certificate: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


# --- pq ---


def test_cryptography_verifies_everything_of_the_suite_pq(site: Site) -> None:
    """Its OpenSSL is newer than the system's; certificates up to the root, lists, answers."""
    root, issuing = (parsed(site.ca.certificate(name)) for name in ("pq-root", "pq-issuing"))
    root.verify_directly_issued_by(root)
    issuing.verify_directly_issued_by(root)
    for row in site.rows(authority="pq-issuing"):
        assert row.der is not None
        x509.load_der_x509_certificate(row.der).verify_directly_issued_by(issuing)
    for name, above in (("pq-root", root), ("pq-issuing", issuing)):
        made = x509.load_der_x509_crl(site.ca.crl(name))
        assert made.is_signature_valid(above.public_key())  # type: ignore[arg-type]
    (row,) = site.rows(authority="pq-issuing", profile="evidence")
    question = OcspRequest.build([CertId.of(int(row.serial, 16), site.ca.certificate("pq-issuing"))])
    said = library_ocsp.load_der_ocsp_response(site.ca.ocsp(question))
    assert said.certificate_status is library_ocsp.OCSPCertStatus.GOOD
    (responder,) = said.certificates
    responder.verify_directly_issued_by(issuing)
    responder.public_key().verify(said.signature, said.tbs_response_bytes)  # type: ignore[union-attr, call-arg, arg-type]


def test_its_authorities_are_stronger_than_what_they_sign_for(site: Site) -> None:
    kinds = {
        row.profile: Certificate(row.der).public_key.algorithm
        for authority in ("pq-root", "pq-issuing")
        for row in site.rows(authority=authority)
        if row.der
    }
    assert kinds["root"] == kinds["issuing"] == "ml-dsa-87"
    assert {kinds[name] for name in ("ocsp-responder", "tsa", "evidence")} == {PQ.key_algorithm}
    assert site.keys.key("pq-root").place is Place.WRAPPED
    assert "ML-DSA" in site.keys.health().text.en


def test_a_pq_timestamp_proves_when(site: Site) -> None:
    question = timestamps.request(PQ.hash, PQ.hash.digest(b"x"), 7)
    token = timestamps.Token.from_response(site.ca.timestamp("pq", question), question)
    path = token.verify(
        b"x",
        anchors=[site.ca.certificate("pq-root")],
        intermediates=[site.ca.certificate("pq-issuing")],
        require_revocation=False,
    )
    assert path.leaf.public_key.algorithm == PQ.key_algorithm


@pytest.mark.parametrize("kind", PQ.signing_keys)
def test_a_person_gets_a_pq_certificate(site: Site, kind: str) -> None:
    key = PrivateKey.generate(kind)
    issued = site.ca.issue(REGISTRAR, site.person(key=key))
    assert issued.certificate.public_key == key.public_key
    above = [site.ca.certificate(name) for name in ("pq-issuing", "pq-root")]
    parsed(issued.certificate).verify_directly_issued_by(parsed(above[0]))
    at = site.clock.now()
    site.ca.checker.check(issued.certificate, (), at)
    validate(issued.certificate, above[:1], above[1:], at=at, usage=Usage.SIGNATURE, require_revocation=False)


# --- keys for encapsulation ---


def encryption_order(site: Site, profile: Profile, kind: str = "ml-kem-768") -> Order:
    asked = Application(PrivateKey.generate(kind).public_key, Name.of({}))
    holder = Holder("person", "zhang", "clerk-a")
    request = IssueRequest(f"kem-{kind}", profile.name, asked, holder)
    return examine(request, profile, site.ctx.register, site.ctx.settings)


@pytest.mark.parametrize("kind", PQ.encryption_keys)
def test_an_encryption_certificate_of_the_suite_pq(site: Site, kind: str) -> None:
    order = encryption_order(site, site.ctx.profiles["person-encryption"], kind)
    assert order.authority == "pq-issuing"
    issued = carry_out(site.ctx, SYSTEM, order, site.ctx.issuers.get("pq-issuing"))
    assert issued.certificate.public_key.algorithm == kind
    assert issued.certificate.key_usage == {"keyEncipherment"}
    parsed(issued.certificate).verify_directly_issued_by(parsed(site.ca.certificate("pq-issuing")))
    assert pkilint(issued.certificate.der) == []
    secret, encapsulation = issued.certificate.public_key.encapsulate()
    assert len(secret) == 32
    assert encapsulation


def test_it_is_not_issued_with_another_usage(site: Site) -> None:
    """RFC 9935 section 5. Seen to fail with the rule `usage` taken out of `ca.lint.keys`."""
    loose = site.ctx.profiles["person-encryption"].model_copy(update={"key_usage_by_key": {}})
    order = encryption_order(site, loose)
    with pytest.raises(LintFailed, match="dataEncipherment"):
        carry_out(site.ctx, SYSTEM, order, site.ctx.issuers.get("pq-issuing"))
    assert site.rows(reference="kem-ml-kem-768") == []


def test_a_key_that_signs_nothing_gets_no_signing_certificate(site: Site) -> None:
    asked = Application(PrivateKey.generate("ml-kem-768").public_key, Name.of({}))
    with pytest.raises(WeakKey):
        site.ca.issue(REGISTRAR, replace(site.person(), csr=asked))


# --- other keys in intl ---


def planned(root: str, issuing: str, service: str) -> CeremonyPlan:
    """The embedded plan's hierarchy of intl, with these kinds of key."""
    values: dict[str, Any] = CeremonyPlan.read(EMBEDDED).model_dump()
    (intl, *_) = values["hierarchy"]
    intl["root"]["key_algorithm"], intl["issuing"]["key_algorithm"] = root, issuing
    for each in intl["service"]:
        each["key_algorithm"] = service
        if service == "ed25519" and each["profile"] in ("tsa", "evidence"):
            each["key_algorithm"] = "ecdsa-p384"  # OpenSSL's PKCS#7 knows no Ed25519
    return CeremonyPlan.model_validate(values | {"hierarchy": [intl]})


@pytest.fixture(
    params=[
        pytest.param(("ecdsa-p384", "ecdsa-p384", "rsa-3072"), marks=pytest.mark.slow),
        ("rsa-4096", "rsa-3072", "ecdsa-p256"),
        ("ed25519", "ed25519", "ed25519"),
        pytest.param(("rsa-4096", "ed25519", "ecdsa-p384"), marks=pytest.mark.slow),
    ],
    ids="-".join,
)
def mixed(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Site, tuple[str, ...]]]:
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    made = Site(f"sqlite:///{tmp_path / 'site.sqlite'}", tmp_path)
    made.found(planned(*request.param))
    yield made, request.param
    made.close()


def test_openssl_verifies_authorities_of_other_keys(
    mixed: tuple[Site, tuple[str, ...]], tmp_path: Path
) -> None:
    """Certificates, lists, answers and timestamps, each signed as its key signs.

    Seen to fail with `Issuer.algorithm` giving `suite.signature`: the root is not even linted.
    """
    site, (root, issuing, _) = mixed
    trust = tmp_path / "trust"
    top, above = trust / "intl.root.pem", trust / "intl.issuing.pem"
    chain = tmp_path / "chain.pem"
    chain.write_bytes(above.read_bytes() + top.read_bytes())
    assert site.keys.key("intl-root").algorithm == root
    assert site.keys.key("intl-issuing").algorithm == issuing
    assert site.keys.key("intl-root").place is Place.HSM
    assert [each for row in site.rows() for each in pkilint(row.der or b"")] == []
    issued = site.ca.issue(REGISTRAR, site.person(key=PrivateKey.generate("rsa-3072")))
    leaf = tmp_path / "leaf.pem"
    leaf.write_text(issued.certificate.pem)
    openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", top, "-untrusted", above, leaf)
    for name, file in (("intl-root", top), ("intl-issuing", chain)):
        made = tmp_path / f"{name}.crl"
        made.write_bytes(site.ca.crl(name))
        assert "verify OK" in openssl("crl", "-inform", "DER", "-in", made, "-CAfile", file, "-noout")
    question = OcspRequest.build([CertId.of(issued.certificate.serial, site.ca.certificate("intl-issuing"))])
    answer = tmp_path / "answer.der"
    answer.write_bytes(site.ca.ocsp(question))
    said = openssl(
        *("ocsp", "-respin", answer, "-issuer", above, "-cert", leaf, "-CAfile", chain),
        *("-verify_other", above, "-partial_chain"),
    )
    assert "Response verify OK" in said
    assert f"{leaf}: good" in said
    asked = timestamps.request(INTL.hash, INTL.hash.digest(b"x"), 7)
    reply, query = tmp_path / "reply.tsr", tmp_path / "query.tsq"
    reply.write_bytes(site.ca.timestamp("intl", asked))
    query.write_bytes(asked)
    said = openssl("ts", "-verify", "-in", reply, "-queryfile", query, "-CAfile", top, "-untrusted", above)
    assert "Verification: OK" in said


def test_later_ceremonies_are_rehearsed_under_every_kind_of_key(mixed: tuple[Site, tuple[str, ...]]) -> None:
    """Seen to fail when the stand-in's key is made by `PublicKey.algorithm`, in which RSA has no size."""
    site, (_, _, service) = mixed
    wanted = {"label": "ocsp-2", "profile": "ocsp-responder", "common_name": "二号", "key_algorithm": service}
    plan = ServicesPlan.model_validate(
        {"kind": "services", "title": "x", "authority": "intl-issuing", "service": [wanted]}
    )
    made = rehearse(site.ctx, site.keys, plan)
    assert service.startswith(made["ocsp-2"].public_key.algorithm)
    assert made["ocsp-2"].signature_algorithm == site.ctx.issuers.get("intl-issuing").algorithm


def test_a_kind_that_the_suite_does_not_have_is_refused(tmp_path: Path) -> None:
    """Seen to fail without the check in `CeremonyPlan`."""
    text = EMBEDDED.read_text("utf-8")
    for kind, field in (("sm2", "ml-dsa-87"), ("ml-kem-768", "ml-dsa-87"), ("rot13", "ml-dsa-87")):
        file = tmp_path / "plan.toml"
        file.write_text(text.replace(field, kind, 1), "utf-8")
        with pytest.raises(BadPlan, match="signing key of the suite pq"):
            CeremonyPlan.read(file)


def test_a_plan_of_an_unknown_suite_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(EMBEDDED.read_text("utf-8").replace('suite = "pq"', 'suite = "rot13"'), "utf-8")
    with pytest.raises(BadPlan, match="rot13"):
        CeremonyPlan.read(file)


def test_the_suites_own_kind_is_made_where_the_plan_names_none() -> None:
    kinds = {item.label: item.key_algorithm for item in CeremonyPlan.read(EMBEDDED).items()}
    assert kinds["intl-root"] == suite("intl").key_algorithm
    assert kinds["sm-tsa"] == suite("sm").key_algorithm
