"""Issuing a certificate, durably, beside the work that cannot be avoided: request check, build, token signature."""

from collections.abc import Iterator
from datetime import timedelta

from ca.issue import issue as issue_certificate
from ca.request import Holder, IssueRequest
from ops.bench.house import house
from ops.bench.measure import ROUNDS, Result, rates
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, SM, Suite
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed

_COUNT = 20


def issue() -> Iterator[Result]:
    """Each suite: intent and result committed with full synchronisation, linted, bound to its holder, recorded."""
    with house() as platform:
        for suite in (INTL, SM):
            yield _one(platform, suite)


def _one(platform: Platform, suite: Suite) -> Result:
    issuer = platform.ca.ctx.issuers.get(f"{suite.name}-issuing")
    signer = platform.kms.signer(f"{suite.name}-issuing")

    def requests() -> list[bytes]:
        return [CertificationRequest.build(PrivateKey.generate(suite), {}).der for _ in range(_COUNT)]

    prepared = iter([requests() for _ in range(2 * (ROUNDS + 1))])

    def ours() -> int:
        for number, csr in enumerate(next(prepared)):
            reference = f"bench:{platform.store.identifier()}:{number}"
            holder = Holder("person", "demo-clerk", post="province-office-clerk")
            issue_certificate(platform.ca.ctx, SYSTEM, IssueRequest(reference, "person-signing", csr, holder))
        return _COUNT

    def raw() -> int:
        for csr in next(prepared):
            request = CertificationRequest.load(csr)
            request.verify()
            now = platform.clock.now()
            template = CertificateTemplate(
                Name.of({"commonName": "benchmark"}),
                now,
                now + timedelta(days=1),
                key_usage=frozenset({"digitalSignature"}),
            )
            tbs = to_be_signed(
                template,
                spki=request.public_key.spki,
                issuer_name=issuer.chain[0].subject,
                issuer_key_id=signer.public_key.key_id,
                serial=int.from_bytes(platform.store.randomness.token(16)),
                algorithm=signer.public_key.signature_algorithm,
            )
            Certificate.load(assemble(tbs, signer.public_key.signature_algorithm, signer.sign(tbs)))
        return _COUNT

    found = rates({"durable": ours, "raw": raw})
    return Result(
        f"issue-{suite.name}",
        found["durable"],
        "certificates per CPU-second",
        {"request check + build + token signature": found["raw"]},
        "request check, profile, lint, intent and result each committed (SQLite, synchronous=FULL), binding, audit records",
    )
