"""Issuing when few certificates are stored and when many are: what growth costs."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from authz.models import CertificateBinding
from ca.issue import issue as issue_certificate
from ca.models import CertificateRow, NameRow
from ca.request import Holder, IssueRequest
from ops.bench.house import house
from ops.bench.issue import unavoidable
from ops.bench.measure import ROUNDS, Result, rates
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.store import open_engine

SMALL = 1_000
#: certificates at the end; another number by the environment, for a run that has the time
LARGE = int(os.environ.get("YINXIN_BENCH_CERTIFICATES", "100000"))
_COUNT, _CHUNK, _CACHE_KIB = 30, 20_000, 2_000_000


def issue_growth() -> Iterator[Result]:
    """The rate at many stored certificates over that at a thousand, each divided by the raw work beside it."""
    with house() as platform:
        found = {}
        stored = 0
        for size in (SMALL, LARGE):
            fill(platform, stored, size)
            stored = size
            found[size] = _measured(platform)
        few, many = (1000 * found[size]["durable"] / found[size]["raw"] for size in (SMALL, LARGE))
        yield Result(
            "issue-growth",
            many,
            f"certificates in the CPU time of 1000 raw ones, at {LARGE} stored",
            {f"at {SMALL}": few},
            "one at a time, SQLite, every row with its octets, names and binding; CPU time; raw work measured at both",
        )


def _measured(platform: Platform) -> dict[str, float]:
    prepared = iter(
        [
            [CertificationRequest.build(PrivateKey.generate(INTL), {}).der for _ in range(_COUNT)]
            for _ in range(2 * (ROUNDS + 1))
        ]
    )
    holder = Holder("person", "demo-clerk", post="province-office-clerk")

    def durable() -> int:
        for csr in next(prepared):
            request = IssueRequest(f"bench:{platform.store.identifier()}", "person-signing", csr, holder)
            issue_certificate(platform.ca.ctx, SYSTEM, request)
        return _COUNT

    return rates({"durable": durable, "raw": lambda: unavoidable(platform, INTL, next(prepared))})


def fill(platform: Platform, begin: int, end: int) -> None:
    """Rows as issuance leaves them, from one that was issued: other serial numbers, keys, references and holders."""
    holder = Holder("person", "demo-clerk", post="province-office-clerk")
    csr = CertificationRequest.build(PrivateKey.generate(INTL), {}).der
    request = IssueRequest(f"fill:{platform.store.identifier()}", "person-signing", csr, holder)
    issued = issue_certificate(platform.ca.ctx, SYSTEM, request)
    with platform.store.engine.connect() as connection:
        certificate = sa.select(CertificateRow.__table__).where(CertificateRow.serial == issued.serial)
        row = dict(connection.execute(certificate).mappings().one())
        names = sa.select(NameRow.text).where(NameRow.serial == issued.serial)
        texts = list(connection.execute(names).scalars())
        bound = sa.select(CertificateBinding.__table__).where(CertificateBinding.serial == issued.serial)
        binding = dict(connection.execute(bound).mappings().one())
    # with a cache of its own that holds the indexes: keys come in no order, as in life
    engine = open_engine(platform.store.engine.url.render_as_string(hide_password=False), pool=1)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _roomy)
    for start in range(begin, end, _CHUNK):
        numbers = range(start, min(start + _CHUNK, end))
        digests = [INTL.hash.digest(f"{number}".encode()).hex() for number in numbers]
        with engine.begin() as connection:
            rows = [
                row
                | {"serial": f"1{digest[:33]}", "fingerprint": digest, "spki_digest": digest[::-1]}
                | {"reference": f"fill-{number}", "holder": f"person-{number}"}
                | {"created": row["created"] - timedelta(seconds=number)}
                for number, digest in zip(numbers, digests, strict=True)
            ]
            connection.execute(sa.insert(CertificateRow), rows)
            serials = [each["serial"] for each in rows]
            connection.execute(
                sa.insert(NameRow), [{"text": text, "serial": serial} for serial in serials for text in texts]
            )
            bindings = [
                binding | {"fingerprint": digest, "serial": serial}
                for serial, digest in zip(serials, digests, strict=True)
            ]
            connection.execute(sa.insert(CertificateBinding), bindings)
    engine.dispose()


def _roomy(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
