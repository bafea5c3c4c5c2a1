"""A site of a province's size for the benchmarks: organs, people in posts, grants, written past the platform's own acts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa

from authz.grant.models import GrantRow
from authz.models import AppointmentRow, OrganClosure, OrganRow, PersonRow, PostRole, PostRow
from ops.bench.house import house
from ops.platform import Platform
from yinxin.act import Actor, Kind

#: organs, people and grants; others by the environment, for a run that has less time
ORGANS = int(os.environ.get("YINXIN_BENCH_ORGANS", "10000"))
PEOPLE = int(os.environ.get("YINXIN_BENCH_PEOPLE", "500000"))
GRANTS = int(os.environ.get("YINXIN_BENCH_GRANTS", "2000000"))
CHUNK = 20_000


@contextmanager
def grown(organs: int, people: int, grants: int, *overrides: str) -> Iterator[Platform]:
    """A platform of that size; gone afterwards."""
    with house(*overrides) as platform:
        grow(platform, organs, people, grants)
        yield platform


def somebody(number: int, organs: int) -> Actor:
    """Person `number`, in her post."""
    return Actor(Kind.PERSON, f"person-{number}", f"post-{number}", f"bench-{number % organs}")


def grow(platform: Platform, organs: int, people: int, grants: int) -> None:
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
        for number in range(organs):
            above = paths[number // 10]
            path = (f"bench-{number}", *above)
            paths.append(path)
            rows.append({**pattern, "id": path[0], "parent": above[0], "uscc": None})
            closure += [{"organ": path[0], "ancestor": each, "distance": at} for at, each in enumerate(path)]
        connection.execute(sa.insert(OrganRow), rows)
        connection.execute(sa.insert(OrganClosure), closure)
    for start in range(0, people, CHUNK):
        numbers = range(start, min(start + CHUNK, people))
        posts = [
            {"id": f"post-{each}", "organ": f"bench-{each % organs}", "name_zh": "岗", "name_en": "Post"}
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
    given: dict[str, object] = {
        "template": "document.grant-reading",
        "source": "bench",
        "granted_by": "system",
        "granted_at": now,
    }
    given |= {"valid_from": now, "valid_to": now + timedelta(days=300)}
    for start in range(0, grants, CHUNK):
        numbers = range(start, min(start + CHUNK, grants))
        with platform.store.engine.begin() as connection:
            written: list[dict[str, object]] = [
                {
                    **given,
                    "id": f"grant-{n}",
                    "holder": f"person:person-{n % people}",
                    "organ": f"bench-{(13 * n + 37 * (n // people)) % organs}",
                }
                for n in numbers
            ]
            connection.execute(sa.insert(GrantRow), written)
