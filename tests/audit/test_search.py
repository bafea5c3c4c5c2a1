"""Finding entries: against a plain look at every one of them, by statements that read no table from end to end."""

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from audit.entries import Filters
from audit.index import IndexBehind, IndexBroken, objects_of, terms_of
from audit.index import index as indexing
from tests.support.databases import heard
from yinxin.act import Actor, Kind
from yinxin.clock import ManualClock
from yinxin.errors import Conflict
from yinxin.store import request_scope

from .site import Site, make_keys

BEGIN = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
COUNT = 300
TREE = {"o-0": ["o-0", *(f"o-{n}" for n in (2, 4, 6, 8, *range(10, 16)))], "o-1": ["o-1", "o-2", "o-3"]}


class Full(Conflict):
    code = "test.search_full"
    zh = en = "x"


class Around:
    def tenant(self, organ):
        return None

    def tenants(self):
        return ()

    def below(self, organ):
        return TREE.get(organ, [organ])


@dataclass
class Filled:
    site: Site
    events: list[dict]


def _fill(site: Site, clock: ManualClock) -> None:
    chance = random.Random(7)
    for number in range(COUNT):
        # clocks are set back now and then: entries are not in the order of their times
        clock.advance(
            BEGIN + timedelta(minutes=number, seconds=chance.choice((0, 0, 0, -9000, 300))) - clock.now()
        )
        person = chance.randrange(9)
        actor = Actor(Kind.PERSON, f"p-{person}", post=f"post-{person % 4}", organ=f"o-{person + 1}")
        verb = chance.choice(("ca.issue", "ca.revoke", "kms.sign", "document.seal"))
        facts = {"holder": f"person:p-{chance.randrange(9)}", "organ": f"o-{chance.randrange(20)}"}
        certificate = f"certificate:{chance.randrange(60)}"
        scope, act = request_scope(f"r-{number // 3}"), site.store.act(actor, verb, certificate, **facts)
        with scope, suppress(Full), act:
            _fail(refused=chance.random() < 0.1)


def _fail(*, refused: bool) -> None:
    if refused:
        raise Full


@pytest.fixture(scope="module")
def kept():
    """The filled logs by engine, for all tests of this file."""
    made: dict[str, Filled] = {}
    yield made
    for each in made.values():
        each.site.close()


@pytest.fixture
def filled(database_engine, kept, tmp_path_factory, request) -> Filled:
    if database_engine not in kept:
        folder = tmp_path_factory.mktemp("search")
        make_keys(folder)
        url = f"sqlite:///{folder / 'log.sqlite'}"
        if database_engine == "postgresql":
            server = request.getfixturevalue("postgres")
            url = server.url(server.create_database())
        clock = ManualClock(BEGIN)
        site = Site(url, folder, clock)
        site.create()
        site.log.around = Around()
        _fill(site, clock)
        site.log.sequence()
        events = [entry.fields() for entry in reversed(site.log.entries(limit=COUNT))]
        assert len(events) == COUNT
        kept[database_engine] = Filled(site, events)
    return kept[database_engine]


def _matches(event: dict, given: dict) -> bool:
    """What the filters mean, told without them."""
    actor = event["actor"]
    plain = {
        "subject": event["subject"],
        "actor": actor["id"],
        "outcome": event["outcome"],
        "request": event.get("request"),
        "post": actor.get("post"),
        "organ": actor.get("organ"),
        "kind": event["subject"].split(":")[0],
        "error": event.get("error"),
    }
    time = datetime.fromisoformat(event["time"])
    named = str(event.get("facts", {}))
    person, thing, verb, under = (given.get(name) for name in ("person", "object", "verb", "under"))
    return (
        all(value == given.get(name, value) for name, value in plain.items())
        and (verb is None or (event["verb"].startswith(verb) if verb[-1] == "." else event["verb"] == verb))
        and (person is None or actor["id"] == person or f"'person:{person}'" in named)
        and (thing is None or event["subject"] == thing or f"'{thing}'" in named)
        and (under is None or actor.get("organ") in TREE.get(under, [under]))
        and ("since" not in given or time >= given["since"])
        and ("until" not in given or time < given["until"])
    )


def _question(chance: random.Random) -> dict:
    times = [BEGIN + timedelta(minutes=chance.randrange(-20, COUNT + 20)) for _ in range(2)]
    every = {
        "verb": chance.choice(("ca.issue", "ca.", "kms.sign", "kms.", "no.thing")),
        "subject": f"certificate:{chance.randrange(60)}",
        "actor": f"p-{chance.randrange(10)}",
        "outcome": chance.choice(("done", "refused", "failed")),
        "request": f"r-{chance.randrange(COUNT // 3)}",
        "since": min(times),
        "until": max(times),
        "post": f"post-{chance.randrange(4)}",
        "organ": f"o-{chance.randrange(10)}",
        "under": chance.choice(("o-0", "o-1", "o-5")),
        "person": f"p-{chance.randrange(9)}",
        "object": chance.choice((f"person:p-{chance.randrange(9)}", f"certificate:{chance.randrange(60)}")),
        "kind": chance.choice(("certificate", "key")),
        "error": chance.choice(("test.search_full", "x.y")),
    }
    return {name: every[name] for name in chance.sample(sorted(every), chance.choice((1, 1, 2, 2, 3, 4)))}


@pytest.mark.engines("both")
def test_what_is_found_is_what_a_look_at_every_entry_finds(filled, monkeypatch):
    """Frequent and rare terms, large and small groups: what is frequent begins low here, so that every way is taken."""
    monkeypatch.setattr("audit.index.search._COUNTED", 20)
    monkeypatch.setattr("audit.index.search._CHUNK", 7)
    chance = random.Random(11)
    found = 0
    rare = [{"under": "o-0", "subject": f"certificate:{number}"} for number in range(20)]
    for given in [*(_question(chance) for _ in range(100)), *rare]:
        expected = [index for index, event in enumerate(filled.events) if _matches(event, given)][::-1]
        before, limit = chance.choice((None, chance.randrange(COUNT))), chance.choice((1, 5, COUNT))
        wanted = [index for index in expected if before is None or index < before][:limit]
        got = filled.site.log.entries(Filters(**given), before, limit)
        assert [entry.index for entry in got] == wanted, (given, before, limit)
        found += bool(wanted)
    assert found > 30  # most questions of four parts have no answer; enough of the others have


QUESTIONS = [
    {},
    {"actor": "p-3"},
    {"post": "post-1"},
    {"organ": "o-2"},
    {"under": "o-0"},
    {"under": "o-0", "verb": "ca.issue"},
    {"under": "o-0", "subject": "certificate:9"},
    {"person": "p-3", "verb": "ca."},
    {"object": "certificate:5"},
    {"subject": "certificate:5", "actor": "p-1"},
    {"verb": "ca.", "outcome": "refused"},
    {"verb": "ca.issue", "outcome": "done"},
    {"request": "r-7"},
    {"since": BEGIN + timedelta(hours=2), "until": BEGIN + timedelta(hours=3)},
    {"actor": "p-3", "since": BEGIN + timedelta(hours=2), "until": BEGIN + timedelta(hours=3)},
]


@pytest.mark.engines("both")
@pytest.mark.parametrize("given", QUESTIONS, ids=lambda given: "+".join(given) or "all")
def test_no_statement_reads_a_table_from_end_to_end(filled, given):
    """Every plan is asked of the engine itself. PostgreSQL would rather scan so small a table: it is told not to."""
    engine = filled.site.engine
    filled.site.log.index.current()
    with heard() as asked:
        filled.site.log.entries(Filters(**given), limit=20)
    postgresql = engine.dialect.name == "postgresql"
    explain = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
    plans = []
    with engine.connect() as connection:
        if postgresql:
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in asked:
            if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
                continue
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
            plans += [" ".join(map(str, row)) for row in rows]
    tables = ("audit_entry", "audit_posting", "audit_span")
    for plan in plans:
        assert not any(f"Seq Scan on {table}" in plan or f"SCAN {table}" in plan for table in tables), plan
    assert any("audit_entry" in plan for plan in plans)


@pytest.mark.engines("both")
def test_the_index_is_made_anew_and_held_against_the_log(filled):
    site = filled.site
    site.log.index.current()
    before = site.log.entries(Filters(organ="o-2"), limit=COUNT)
    assert site.log.index.rebuild() >= COUNT
    assert site.log.entries(Filters(organ="o-2"), limit=COUNT) == before
    site.log.check()
    term, index = _any_posting(site)
    for change, undo in (
        ('DELETE FROM audit_posting WHERE term = :term AND "index" = :index', _insert),
        (
            _insert.replace(":term", ":term + 1"),
            'DELETE FROM audit_posting WHERE term = :term + 1 AND "index" = :index',
        ),
    ):
        site.execute(change, term=term, index=index)
        with pytest.raises(IndexBroken) as broken:
            site.log.check()
        assert broken.value.facts["index"] == index
        site.execute(undo, term=term, index=index)
    site.log.check()


_insert = 'INSERT INTO audit_posting (term, "index") VALUES (:term, :index)'


def _any_posting(site: Site) -> tuple[int, int]:
    with site.engine.begin() as connection:
        row = connection.exec_driver_sql(
            'SELECT term, "index" FROM audit_posting WHERE "index" = 200 AND term < 9000000000000000000'
        ).first()
    return row[0], row[1]


@pytest.mark.engines("any")
def test_an_answer_is_never_given_by_an_index_that_lags(filled, monkeypatch):
    """Seen to answer with half the entries when `current` only tries."""
    site = filled.site
    with site.store.housekeep() as session:
        session.execute(sa.delete(indexing.PostingRow))
        session.execute(sa.delete(indexing.SpanRow))
        session.execute(sa.delete(indexing.IndexedRow))
    monkeypatch.setattr(indexing, "BATCH", 10)
    monkeypatch.setattr(indexing, "_PATIENCE", 3)
    with pytest.raises(IndexBehind):
        site.log.entries(Filters(actor="p-3"))
    site.log.index.catch_up()
    expected = sum(event["actor"]["id"] == "p-3" for event in filled.events)
    assert len(site.log.entries(Filters(actor="p-3"), limit=COUNT)) == expected


def test_what_an_event_names():
    event = {
        "subject": "certificate:1",
        "request": "proposal:9",
        "decision": {"resource": {"type": "Key", "id": "k", "organ": "o-owner"}, "delegation": "d-1"},
        "facts": {
            "holder": "person:p-1",
            "recipients": ["o-1", "o-2"],
            "certificates": {"intl-root": "77"},
            "inner": {"organ": "o-3", "text": "no name: at all"},
            "digest": "abc",
            "count": 3,
        },
    }
    assert objects_of(event) == {
        "certificate:1",
        "proposal:9",
        "organ:o-owner",
        "delegation:d-1",
        "person:p-1",
        "organ:o-1",
        "organ:o-2",
        "certificate:77",
        "organ:o-3",
    }


def test_a_record_of_several_requests_is_found_by_each():
    """As uses of keys that met are recorded. Seen to fail without `requests_of` among the terms."""
    event = {"subject": "a:b", "verb": "a.b", "actor": {"id": "x"}, "outcome": "done"}
    listed = [{"request": f"met-{number}", "version": 1} for number in range(3)]
    found = terms_of({**event, "facts": {"requests": listed, "number": 3}})
    for number in range(3):
        ((wanted,),) = Filters(request=f"met-{number}").groups()
        assert wanted in found
    for odd in (None, 3, "met-0", ["met-0"], [{"request": 7}], [{}]):
        assert terms_of({**event, "facts": {"requests": odd}}) == terms_of(event)
