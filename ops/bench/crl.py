"""From a revocation to its being seen, by list and by OCSP: with few and many certificates, few and many revoked."""

import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

import sqlalchemy as sa

from ca.issue import issue
from ca.models import CertificateRow
from ca.request import Holder, IssueRequest
from ca.revoke import revoke
from ca.status.kept import Shelf
from ca.status.line import Line
from ops.bench.house import house
from ops.bench.measure import Result
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertId, CertificateList, OcspRequest, OcspResponse, Revoked
from yinxin.crypto.suite import INTL

_ROUNDS = 7
#: certificates stored, of which so many are revoked in one and the same list
STEPS = ((1_000, 10), (10_000, 1_000), (100_000, 10_000))


def crl(steps: tuple[tuple[int, int], ...] = STEPS) -> Iterator[Result]:
    """Milliseconds from the officer's word until list and answer say it, committed with full synchronisation."""
    with house() as platform:
        stored = revoked = 0
        first = 0.0
        for certificates, listed in steps:
            _fill(platform, certificates - stored, listed - revoked)
            stored, revoked = certificates, listed
            took = _visible(platform)
            first = first or took
            yield Result(
                f"revoke-{certificates // 1000}k-{listed}",
                1000 / took,
                "revocations seen per second, one after another",
                {f"the same with {steps[0][0]} certificates and {steps[0][1]} revoked": 1000 / first},
                f"{took:.0f} ms: recorded, shard and delta signed, read back and stored, OCSP asked (SQLite, full)",
            )


def _visible(platform: Platform) -> float:
    """Milliseconds, the median."""
    own, shelf, took = platform.ca.certificate("intl-issuing"), Shelf(platform.ca.ctx), []
    for number in range(_ROUNDS + 1):
        serial = _issue(platform, number)
        asked = OcspRequest.build([CertId.of(int(serial, 16), own)])
        platform.ca.presign()
        shelf.look()
        if shelf.answer(asked) is None:
            raise RuntimeError("no answer was kept")
        began = time.monotonic()
        revoke(platform.ca.ctx, SYSTEM, serial, "superseded")
        shelf.look()
        if shelf.answer(asked) is not None:
            raise RuntimeError("an answer of before the revocation was kept")
        status = OcspResponse(platform.ca.ocsp(asked)).answers[0].status
        made = platform.ca.crl(Line("intl-issuing", 1).path)
        if number:
            took.append(1000 * (time.monotonic() - began))
        if not isinstance(status, Revoked) or int(serial, 16) not in CertificateList(made).serials:
            raise RuntimeError("the revocation is not seen")
    return median(took)


def _issue(platform: Platform, number: int) -> str:
    """A certificate of the first shard."""
    for _ in range(200):
        csr = CertificationRequest.build(PrivateKey.generate(INTL), {})
        holder = Holder("person", "demo-clerk", post="province-office-clerk")
        reference = f"bench:{platform.store.identifier()}:{number}"
        made = issue(platform.ca.ctx, SYSTEM, IssueRequest(reference, "person-signing", csr.der, holder))
        with platform.store.read() as session:
            if session.get_one(CertificateRow, made.serial).shard == 1:
                return made.serial
    raise RuntimeError("no certificate fell into the first shard")


def _fill(platform: Platform, certificates: int, revoked: int) -> None:
    """Rows as issuance and revocation leave them, but for octets that nobody reads here."""
    table = CertificateRow.__table__
    with platform.store.engine.begin() as connection:
        query = table.select().where(table.c.profile == "person-signing").limit(1)
        model = (
            connection.execute(query).mappings().first()
            or connection.execute(table.select().where(table.c.authority == "intl-issuing").limit(1))
            .mappings()
            .one()
        )
    now = platform.clock.now()
    for begin in range(0, certificates, 5000):
        rows = []
        for number in range(begin, min(begin + 5000, certificates)):
            serial = f"1{int.from_bytes(platform.store.randomness.token(16)):032x}"
            gone = number < revoked
            rows.append(
                {
                    **model,
                    "serial": serial,
                    "reference": f"bench:{serial}",
                    "fingerprint": serial,
                    "spki_digest": serial,
                    "shard": 1 if gone else int(serial, 16) % 8 + 1,
                    "tbs": b"-",
                    "lint_certificate": b"-",
                    "der": b"-",
                    "created": now,
                    "not_after": now + timedelta(days=365),
                    "revoked_at": now if gone else None,
                    "reason": "superseded" if gone else None,
                }
            )
        with platform.store.engine.begin() as connection:
            connection.execute(sa.insert(CertificateRow), rows)
