"""List questions: the condition, as data and in SQL, gives exactly the rows that single decisions permit, or refuses."""

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz import errors
from authz.directory import DirectoryFile
from authz.grant.models import GrantRow
from authz.policy_set import PolicySet
from authz.roles import POWERS, ROLES
from authz.service import Authz
from authz.settings import AuthzSettings
from authz.visible import NotExpressible
from yinxin.act import STRANGER, SYSTEM, Actor, Kind
from yinxin.authz import LEVELS, PLATFORM, Resource
from yinxin.condition import Condition, MalformedCondition
from yinxin.store import Columns, Lead, NoColumn, newest

from .conftest import FIXTURES, NOW, ORIGIN, PROVINCE, SoftwareKeys, nobody_to_tell
from .test_proof import FOLDERS

METADATA = sa.MetaData()
THINGS = sa.Table(
    "things",
    METADATA,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("organ", sa.String(64)),
    sa.Column("level", sa.String(16)),
    sa.Column("region", sa.String(12), nullable=True),
    sa.Column("sharing", sa.String(16), nullable=True),
    *(
        sa.Column(name, sa.String(20))
        for name in (
            "author",
            "purpose",
            "kind",
            "state",
            "drafter",
            "signer",
            "profile",
            "applicant",
            "person",
            "vetter",
            "holder",
        )
    ),
)
MEMBERS = sa.Table(
    "members",
    METADATA,
    sa.Column("thing", sa.String(20), primary_key=True),
    sa.Column("attribute", sa.String(20), primary_key=True),
    sa.Column("member", sa.String(64), primary_key=True),
)
PEOPLE = ("p0", "p1", "p2", "p3", "p4")
QUESTIONS = (
    ("test.read", "Paper"),
    ("test.edit", "Paper"),
    ("test.seal", "Stamp"),
    ("document.read", "Document"),
    ("document.approve", "Document"),
    ("document.receive", "Document"),
    ("ca.revoke", "Certificate"),
    ("ca.read", "Registration"),
    ("ca.approve", "Registration"),
    ("kms.sign", "Key"),
    ("audit.export", "AuditEntry"),
)


@pytest.fixture
def authz(store, site):
    folders = {**FOLDERS, "test": FIXTURES}
    return Authz(
        store, AuthzSettings(), site.ca, folders, origins=(ORIGIN,), keys=SoftwareKeys(), http=nobody_to_tell
    )


#: what lies in a division, one step down
DEEPER = {"990000": ["990100", "990200"], "990100": ["990121", "990122"], "990200": ["990221"]}


def tree(chance):
    """A random tree: each organ below an earlier one, in the same division or one that lies in it."""
    organs = [{**PROVINCE["organs"][0], "id": "o0", "uscc": None}]
    for number in range(1, 9):
        above = organs[chance.randrange(number)]
        division = chance.choice([above["division"], *DEEPER.get(above["division"], [])])
        organ = {**PROVINCE["organs"][1], "id": f"o{number}", "parent": above["id"], "level": "department"}
        organs.append({**organ, "division": division})
    return organs


def directory(chance):
    organs = tree(chance)
    posts, people, appointments = [], [], []
    for number, person in enumerate(PEOPLE):
        roles = chance.sample(sorted(ROLES.keys() - POWERS), chance.choice([0, 1, 1, 2]))
        roles += chance.choice([[], [], [], ["security-officer"], ["auditor"], ["administrator"]])
        post = f"post-{number}"
        posts.append(
            {
                "id": post,
                "organ": chance.choice(organs)["id"],
                "name_zh": "岗",
                "name_en": "Post",
                "roles": roles,
            }
        )
        people.append({"id": person, "name": "某", "clearance": chance.choice(LEVELS)})
        appointments.append({"person": person, "post": post, "valid_from": "2026-01-01T00:00:00+08:00"})
    return DirectoryFile.parse(
        {"organs": organs, "posts": posts, "people": people, "appointments": appointments}
    )


def things(chance, engine):
    METADATA.create_all(engine)
    rows, members = [], []
    who = [*PEOPLE, ""]
    for number in range(30):
        row = {"id": f"t{number}", "organ": chance.choice([PLATFORM, *(f"o{each}" for each in range(9))])}
        row |= {"level": chance.choice(["public", "public", *LEVELS]), "kind": "NOTICE", "state": "draft"}
        row |= {
            name: chance.choice(who)
            for name in ("author", "drafter", "signer", "applicant", "person", "vetter", "holder")
        }
        row |= {"purpose": chance.choice(["seal", "evidence", "ca"])}
        row |= {"profile": chance.choice(["organ-seal", "tls-server"])}
        row |= {"region": chance.choice([None, None, None, "990000", "990100"])}
        row |= {"sharing": chance.choice([None, None, None, "unconditional", "conditional", "none"])}
        rows.append(row)
        for attribute in ("recipients", "shared_with"):
            for organ in chance.sample(range(9), chance.choice([0, 1, 2])):
                members += [{"thing": row["id"], "attribute": attribute, "member": f"o{organ}"}]
    with engine.begin() as connection:
        connection.execute(sa.insert(THINGS), rows)
        connection.execute(sa.insert(MEMBERS), members)
    return rows, members


def grants(chance, authz, store):
    templates = sorted(authz.decisions.policies.templates)
    with store.act(SYSTEM, "test.grants", "grants") as act:
        for number in range(6):
            starts = NOW + timedelta(days=chance.choice([-10, -10, 5]))
            kind = chance.choice(["person:p", "post:post-", "organ:o"])
            act.session.add(
                GrantRow(
                    id=f"g{number}",
                    template=chance.choice(templates),
                    holder=f"{kind}{chance.randrange(len(PEOPLE))}",
                    organ=chance.choice([PLATFORM, *(f"o{each}" for each in range(9))]),
                    valid_from=starts,
                    valid_to=starts + timedelta(days=chance.choice([5, 100])),
                    source="试",
                    granted_by="system",
                    granted_at=NOW,
                )
            )


def lead(attribute):
    def leading(member):
        on = sa.and_(
            MEMBERS.c.thing == THINGS.c.id, MEMBERS.c.attribute == attribute, MEMBERS.c.member == member
        )
        return Lead(MEMBERS, on, MEMBERS.c.thing)

    return leading


def columns(declared):
    single = {
        name: THINGS.c[name]
        for name, each in declared.items()
        if name in THINGS.c and each["type"] == "String"
    }
    leads = {name: lead(name) for name, each in declared.items() if each["type"] == "Set"}
    sets = {name: lambda member, to=to: to(member).leads for name, to in leads.items()}
    given = ("organ", "level", "region", "sharing")
    return Columns(
        THINGS.c.organ,
        THINGS.c.level,
        {name: column for name, column in single.items() if name not in given},
        sets,
        THINGS.c.region,
        THINGS.c.sharing,
        leads,
    )


def resource(kind, declared, row, members):
    held = {
        name: [m["member"] for m in members if (m["thing"], m["attribute"]) == (row["id"], name)]
        for name in declared
    }
    attributes = {
        name: held[name] if each["type"] == "Set" else row[name]
        for name, each in declared.items()
        if name not in ("organ", "level", "region", "sharing", "shared_with") and each.get("required", True)
    }
    shared = tuple(held["shared_with"])
    return Resource(
        kind, row["id"], row["organ"], row["level"], attributes, row["region"], row["sharing"], shared
    )


def as_data(one):
    """The resource's attributes as a condition asks for them."""
    return {
        **one.attributes,
        "organ": one.organ,
        "level": one.level,
        "region": one.region,
        "sharing": one.sharing,
        "shared_with": one.shared_with,
    }


def seen(store, condition, kept):
    with store.engine.connect() as connection:
        return set(connection.scalars(sa.select(THINGS.c.id).where(kept.where(condition))))


def paged(store, condition, kept, limit=4):
    """Page by page, newest first."""
    found = []
    with store.read() as session:
        while True:
            query = sa.select(THINGS.c.id)
            if found:
                query = query.where(THINGS.c.id < found[-1])
            page = newest(session, query, condition, kept, key=THINGS.c.id, limit=limit)
            found += page
            if len(page) < limit:
                return found


@pytest.mark.parametrize("seed", range(2))
def test_the_filter_agrees_with_every_single_decision(authz, store, seed):
    """Seen to fail when: `within` leaves the organs below out, `_holds` an `unless`, or `visible` the grants; `held` looks into what need not hold."""
    chance = random.Random(seed)
    authz.directory.load(SYSTEM, file := directory(chance))
    rows, members = things(chance, store.engine)
    grants(chance, authz, store)
    decisions = authz.decisions
    shown = 0
    for person, post in zip(PEOPLE, file.posts, strict=True):
        actor = Actor(Kind.PERSON, person, post.id, post.organ)
        for action, kind in QUESTIONS:
            declared = decisions.policies.declared["entityTypes"][kind]["shape"]["attributes"]
            asked = [(action, resource(kind, declared, row, members), None) for row in rows]
            expected = {
                row["id"]
                for row, each in zip(rows, decisions.check_many(actor, asked), strict=True)
                if each.allowed
            }
            condition = Condition.of(json.loads(json.dumps(decisions.visible(actor, action, kind).tree)))
            kept = columns(declared)
            found = seen(store, condition, kept)
            assert found == expected, (person, post, action)
            assert paged(store, condition, kept) == sorted(expected, reverse=True)
            plain = {r["id"] for r in rows if condition.holds(as_data(resource(kind, declared, r, members)))}
            assert plain == expected
            shown += len(found)
    assert shown > 50


#: what is refused before any row is asked depends on no engine
one_engine = pytest.mark.engines("any")

PLAIN = Columns(THINGS.c.organ, THINGS.c.level, {"author": THINGS.c.author})


@one_engine
def test_nobody_in_particular_sees_nothing(authz, store):
    things(random.Random(1), store.engine)
    for who in (STRANGER, SYSTEM, Actor(Kind.PERSON, "nobody", "clerk-a")):
        assert seen(store, authz.decisions.visible(who, "test.read", "Paper"), PLAIN) == set()


@one_engine
@pytest.mark.parametrize(("action", "kind"), [("test.fly", "Paper"), ("test.read", "Stamp")])
def test_a_question_about_nothing(authz, action, kind):
    zhang = Actor(Kind.PERSON, "zhang", "clerk-a", "county-a")
    with pytest.raises((errors.UnknownAction, errors.BadQuestion)):
        authz.decisions.visible(zhang, action, kind)


@one_engine
@pytest.mark.parametrize(
    "condition",
    [
        'resource.author like "p*"',
        'context has approvals && context.approvals > 0 || resource == Paper::"x"',
        'if resource.author == "p" then true else false',
        "resource.author == resource.author",
        "resource.level + 1 > 2",
    ],
)
def test_what_cannot_be_told_in_sql_is_refused_and_not_guessed(authz, condition):
    policy = f'@id("site.x") @zh("x") @en("x") forbid (principal, action == Action::"test.read", resource is Paper) when {{ {condition} }};'
    versions = authz.decisions.versions
    now = versions.current()
    versions._current = replace(now, policies=PolicySet(now.policies.text + policy, now.policies.schema))
    zhang = Actor(Kind.PERSON, "zhang", "clerk-a", "county-a")
    with pytest.raises(NotExpressible):
        authz.decisions.visible(zhang, "test.read", "Paper")


@one_engine
def test_a_column_the_list_does_not_have_is_refused(authz):
    zhang = Actor(Kind.PERSON, "zhang", "clerk-a", "county-a")
    condition = authz.decisions.visible(zhang, "document.read", "Document")
    with pytest.raises(NoColumn):
        Columns(THINGS.c.organ, THINGS.c.level).where(condition)


def test_many_owners_and_few_give_the_same_rows(authz, store):
    """However many owners there are, and on whichever way the database then takes.

    Seen to fail when: `_way` forgets that the row is the owner's, or `ways` what must hold besides.
    """
    rows, _ = things(random.Random(3), store.engine)
    for number in (1, 15, 60, 500, 5000):
        organs = ["o1", "o3", "o5", *(f"other-{each}" for each in range(number)), "o2"]
        tree = [
            "all",
            ["any", ["in", "organ", organs], ["in", "author", ["p1"]]],
            ["in", "level", ["public"]],
        ]
        expected = [
            row["id"]
            for row in rows
            if row["level"] == "public" and (row["organ"] in organs or row["author"] == "p1")
        ]
        assert len(expected) > 3
        assert paged(store, Condition.of(tree), PLAIN, limit=2) == sorted(expected, reverse=True)
        only = ["all", ["in", "organ", organs], ["in", "level", ["public"]]]
        expected = [row["id"] for row in rows if row["level"] == "public" and row["organ"] in organs]
        assert paged(store, Condition.of(only), PLAIN, limit=2) == sorted(expected, reverse=True)


@one_engine
@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        ["maybe", "x"],
        ["in", "organ", "o1"],
        ["in", "organ", [None]],
        ["<", "level", "1"],
        ["not", True, True],
        ["holds", "recipients"],
        ["given", 5],
        ["all", ["any", 1]],
    ],
)
def test_what_is_no_condition_is_refused(tree):
    with pytest.raises(MalformedCondition):
        Condition.of(tree)


@one_engine
def test_a_condition_without_end_is_refused():
    tree = True
    for _ in range(100):
        tree = ["not", tree]
    with pytest.raises(MalformedCondition):
        Condition.of(tree)


@one_engine
def test_what_was_worked_out_holds_as_long_as_the_state_does(authz, store, site):
    """Seen to fail when: the condition is kept by the person alone."""
    zhang = Actor(Kind.PERSON, "zhang", "clerk-a", "county-a")
    decisions = authz.decisions
    first = decisions.visible(zhang, "test.read", "Paper")
    assert decisions.visible(zhang, "test.read", "Paper") is first
    lowered = {"people": [{"id": "zhang", "name": "张喆", "clearance": "public"}]}
    site.authz.directory.load(SYSTEM, DirectoryFile.parse(lowered))
    assert decisions.visible(zhang, "test.read", "Paper") != first
    assert decisions.visible(replace(zhang, organ="city"), "test.read", "Paper").nothing
