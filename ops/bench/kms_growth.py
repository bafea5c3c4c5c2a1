"""The library of encryption keys at a thousand and at a million keys: what growth costs a key that is given and opened."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa
from pkcs11 import ObjectClass

from kms.engine import gcm
from kms.escrow.keys import make
from kms.escrow.models import Standing, UserKeyRow
from kms.escrow.pool import Wanted
from ops.bench.house import house
from ops.bench.measure import Result, rates
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey

SMALL = 1_000
#: stored keys at the end; another number by the environment
LARGE = int(os.environ.get("YINXIN_BENCH_STORED_KEYS", "1000000"))
_COUNT, _CHUNK = 30, 20_000


def kms_growth() -> Iterator[Result]:
    """The rate at many stored keys over that at a thousand, each divided by the raw work beside it."""
    with house("kms.pool={}") as platform:
        found, stored = {}, 0
        for size in (SMALL, LARGE):
            fill(platform, stored, size)
            stored = size
            found[size] = _measured(platform, size)
        few, many = (1000 * found[size]["ours"] / found[size]["raw"] for size in (SMALL, LARGE))
        yield Result(
            "kms-growth",
            many,
            f"keys given and opened in the CPU time of 1000 raw ones, at {LARGE} stored",
            {f"at {SMALL}": few},
            "levels of the pools read, made, wrapped, stored with its record, found again and opened, looks for what has ended; "
            "SQLite; CPU time; raw: made, C_Encrypt and C_Decrypt; generated rows",
        )


def fill(platform: Platform, begin: int, end: int) -> None:
    """Rows of keys in use, all after one that was made: other identifiers, digests, references and holders."""
    store, kms = platform.store, platform.kms
    row = make(store, kms.engine, kms.wrapping_key(SYSTEM), "ecdsa-p256")
    given = {column.name: getattr(row, column.name) for column in UserKeyRow.__table__.columns}
    given |= {"standing": Standing.IN_USE.value, "holder_kind": "person", "organ": "bench"}
    given |= {"given": row.created, "expires": row.created + timedelta(days=365)}
    table = cast("sa.Table", UserKeyRow.__table__)
    for start in range(begin, end, _CHUNK):
        rows = [
            given
            | {"id": f"{each:026d}", "spki_digest": f"{each:064x}", "reference": f"bench-{each}"}
            | {"holder": f"person-{each}", "certificate": f"{each:x}"}
            for each in range(start, min(start + _CHUNK, end))
        ]
        with store.engine.begin() as connection:
            connection.execute(sa.insert(table), rows)


def _measured(platform: Platform, size: int) -> dict[str, float]:
    escrow, kms = platform.kms.escrow, platform.kms
    number = iter(range(10**9))

    def ours() -> int:
        for _ in range(_COUNT):
            wanted = Wanted(f"growth/{size}/{next(number)}", "ecdsa-p256", "person", "zhang", "county")
            escrow.levels()
            key = escrow.give(SYSTEM, wanted)
            with escrow.opened(escrow.key(key.id)):
                pass
        escrow.archive()
        return _COUNT

    def raw() -> int:
        kek = kms.wrapping_key(SYSTEM)
        nonce, bound = bytes(gcm.NONCE), b"benchmark"

        def both(session: Any) -> int:
            secret = session.get_key(object_class=ObjectClass.SECRET_KEY, id=kek.handle)
            for _ in range(_COUNT):
                blob = gcm.encrypt(secret, nonce, bound, PrivateKey.generate("ecdsa-p256").pkcs8())
                gcm.decrypt(secret, nonce, bound, blob)
            return _COUNT

        return kms.token.use(both)

    return rates({"ours": ours, "raw": raw})
