"""Decisions beside the bare engine, alone and many at once; what growth of the directory costs."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import cedarpy
import sqlalchemy as sa

from authz.entities import resource_entity
from authz.state.models import StateRow
from ops.bench.grown import GRANTS, ORGANS, PEOPLE, grown, somebody
from ops.bench.house import house
from ops.bench.measure import Result, rates
from ops.bench.served import cpu_seconds, ours
from ops.platform import Platform
from yinxin.act import Actor, Kind
from yinxin.authz import Resource

_COUNT, _FEW = 100, 1000
_CLERK = Actor(Kind.PERSON, "demo-clerk", "province-office-clerk", "province-office")


def decisions() -> Iterator[Result]:
    """The platform's decisions, of questions it has not had before, beside the same questions put to the bare engine."""
    with house() as platform:
        yield _beside_the_engine(platform)


def decisions_sdk() -> Iterator[Result]:
    """The same through the SDK over HTTPS on the loopback interface, beside the platform in this process and the engine.

    CPU of this process and of the server's together, for all of them.
    """
    with (
        tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder,
        ours(Path(folder)) as server,
        house() as platform,
    ):
        if server.client is None:
            raise AssertionError
        client, round_ = server.client.authz, iter(range(1_000_000))
        deciding, answers = platform.authz.decisions, platform.authz.answers

        def each(ask: Callable[[tuple[str, Resource, None]], object]) -> int:
            for question in _questions(next(round_)):
                ask(question)
            return _COUNT

        def together(ask: Callable[[Sequence[tuple[str, Resource, None]]], Sequence[object]]) -> int:
            return sum(len(ask(_questions(next(round_)))) for _ in range(5))

        found = rates(
            {
                "sdk": lambda: each(lambda question: client.check(*question)),
                "sdk-many": lambda: together(client.check_many),
                "recorded": lambda: each(lambda question: answers.ask(_CLERK, [question])),
                "recorded-many": lambda: together(lambda questions: answers.ask(_CLERK, questions)),
                "single": lambda: each(lambda question: deciding.check(_CLERK, *question)),
                "many": lambda: together(lambda questions: deciding.check_many(_CLERK, questions)),
                "bare": _bare(platform, round_),
            },
            clock=lambda: time.process_time() + cpu_seconds(server.process),
        )
    engine = {"cedarpy, policies of the action parsed once": found["bare"]}
    yield Result(
        "decisions-sdk",
        found["sdk"],
        "decisions per CPU-second of client and server, one call each",
        {"in-process, recorded": found["recorded"], "in-process, unrecorded": found["single"], **engine},
        "HTTPS, session looked at again, decided, one entry for each call",
    )
    yield Result(
        "decisions-sdk-many",
        found["sdk-many"],
        "decisions per CPU-second of client and server, a hundred in a call",
        {"in-process, recorded": found["recorded-many"], "in-process, unrecorded": found["many"], **engine},
        "HTTPS, session looked at again, decided, one entry for each call",
    )


def decisions_growth() -> Iterator[Result]:
    """What a decision costs at a province's size, over what it costs at a thousand people, both in turn."""
    with grown(_FEW // 10, _FEW, 4 * _FEW) as few, grown(ORGANS, PEOPLE, GRANTS) as many:

        def asked(platform: Platform, organs: int, people: Iterator[int]) -> int:
            for number, (action, resource, _) in zip(islice(people, _COUNT), _questions(0), strict=True):
                actor = somebody(number, organs)
                found = platform.authz.decisions.check(
                    actor, action, replace(resource, organ=actor.organ or "")
                )
                if not found.entities or len(found.grants) == 0:
                    raise AssertionError(actor)  # somebody unknown costs nothing and measures nothing
            return _COUNT

        def afresh(platform: Platform, organs: int, people: Iterator[int]) -> int:
            """As after a change of the directory: the database gives the state another number, all is looked up anew."""
            with platform.store.engine.begin() as connection:
                connection.execute(sa.update(StateRow).values(number=StateRow.number + 1))
            return asked(platform, organs, people)

        def apart(size: int) -> Iterator[int]:
            """People by number, each some way from the last."""
            return (7919 * n % size for n in count())

        sizes = {"few": (few, _FEW // 10, _FEW), "many": (many, ORGANS, PEOPLE)}
        again = rates(
            {
                name: lambda at=at, organs=organs, size=size: asked(at, organs, apart(size))  # type: ignore[misc]
                for name, (at, organs, size) in sizes.items()
            }
        )
        once = rates(
            {name: partial(afresh, at, organs, apart(size)) for name, (at, organs, size) in sizes.items()}
        )
    size_ = f"{ORGANS} organs, {PEOPLE} people, {GRANTS} grants"
    yield Result(
        "decisions-growth",
        again["many"],
        f"decisions per CPU-second at {size_}",
        {f"at {_FEW} people": again["few"]},
        "a hundred people in turn, one question each",
    )
    yield Result(
        "decisions-growth-first",
        once["many"],
        f"decisions per CPU-second at {size_}, nothing known of them",
        {f"at {_FEW} people": once["few"]},
        "after a change of the directory a hundred people, one question each: standing, organs and grants read from SQLite, parsed, decided",
    )


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


def _request(person: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
    return {
        "principal": person["uid"],
        "action": {"type": "Action", "id": "document.read"},
        "resource": {"type": resource.type, "id": resource.id},
        "context": {},
    }


def _bare(
    platform: Platform, round_: Iterator[int], parsed: cedarpy.PolicySet | None = None
) -> Callable[[], int]:
    """The engine itself: the same questions, policies, schema and entities as the platform's own."""
    policies = platform.authz.decisions.policies
    (known,) = platform.authz.decisions.check_many(_CLERK, _questions(0)[:1])
    person, _, *organs = known.entities
    concerning = parsed or policies.slice("document.read")

    def bare() -> int:
        for _, resource, _ in _questions(next(round_)):
            entities = [dict(person), dict(resource_entity(resource)), *(dict(each) for each in organs)]
            asked = _request(person, resource)
            if not cedarpy.is_authorized(asked, concerning, entities, schema=policies.parsed_schema).allowed:
                raise AssertionError
        return _COUNT

    return bare


def _beside_the_engine(platform: Platform) -> Result:
    deciding, round_ = platform.authz.decisions, iter(range(1_000_000))
    policies = deciding.policies
    resource = _questions(0)[0][1]
    (known,) = deciding.check_many(_CLERK, _questions(0)[:1])
    person, _, *organs = known.entities
    whole = cedarpy.Entities.from_json_str(
        json.dumps([person, resource_entity(resource), *organs]), policies.parsed_schema
    )

    def evaluated() -> int:
        concerning, asked = policies.slice("document.read"), _request(person, resource)
        for _ in range(_COUNT):
            cedarpy.is_authorized(asked, concerning, whole, schema=policies.parsed_schema)
        return _COUNT

    def recorded() -> int:
        for question in _questions(next(round_)):
            platform.authz.answers.ask(_CLERK, [question])
        return _COUNT

    def many() -> int:
        return len(deciding.check_many(_CLERK, _questions(next(round_))))

    def single() -> int:
        for question in _questions(next(round_)):
            deciding.check(_CLERK, *question)
        return _COUNT

    found = rates(
        {
            "single": single,
            "sliced": _bare(platform, round_),
            "bare": _bare(platform, round_, policies.parsed),
            "evaluated": evaluated,
            "many": many,
            "recorded": recorded,
            "recorded-many": lambda: len(platform.authz.answers.ask(_CLERK, _questions(next(round_)))),
        }
    )
    return Result(
        "decisions",
        found["single"],
        "decisions per CPU-second, one at a time",
        {
            "cedarpy, policies parsed once": found["bare"],
            "cedarpy, policies of the action parsed once": found["sliced"],
            "cedarpy, nothing parsed, one question over and over": found["evaluated"],
            "ours, a hundred at once": found["many"],
            "ours, one at a time, each recorded": found["recorded"],
            "ours, a hundred at once, recorded": found["recorded-many"],
        },
        "the state's number read from SQLite for every call; new things each time, the same policies and entities for all",
    )
