"""Linting a certificate before it is signed, beside an independent linter on the same octets."""

from collections.abc import Iterator

from ca.issuer import addresses
from ca.lint import Case, findings
from ca.prepare import prepare
from ca.recheck.judge import certificate_faults
from ca.request import Holder, IssueRequest, examine
from ops.bench.house import house
from ops.bench.measure import Result, rates
from ops.platform import Platform
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, SM, Suite
from yinxin.crypto.tbs import throwaway_sign

_COUNT = 100
_PEER_COUNT = 5


def lint() -> Iterator[Result]:
    """Each suite: put together, read strictly, every rule of RFC 5280 and of the profile asked."""
    with house() as platform:
        for suite in (INTL, SM):
            yield _one(platform, suite)


def _one(platform: Platform, suite: Suite) -> Result:
    ctx = platform.ca.ctx
    issuer = ctx.issuers.issuing(f"{suite.name}-issuing")
    profile = ctx.profiles["tls-server"]
    key, names = PrivateKey.generate(suite), [("dns", "a.yinxin.localhost")]
    csr = CertificationRequest.build(key, {"commonName": "a.yinxin.localhost"}, names)
    request = IssueRequest("bench", profile.name, csr.der, Holder("service", "bench"))
    order = examine(request, profile, ctx.register, ctx.settings)
    ready = prepare(order, issuer, ctx.settings, ctx.store.clock, ctx.store.randomness)
    where = addresses(ctx.settings, issuer, ready.shard)

    def ours() -> int:
        for _ in range(_COUNT):
            # put together and read anew each time
            shown = Certificate(throwaway_sign(ready.tbs, issuer.algorithm))
            if findings(Case(shown, issuer, profile, where, ctx.settings.node)):
                raise AssertionError
        return _COUNT

    encoded = ready.lint_certificate.der

    def pkilint() -> int:
        for _ in range(_PEER_COUNT):
            certificate_faults(encoded, key.public_key)
        return _PEER_COUNT

    found = rates({"ours": ours, "pkilint": pkilint})
    return Result(
        f"lint-{suite.name}",
        found["ours"],
        "certificates per CPU-second",
        {"pkilint, in-process": found["pkilint"]},
        "DER read strictly, every rule of RFC 5280 and of the profile; ours with the signature, made once and valid for nothing, that makes it a certificate",
    )
