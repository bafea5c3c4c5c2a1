"""Organs renamed, moved, merged, split, dissolved: the tree stays whole, what was stays known, what rests on it ends.

Seen to fail when: `uproot` leaves the old ancestors; `supersede` is left out of `alter`; `under_at` looks at the present
tables alone; `hand_over` passes over the posts; the codes are not looked at after a move.
"""

import copy
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from authz import errors
from authz.change import (
    Appoint,
    DissolveOrgan,
    FoundOrgan,
    MergeOrgans,
    MoveOrgan,
    RenameOrgan,
    SplitOrgan,
)
from authz.directory import DirectoryFile
from authz.directory import errors as refused
from authz.directory.check import ancestors
from authz.directory.past import path_at, under_at
from authz.models import OrganClosure, OrganRow, SessionRow
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.errors import YinxinError

from .conftest import PROVINCE, Site

OFFICER = Actor(Kind.PERSON, "chen", "officer-top", "province")
CITY_OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")
ENTRY = {
    "parent": "city",
    "name_zh": "新县人民政府",
    "name_en": "New County",
    "short_name": "新政",
    "level": "county",
    "division": "990123",
}


@pytest.fixture
def province(site: Site) -> Site:
    """With a second city and a security officer at the top."""
    site.authz.directory.load(
        SYSTEM,
        DirectoryFile.parse(
            {
                "organs": [
                    {
                        "id": "city-2",
                        "parent": "province",
                        "name_zh": "乙市人民政府",
                        "name_en": "City 2",
                        "short_name": "乙政",
                        "level": "city",
                        "division": "990200",
                    }
                ],
                "posts": [
                    {
                        "id": "officer-top",
                        "organ": "province",
                        "name_zh": "省安全管理岗",
                        "name_en": "Security officer",
                        "roles": ["security-officer"],
                    }
                ],
                "people": [{"id": "chen", "name": "陈", "clearance": "secret"}],
                "appointments": [
                    {"person": "chen", "post": "officer-top", "valid_from": "2026-01-01T00:00:00+08:00"}
                ],
            }
        ),
    )
    return site


def whole(site: Site) -> None:
    """The closure is what a plain recursion over the parents gives."""
    with site.store.read() as session:
        parents = dict(session.execute(sa.select(OrganRow.id, OrganRow.parent)).all())
        found = {
            (row.organ, row.ancestor): row.distance
            for row in session.execute(
                sa.select(OrganClosure.organ, OrganClosure.ancestor, OrganClosure.distance)
            )
        }
    paths = ancestors(parents)
    assert found == {
        (organ, above): distance for organ, path in paths.items() for distance, above in enumerate(path)
    }


def test_a_renamed_organ_is_known_by_both_names_each_at_its_time(province: Site, events) -> None:
    before = province.clock.now()
    province.clock.advance(timedelta(days=1))
    differences = province.authz.changes.make(OFFICER, RenameOrgan(organ="county-a", name_zh="子区人民政府"))
    assert [(each.field, each.before, each.after) for each in differences] == [
        ("name_zh", "子县人民政府", "子区人民政府")
    ]
    directory = province.authz.directory
    assert directory.organ("county-a").name.zh == "子区人民政府"
    assert directory.organ_at("county-a", before).name.zh == "子县人民政府"
    entry = events()[-1]
    assert (entry["verb"], entry["subject"]) == ("authz.rename-organ", "organ:county-a")
    assert entry["decision"]["allowed"]
    assert [each.entry for each in directory.history("organ", "county-a")] == [entry["id"], None]
    with pytest.raises(refused.NothingChanges):
        province.make(RenameOrgan(organ="county-a", name_zh="子区人民政府"))


def test_a_moved_organ_has_each_tree_at_its_time(province: Site) -> None:
    before = province.clock.now()
    province.clock.advance(timedelta(days=1))
    codes = {"county-a": "990221", "town": "990221100"}
    move = MoveOrgan(organ="county-a", parent="city-2", divisions=codes)
    rehearsed = province.authz.changes.rehearse(OFFICER, move)
    assert province.authz.directory.organ("town").path == ("town", "county-a", "city", "province")
    province.make(move)
    assert {each.field for each in rehearsed} == {"parent", "division"}
    directory = province.authz.directory
    assert directory.organ("town").path == ("town", "county-a", "city-2", "province")
    assert directory.organ_at("town", before).path == ("town", "county-a", "city", "province")
    assert directory.organ_at("town", before).division == "990121100"
    assert directory.under_at("city", before) == ("city", "county-a", "county-b", "town")
    assert directory.under_at("city", province.clock.now()) == ("city", "county-b")
    assert directory.is_under("town", "city-2")
    assert not directory.is_under("town", "city")
    whole(province)


@pytest.mark.parametrize(
    ("move", "error"),
    [
        (MoveOrgan(organ="county-a", parent="city-2"), errors.DivisionOutside),
        (MoveOrgan(organ="county-a", parent="city-2", divisions={"county-a": "990221"}), errors.DivisionOutside),
        (MoveOrgan(organ="county-a", parent="city-2", divisions={"county-a": "990200"}), errors.BadDivision),
        (MoveOrgan(organ="county-a", parent="city-2", divisions={"county-b": "990221"}), errors.UnknownReference),
        (MoveOrgan(organ="city", parent="town"), refused.OrganUnderItself),
        (MoveOrgan(organ="city", parent="city"), refused.OrganUnderItself),
        (MoveOrgan(organ="county-a", parent="nowhere"), errors.UnknownOrgan),
        (MoveOrgan(organ="county-a", parent="city"), refused.NothingChanges),
    ],
)  # fmt: skip
def test_what_would_break_the_tree_is_refused_and_recorded(province: Site, events, move, error) -> None:
    with pytest.raises(error) as caught:
        province.make(move)
    assert caught.value.entry == events()[-1]["id"]
    assert events()[-1]["outcome"] == "refused"
    whole(province)
    assert province.authz.directory.organ("county-a").division == "990121"
    assert len(province.authz.directory.history("organ", "county-a")) == 1


def test_merged_organs_hand_over_everything_and_stay_on_record(province: Site) -> None:
    identity = province.enrol("zhang", "clerk-a")
    token = province.sign_in(identity)
    before = province.clock.now()
    province.clock.advance(timedelta(minutes=5))
    merge = MergeOrgans(organs=("county-a",), into="county-b", divisions={"town": "990122100"})
    province.make(merge)
    directory = province.authz.directory
    assert directory.organ("county-a").status == "merged"
    assert directory.organ("county-a").path == ("county-a", "county-b", "city", "province")
    assert directory.organ("town").path == ("town", "county-b", "city", "province")
    assert {post.id for post in directory.posts("county-b")} == {"clerk-a", "seal-a"}
    assert directory.posts("county-a") == ()
    (succession,) = directory.successions("county-b")
    assert (succession.predecessor, succession.successor, succession.how) == (
        "county-a",
        "county-b",
        "merged",
    )
    assert directory.under_at("county-a", before) == ("county-a", "town")
    assert directory.organ_at("county-a", before).status == "active"
    # whoever held a post holds it still, in the organ it went over to
    assert province.authz.sessions.authenticate(token).actor.organ == "county-b"
    ((_, organ, name),) = directory.career("zhang")
    assert (organ, name) == ("county-a", "子县人民政府")
    whole(province)
    for change in (
        RenameOrgan(organ="county-a", name_zh="某"),
        MergeOrgans(organs=("county-a",), into="county-b"),
        MoveOrgan(organ="county-b", parent="county-a"),
        FoundOrgan(organ={**ENTRY, "id": "late", "parent": "county-a"}),
    ):
        with pytest.raises((refused.OrganEnded, refused.OrganUnderItself)):
            province.make(change)
    with pytest.raises(refused.OrganEnded):
        directory.load(SYSTEM, DirectoryFile.parse(PROVINCE))


def test_a_split_leaves_nothing_behind(province: Site) -> None:
    parts = [
        {"organ": {**ENTRY, "id": "new-1"}, "posts": ["clerk-a"], "children": []},
        {"organ": {**ENTRY, "id": "new-2", "division": "990124"}, "posts": ["seal-a"], "children": []},
    ]
    with pytest.raises(refused.SplitIncomplete) as caught:
        province.make(SplitOrgan(organ="county-a", parts=parts, ends=True))
    assert caught.value.facts["left"] == "town"
    twice = copy.deepcopy(parts)
    twice[1]["posts"].append("clerk-a")
    with pytest.raises(refused.NotOfTheOrgan):
        province.make(SplitOrgan(organ="county-a", parts=twice, ends=False))
    province.make(MoveOrgan(organ="town", parent="county-b", divisions={"town": "990122100"}))
    province.make(SplitOrgan(organ="county-a", parts=parts, ends=True))
    directory = province.authz.directory
    assert directory.post("seal-a").organ == "new-2"
    assert directory.organ("county-a").status == "split"
    assert directory.is_under("county-a", "new-1")
    assert {each.successor for each in directory.successions("county-a")} == {"new-1", "new-2"}
    whole(province)


def test_a_dissolved_organ_takes_its_posts_and_sessions_with_it(province: Site) -> None:
    token = province.sign_in(province.enrol("zhang", "clerk-a"))
    with pytest.raises(refused.OrgansBelow):
        province.make(DissolveOrgan(organ="county-a"))
    province.make(DissolveOrgan(organ="town"))
    province.make(DissolveOrgan(organ="county-a"))
    with pytest.raises(errors.SessionEnded):
        province.authz.sessions.authenticate(token)
    assert not province.authz.directory.standing("zhang", "clerk-a").appointed
    with pytest.raises(refused.PostEnded):
        province.make(Appoint(appointment={"person": "sun", "post": "clerk-a"}))
    with province.store.read() as session:
        assert session.scalar(sa.select(SessionRow.ended)) == province.clock.now()
    whole(province)


def test_officers_reach_no_further_than_their_own_part_and_nobody_changes_the_tree_alone(
    province: Site,
) -> None:
    for change in (
        RenameOrgan(organ="province", name_zh="某"),
        RenameOrgan(organ="city-2", name_zh="某"),
        MoveOrgan(organ="county-a", parent="city-2"),
        MergeOrgans(organs=("city",), into="city-2"),
        FoundOrgan(organ={**ENTRY, "id": "n", "parent": "city-2", "division": "990223"}),
        FoundOrgan(organ={**ENTRY, "id": "n", "parent": None}),
    ):
        with pytest.raises(Denied):
            province.authz.changes.make(CITY_OFFICER, change)
        with pytest.raises(Denied):
            province.authz.changes.rehearse(CITY_OFFICER, change)
    inside = MergeOrgans(organs=("county-a",), into="county-b", divisions={"town": "990122100"})
    assert province.authz.changes.rehearse(CITY_OFFICER, inside)
    with pytest.raises(Denied):
        province.authz.changes.make(CITY_OFFICER, inside)
    assert province.authz.directory.organ("county-a").status == "active"
    province.authz.changes.make(CITY_OFFICER, RenameOrgan(organ="county-b", name_zh="某"))


def test_an_organ_is_founded_once(province: Site) -> None:
    new = FoundOrgan(organ={**ENTRY, "id": "county-c", "uscc": "12441500196720244T", "line": "general"})
    born = province.clock.now()
    province.clock.advance(timedelta(hours=1))
    province.make(new)
    with pytest.raises(refused.NotThere):
        province.authz.directory.organ_at("county-c", born)
    assert "county-c" not in province.authz.directory.under_at("city", born)
    with pytest.raises(refused.AlreadyThere):
        province.make(new)
    same_code = FoundOrgan(organ={**ENTRY, "id": "county-d", "uscc": "12441500196720244T"})
    with pytest.raises(refused.AlreadyThere):
        province.make(same_code)
    whole(province)


def test_lines_of_business(province: Site) -> None:
    rows = [
        department(f"f-{parent}", parent) | {"division": division, "line": "finance"}
        for parent, division in (("province", "990000"), ("county-a", "990121"), ("county-b", "990122"))
    ]
    directory = province.authz.directory
    directory.load(SYSTEM, DirectoryFile.parse({"organs": rows}))
    # the city has no such department: the line goes on to the province
    assert directory.line_of("f-county-a").above == "f-province"
    assert directory.line_of("f-province") == type(directory.line_of("f-province"))(
        None, ("f-county-a", "f-county-b")
    )
    assert directory.line_of("county-a").below == ()
    assert [each.id for each in directory.organs(line="finance", under="city")] == [
        "f-county-a",
        "f-county-b",
    ]
    assert [each.id for each in directory.organs(name="子县")] == ["county-a"]


# --- random sequences ----------------------------------------------------------------------------------------------

_LETTERS = st.sampled_from("abcdefgh")
_SEQUENCES = st.lists(
    st.tuples(st.sampled_from(["move", "merge", "dissolve", "found", "split"]), _LETTERS, _LETTERS, _LETTERS),
    min_size=3,
    max_size=12,
)
#: letter → the one above; g and h are founded or split off later
_START = {"a": None, "b": "a", "c": "a", "d": "b", "e": "b", "f": "d"}


def department(id_: str, parent: str) -> dict:
    name = {"name_zh": id_, "name_en": id_, "short_name": id_}
    return {"id": id_, "parent": parent, "level": "department", "division": "990000", **name}


def change_of(prefix: str, kind: str, one: str, two: str, three: str):
    one, two, three = (f"{prefix}-{letter}" for letter in (one, two, three))
    new = f"{one}-{two[-1]}{three[-1]}"
    part = {"organ": department(new, "province"), "children": [three]}
    return {
        "move": lambda: MoveOrgan(organ=one, parent=two),
        "merge": lambda: MergeOrgans(organs=(one, three), into=two),
        "dissolve": lambda: DissolveOrgan(organ=one),
        "found": lambda: FoundOrgan(organ=department(new, two)),
        "split": lambda: SplitOrgan(organ=one, parts=[part], ends=three < two),
    }[kind]()


def paths_of(site: Site, prefix: str) -> dict[str, tuple[str, ...]]:
    query = sa.select(OrganClosure.organ, OrganClosure.ancestor).where(OrganClosure.organ.startswith(prefix))
    paths: dict[str, tuple[str, ...]] = {}
    with site.store.read() as session:
        for organ, above in session.execute(query.order_by(OrganClosure.organ, OrganClosure.distance)):
            paths[organ] = (*paths.get(organ, ()), above)
    return paths


@pytest.mark.engines("any")
def test_the_closure_stays_whole_and_no_past_is_lost(province: Site) -> None:
    """Random changes, one after another; refused ones change nothing."""
    directory, examples, made = province.authz.directory, count(), []

    def step(change) -> None:
        with province.store.act(SYSTEM, change.verb, change.subject) as act:
            change.apply(act, province.clock.now())

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.explicit],
    )
    @given(_SEQUENCES)
    @example(
        [
            ("split", "b", "g", "d"),
            ("merge", "b", "c", "e"),
            ("move", "c", "b", "a"),
            ("split", "d", "a", "f"),
        ]
    )
    def holds(sequence) -> None:
        prefix = f"x{next(examples)}"
        rows = [
            department(f"{prefix}-{each}", f"{prefix}-{above}" if above else "province")
            for each, above in _START.items()
        ]
        directory.load(SYSTEM, DirectoryFile.parse({"organs": rows}))
        known = []
        for each in sequence:
            now = paths_of(province, prefix)
            known.append((province.clock.now(), now))
            province.clock.advance(timedelta(seconds=1))
            try:
                step(change_of(prefix, *each))
                made.append(each[0])
            except YinxinError:
                assert paths_of(province, prefix) == now
        whole(province)
        with province.store.read() as session:
            for then, paths in known:
                assert {organ: path_at(session, organ, then) for organ in paths} == paths
                assert {o for o in under_at(session, "province", then) if o.startswith(prefix)} == set(paths)

    holds()
    assert set(made) == {"move", "merge", "dissolve", "found", "split"}, "every kind came to pass"
