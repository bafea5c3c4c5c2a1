import copy
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
import sqlalchemy as sa

from authz import errors
from authz.directory import Directory, DirectoryFile
from authz.models import OrganRow
from yinxin.act import SYSTEM

from .conftest import PROVINCE


def changed(table, number, **fields):
    """PROVINCE with fields of one row replaced; number None adds a row."""
    data = copy.deepcopy(PROVINCE)
    if number is None:
        data[table].append(fields)
    else:
        data[table][number] |= fields
    return data


def test_look_ups(site):
    directory = site.authz.directory
    assert directory.organ("town").path == ("town", "county-a", "city", "province")
    assert directory.organ("province").path == ("province",)
    assert directory.person("zhang").name == "张喆"
    assert directory.post("seal-a").roles == {"seal-keeper", "registrar"}
    assert [post.id for post in directory.posts("county-a")] == ["clerk-a", "seal-a"]
    assert [entry.post for entry in directory.appointments_of("li")] == ["leader-city"]
    assert [holder.person.id for holder in directory.holders_of("clerk", "county-a")] == ["zhang"]
    assert directory.holders_of("clerk", "county-b") == ()
    assert directory.holders_of("clerk", "county-a", at=datetime(2025, 6, 1, tzinfo=UTC)) == ()
    assert directory.is_under("town", "city")
    assert directory.is_under("town", "town")
    assert not directory.is_under("city", "town")
    assert not directory.is_under("county-b", "county-a")
    assert not directory.is_under("elsewhere", "province")


def test_pages(site):
    directory = site.authz.directory
    first = directory.organs(limit=2)
    assert [organ.id for organ in first] == ["city", "county-a"]
    assert [organ.id for organ in directory.organs(after="county-a")] == ["county-b", "province", "town"]
    assert [organ.id for organ in directory.organs(under="county-a")] == ["county-a", "town"]
    assert [person.id for person in directory.people(after="sun")] == ["wang", "zhang", "zhao"]


@pytest.mark.parametrize(
    ("look", "error"),
    [
        (lambda directory: directory.organ("x"), errors.UnknownOrgan),
        (lambda directory: directory.organs(under="x"), errors.UnknownOrgan),
        (lambda directory: directory.person("x"), errors.UnknownPerson),
        (lambda directory: directory.post("x"), errors.UnknownPost),
    ],
)
def test_unknown(site, look, error):
    with pytest.raises(error):
        look(site.authz.directory)


def test_loading_again_changes_nothing(site):
    loaded = site.authz.directory.load(SYSTEM, DirectoryFile.parse(PROVINCE))
    assert (loaded.added, loaded.changed) == (0, 0)
    assert loaded.same == 5 + 6 + 6 + 6


def test_rows_left_out_stay(site):
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"people": [{"id": "zhou", "name": "周"}]}))
    assert site.authz.directory.person("zhang").name == "张喆"
    assert site.authz.directory.person("zhou").clearance == "internal"


def test_moving_an_organ_moves_what_is_below(site):
    site.authz.directory.load(SYSTEM, DirectoryFile.parse(changed("organs", 2, parent="province")))
    assert site.authz.directory.organ("town").path == ("town", "county-a", "province")


def test_changed_roles(site):
    loaded = site.authz.directory.load(SYSTEM, DirectoryFile.parse(changed("posts", 0, roles=["reviewer"])))
    assert loaded.changed == 1
    assert site.authz.directory.post("clerk-a").roles == {"reviewer"}


BAD = [
    (changed("organs", 0, uscc="11511301008778183M"), errors.BadUscc, "organs[1]"),
    (changed("organs", 0, uscc="11511301OO8778183N"), errors.BadUscc, "organs[1]"),
    (changed("organs", 0, uscc="1151"), errors.BadUscc, "organs[1]"),
    (changed("organs", 1, division="9901"), errors.BadDivision, "organs[2]"),
    (changed("organs", 1, division="99010a"), errors.BadDivision, "organs[2]"),
    (changed("organs", 1, division="９９０１００"), errors.BadDivision, "organs[2]"),
    (changed("organs", 2, parent="nowhere"), errors.UnknownReference, "organs[3]"),
    (changed("organs", 4, id="city"), errors.DuplicateRow, "organs[5]"),
    (changed("organs", 4, id="platform"), errors.BadIdentifier, "organs[5]"),
    (changed("organs", 4, id="Town Hall"), errors.BadIdentifier, "organs[5]"),
    (changed("organs", 1, uscc="11511301008778183N"), errors.DuplicateRow, "organs[2]"),
    (changed("posts", 0, organ="nowhere"), errors.UnknownReference, "posts[1]"),
    (changed("posts", 0, roles=["king"]), errors.UnknownReference, "posts[1]"),
    (changed("posts", 0, roles=["clerk", "clerk"]), errors.DuplicateRow, "posts[1]"),
    (changed("posts", 0, roles=["auditor", "administrator"]), errors.PowersMeetInPost, "posts[1]"),
    (changed("appointments", 0, person="nobody"), errors.UnknownReference, "appointments[1]"),
    (changed("appointments", 0, post="nothing"), errors.UnknownReference, "appointments[1]"),
    (changed("appointments", 0, valid_to="2025-12-31T00:00:00+08:00"), errors.BadPeriod, "appointments[1]"),
    (changed("appointments", None, person="zhang", post="clerk-a", valid_from="2026-01-01T00:00:00+08:00"), errors.DuplicateRow, "appointments[7]"),
]  # fmt: skip


def test_bad_rows_are_named_and_nothing_is_loaded(store):
    for data, error, row in BAD:
        with pytest.raises(error) as caught:
            Directory(store).load(SYSTEM, DirectoryFile.parse(data))
        assert caught.value.facts["row"] == row
        assert caught.value.entry, "the refusal is recorded"
        with store.read() as session:
            assert session.scalars(sa.select(OrganRow)).all() == []


@pytest.mark.parametrize(
    ("data", "row", "field"),
    [
        (changed("organs", 0, level="kingdom"), "organs[1]", "level"),
        (changed("organs", 0, motto="x"), "organs[1]", "motto"),
        (changed("people", 1, clearance="cosmic"), "people[2]", "clearance"),
        (changed("appointments", 1, valid_from="2026-01-01T00:00:00"), "appointments[2]", "valid_from"),
        ({"organs": [{}]}, "organs[1]", "id"),
        ({"kings": []}, "kings", "*"),
    ],
)
def test_bad_fields_are_named(data, row, field):
    with pytest.raises(errors.BadField) as caught:
        DirectoryFile.parse(data)
    assert (caught.value.facts["row"], caught.value.facts["field"]) == (row, field)


def test_unreadable_file(tmp_path):
    file = tmp_path / "x.toml"
    file.write_bytes(b"[[organs]\n")
    with pytest.raises(errors.UnreadableDirectory):
        DirectoryFile.read(file)


@pytest.mark.parametrize("parent", ["county-a", "town"])
def test_cycles(site, parent):
    data = changed("organs", 2, parent=parent)
    with pytest.raises(errors.TreeCycle):
        site.authz.directory.load(SYSTEM, DirectoryFile.parse(data))


def test_cycle_with_what_is_already_loaded(site):
    row = PROVINCE["organs"][1] | {"parent": "town"}
    with pytest.raises(errors.TreeCycle):
        site.authz.directory.load(SYSTEM, DirectoryFile.parse({"organs": [row]}))
    assert site.authz.directory.organ("city").parent == "province"


# --- law 4: the three powers never meet in one person --------------------------------------------------------------

POSTS = {"administrator": "admin", "security-officer": "officer", "auditor": "auditor"}


def appointment(role, begin, end=None):
    period = {"valid_from": f"2030-{begin:02}-01T00:00:00+08:00"}
    if end:
        period["valid_to"] = f"2030-{end:02}-01T00:00:00+08:00"
    return {"person": "zhou", "post": POSTS[role], **period}


def load(site, *appointments):
    people = [{"id": "zhou", "name": "周"}]
    site.authz.directory.load(
        SYSTEM, DirectoryFile.parse({"people": people, "appointments": list(appointments)})
    )


PAIRS = list(combinations(POSTS, 2))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_powers_never_meet(site, first, second):
    with pytest.raises(errors.PowersMeet) as caught:
        load(site, appointment(first, 1), appointment(second, 6))
    assert caught.value.facts["person"] == "zhou"
    assert site.authz.directory.people(after="zhao") == ()


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_powers_may_follow_one_another(site, first, second):
    load(site, appointment(first, 1, 6), appointment(second, 6, 9))


def test_powers_meet_over_two_files(site):
    load(site, appointment("auditor", 1))
    with pytest.raises(errors.PowersMeet):
        load(site, appointment("administrator", 6))
    load(site, appointment("auditor", 1, 6), appointment("administrator", 6))


def test_powers_meet_by_changing_a_post(site):
    both = {"person": "zhang", "post": "admin", "valid_from": "2026-02-01T00:00:00+08:00"}
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [both]}))
    with pytest.raises(errors.PowersMeet):
        site.authz.directory.load(SYSTEM, DirectoryFile.parse(changed("posts", 0, roles=["auditor"])))


def test_same_power_twice_is_no_meeting(site):
    load(site, appointment("auditor", 1, 6), appointment("auditor", 3))


def test_powers_small_scope(site):
    """Every pair of periods on a line of three points, every pair of powers: refused exactly when they overlap."""
    directory, wrong = site.authz.directory, []
    spans = [(begin, end) for begin in range(1, 3) for end in (*range(begin + 1, 4), None)]
    people = iter(range(10_000))
    for first, second in PAIRS:
        for one in spans:
            for two in spans:
                person = f"p{next(people)}"
                rows = [
                    appointment(first, *one) | {"person": person},
                    appointment(second, *two) | {"person": person},
                ]
                data = {"people": [{"id": person, "name": "某"}], "appointments": rows}
                meet = one[0] < (two[1] or 99) and two[0] < (one[1] or 99)
                try:
                    directory.load(SYSTEM, DirectoryFile.parse(data))
                    refused = False
                except errors.PowersMeet:
                    refused = True
                if refused != meet:
                    wrong.append((first, one, second, two))
    assert wrong == []


def test_standing_over_time(site):
    directory = site.authz.directory
    assert directory.standing("sun", "auditor").powers == {"auditor"}
    before = directory.standing("sun", "auditor", at=site.clock.now() - timedelta(days=999))
    assert not before.appointed
    assert before.powers == frozenset()
    assert not directory.standing("sun", "clerk-a").appointed
