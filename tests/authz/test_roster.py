"""Import from tables: every fault told with its line, whole or not at all, what differs shown before it is made.

Seen to fail when: `enter` does not compare the digest; `_whole` leaves out the tree or the powers.
"""

import csv
from pathlib import Path

import pytest
import sqlalchemy as sa

from authz.directory.rehearse import rehearsal
from authz.errors import PowersMeet, UnknownPerson
from authz.models import AppointmentRow, OrganClosure, PersonRow
from authz.roster import RosterContent
from authz.roster.errors import ComesToElse, GivesToDecider, RosterChanged, RosterFaulty, RosterUnreadable
from authz.roster.roster import IMPORT
from tests.authz.conftest import Site
from tests.authz.offices import REASON, Office
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied

ADMIN = Actor(Kind.PERSON, "qian", "admin", "province")
ORGANS = [
    {"id": "county-c", "parent": "city", "name_zh": "寅县", "name_en": "C", "short_name": "寅", "level": "county", "division": "990123"},
    {"id": "town-c", "parent": "county-c", "name_zh": "西镇", "name_en": "T", "short_name": "西", "level": "township", "division": "990123100"},
]  # fmt: skip
POSTS = [
    {"id": "clerk-c", "organ": "county-c", "name_zh": "经办", "name_en": "Clerk", "roles": "clerk;reviewer"},
    {"id": "clerk-a", "organ": "county-a", "name_zh": "经办岗", "name_en": "Clerk", "roles": "clerk"},
]
PEOPLE = [
    {"id": "he", "name": "何䶮", "clearance": ""},
    {"id": "zhang", "name": "张哲", "clearance": "internal"},
    {"id": "li", "name": "李堃", "clearance": "secret"},
]
APPOINTMENTS = [
    {"person": "he", "post": "clerk-c", "valid_from": "2026-12-01T00:00:00+08:00", "valid_to": ""},
    {"person": "zhang", "post": "clerk-a", "valid_from": "2026-01-01T00:00:00+08:00", "valid_to": "2026-12-31T00:00:00+08:00"},
]  # fmt: skip


def write(folder: Path, **tables) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    return folder


def tables(folder: Path) -> Path:
    return write(folder, organs=ORGANS, posts=POSTS, people=PEOPLE, appointments=APPOINTMENTS)


def enter(site: Site, folder: Path):
    with (
        site.authz.roster.offered(folder) as named,
        site.store.act(SYSTEM, "authz.import", "directory") as act,
    ):
        return site.authz.roster.enter(act, named)


def test_what_differs_is_shown_and_then_made(site: Site, tmp_path: Path) -> None:
    folder = tables(tmp_path / "t")
    shown = site.authz.roster.rehearse(ADMIN, folder)
    assert site.authz.directory.people(after="h", limit=1)[0].id != "he", "a rehearsal changes nothing"
    assert shown.counts == {
        "organs": {"new": 2, "changed": 0, "ended": 0, "untouched": 0},
        "posts": {"new": 1, "changed": 0, "ended": 0, "untouched": 1},
        "people": {"new": 1, "changed": 1, "ended": 0, "untouched": 1},
        "appointments": {"new": 1, "changed": 0, "ended": 1, "untouched": 0},
    }
    assert [
        (each.subject, each.before, each.after) for each in shown.differences if each.field == "name"
    ] == [("person:zhang", "张喆", "张哲")]
    assert enter(site, folder).counts == shown.counts
    directory = site.authz.directory
    assert directory.organ("town-c").path == ("town-c", "county-c", "city", "province")
    assert directory.post("clerk-c").roles == {"clerk", "reviewer"}
    assert directory.person("he").clearance == "internal"
    assert [each.state["name"] for each in directory.history("person", "zhang")] == ["张喆", "张哲"]
    again = site.authz.roster.rehearse(ADMIN, folder)
    assert all(set(counts) - {"untouched"} and not counts["new"] for counts in again.counts.values())
    assert again.differences == ()


FAULTS = [
    ("organs", ORGANS[0] | {"division": "990223"}, "division", "不在上级机关"),
    ("organs", ORGANS[0] | {"level": "kingdom"}, "level", ""),
    ("organs", ORGANS[0] | {"id": "county-c", "name_zh": ""}, "name_zh", "缺少"),
    ("posts", POSTS[0] | {"roles": "king"}, "roles", "king"),
    ("posts", POSTS[0] | {"organ": "nowhere"}, "organ", "nowhere"),
    ("people", PEOPLE[1], "id", "重复"),
    ("people", PEOPLE[0] | {"id": "Ho Ho"}, "id", "id"),
    ("appointments", APPOINTMENTS[0] | {"person": "nobody"}, "person", "nobody"),
    ("appointments", APPOINTMENTS[0] | {"valid_from": "2026-12-01"}, "valid_from", ""),
    ("appointments", APPOINTMENTS[0] | {"valid_to": "2025-12-01T00:00:00Z"}, "valid_to", "晚于"),
]


def test_every_fault_is_told_with_its_line_and_nothing_is_entered(site: Site, tmp_path: Path) -> None:
    for number, (table, row, name, words) in enumerate(FAULTS):
        folder = tables(tmp_path / str(number))
        rows = {"organs": ORGANS, "posts": POSTS, "people": PEOPLE, "appointments": APPOINTMENTS}[table]
        kept = [each for each in rows if each is not rows[0] or row == PEOPLE[1]]
        write(folder, **{table: [*kept, row]})
        report = site.authz.roster.rehearse(ADMIN, folder)
        told = [each for each in report.findings if each.file == f"{table}.csv"]
        assert told, (table, row)
        (fault,) = [each for each in told if each.line == len(kept) + 2][:1]
        assert fault.field.split(",")[0] == name
        assert words in fault.text.zh
        assert fault.text.en
        with pytest.raises(RosterFaulty):
            enter(site, folder)
    both = tables(tmp_path / "both")
    write(
        both,
        people=[
            {"id": "A", "name": "甲", "clearance": "x"},
            {"id": "B", "name": "乙", "clearance": "secret"},
        ],
    )
    assert [(each.line, each.field) for each in site.authz.roster.rehearse(ADMIN, both).findings[:2]] == [
        (2, "clearance"),
        (3, "id"),
    ]
    assert site.authz.directory.person("zhang").name == "张喆"
    with site.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PersonRow)) == 6


@pytest.mark.parametrize("text", [b"id,name\n\xff\xfe,x\n", b"id,shoe size\na,b\n", b'id,name\n"a,b\n', b""])
def test_tables_that_are_none(site: Site, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "people.csv").write_bytes(text)
    with pytest.raises(RosterUnreadable):
        site.authz.roster.rehearse(ADMIN, tmp_path)
    with pytest.raises(RosterUnreadable):
        site.authz.roster.rehearse(ADMIN, tmp_path / "nowhere")


def test_powers_stay_apart_over_the_tables_and_what_is_there(site: Site, tmp_path: Path) -> None:
    row = {"person": "sun", "post": "admin", "valid_from": "2026-12-01T00:00:00+08:00"}
    folder = write(tmp_path / "t", appointments=[row])
    with pytest.raises(PowersMeet):
        site.authz.roster.rehearse(ADMIN, folder)
    with pytest.raises(PowersMeet):
        enter(site, folder)
    with site.store.read() as session:
        assert session.get(AppointmentRow, ("sun", "admin", site.clock.now())) is None


def test_only_officers_rehearse(site: Site, tmp_path: Path) -> None:
    with pytest.raises(Denied):
        site.authz.roster.rehearse(Actor(Kind.PERSON, "zhang", "clerk-a", "county-a"), tables(tmp_path / "t"))


def test_what_was_approved_is_what_is_imported(site: Site, tmp_path: Path) -> None:
    office = Office.of(site)
    site.authz.proposals.register(IMPORT, site.authz)
    folder = tables(tmp_path / "t")
    report = site.authz.roster.rehearse(ADMIN, folder)
    content = RosterContent(digest=report.digest, counts=report.counts)
    shown = site.authz.proposals.propose(office.actor("qin"), IMPORT.name, content, reason=REASON)
    id_ = str(shown.row.id)
    for person in ("han", "wei"):
        office.approve(id_, person)
    with pytest.raises(RosterChanged):
        office.execute(id_, "qin")
    with site.authz.roster.offered(folder):
        write(folder, people=[*PEOPLE, {"id": "extra", "name": "多", "clearance": ""}])
        with pytest.raises(RosterChanged):
            office.execute(id_, "qin")
        tables(folder)
        assert office.execute(id_, "qin") == "executed"
    assert site.authz.directory.person("he").name == "何䶮"
    with site.store.read() as session:
        pairs = sa.select(sa.func.count()).select_from(OrganClosure).where(OrganClosure.organ == "town-c")
        assert session.scalar(pairs) == 4


@pytest.mark.engines("any")
def test_what_the_approvers_were_told_is_what_comes_of_it(site: Site, tmp_path: Path) -> None:
    """They see a digest and the counts, which whoever proposes writes: a whole directory went in as nothing new."""
    office = Office.of(site)
    site.authz.proposals.register(IMPORT, site.authz)
    folder = tables(tmp_path / "t")
    report = site.authz.roster.rehearse(ADMIN, folder)
    nothing = {table: dict.fromkeys(counts, 0) for table, counts in report.counts.items()}
    for counts in (nothing, {}, {**report.counts, "more": {"new": 1}}):
        content = RosterContent(digest=report.digest, counts=counts)
        id_ = str(
            site.authz.proposals.propose(office.actor("qin"), IMPORT.name, content, reason=REASON).row.id
        )
        for person in ("han", "wei"):
            office.approve(id_, person)
        with site.authz.roster.offered(folder), pytest.raises(ComesToElse):
            office.execute(id_, "qin")
    with pytest.raises(UnknownPerson):
        site.authz.directory.person("he")


def test_tables_give_nothing_to_who_decided_on_them(site: Site, tmp_path: Path) -> None:
    """Seen to fail when: `Entering` does not note one of the ways in which somebody gets more."""
    folder, roster = tables(tmp_path / "t"), site.authz.roster
    ways = {
        "a post": ({}, {"he"}),
        "more in a post": ({"posts": [POSTS[0], {**POSTS[1], "roles": "clerk;reviewer"}]}, {"zhang", "he"}),
        "a clearance": ({"people": [*PEOPLE[:1], {**PEOPLE[1], "clearance": "secret"}]}, {"zhang", "he"}),
    }
    for name, (changed, gaining) in ways.items():
        write(tables(folder), **changed)
        for deciding, refused in ((frozenset({"li", "sun"}), False), (frozenset({"li", *gaining}), True)):
            with (
                rehearsal(site.store, SYSTEM, "authz.import", "directory") as act,
                roster.offered(folder) as named,
            ):
                if refused:
                    with pytest.raises(GivesToDecider) as raised:
                        roster.enter(act, named, deciding)
                    assert set(raised.value.facts["people"].split(", ")) == gaining, name
                else:
                    assert roster.enter(act, named, deciding).faults == 0, name


def test_a_rehearsal_leaves_no_lock_and_no_record(site: Site, tmp_path: Path, events) -> None:
    before = len(events())
    site.authz.roster.rehearse(ADMIN, tables(tmp_path / "t"))
    assert len(events()) == before
