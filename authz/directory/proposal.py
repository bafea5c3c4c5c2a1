"""Loading the directory as an act of several people: whoever could load it alone could make herself anybody."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.check import check_file
from authz.directory.file import AppointmentEntry, DirectoryFile, Entry
from authz.directory.load import load
from authz.models import AppointmentRow, OrganRow, PersonRow, PostRole, PostRow
from authz.roles import POWERS, ROLES
from yinxin.proposal import Approved, Concerned, Outcome, ProposalKind
from yinxin.store import Act
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.service import Authz

#: rows that are named one by one on the approver's screen
_NAMED = 50


def _check(_authz: "Authz", file: DirectoryFile) -> None:
    check_file(file)


def _describe(authz: "Authz", file: DirectoryFile) -> tuple[Text, ...]:
    """How much it is, what would be new or different by now, and who is put into which of the three powers."""
    counted = Text(
        f"导入 {len(file.organs)} 个机关、{len(file.posts)} 个岗位、{len(file.people)} 名人员、{len(file.appointments)} 项任职",
        f"load organs: {len(file.organs)}, posts: {len(file.posts)}, people: {len(file.people)}, appointments: {len(file.appointments)}",
    )
    with authz.store.read() as session:
        powers = _powers(session, file)
        named = [
            *(_appointed(each, powers[each.post]) for each in file.appointments if each.post in powers),
            *_differences(session, file),
        ]
    if len(named) > _NAMED:
        more = len(named) - _NAMED
        named = [*named[:_NAMED], Text(f"另有 {more} 项", f"{more} more")]
    return (counted, *named)


def _powers(session: Session, file: DirectoryFile) -> dict[str, Text]:
    """The posts of the file that carry one of the three powers, in the file or already."""
    found = {post.id: ROLES[role] for post in file.posts for role in post.roles if role in POWERS}
    posts = {each.post for each in file.appointments} - {post.id for post in file.posts}
    query = sa.select(PostRole.post, PostRole.role).where(PostRole.post.in_(posts), PostRole.role.in_(POWERS))
    return found | {row.post: ROLES[row.role] for row in session.execute(query)}


def _appointed(appointment: AppointmentEntry, power: Text) -> Text:
    until = appointment.valid_to.isoformat() if appointment.valid_to else None
    since = appointment.valid_from.isoformat()
    return Text(
        f"{appointment.person} 任 {appointment.post}（{power.zh}），自 {since}"
        + (f" 至 {until}" if until else ""),
        f"{appointment.person} in {appointment.post} ({power.en}), from {since}"
        + (f" until {until}" if until else ""),
    )


def _differences(session: Session, file: DirectoryFile) -> Iterator[Text]:
    """Organs, posts and people that are new, or other than they are now; posts with their roles."""
    tables: tuple[tuple[Text, type[OrganRow | PostRow | PersonRow], Sequence[Entry]], ...] = (
        (Text("机关", "organ"), OrganRow, file.organs),
        (Text("岗位", "post"), PostRow, file.posts),
        (Text("人员", "person"), PersonRow, file.people),
    )
    for word, table, entries in tables:
        for entry in entries:
            values = entry.model_dump()
            roles, id_ = set(values.pop("roles", ())), values["id"]
            name = values.get("name_zh") or values.get("name")
            held = ", ".join(sorted(roles))
            told = f"{id_} {name}" + (f" [{held}]" if held else "")
            row = session.get(table, id_)
            if row is None:
                yield Text(f"新增{word.zh} {told}", f"new {word.en} {told}")
            elif any(getattr(row, field) != value for field, value in values.items()) or (
                table is PostRow and roles != _roles(session, id_)
            ):
                yield Text(f"变更{word.zh} {told}", f"changed {word.en} {told}")


def _roles(session: Session, post: str) -> set[str]:
    return set(session.scalars(sa.select(PostRole.role).where(PostRole.post == post)))


def _concerned(authz: "Authz", file: DirectoryFile) -> Concerned:
    """Whom the file would give a post that she has not got, or more in one that she has, or another clearance."""
    with authz.store.read() as session:
        return Concerned(people=gaining(session, file))


def gaining(session: Session, file: DirectoryFile) -> frozenset[str]:
    """The people whom a file gives something, held against what is there now."""
    there = {
        (row.person, row.post, row.valid_from): row for row in session.scalars(sa.select(AppointmentRow))
    }
    found = {each.person for each in file.appointments if _more(each, there.get(each.key))}
    altered = {each.id for each in file.posts if _roles(session, each.id) != set(each.roles)}
    found |= {person for person, post, _ in there if post in altered}
    known = {row.id: row.clearance for row in session.execute(sa.select(PersonRow.id, PersonRow.clearance))}
    found |= {each.id for each in file.people if known.get(each.id, each.clearance) != each.clearance}
    return frozenset(found)


def _more(entry: AppointmentEntry, row: AppointmentRow | None) -> bool:
    """Whether the entry is more than is there: new, of another kind, or longer."""
    if row is None or row.kind != entry.kind:
        return True
    return row.valid_to is not None and (entry.valid_to is None or entry.valid_to > row.valid_to)


def _load(authz: "Authz", approved: Approved[DirectoryFile], session: Session) -> Outcome:
    act = Act(approved.proposal, approved.actor, "authz.load", "directory", session)
    return asdict(load(act, approved.content, authz.store.clock.now()))


LOAD: ProposalKind["Authz", Any] = ProposalKind(
    name="authz.load-directory",
    title=Text("导入机构名录", "load the directory"),
    content=DirectoryFile,
    proposers=frozenset({"administrator", "security-officer"}),
    approvers=frozenset({"security-officer"}),
    check=_check,
    describe=_describe,
    concerned=_concerned,
    within=_load,
)
