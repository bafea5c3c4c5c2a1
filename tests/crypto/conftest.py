"""A small authority in either suite: root, issuing authority, and whatever a test has it issue."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.openssl import openssl
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import OCSP_NO_CHECK
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.status import (
    CertId,
    CertificateList,
    OcspAnswer,
    OcspResponse,
    build_crl,
    build_ocsp_response,
)
from yinxin.crypto.suite import INTL, PQ, SM, Suite
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed

#: the moment the tests judge; OpenSSL is told the same with -attime
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CRL_URL = "http://crl.example/1.crl"


def template(subject: Name, **given: Any) -> CertificateTemplate:
    usual: dict[str, Any] = {
        "not_before": AT - 365 * DAY,
        "not_after": AT + 365 * DAY,
        "key_usage": frozenset({"digitalSignature", "contentCommitment"}),
    }
    return CertificateTemplate(subject, **(usual | given))


def authority(subject: Name, **given: Any) -> CertificateTemplate:
    usual: dict[str, Any] = {
        "ca": True,
        "key_usage": frozenset({"keyCertSign", "cRLSign", "digitalSignature"}),
    }
    return template(subject, **(usual | given))


def self_signed(suite: Suite, wanted: CertificateTemplate, key: PrivateKey | None = None) -> Identity:
    key = key or PrivateKey.generate(suite)
    tbs = to_be_signed(
        wanted,
        spki=key.public_key.spki,
        issuer_name=wanted.subject,
        issuer_key_id=key.public_key.key_id,
        serial=1,
        algorithm=key.public_key.signature_algorithm,
    )
    return Identity(key, Certificate(assemble(tbs, key.public_key.signature_algorithm, key.sign(tbs))))


def judge(hierarchy, leaf, at, **given):
    usual = {"at": at, "usage": Usage.SIGNATURE, "require_revocation": False}
    intermediates = given.pop("intermediates", (hierarchy.issuing.certificate,))
    anchors = given.pop("anchors", hierarchy.anchors)
    return validate(leaf, intermediates, anchors, **(usual | given))


def crl(by, revoked, at, **given):
    usual = {
        "signer": by.key,
        "issuer": by.certificate,
        "number": 1,
        "this_update": at - HOUR,
        "next_update": at + HOUR,
    }
    return CertificateList(build_crl(revoked=revoked, **(usual | given)))


def ocsp(hierarchy, leaf, status, at, responder=None, **given):
    by, responder = hierarchy.issuing, responder or hierarchy.responder()
    window = (given.get("this_update", at - HOUR), given.get("next_update", at + HOUR))
    answer = OcspAnswer(CertId.of(leaf.serial, by.certificate), status, *window)
    return OcspResponse(
        build_ocsp_response(
            signer=responder.key, responder=responder.certificate, answers=[answer], produced_at=window[0]
        )
    )


@dataclass
class Hierarchy:
    suite: Suite
    root: Identity
    issuing: Identity
    _serials: Iterator[int] = field(default_factory=lambda: count(1 << 127))

    def issue(
        self,
        wanted: CertificateTemplate,
        *,
        by: Identity | None = None,
        key: PrivateKey | None = None,
        suite: Suite | None = None,
    ) -> Identity:
        issuer = by or self.issuing
        key = key or PrivateKey.generate(suite or self.suite)
        algorithm = issuer.key.public_key.signature_algorithm
        tbs = to_be_signed(
            wanted,
            spki=key.public_key.spki,
            issuer_name=issuer.certificate.subject,
            issuer_key_id=issuer.certificate.public_key.key_id,
            serial=next(self._serials),
            algorithm=algorithm,
        )
        certificate = Certificate(assemble(tbs, algorithm, issuer.key.sign(tbs)))
        return Identity(key, certificate, (issuer.certificate, *issuer.chain))

    def person(self, name: str = "张三", **given: Any) -> Identity:
        subject = Name.of([("C", "CN"), ("O", "某省人民政府办公厅"), ("CN", name)])
        usual: dict[str, Any] = {
            "extended_key_usage": ("documentSigning", "clientAuth"),
            "crl_urls": (CRL_URL,),
        }
        return self.issue(template(subject, **(usual | given)))

    def timestamper(self, **given: Any) -> Identity:
        usual: dict[str, Any] = {"extended_key_usage": ("timeStamping",)}
        return self.issue(template(Name.of([("C", "CN"), ("CN", "时间戳服务")]), **(usual | given)))

    def responder(self, **given: Any) -> Identity:
        usual: dict[str, Any] = {"extended_key_usage": ("OCSPSigning",), "extensions": (OCSP_NO_CHECK,)}
        wanted = template(
            Name.of([("C", "CN"), ("CN", "OCSP 服务")]), key_usage=frozenset({"digitalSignature"})
        )
        return self.issue(replace(wanted, **(usual | given)))

    judge = judge
    ocsp = ocsp
    crl = staticmethod(crl)
    template = staticmethod(template)
    authority = staticmethod(authority)
    self_signed = staticmethod(self_signed)

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        return (self.root.certificate,)


def build(suite: Suite) -> Hierarchy:
    name = Name.of([("C", "CN"), ("O", "某省人民政府"), ("CN", f"某省根 CA {suite.name}")])
    root = self_signed(suite, authority(name, not_before=AT - 3650 * DAY, not_after=AT + 3650 * DAY))
    hierarchy = Hierarchy(suite, root, root)
    subject = Name.of([("C", "CN"), ("O", "某省人民政府"), ("CN", f"某省签发 CA {suite.name}")])
    hierarchy.issuing = hierarchy.issue(authority(subject, path_length=0))
    return hierarchy


def _flipped(data: bytes, start: int = 0, end: int | None = None, step: int = 1) -> Iterator[bytes]:
    """`data` with one bit changed, at each octet in turn; which bit varies with the place."""
    for place in range(start, len(data) if end is None else end, step):
        yield data[:place] + bytes((data[place] ^ (1 << place % 8),)) + data[place + 1 :]


class Files:
    """Puts objects where the openssl command finds them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.directory / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def sm2(self, spki: bytes, signed: bytes, signature: bytes) -> None:
        """OpenSSL verifies the SM2 signature over `signed` by the key; elsewhere it cannot be told whose identifier it is."""
        public, given = self.write("public.der", spki), self.write("signature", signature)
        identity = ("-sigopt", "distid:1234567812345678")
        asked = ("-verify", public, "-keyform", "DER", *identity, "-signature", given)
        openssl("dgst", "-sm3", *asked, self.write("signed", signed))

    def certificates(self, name: str, *certificates: Certificate) -> Path:
        return self.write(name, "".join(each.pem for each in certificates))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture(scope="session")
def intl() -> Hierarchy:
    return build(INTL)


@pytest.fixture(scope="session")
def sm() -> Hierarchy:
    return build(SM)


@pytest.fixture(scope="session")
def pq() -> Hierarchy:
    return build(PQ)


@pytest.fixture(params=["intl", "sm", "pq"])
def hierarchy(request: pytest.FixtureRequest) -> Hierarchy:
    """Each suite in turn."""
    found: Hierarchy = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["intl", "sm"])
def classical(request: pytest.FixtureRequest) -> Hierarchy:
    """The suites that OpenSSL 3.0 and NSS know."""
    found: Hierarchy = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def at() -> datetime:
    return AT


#: octets changed of one value where the slow tests are left out; a signature of the suite pq alone has more
_SAMPLE = 1500


@pytest.fixture
def flipped(request: pytest.FixtureRequest) -> Callable[..., Iterator[bytes]]:
    """One bit changed in each octet in turn; of what is long, with the slow tests left out, in every few octets."""

    def sampled(data: bytes, start: int = 0, end: int | None = None, step: int = 1) -> Iterator[bytes]:
        long = (len(data) if end is None else end) - start
        return _flipped(data, start, end, max(step, -(-long // _SAMPLE)))

    return sampled if request.config.getoption("markexpr") == "not slow" else _flipped
