"""The directory of a township and of a province: imported, then looked up; what growth costs."""

import csv
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from authz.directory import Directory
from authz.directory.models import DelegationRow  # noqa: F401 - defines its tables
from authz.models import AppointmentRow
from authz.roster.roster import Roster
from ops.bench.measure import Result
from ops.schema import upgrade
from yinxin.act import SYSTEM
from yinxin.clock import ManualClock
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine

SMALL = 1_000
#: people at the end; another number by the environment, for a run that has less time
LARGE = int(os.environ.get("YINXIN_BENCH_PEOPLE", "500000"))
#: appointments of each person; people of each organ
_POSTS, _STAFF = 4, 50
_ROUNDS, _LOOKS = 7, 20
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_SINCE = "2026-01-01T00:00:00+08:00"

#: one look-up of each kind for person n of `count`
LOOKS: Mapping[str, Callable[[Directory, int, int], object]] = {
    "standing": lambda d, n, _: d.standing(f"p-{n}", f"post-{n % _STAFF}-{n // _STAFF}"),
    "path": lambda d, n, _: d.organ(f"o-{n // _STAFF}"),
    "is-under": lambda d, n, _: d.is_under(f"o-{n // _STAFF}", "o-0"),
    "career": lambda d, n, _: d.career(f"p-{n}"),
    "holders": lambda d, n, _: d.holders_of("reviewer", f"o-{n // _STAFF}"),
    "page": lambda d, n, _: d.people(after=f"p-{n}", limit=5),
}


def directory_growth() -> Iterator[Result]:
    """Each kind of look-up at half a million people beside a thousand, and the import that brought them."""
    rates, directories, engines = {}, {}, []
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder:
        for count in (SMALL, LARGE):
            place = Path(folder) / str(count)
            _write(place, count)
            store = _store(f"sqlite:///{place / 'directory.sqlite'}")
            began = time.process_time()
            rows = _import(store, place)
            rates[count] = rows / (time.process_time() - began)
            directories[count] = Directory(store)
            engines.append(store.engine)
        found = _looked_up(directories)
        for engine in engines:
            engine.dispose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Result(
        "directory-import",
        rates[LARGE],
        "rows per CPU second",
        {f"{SMALL} people": rates[SMALL]},
        f"{LARGE} people in {_POSTS} posts each, checked and entered in one transaction, SQLite; peak {memory:.0f} MiB",
    )
    for name in LOOKS:
        includes = f"{name}, {LARGE} people, {LARGE * _POSTS} appointments, {LARGE // _STAFF} organs, SQLite"
        peer = {f"{SMALL} people": 1 / found[SMALL][name]}
        yield Result(f"directory-{name}", 1 / found[LARGE][name], "per CPU second", peer, includes)


def _store(url: str) -> Store:
    engine = open_engine(url)
    upgrade(engine)
    return Store(engine, clock=ManualClock(_NOW), randomness=SystemRandomness())


def _import(store: Store, folder: Path) -> int:
    roster = Roster(store, None)  # type: ignore[arg-type]  # nobody is asked: it is entered as approved
    with roster.offered(folder) as named, store.act(SYSTEM, "authz.import", "directory") as act:
        report = roster.enter(act, named)
    with store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AppointmentRow))  # noqa: S101 - a bench that entered nothing measures nothing
    return sum(counts["new"] for counts in report.counts.values())


def _looked_up(directories: Mapping[int, Directory]) -> Mapping[int, Mapping[str, float]]:
    """Seconds of CPU for one look-up of each kind at each size, the median over rounds in turn."""
    taken: dict[int, dict[str, list[float]]] = {count: {name: [] for name in LOOKS} for count in directories}
    for round_ in range(_ROUNDS):
        for name, look in LOOKS.items():
            for count, directory in directories.items():
                people = [(7919 * (round_ * _LOOKS + each)) % count for each in range(_LOOKS)]
                began = time.process_time()
                for person in people:
                    look(directory, person, count)
                taken[count][name].append((time.process_time() - began) / _LOOKS)
    return {count: {name: median(each) for name, each in looks.items()} for count, looks in taken.items()}


def _write(folder: Path, count: int) -> None:
    folder.mkdir()
    organs = max(1, count // _STAFF)
    above = [None if n == 0 else (n - 1) // 20 for n in range(organs)]
    with _table(folder, "organs", "id,parent,name_zh,name_en,short_name,level,division") as out:
        for n, parent in enumerate(above):
            out.writerow(
                [
                    f"o-{n}",
                    "" if parent is None else f"o-{parent}",
                    f"机关{n}",
                    f"Organ {n}",
                    f"机{n}",
                    "department",
                    "990000",
                ]
            )
    with _table(folder, "posts", "id,organ,name_zh,name_en,roles") as out:
        for organ in range(organs):
            for place in range(_STAFF):
                role = ("clerk", "reviewer", "leader", "registrar")[place % 4]
                out.writerow([f"post-{place}-{organ}", f"o-{organ}", "岗位", "Post", role])
    with _table(folder, "people", "id,name") as out:
        out.writerows([f"p-{n}", f"人员{n}"] for n in range(count))
    with _table(folder, "appointments", "person,post,valid_from") as out:
        for n in range(count):
            for more in range(_POSTS):
                place, organ = (n + more) % _STAFF, (n // _STAFF)
                out.writerow([f"p-{n}", f"post-{place}-{organ}", _SINCE])


class _table:  # noqa: N801 - read as a function
    """A table being written."""

    def __init__(self, folder: Path, name: str, columns: str) -> None:
        self._stream = (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream)
        self._writer.writerow(columns.split(","))

    def __enter__(self) -> Any:
        return self._writer

    def __exit__(self, *_: object) -> None:
        self._stream.close()
