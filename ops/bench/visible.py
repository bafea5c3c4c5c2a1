"""Lists: the page that somebody may see out of a million papers, condition and all."""

import os
import time
from collections.abc import Callable, Iterator

import sqlalchemy as sa

from ops.bench.grown import CHUNK, GRANTS, ORGANS, PEOPLE, grown, somebody
from ops.bench.measure import Result
from ops.platform import Platform
from yinxin.store import Columns, newest

#: rows of the list; another number by the environment
ROWS = int(os.environ.get("YINXIN_BENCH_ROWS", "1000000"))
#: an empty database of PostgreSQL, to measure there: postgresql+psycopg://…
DATABASE = os.environ.get("YINXIN_BENCH_DATABASE", "")
_PAGE = 50
#: how many ask of organs with a thousand below them, a hundred, ten, and none
_ASKERS, _SPANS = 50, ((0, 10), (10, 100), (100, 1000), (1000, 10000))


def visible() -> Iterator[Result]:
    """A page of fifty, newest first; people in organs of every size, each with grants over other organs."""
    overrides = [f"database.url={DATABASE}"] if DATABASE else []
    with grown(ORGANS, PEOPLE, GRANTS, *overrides) as platform:
        papers = _papers(platform)
        # of a server it is the time that passes: its CPU is not this process's
        clock, per = (time.perf_counter, "second") if DATABASE else (time.process_time, "CPU-second")
        first, again = (_asked(platform, papers, clock) for _ in range(2))
    for name, times, what in (
        (
            "visible",
            first,
            "each person for the first time: standing and grants read, condition made, page fetched",
        ),
        ("visible-again", again, "the same people again: the number of the state read, page fetched"),
    ):
        yield Result(
            name,
            1000 / times[int(0.99 * len(times))],
            f"lists per {per} at the 99th percentile, a page of {_PAGE} out of {ROWS} papers",
            {"20 ms": 50.0, "ours, median": 1000 / times[len(times) // 2]},
            f"{what}; {ORGANS} organs, {PEOPLE} people, {GRANTS} grants, {'PostgreSQL' if DATABASE else 'SQLite'}",
        )


def _papers(platform: Platform) -> sa.Table:
    papers = sa.Table(
        "bench_paper",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("organ", sa.String(64)),
        sa.Column("level", sa.String(16)),
        sa.Column("drafter", sa.String(64)),
        sa.Index("ix_bench_paper_organ", "organ", "id"),
    )
    sent = sa.Table(
        "bench_sent",
        papers.metadata,
        sa.Column("paper", sa.Integer, primary_key=True),
        sa.Column("organ", sa.String(64), primary_key=True),
        sa.Index("ix_bench_sent_organ", "organ", "paper"),
    )
    papers.metadata.create_all(platform.store.engine)
    for start in range(0, ROWS, CHUNK):
        numbers = range(start, min(start + CHUNK, ROWS))
        rows = [
            {
                "id": n,
                "organ": f"bench-{n % ORGANS}",
                "level": ("public", "secret")[n % 7 == 0],
                "drafter": "x",
            }
            for n in numbers
        ]
        copies = [{"paper": n, "organ": f"bench-{(7 * n + 3) % ORGANS}"} for n in numbers]
        with platform.store.engine.begin() as connection:
            connection.execute(sa.insert(papers), rows)
            connection.execute(sa.insert(sent), copies)
    with platform.store.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    return papers


def _asked(platform: Platform, papers: sa.Table, clock: Callable[[], float]) -> list[float]:
    """Milliseconds of `clock` for each list, the quickest first."""
    sent = papers.metadata.tables["bench_sent"]
    columns = Columns(
        papers.c.organ,
        papers.c.level,
        {"drafter": papers.c.drafter},
        {"recipients": lambda organ: papers.c.id.in_(sa.select(sent.c.paper).where(sent.c.organ == organ))},
    )
    times = []
    for least, most in _SPANS:
        for number in range(_ASKERS):
            organ = least + number * (min(most, ORGANS) - least) // _ASKERS
            actor = somebody(organ + ORGANS * (number % max(PEOPLE // ORGANS, 1)), ORGANS)
            began = clock()
            condition = platform.authz.decisions.visible(actor, "document.read", "Document")
            with platform.store.read() as session:
                page = newest(
                    session, sa.select(papers.c.id), condition, columns, key=papers.c.id, limit=_PAGE
                )
            times.append(1000 * (clock() - began))
            if not page:
                raise AssertionError
    return sorted(times)
