"""The schema of all policies: one fragment per module, merged and completed into Cedar's JSON schema."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from authz.errors import BadPolicies
from yinxin.faults import first_fault
from yinxin.text import Text

#: every resource has an owner and a level of secrecy; graded data has a region and a way of sharing besides
GIVEN: Mapping[str, dict[str, Any]] = {
    "organ": {"type": "Entity", "name": "Organ"},
    "level": {"type": "Long"},
    "region": {"type": "String", "required": False},
    "sharing": {"type": "String", "required": False},
    "shared_with": {"type": "Set", "element": {"type": "String"}, "required": False},
}
#: every act that changes something may say how secret what flows into it is
_SOURCE = {"source_level": {"type": "Long", "required": False}}
#: these act or own; nothing is done to them
_NO_RESOURCES = {"Person", "Organ", "Post"}
_CHANGES = {"read", "write"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Shape(_Part):
    type: Literal["Record"] = "Record"
    attributes: dict[str, dict[str, Any]] = {}


class _EntityType(_Part):
    memberOfTypes: list[str] = []  # noqa: N815 - Cedar's name
    shape: _Shape = _Shape()


class _Group(_Part):
    id: str


class _AppliesTo(_Part):
    principalTypes: list[Literal["Person"]] = ["Person"]  # noqa: N815 - Cedar's name
    resourceTypes: list[str]  # noqa: N815 - Cedar's name
    context: dict[str, Any] = {"type": "Record", "attributes": {}}


class _Action(_Part):
    memberOf: list[_Group] = []  # noqa: N815 - Cedar's name
    appliesTo: _AppliesTo  # noqa: N815 - Cedar's name


class Fragment(_Part):
    """One module's part. An action without a dot is a group and the base's alone."""

    entityTypes: dict[str, _EntityType] = {}  # noqa: N815 - Cedar's name
    actions: dict[str, _Action] = {}


def merge(fragments: Mapping[str, str]) -> dict[str, Any]:
    """The whole schema from the modules' texts (JSON); raises BadPolicies naming the module's file."""
    whole = Fragment()
    for module, text in sorted(fragments.items()):
        file = f"{module}/schema.json"
        try:
            fragment = Fragment.model_validate_json(text)
        except ValidationError as error:
            place, reason = first_fault(error)
            where = ".".join(map(str, place))
            raise BadPolicies(
                file=file, reason=Text(f"{where}：{reason.zh}", f"{where}: {reason.en}")
            ) from error
        _check(file, module, fragment, whole)
        whole.entityTypes |= fragment.entityTypes
        whole.actions |= fragment.actions
    _complete(whole)
    return {"": whole.model_dump()}


def _check(file: str, module: str, fragment: Fragment, whole: Fragment) -> None:
    """Nothing declared twice, nothing in another module's name, every action classed."""
    twice = {*fragment.entityTypes} & {*whole.entityTypes} | {*fragment.actions} & {*whole.actions}
    if twice:
        raise BadPolicies(
            file=file,
            reason=Text(f"{sorted(twice)} 已由另一模块声明", f"{sorted(twice)} declared by another module"),
        )
    for name, entity in fragment.entityTypes.items():
        if name not in _NO_RESOURCES and GIVEN.keys() & entity.shape.attributes.keys():
            raise BadPolicies(
                file=file,
                reason=Text(
                    f"{name}：{'、'.join(GIVEN)} 自动具备，不得声明",
                    f"{name}: {', '.join(GIVEN)} are given and not declared",
                ),
            )
    for name, action in fragment.actions.items():
        if module != "authz" and not name.startswith(f"{module}."):
            raise BadPolicies(
                file=file,
                reason=Text(f"操作 {name} 属于另一模块", f"action {name} belongs to another module"),
            )
        if "." in name and len({group.id for group in action.memberOf} & _CHANGES) != 1:
            raise BadPolicies(
                file=file,
                reason=Text(
                    f"操作 {name} 须归入 read 或 write 之一",
                    f"action {name} must be a member of read or of write",
                ),
            )
        if wrong := _NO_RESOURCES & set(action.appliesTo.resourceTypes):
            raise BadPolicies(
                file=file,
                reason=Text(
                    f"操作 {name} 不能以 {sorted(wrong)} 为对象",
                    f"action {name} cannot apply to {sorted(wrong)}",
                ),
            )


def _complete(whole: Fragment) -> None:
    """Give every resource its owner (also as parent, for grants over a part of the tree) and every write its source."""
    for action in whole.actions.values():
        for name in action.appliesTo.resourceTypes:
            if name in whole.entityTypes:
                entity = whole.entityTypes[name]
                entity.shape.attributes |= GIVEN
                entity.memberOfTypes = sorted({*entity.memberOfTypes, "Organ"})
    for name, action in whole.actions.items():
        if name == "write" or any(group.id == "write" for group in action.memberOf):
            declared = action.appliesTo.context.setdefault("attributes", {})
            action.appliesTo.context = {**action.appliesTo.context, "attributes": {**declared, **_SOURCE}}
