"""Recording acts durably, beside commits of rows of the same size on the same engine and disk."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from ops.bench.house import house
from ops.bench.measure import Result, rates
from yinxin.act import SYSTEM
from yinxin.store import open_engine

_THREADS = 8
_EACH = 25


def audit_append() -> Iterator[Result]:
    """Acts of many writers, each durable with its record when it returns."""
    with house() as platform, tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'raw.db'}")
        table = sa.Table(
            "raw",
            sa.MetaData(),
            sa.Column("n", sa.Integer, primary_key=True),
            sa.Column("data", sa.LargeBinary),
        )
        table.create(engine)
        leaf = bytes(260)

        def writer() -> None:
            for _ in range(_EACH):
                with platform.store.act(SYSTEM, "bench.act", "bench:1"):
                    pass

        def acts() -> int:
            threads = [threading.Thread(target=writer) for _ in range(_THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return _THREADS * _EACH

        def single() -> int:
            for _ in range(_EACH * 4):
                with engine.begin() as connection:
                    connection.execute(table.insert().values(data=leaf))
            return _EACH * 4

        found = rates({"acts": acts, "single": single}, clock=time.monotonic)
        yield Result(
            "audit-act",
            found["acts"],
            "durable acts per second",
            {"one-row commits, one writer, same engine": found["single"]},
            f"{_THREADS} writers, one commit an act, record in the same transaction",
        )

        engine.dispose()
