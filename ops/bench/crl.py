"""From a revocation to its being seen, by list and by OCSP: with few and many certificates, few and many revoked."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

import sqlalchemy as sa

from ca.issue import issue
from ca.models import AuthorityRow, CertificateRow
from ca.request import Holder, IssueRequest
from ca.revoke import revoke
from ca.status.kept import Shelf
from ca.status.line import Line
from ops.bench.growth import roomy
from ops.bench.house import house
from ops.bench.measure import Result
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertId, CertificateList, OcspRequest, OcspResponse, Revoked
from yinxin.crypto.suite import INTL

_ROUNDS = 15
#: certificates stored, and how many of them are revoked
STEPS = ((1_000, 10), (10_000, 1_000), (100_000, 10_000))
#: certificates of the largest step, a tenth of them revoked, when it is set
_LARGEST = "YINXIN_BENCH_CERTIFICATES"


def crl(steps: tuple[tuple[int, int], ...] = STEPS) -> Iterator[Result]:
    """Milliseconds from the officer's word until list and answer say it, committed with full synchronisation.

    The certificate is revoked on a list of which as many are revoked already as there can be: the revoked ones are those
    that name the open lists, as far as these hold them.
    """
    first = 0.0
    if largest := int(os.environ.get(_LARGEST, "0")):
        steps = (*steps, (largest, largest // 10))
    for certificates, revoked in steps:
        with house() as platform:
            _fill(platform, certificates, revoked)
            took, worked, listed = _visible(platform)
        first = first or took
        yield Result(
            f"revoke-{certificates // 1000}k-{revoked}",
            1000 / took,
            "revocations seen per second, one after another",
            {f"the same with {steps[0][0]} certificates and {steps[0][1]} revoked": 1000 / first},
            f"{took:.0f} ms, {worked:.1f} of CPU, {listed} entries on the list: recorded, shard and delta signed, read back and stored, OCSP asked (SQLite, full)",
        )


def _visible(platform: Platform) -> tuple[float, float, int]:
    """Milliseconds by the clock and of CPU, medians, and the entries of the list."""
    own, shelf, listed = platform.ca.certificate("intl-issuing"), Shelf(platform.ca.ctx), 0
    took, worked = list[float](), list[float]()
    for number in range(_ROUNDS + 1):
        serial, line = _issue(platform, number)
        asked = OcspRequest.build([CertId.of(int(serial, 16), own)])
        platform.ca.presign()
        shelf.look()
        if shelf.answer(asked) is None:
            raise RuntimeError("no answer was kept")
        platform.ca.crl(line.path)
        began, cpu = time.monotonic(), time.process_time()
        revoke(platform.ca.ctx, SYSTEM, serial, "superseded")
        shelf.look()
        if shelf.answer(asked) is not None:
            raise RuntimeError("an answer of before the revocation was kept")
        status = OcspResponse(platform.ca.ocsp(asked)).answers[0].status
        made = CertificateList(platform.ca.crl(line.path))
        if number:
            took.append(1000 * (time.monotonic() - began))
            worked.append(1000 * (time.process_time() - cpu))
        if not isinstance(status, Revoked) or int(serial, 16) not in made.serials:
            raise RuntimeError("the revocation is not seen")
        listed = max(listed, len(made))
    return median(took), median(worked), listed


def _issue(platform: Platform, number: int) -> tuple[str, Line]:
    csr = CertificationRequest.build(PrivateKey.generate(INTL), {})
    holder = Holder("person", "demo-clerk", post="province-office-clerk")
    reference = f"bench:{platform.store.identifier()}:{number}"
    made = issue(platform.ca.ctx, SYSTEM, IssueRequest(reference, "person-signing", csr.der, holder))
    with platform.store.read() as session:
        return made.serial, Line("intl-issuing", session.get_one(CertificateRow, made.serial).shard)


def _fill(platform: Platform, certificates: int, revoked: int) -> None:
    """Rows as issuance and revocation leave them, but for octets that nobody reads here, and the lists they fill."""
    status = platform.ca.ctx.settings.status
    count, room = (
        status.shards_for("intl-issuing"),
        status.shards_for("intl-issuing") * status.list_certificates,
    )
    full = (certificates - 1) // room * count
    table = CertificateRow.__table__
    serial, _ = _issue(platform, 0)
    with platform.store.engine.begin() as connection:
        model = connection.execute(table.select().where(table.c.serial == serial)).mappings().one()
    now = platform.clock.now()
    with roomy(platform) as connection:
        for begin in range(0, certificates, 5000):
            rows = []
            for number in range(begin, min(begin + 5000, certificates)):
                serial = f"1{int.from_bytes(platform.store.randomness.token(16)):032x}"
                gone = number < revoked
                # the revoked ones first, into the lists that are open
                shard = full + number % count + 1 if number < room or not full else number % full + 1
                rows.append(
                    {
                        **model,
                        "serial": serial,
                        "reference": f"bench:{serial}",
                        "fingerprint": serial,
                        "spki_digest": serial,
                        "shard": shard,
                        "tbs": b"-",
                        "lint_certificate": b"-",
                        "der": b"-",
                        "created": now - timedelta(hours=1),
                        "not_after": now + timedelta(days=365),
                        "revoked_at": now if gone else None,
                        "reason": "superseded" if gone else None,
                    }
                )
            with connection.begin():
                connection.execute(sa.insert(CertificateRow), rows)
    with platform.store.engine.begin() as connection:
        opened = sa.update(AuthorityRow).where(AuthorityRow.name == "intl-issuing")
        connection.execute(opened.values(lists_full=full, lists_opened=now))
    platform.ca.renew_lists()
