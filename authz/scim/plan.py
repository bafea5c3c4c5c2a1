"""What a client wants of a resource, as changes of the directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from authz.change import (
    AlterPerson,
    Appoint,
    Change,
    EndAppointment,
    FoundPost,
    GiveUpPost,
    NamePost,
    Register,
    Reinstate,
    Retire,
)
from authz.change.asked import post_resource
from authz.change.people import NewAppointment
from authz.directory.file import PersonEntry, PostEntry
from authz.scim.client import ScimClient
from authz.scim.errors import BadAttribute
from authz.scim.schemas import YinxinGroup, YinxinUser
from authz.scim.seek import USERS, Kind
from yinxin.authz import Resource
from yinxin.text import Text

#: people who join or leave a post in one request
MOST_MEMBERS = 500
_NAMES = {"User": 100, "Group": 200}
_LONGEST_EXTERNAL = 200


@dataclass
class Plan:
    """Changes of one resource, and what the policies are asked about each (None: what the change itself says)."""

    id: str
    organ: str | None
    asked: list[tuple[Change, Sequence[Resource] | None]] = field(default_factory=list)
    #: the client's own name from now on, if `renamed`
    external: str | None = None
    renamed: bool = False
    #: everybody's names for it go
    removed: bool = False
    #: who is to hold the post
    joining: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.asked) or self.renamed or self.removed

    def add(self, change: Change, *resources: Resource) -> None:
        """One more change; with `resources` for what is not there yet."""
        self.asked.append((change, resources or None))

    def hold_joining(self, seen: set[str]) -> None:
        """Raise BadAttribute for the first who is nobody that the client sees."""
        for each in self.joining:
            if each not in seen:
                raise _bad("members", Text(f"没有人员“{each}”", f"there is no person “{each}”"))


def creation(kind: Kind, client: ScimClient, wanted: Any, identifier: Callable[[], str]) -> Plan:
    """What makes the resource: entered by the client's organ, with an identifier of ours for a post."""
    name = _name(kind, wanted)
    if kind is USERS:
        plan = Plan(str(wanted.user_name), client.organ)
        _external(plan, None, wanted)
        plan.add(Register(person=PersonEntry(id=plan.id, name=name), organ=client.organ))
        if wanted.active is False:
            plan.add(Retire(person=plan.id), post_resource("-", client.organ, (), plan.id))
        return plan
    ours = wanted[YinxinGroup]
    organ = (ours.organ if ours is not None else None) or client.organ
    plan = Plan(f"p-{identifier().lower()}", organ)
    _external(plan, None, wanted)
    plan.add(FoundPost(post=PostEntry(id=plan.id, organ=organ, name_zh=name, name_en=name)))
    for person in sorted(_members(wanted)):
        _join(plan, person, post_resource(plan.id, organ, (), person))
    return plan


def difference(kind: Kind, before: Any, after: Any) -> Plan:
    """What makes `after` of `before`; what is read-only in it is as before."""
    name = _name(kind, after)
    renamed = name != before.display_name
    if kind is USERS:
        plan = Plan(before.id, before[YinxinUser].organ)
        active = before.active if after.active is None else after.active
        if active and not before.active:
            plan.add(Reinstate(person=plan.id))
        if renamed:
            plan.add(AlterPerson(person=plan.id, name=name))
        if before.active and not active:
            plan.add(Retire(person=plan.id))
    else:
        plan = Plan(before.id, before[YinxinGroup].organ)
        if renamed:
            plan.add(NamePost(post=plan.id, name_zh=name))
        held, wanted = _members(before), _members(after)
        if len(held ^ wanted) > MOST_MEMBERS:
            few = Text(f"一次至多增减 {MOST_MEMBERS} 人", f"{MOST_MEMBERS} people at a time")
            raise _bad("members", few)
        for person in sorted(held - wanted):
            plan.add(EndAppointment(person=person, post=plan.id))
        for person in sorted(wanted - held):
            _join(plan, person)
    _external(plan, before, after)
    return plan


def removal(kind: Kind, before: Any) -> Plan:
    """What makes it gone: nothing is erased."""
    if kind is USERS:
        plan = Plan(before.id, before[YinxinUser].organ, removed=True)
        if before.active:
            plan.add(Retire(person=plan.id))
    else:
        plan = Plan(before.id, before[YinxinGroup].organ, removed=True)
        plan.add(GiveUpPost(post=plan.id))
    return plan


def _join(plan: Plan, person: str, *resources: Resource) -> None:
    plan.add(Appoint(appointment=NewAppointment(person=person, post=plan.id)), *resources)
    plan.joining.append(person)


def _name(kind: Kind, wanted: Any) -> str:
    name = (wanted.display_name or "").strip()
    longest = _NAMES[kind.name]
    if not 0 < len(name) <= longest:
        raise _bad("displayName", Text(f"须为 1 至 {longest} 字", f"1 to {longest} characters"))
    return name


def _members(group: Any) -> set[str]:
    found = set()
    for each in group.members or ():
        if not each.value or (each.type or "User").lower() != "user":
            raise _bad("members", Text("须以 value 指明人员", "each names a person by its value"))
        found.add(str(each.value))
    return found


def _external(plan: Plan, before: Any, after: Any) -> None:
    """The client's own name, where it changes."""
    wanted = after.external_id or None
    if wanted is not None and len(wanted) > _LONGEST_EXTERNAL:
        most = Text(f"至多 {_LONGEST_EXTERNAL} 字", f"{_LONGEST_EXTERNAL} characters at most")
        raise _bad("externalId", most)
    plan.renamed = wanted != (before.external_id if before is not None else None)
    plan.external = wanted


def _bad(attribute: str, reason: Text) -> BadAttribute:
    return BadAttribute(reason=Text(f"{attribute}：{reason.zh}", f"{attribute}: {reason.en}"))
