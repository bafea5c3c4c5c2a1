"""Rewrapping user keys under the next generation: read, opened, wrapped, written, recorded; beside the token's GCM alone."""

import os
from collections.abc import Iterator
from typing import Any, cast

import sqlalchemy as sa
from pkcs11 import ObjectClass

from kms.engine import gcm
from kms.escrow.keys import HELD, make
from kms.escrow.models import UserKeyRow
from kms.generation.rewrap import BATCH, Gone, Move, batches
from kms.generation.rotate import begin
from kms.info import KeyInfo
from kms.wrap import wrap_octets
from ops.bench.house import house
from ops.bench.measure import ROUNDS, Result, rates
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL

#: stored keys; another number by the environment
STORED = int(os.environ.get("YINXIN_BENCH_KEYS", "100000"))
_CHUNK = 5_000


def kms_rewrap() -> Iterator[Result]:
    """All stored keys go from kek-1 to kek-2, in as many parts as there are rounds, each beside the raw work."""
    with house() as platform:
        old = platform.kms.wrapping_key(SYSTEM)
        pkcs8 = fill(platform, old, STORED)
        new = begin(platform.store, platform.kms, SYSTEM, number=2, label="kek-2")
        gone = Gone()
        going = batches(Move(platform.store, platform.kms.engine, old, new), [HELD], gone)
        part = STORED // (ROUNDS + 1) // BATCH

        def ours() -> int:
            before = gone.moved
            for _ in range(part):
                next(going, None)
            return gone.moved - before

        found = rates({"key centre": ours, "raw token": lambda: raw(platform, old, new, pkcs8, part * BATCH)})
        yield Result(
            "kms-rewrap",
            found["key centre"],
            f"keys per CPU-second, of {gone.moved} moved",
            {"raw token": found["raw token"]},
            "read, C_Decrypt, C_Encrypt, changed in its row, recorded, SQLite; raw: C_Decrypt and C_Encrypt in one call",
        )


def fill(platform: Platform, kek: KeyInfo, number: int) -> bytes:
    """So many keys on standby, each under its own ciphertext of one and the same secret; that secret."""
    store, engine = platform.store, platform.kms.engine
    row = make(store, engine, kek, "ecdsa-p256")
    given = {column.name: getattr(row, column.name) for column in UserKeyRow.__table__.columns}
    pkcs8 = PrivateKey.generate(INTL).pkcs8()
    table = cast("sa.Table", UserKeyRow.__table__)
    for start in range(0, number, _CHUNK):
        rows = []
        for each in range(start, min(start + _CHUNK, number)):
            one = given | {"id": f"{each:026d}", "spki_digest": f"{each:064x}"}
            bound = HELD.bound(UserKeyRow(**one), kek.label)
            wrapped = wrap_octets(engine, kek, bound, pkcs8, store.randomness)
            rows.append(one | {"nonce": wrapped.nonce, "blob": wrapped.blob})
        with store.engine.begin() as connection:
            connection.execute(sa.insert(table), rows)
    return pkcs8


def raw(platform: Platform, old: KeyInfo, new: KeyInfo, secret: bytes, number: int) -> int:
    """The token's own work alone: one session, one lock, nothing read or written."""
    nonce, bound = bytes(gcm.NONCE), b"benchmark" * 10

    def both(session: Any) -> int:
        before, after = (
            session.get_key(object_class=ObjectClass.SECRET_KEY, id=each.handle) for each in (old, new)
        )
        blob = gcm.encrypt(before, nonce, bound, secret)
        for _ in range(number):
            gcm.encrypt(after, nonce, bound, gcm.decrypt(before, nonce, bound, blob))
        return number

    return platform.kms.token.use(both)
