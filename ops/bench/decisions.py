"""Decisions beside the bare engine, alone and many at once; what growth of the directory costs; lists out of a million."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta

import cedarpy
import sqlalchemy as sa
from sqlalchemy import MetaData

from authz.entities import resource_entity
from authz.grant.models import GrantRow
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from authz.visible import Columns
from ops.bench.house import house
from ops.bench.measure import Result, rates
from ops.platform import Platform
from yinxin.act import Actor, Kind
from yinxin.authz import Resource

#: organs, people and grants at the end, and rows of the list; others by the environment
ORGANS = int(os.environ.get("YINXIN_BENCH_ORGANS", "10000"))
PEOPLE = int(os.environ.get("YINXIN_BENCH_PEOPLE", "500000"))
GRANTS = int(os.environ.get("YINXIN_BENCH_GRANTS", "2000000"))
ROWS = int(os.environ.get("YINXIN_BENCH_ROWS", "1000000"))
_COUNT, _ASKED, _CHUNK = 100, 200, 20_000
_CLERK = Actor(Kind.PERSON, "demo-clerk", "province-office-clerk", "province-office")


def decisions() -> Iterator[Result]:
    """The platform's decisions, of questions it has not had before, beside the same questions put to the bare engine."""
    with house() as platform:
        yield _beside_the_engine(platform)
        few = _rate(platform)
        _grow(platform)
        many = _rate(platform)
        yield Result(
            "decisions-growth",
            many,
            f"decisions per CPU-second at {ORGANS} organs, {PEOPLE} people, {GRANTS} grants",
            {"in the miniature province": few},
            "one question at a time, standing, organs and grants read from SQLite each time",
        )
        yield _listed(platform)


def _questions(number: int) -> list[tuple[str, Resource, None]]:
    attributes = {"kind": "NOTICE", "state": "draft", "drafter": "somebody", "recipients": []}
    return [
        (
            "document.read",
            Resource("Document", f"d-{number}-{each}", "province-office", "public", attributes),
            None,
        )
        for each in range(_COUNT)
    ]


def _beside_the_engine(platform: Platform) -> Result:
    deciding, round_ = platform.authz.decisions, iter(range(1_000_000))
    policies = deciding.policies
    (known,) = deciding.check_many(_CLERK, _questions(0)[:1])
    person, _, *organs = known.entities
    concerning = policies.slice("document.read")

    def bare() -> int:
        for _, resource, _ in _questions(next(round_)):
            entities = [dict(person), dict(resource_entity(resource)), *(dict(each) for each in organs)]
            request = {
                "principal": person["uid"],
                "action": {"type": "Action", "id": "document.read"},
                "resource": {"type": resource.type, "id": resource.id},
                "context": {},
            }
            if not cedarpy.is_authorized(
                request, concerning, entities, schema=policies.parsed_schema
            ).allowed:
                raise AssertionError
        return _COUNT

    def many() -> int:
        return len(deciding.check_many(_CLERK, _questions(next(round_))))

    def single() -> int:
        for question in _questions(next(round_)):
            deciding.check(_CLERK, *question)
        return _COUNT

    found = rates({"bare": bare, "many": many, "single": single})
    return Result(
        "decisions",
        found["many"],
        "decisions per CPU-second, a hundred questions at once",
        {
            "cedarpy, policies of the action parsed once": found["bare"],
            "ours, one at a time": found["single"],
        },
        "standing, organs and grants read from SQLite for every call; no answer twice",
    )


def _rate(platform: Platform) -> float:
    deciding = platform.authz.decisions

    def single() -> int:
        for question in _questions(0):
            deciding.check(_CLERK, *question)
        return _COUNT

    return rates({"single": single})["single"]


def _grow(platform: Platform) -> None:
    """A tree four deep below the province, people in posts of their own, grants to all of them and over all organs."""
    now = platform.clock.now()
    with platform.store.engine.begin() as connection:
        top = connection.scalar(sa.select(OrganRow.id).where(OrganRow.parent.is_(None))) or ""
        pattern = {
            "name_zh": "机关",
            "name_en": "Organ",
            "short_name": "x",
            "level": "county",
            "division": "990121",
        }
        paths: list[tuple[str, ...]] = [(top,)]
        rows, closure = [], []
        for number in range(ORGANS):
            above = paths[number // 10]
            path = (f"bench-{number}", *above)
            paths.append(path)
            rows.append({**pattern, "id": path[0], "parent": above[0], "uscc": None})
            closure += [{"organ": path[0], "ancestor": each, "distance": at} for at, each in enumerate(path)]
        connection.execute(sa.insert(OrganRow), rows)
        connection.execute(sa.insert(OrganClosure), closure)
    for start in range(0, PEOPLE, _CHUNK):
        numbers = range(start, min(start + _CHUNK, PEOPLE))
        posts = [
            {"id": f"post-{each}", "organ": f"bench-{each % ORGANS}", "name_zh": "岗", "name_en": "Post"}
            for each in numbers
        ]
        with platform.store.engine.begin() as connection:
            connection.execute(
                sa.insert(PersonRow),
                [{"id": f"person-{n}", "name": "某", "clearance": "public"} for n in numbers],
            )
            connection.execute(sa.insert(PostRow), posts)
            connection.execute(sa.insert(PostRole), [{"post": f"post-{n}", "role": "clerk"} for n in numbers])
            held = [
                {"person": f"person-{n}", "post": f"post-{n}", "valid_from": now, "valid_to": None}
                for n in numbers
            ]
            connection.execute(sa.insert(AppointmentRow), held)
    given = {
        "template": "document.grant-reading",
        "source": "bench",
        "granted_by": "system",
        "granted_at": now,
    }
    given |= {"valid_from": now, "valid_to": now + timedelta(days=300)}
    for start in range(0, GRANTS, _CHUNK):
        numbers = range(start, min(start + _CHUNK, GRANTS))
        with platform.store.engine.begin() as connection:
            grants = [
                {
                    **given,
                    "id": f"grant-{n}",
                    "holder": f"person:person-{n % PEOPLE}",
                    "organ": f"bench-{n % ORGANS}",
                }
                for n in numbers
            ]
            connection.execute(sa.insert(GrantRow), grants)


def _listed(platform: Platform) -> Result:
    """A page of fifty, newest first, out of a million papers of all organs; for people in organs of every size."""
    papers = sa.Table(
        "bench_paper",
        MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("organ", sa.String(64)),
        sa.Column("level", sa.String(16)),
        sa.Column("drafter", sa.String(64)),
        sa.Index("ix_bench_paper_organ", "organ", "id"),
    )
    papers.create(platform.store.engine)
    for start in range(0, ROWS, _CHUNK):
        rows = [
            {
                "id": n,
                "organ": f"bench-{n % ORGANS}",
                "level": ("public", "secret")[n % 7 == 0],
                "drafter": "x",
            }
            for n in range(start, min(start + _CHUNK, ROWS))
        ]
        with platform.store.engine.begin() as connection:
            connection.execute(sa.insert(papers), rows)
    columns = Columns(
        papers.c.organ, papers.c.level, {"drafter": papers.c.drafter}, {"recipients": lambda _: sa.false()}
    )
    times = []
    for number in range(_ASKED):
        asker = number * PEOPLE // _ASKED
        actor = Actor(Kind.PERSON, f"person-{asker}", f"post-{asker}", f"bench-{asker % ORGANS}")
        began = time.process_time()
        condition = platform.authz.decisions.visible(actor, "document.read", "Document", columns)
        with platform.store.engine.connect() as connection:
            page = connection.execute(
                sa.select(papers.c.id).where(condition).order_by(papers.c.id.desc()).limit(50)
            ).all()
        times.append(1000 * (time.process_time() - began))
        if not page:
            raise AssertionError
    times.sort()
    return Result(
        "visible",
        1000 / times[int(0.99 * len(times))],
        f"lists per CPU-second at the 99th percentile, a page of 50 out of {ROWS} papers",
        {"20 ms": 50.0, "ours, median": 1000 / times[len(times) // 2]},
        "standing and grants read, condition made, page fetched; own organ and what was granted",
    )
