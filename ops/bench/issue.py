"""Issuing a certificate, durably, beside the work that cannot be avoided: request check, build, token signature."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ca.context import TOGETHER
from ca.issue import Issued, Wanted
from ca.issue import issue as issue_certificate
from ca.issue_many import issue_many
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


def issue_bulk() -> Iterator[Result]:
    """The same in batches of two hundred: `ca.issue_many`, as lists, batches over HTTP and requests that meet use it."""
    with house() as platform:
        for suite in (INTL, SM):
            yield _one(platform, suite, together=True)


def _one(platform: Platform, suite: Suite, *, together: bool = False) -> Result:
    each = TOGETHER if together else _COUNT
    prepared = iter([_requests(suite, each) for _ in range(2 * (ROUNDS + 1))])

    def ours() -> int:
        wanted = [Wanted(_asked(platform, csr)) for csr in next(prepared)]
        if not together:
            for one in wanted:
                issue_certificate(platform.ca.ctx, SYSTEM, one.request)
            return each
        for answer in issue_many(platform.ca.ctx, SYSTEM, wanted):
            if not isinstance(answer, Issued):
                raise answer
        return each

    def raw() -> int:
        return unavoidable(platform, suite, next(prepared))

    found = rates({"durable": ours, "raw": raw})
    committed = "each committed" if not together else "committed by two hundred"
    return Result(
        f"issue-{'bulk-' if together else ''}{suite.name}",
        found["durable"],
        "certificates per CPU-second",
        {"request check + build + token signature": found["raw"]},
        f"request check, profile, lint, intent and result {committed} (SQLite, synchronous=FULL), binding, audit records",
    )


def _requests(suite: Suite, count: int) -> list[bytes]:
    return [CertificationRequest.build(PrivateKey.generate(suite), {}).der for _ in range(count)]


def _asked(platform: Platform, csr: bytes) -> IssueRequest:
    holder = Holder("person", "demo-clerk", post="province-office-clerk")
    return IssueRequest(f"bench:{platform.store.identifier()}", "person-signing", csr, holder)


def unavoidable(platform: Platform, suite: Suite, requests: Sequence[bytes]) -> int:
    """What no authority can leave out: the request's proof checked, a certificate built, signed in the token, read."""
    issuer = platform.ca.ctx.issuers.get(f"{suite.name}-issuing")
    signer = platform.kms.signer(f"{suite.name}-issuing")
    for csr in requests:
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
    return len(requests)
