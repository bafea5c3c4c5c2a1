"""What a decision sees of the world: the person, the resource, and the organs above both, as Cedar's entities."""

from collections.abc import Iterable, Mapping
from typing import Any

from authz.directory import Standing
from authz.schema import GIVEN
from yinxin.authz import LEVELS, Resource

Entities = tuple[Mapping[str, Any], ...]

#: digits that name a province, a city, a county, a township and a village (GB/T 2260, GB/T 10114)
_DIVISIONS = (2, 4, 6, 9, 12)
_SHORTEST = 6


def slice_of(person: Standing | None, resource: Resource, owner: tuple[str, ...]) -> Entities:
    """The entities a decision sees: the person, if there is one, and the resource, each with the organs above."""
    chains = [owner]
    people: list[Mapping[str, Any]] = []
    if person is not None:
        chains.append(person.organ.reach)
        people.append(person_entity(person))
    return (*people, resource_entity(resource), *organs_of(chains))


def resource_entity(resource: Resource) -> Mapping[str, Any]:
    """The resource; its owner, level and grading are what `Resource` says, whatever its attributes claim."""
    declared = {name: value for name, value in resource.attributes.items() if name not in GIVEN}
    given: dict[str, Any] = {
        "organ": _organ_reference(resource.organ),
        "level": LEVELS.index(resource.level),
        "region": resource.region,
        "sharing": resource.sharing,
        "shared_with": sorted(resource.shared_with),
    }
    return {
        "uid": {"type": resource.type, "id": resource.id},
        "attrs": declared | {name: value for name, value in given.items() if value not in (None, [])},
        "parents": [{"type": "Organ", "id": resource.organ}],
    }


def regions(division: str) -> list[str]:
    """The division and those it lies in, widest first: `990121` lies in `990100` and `990000`."""
    within = {division[:digits].ljust(_SHORTEST, "0") for digits in _DIVISIONS if digits < len(division)}
    return sorted({*within, division}, key=lambda code: (len(code), code))


def _organ_reference(organ: str) -> Mapping[str, Any]:
    return {"__entity": {"type": "Organ", "id": organ}}


def person_entity(acting: Standing) -> Mapping[str, Any]:
    """The person in the post she acts in."""
    return {
        "uid": {"type": "Person", "id": acting.person.id},
        "attrs": {
            "id": acting.person.id,
            "organ": _organ_reference(acting.organ.id),
            "organ_id": acting.organ.id,
            "post": acting.post.id,
            "regions": regions(acting.organ.division),
            "roles": sorted(acting.post.roles),
            "powers": sorted(acting.powers),
            "clearance": LEVELS.index(acting.person.clearance),
            "appointed": acting.appointed,
            **({} if acting.organ.tenant is None else {"tenant": acting.organ.tenant}),
            **_delegated(acting),
        },
        "parents": [{"type": "Organ", "id": acting.organ.id}, {"type": "Post", "id": acting.post.id}],
    }


def organs_of(chains: Iterable[tuple[str, ...]]) -> Iterable[Mapping[str, Any]]:
    """Each organ of the chains once, with its parent; a chain is an organ and those above it."""
    parents: dict[str, str | None] = {}
    for chain in chains:
        parents |= dict(zip(chain, (*chain[1:], None), strict=True))
    for organ, parent in sorted(parents.items()):
        above = [{"type": "Organ", "id": parent}] if parent else []
        yield {"uid": {"type": "Organ", "id": organ}, "attrs": {}, "parents": above}


def _delegated(acting: Standing) -> dict[str, Any]:
    """By which delegation she acts, and what it is limited to; nothing for whoever holds the post herself."""
    if acting.delegation is None:
        return {}
    limits = {} if acting.actions is None else {"actions": sorted(acting.actions)}
    return {"delegation": acting.delegation, **limits}


def beyond_delegation(entities: Entities, action: str) -> bool:
    """Whether the person acts by a delegation that is limited to other actions."""
    return any(
        "actions" in each["attrs"] and action not in each["attrs"]["actions"]
        for each in entities
        if each["uid"]["type"] == "Person"
    )
