"""Issuing when few certificates are stored and when many are: what growth costs."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from multiprocessing import get_context
from statistics import median
from typing import Any

import sqlalchemy as sa

from authz.models import CertificateBinding
from ca.issue import issue as issue_certificate
from ca.models import CertificateRow, NameRow
from ca.request import Holder, IssueRequest
from ops.bench.house import house
from ops.bench.measure import ROUNDS, Result
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL

SMALL = 1_000
#: certificates at the end; another number by the environment, for a run that has the time
LARGE = int(os.environ.get("YINXIN_BENCH_CERTIFICATES", "100000"))
_COUNT, _CHUNK = 30, 20_000
#: SQLite's cache while rows are laid out, and as it is otherwise
_CACHE_KIB, _CACHE_USUAL_KIB = 2_000_000, 2_000


def issue_growth() -> Iterator[Result]:
    """The rate at many stored certificates beside that at a thousand, in turn, each site in a process of its own."""
    with ExitStack() as stack:
        sites = {size: stack.enter_context(_site(size)) for size in (SMALL, LARGE)}
        spent: dict[int, list[float]] = {size: [] for size in sites}
        for round_ in range(ROUNDS + 1):
            for size, ask in sites.items():
                seconds = ask()
                if round_:  # the first one warms
                    spent[size].append(seconds)
    few, many = (_COUNT / median(spent[size]) for size in (SMALL, LARGE))
    yield Result(
        "issue-growth",
        many,
        f"certificates per CPU-second, at {LARGE} stored",
        {f"at {SMALL}": few},
        "one at a time, both in turn, SQLite, every row with its octets, names and binding",
    )


@contextmanager
def _site(size: int) -> Iterator[Callable[[], float]]:
    """A site of so many certificates: what asks it for the CPU seconds of another few. One process opens one token."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        try:
            process.submit(_found, size).result()
            yield lambda: process.submit(_issued).result()
        finally:
            process.submit(_FOUND.close).result()


#: of a site's process: what is closed at its end, and its platform
_FOUND = ExitStack()
_PLATFORM: list[Platform] = []


def _found(size: int) -> None:
    _PLATFORM.append(_FOUND.enter_context(house()))
    fill(_PLATFORM[0], 0, size)


def _issued() -> float:
    (platform,) = _PLATFORM
    csrs = [CertificationRequest.build(PrivateKey.generate(INTL), {}).der for _ in range(_COUNT)]
    holder = Holder("person", "demo-clerk", post="province-office-clerk")
    began = time.process_time()
    for csr in csrs:
        request = IssueRequest(f"bench:{platform.store.identifier()}", "person-signing", csr, holder)
        issue_certificate(platform.ca.ctx, SYSTEM, request)
    return time.process_time() - began


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
    with roomy(platform) as connection:
        for start in range(begin, end, _CHUNK):
            numbers = range(start, min(start + _CHUNK, end))
            digests = [INTL.hash.digest(f"{number}".encode()).hex() for number in numbers]
            rows = [
                row
                | {"serial": f"1{digest[:33]}", "fingerprint": digest, "spki_digest": digest[::-1]}
                | {"reference": f"fill-{number}", "holder": f"person-{number}"}
                | {"created": row["created"] - timedelta(seconds=number)}
                for number, digest in zip(numbers, digests, strict=True)
            ]
            serials = [each["serial"] for each in rows]
            names_of = [{"text": text, "serial": serial} for serial in serials for text in texts]
            bindings = [
                binding | {"fingerprint": digest, "serial": serial}
                for serial, digest in zip(serials, digests, strict=True)
            ]
            with connection.begin():
                connection.execute(sa.insert(CertificateRow), rows)
                connection.execute(sa.insert(NameRow), names_of)
                connection.execute(sa.insert(CertificateBinding), bindings)


@contextmanager
def roomy(platform: Platform) -> Iterator[sa.Connection]:
    """A connection for rows by the million, whose keys come in no order: until it ends its cache holds the indexes."""
    with platform.store.engine.connect() as connection:
        _cache(connection, _CACHE_KIB)
        yield connection
        _cache(connection, _CACHE_USUAL_KIB)
    with platform.store.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # what was laid out is not left for whoever commits next to carry into the file
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _cache(connection: sa.Connection, kib: int) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{kib}")
        connection.rollback()
