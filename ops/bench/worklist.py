"""The work lists of an office with a million documents, as its people open them in a browser."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from apps.document.intake.models import Intake
from apps.document.intake.models import State as Stage
from apps.document.intake.records import INTAKES
from apps.document.intake.states import HANDLING
from apps.document.layout.kinds import Kind
from apps.document.models import Document, State
from apps.document.states import COPIES
from ops.bench.measure import Result
from ops.bench.served import Served, cpu_seconds, ours
from ops.data import DataDirectory
from yinxin.clock import SystemClock
from yinxin.deadline import Period, Term, Unit
from yinxin.distribution import Copy
from yinxin.distribution import State as Standing
from yinxin.flow import ClockRow
from yinxin.store import Base, open_engine

Rows = Mapping[type[Base], list[dict[str, Any]]]

#: documents that the office has issued; a third as many it has received. Another number by the environment
DOCUMENTS = int(os.environ.get("YINXIN_BENCH_DOCUMENTS", "1000000"))
_OFFICE, _SENDERS = "province-office", ("city-jia", "city-yi", "dept-finance", "dept-health")
_FEW, _CHUNK, _TURNS = 1_000, 20_000, 20
#: who opens what: the clerk's lists, the leader's page, the registry's book
_LISTS = {
    "clerk-todo": ("demo-clerk", "/documents/?box=todo"),
    "clerk-all": ("demo-clerk", "/documents/?box=all"),
    "clerk-received": ("demo-clerk", "/documents/?box=received&state=dispatched&kind=NOTICE"),
    "registrar-todo": ("demo-registrar", "/documents/?box=todo"),
    "incoming-todo": ("demo-registrar", "/documents/intake/"),
    "incoming-overdue": ("demo-registrar", "/documents/intake/?box=overdue"),
    "leader": ("demo-leader", "/documents/leader"),
    "registry": ("demo-registrar", "/documents/registry"),
}


def work_list() -> Iterator[Result]:
    """Each list at a thousand documents, and then at a million, by the wall clock of whoever waits for the page."""
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder, ours(Path(folder)) as server:
        people = _people(server)
        database = DataDirectory(Path(folder) / "yinxin").database_url()
        _fill(database, 0, _FEW)
        few = {name: _times(people[person], path) for name, (person, path) in _LISTS.items()}
        _fill(database, _FEW, DOCUMENTS)
        many = {name: _times(people[person], path) for name, (person, path) in _LISTS.items()}
    for name in _LISTS:
        wall, cpu = many[name]
        yield Result(
            f"work-list-{name}",
            1 / wall,
            f"pages a second, by the median time of one, an office of {DOCUMENTS} documents; {1000 * cpu:.0f} ms of CPU",
            {"goal: one in 200 ms": 5.0, f"at {_FEW}": 1 / few[name][0]},
            "the whole page over TLS: session, permission as part of the query, counts of all boxes, HTML; SQLite",
        )


def _people(server: Served) -> Mapping[str, Served]:
    as_person = server.as_person
    if as_person is None:
        raise AssertionError
    return {person: as_person(person) for person, _ in _LISTS.values()}


def _times(person: Served, path: str) -> tuple[float, float]:
    """Seconds of one page, median of some, and of the server's CPU."""
    connection = person.connect()
    times = []
    spent = 0.0
    for turn in range(_TURNS + 1):
        before, began = cpu_seconds(person.process), time.perf_counter()
        connection.request("GET", path, headers=dict(person.headers))
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{path}: {answer.status} {said.decode('utf-8', 'replace')[:500]}")
        if turn:  # the first one warms
            times.append(time.perf_counter() - began)
            spent += cpu_seconds(person.process) - before
    connection.close()
    return median(times), spent / _TURNS


def _fill(database: str, start: int, stop: int) -> None:
    """Documents `start` to `stop` of the office as years of work leave them, written past the platform's acts."""
    now = SystemClock().now()
    engine = open_engine(database)
    for first in range(start, stop, _CHUNK):
        rows: Rows = {Document: [], Copy: [], Intake: [], ClockRow: []}
        for number in range(first, min(first + _CHUNK, stop)):
            at = now - timedelta(minutes=DOCUMENTS - number)
            _issued(rows, number, at)
            if number % 3 == 0:
                _received(rows, number, at)
        with engine.begin() as connection:
            for table, values in rows.items():
                connection.execute(sa.insert(table), values)
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _document(
    number: int, at: datetime, organ: str, state: State, recipients: Sequence[str]
) -> dict[str, Any]:
    """A row; the newest identifier is the greatest, as the store makes them."""
    return {
        "id": f"b{number:012}-{organ}",
        "organ": organ,
        # whatever else a document is told by its number, a quarter of each sort is above a registrar's clearance
        "level": ("public", "internal", "internal", "secret")[number * 7919 % 1009 % 4],
        "state": state,
        "version": 8,
        "created_at": at,
        "updated_at": at,
        "reference": f"bench-{number}",
        "kind": (Kind.NOTICE, Kind.LETTER, Kind.REPORT)[number % 3],
        "title": f"关于第{number}号事项的通知",
        "urgency": None,
        "recipients": list(recipients),
        "copied_to": [],
        "holders": list(recipients) if state is State.DISPATCHED else [],
        "drafter": f"bench-{organ}",
        "number": f"{organ}〔2026〕{number}号",
        "number_year": 2026,
        "number_serial": number,
    }


def _issued(rows: Rows, number: int, at: datetime) -> None:
    """What the office sent to two organs; of a thousand one is still in the house, of a hundred one copy is not signed for."""
    inside = (State.DRAFT, State.IN_REVIEW, State.REVIEWED, State.SIGNED_OFF)
    state = inside[number // 1000 % 4] if number % 1000 == 500 else State.DISPATCHED
    to = (_SENDERS[number % 4], _SENDERS[(number + 1) % 4])
    row = _document(number, at, _OFFICE, state, to)
    rows[Document].append(row)
    if state is State.DISPATCHED:
        rows[Copy] += [_copy(row["id"], each, _OFFICE, at, signed=number % 100 != 7) for each in to]


def _received(rows: Rows, number: int, at: datetime) -> None:
    """What the office was sent: of three hundred one is not signed for, one not registered, one being handled, and late."""
    sender = _SENDERS[number % 4]
    row = _document(number, at, sender, State.DISPATCHED, (_OFFICE,))
    rows[Document].append(row)
    rows[Copy].append(_copy(row["id"], _OFFICE, sender, at, signed=number % 900 != 0))
    if number % 900 in (0, 3):
        return
    handling = number % 900 == 6
    intake = f"i{number:012}"
    rows[Intake].append(
        {
            "id": intake,
            "organ": _OFFICE,
            "level": row["level"],
            "state": Stage.HANDLING if handling else Stage.ANSWERED,
            "version": 6,
            "created_at": at,
            "updated_at": at,
            "document": row["id"],
            "number": f"收〔2026〕{number}号",
            "title": row["title"],
            "sender": sender,
            "urgency": None,
            "main": "province-office-clerk",
            "joint": [],
            "hurried": 0,
        }
    )
    period = Period(Term(5, Unit.WORKING_DAYS), at)
    rows[ClockRow].append(
        {
            "flow": INTAKES.life.name,
            "item": intake,
            "name": HANDLING,
            "period": period.fields(),
            "due": at + timedelta(days=7),
            "provisional": False,
            "calendar": "bench",
            "ended_at": None if handling else at + timedelta(days=3),
        }
    )


def _copy(item: str, organ: str, sender: str, at: datetime, *, signed: bool) -> dict[str, Any]:
    return {
        "flow": COPIES.flow,
        "item": item,
        "organ": organ,
        "sender": sender,
        "role": "main",
        "state": Standing.RECEIVED if signed else Standing.DELIVERED,
        "away": False,
        "made_at": at,
        "delivered_at": at,
        "answered_at": at if signed else None,
        "urged": 0,
        "due": at + timedelta(days=1),
        "provisional": False,
    }
