"""Searching the register of certificates, when it is small and when it is large: what growth costs."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from authz.models import OrganClosure, OrganRow
from ca import inventory
from ca.inventory import Filter
from ca.models import BETWEEN, AuthorityRow, CertificateRow, NameRow, ProfileRow, State
from ops.bench.measure import Result
from ops.schema import upgrade
from yinxin.clock import ManualClock
from yinxin.crypto.suite import INTL
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine

SMALL, LARGE = 1_000, 100_000
ROUNDS = 30
_CHUNK = 10_000
_ORGANS = 200
_NOW = datetime(2026, 1, 1, tzinfo=UTC)

#: one search of each kind; `{n}` is a certificate that is there
SEARCHES: Mapping[str, Callable[[int], Filter]] = {
    "person": lambda n: Filter(holder=f"person-{n}"),
    "organ": lambda n: Filter(organ=f"organ-{n % _ORGANS}", state="issued"),
    "region": lambda _: Filter(organ="top", profile="tls-server", state="issued"),
    "whole": lambda _: Filter(organ="top", state="issued", sort="not_after"),
    "name": lambda n: Filter(name=f"erson {n}"),
    "serial": lambda n: Filter(serial=_serial(n)[:12]),
    "key": lambda n: Filter(key=_digest(f"key-{n}")),
    "revoked": lambda _: Filter(state="revoked", sort="-created"),
    "ending": lambda _: Filter(
        state="issued", ends_from=_NOW, ends_to=_NOW + timedelta(days=7), sort="not_after"
    ),
}


def inventory_growth() -> Iterator[Result]:
    """Each kind of search, a page of fifty, at a hundred thousand certificates beside a thousand."""
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder:
        found = {}
        for count in (SMALL, LARGE):
            store = filled(f"sqlite:///{Path(folder) / f'{count}.sqlite'}", count)
            found[count] = searched(store, count)
            store.engine.dispose()
    for name in SEARCHES:
        many, few = (1 / found[count][name][0] for count in (LARGE, SMALL))
        includes = f"a page of 50 by {name}, {LARGE} certificates, SQLite"
        yield Result(f"inventory-{name}", many, "pages per second", {f"{SMALL} certificates": few}, includes)


def searched(store: Store, count: int) -> Mapping[str, tuple[float, float]]:
    """The median and the longest time of each kind of search, in seconds, at `count` certificates."""
    found = {}
    for name, wanted in SEARCHES.items():
        times = []
        for number in range(ROUNDS):
            began = time.perf_counter()
            inventory.search(store, wanted((number * 7919) % count), limit=51)
            times.append(time.perf_counter() - began)
        found[name] = (median(times), max(times))
    return found


def filled(url: str, count: int) -> Store:
    """A store with `count` certificates: their rows, without keys that would have signed them."""
    store = Store(open_engine(url), clock=ManualClock(_NOW), randomness=SystemRandomness())
    upgrade(store.engine)
    with store.engine.begin() as connection:
        organ = {"name_zh": "机关", "name_en": "Organ", "short_name": "机", "level": "county"}
        names = ["top", *(f"organ-{number}" for number in range(_ORGANS))]
        organs = [
            {**organ, "id": n, "parent": None if n == "top" else "top", "division": "990000"} for n in names
        ]
        connection.execute(sa.insert(OrganRow), organs)
        closure = [{"organ": n, "ancestor": n, "distance": 0} for n in names]
        closure += [{"organ": n, "ancestor": "top", "distance": 1} for n in names[1:]]
        connection.execute(sa.insert(OrganClosure), closure)
        authority = {"name": "bench", "suite": "intl", "key_label": "bench", "subject": b"", "spki": b""}
        connection.execute(sa.insert(AuthorityRow), [{**authority, "created": _NOW}])
        connection.execute(
            sa.insert(ProfileRow), [{"hash": "0" * 64, "name": "person-signing", "data": b"{}"}]
        )
    for begin in range(0, count, _CHUNK):
        numbers = range(begin, min(begin + _CHUNK, count))
        with store.engine.begin() as connection:
            connection.execute(sa.insert(CertificateRow), [_row(number) for number in numbers])
            texts = [
                {"text": f"organ {n % _ORGANS}{BETWEEN}person {n}", "serial": _serial(n)} for n in numbers
            ]
            connection.execute(sa.insert(NameRow), texts)
    with store.engine.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
    return store


def _row(number: int) -> dict[str, object]:
    created = _NOW - timedelta(days=1000) + timedelta(seconds=number)
    revoked = _NOW - timedelta(days=number % 300) if number % 50 == 0 else None
    octets = _digest(str(number)).encode() * 10
    return {
        "serial": _serial(number),
        "authority": "bench",
        "reference": f"r-{number}",
        "request_digest": "0" * 64,
        "state": State.ISSUED,
        "profile": "person-signing" if number % 3 else "tls-server",
        "profile_hash": "0" * 64,
        "subject": f"CN=Person {number}",
        "holder_kind": "person",
        "holder": f"person-{number}",
        "organ": f"organ-{number % _ORGANS}",
        "spki_digest": _digest(f"key-{number}"),
        "tbs": octets,
        "lint_certificate": octets,
        "der": octets,
        "fingerprint": _digest(f"certificate-{number}"),
        "not_before": created,
        "not_after": _NOW + timedelta(minutes=(number * 7919) % 1_500_000 - 200_000),
        "requested_by": "bench",
        "created": created,
        "revoked_at": revoked,
        "reason": "superseded" if revoked else None,
    }


def _serial(number: int) -> str:
    return f"1{_digest(f'serial-{number}')[:32]}"


def _digest(text: str) -> str:
    return INTL.hash.digest(text.encode()).hex()
