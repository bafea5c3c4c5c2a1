"""The quick way to an answer: everything about the asker parsed once, and only the thing asked about parsed each time.

Of things that differ in nothing but their names, where no policy knows one by its name, the engine is asked about the first,
and each has its own decision: a batch of certificates for one organ is one question.

It gives what `authz.decide.decide` gives, or nothing: whatever is out of the ordinary is left to that one, which says
what is wrong.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cedarpy

from authz.directory import Standing
from authz.entities import organs_of, person_entity, resource_entity
from authz.policy_set import PolicySet, linked
from yinxin import canonical
from yinxin.authz import Decision, Resource
from yinxin.text import Text

#: the context of most questions
_NONE = "{}"
_LONG = 2**63
#: types of which there are entities beside the thing asked about
_KNOWN = ("Person", "Organ")
Asked = tuple[Resource, Mapping[str, Any]]


class Prepared:
    """One person before one action over things of some organs (`paths`: each with those above it)."""

    def __init__(
        self,
        policies: PolicySet,
        number: int | None,
        standing: Standing,
        *,
        action: str,
        paths: Mapping[str, tuple[str, ...]],
        grants: tuple[Mapping[str, Any], ...],
    ) -> None:
        self._policies, self._number, self._action, self.grants = policies, number, action, grants
        self._person = person_entity(standing)
        own = standing.organ.reach
        self._organs = {organ: tuple(organs_of([above, own])) for organ, above in paths.items()}
        # most things are neither people nor organs: what is known beside them is the same for all
        self._known = {
            organ: canonical.encode([self._person, *entities]) for organ, entities in self._organs.items()
        }
        self._around = {
            organ: (canonical.encode([self._person])[:-1], canonical.encode(list(entities))[1:])
            for organ, entities in self._organs.items()
        }
        self._principal = dict(self._person["uid"])
        self._concerning = linked(policies.slice(action), grants)
        self._words: dict[tuple[str, ...], Text] = {}
        self._by_name = policies.named | {*_KNOWN}
        self._single = any("resource" in each for each in grants)
        self._base = self._parsed([self._person, *organs_of([*paths.values(), own])])

    def _parsed(self, entities: list[Mapping[str, Any]]) -> cedarpy.Entities | None:
        """The entities with the action and its groups; None when they do not fit the schema."""
        groups = [{"type": "Action", "id": each} for each in sorted(self._policies.groups(self._action))]
        action = {"uid": {"type": "Action", "id": self._action}, "attrs": {}, "parents": groups}
        try:
            cedarpy.Entities.from_json_str(json.dumps(entities), self._policies.parsed_schema)
            return cedarpy.Entities.from_json_str(json.dumps([*entities, action]))
        except ValueError:
            return None

    def answers(
        self, asked: Sequence[Asked], reason: Callable[[tuple[str, ...]], Text]
    ) -> list[Decision] | None:
        """One for each; None when they have to be asked the long way. `reason` words the determining policies."""
        things: dict[tuple[str, str], Mapping[str, Any]] = {}
        for resource, _ in asked:
            thing = resource_entity(resource)
            if things.setdefault((resource.type, resource.id), thing) != thing or not self._fits(thing):
                return None
        if self._base is None:
            return None
        # a single question has no company, and is asked very often
        heads = self._heads(asked, things) if len(asked) > 1 else [0]
        put = {place: asked[place] for place in heads}
        spoken_of = {(resource.type, resource.id): None for resource, _ in put.values()}
        try:
            entities = self._base.with_added_json_str(json.dumps([things[each] for each in spoken_of]))
        except ValueError:
            return None
        requests = [
            {
                "principal": self._principal,
                "action": {"type": "Action", "id": self._action},
                "resource": {"type": resource.type, "id": resource.id},
                "context": dict(context) if context else _NONE,
            }
            for resource, context in put.values()
        ]
        answers = cedarpy.is_authorized_batch(
            requests, self._concerning, entities, schema=self._policies.parsed_schema
        )
        results = dict(zip(put, answers, strict=True))
        decided = []
        for (resource, context), place in zip(asked, heads, strict=True):
            result = results[place]
            diagnostics = result.diagnostics
            if diagnostics.errors or result.decision is cedarpy.Decision.NoDecision:
                return None
            determining = tuple(sorted(diagnostics.reasons))
            if (words := self._words.get(determining)) is None:
                words = self._words[determining] = reason(determining)
            decided.append(
                Decision(
                    result.allowed,
                    self._action,
                    resource,
                    words,
                    determining,
                    self._policies.hash,
                    (self._person, things[resource.type, resource.id], *self._organs[resource.organ]),
                    context,
                    self._number,
                    self.grants,
                    None if resource.type in _KNOWN else self._known[resource.organ],
                    self._written(resource.organ, things[resource.type, resource.id]),
                )
            )
        return decided

    def _heads(
        self, asked: Sequence[Asked], things: Mapping[tuple[str, str], Mapping[str, Any]]
    ) -> list[int]:
        """For each question the place of the first of which the policies can tell no more: its answer is this one's."""
        first: dict[str, int] = {}
        heads = []
        for place, (resource, context) in enumerate(asked):
            # and a name that the engine may not even read is put before it
            named = resource.type in self._by_name or not resource.id.isascii()
            thing = things[resource.type, resource.id]
            told = (
                None
                if context or self._single or named
                else [resource.type, thing["attrs"], thing["parents"]]
            )
            heads.append(place if told is None else first.setdefault(json.dumps(told), place))
        return heads

    def _written(self, organ: str, thing: Mapping[str, Any]) -> bytes:
        """Person, thing and organs as `Decision.entities` is written: the thing alone is looked through."""
        begin, end = self._around[organ]
        return b"%b,%b%b%b" % (begin, canonical.encode(thing), b"," if end != b"]" else b"", end)

    def _fits(self, thing: Mapping[str, Any]) -> bool:
        """Whether the thing is certainly as the schema declares its type; Cedar would say so too."""
        declared = self._policies.shapes.get(thing["uid"]["type"])
        if declared is None:
            return False
        given = thing["attrs"]
        return all(
            _is(each, given[name]) if name in given else not each.get("required", True)
            for name, each in declared.items()
        ) and all(name in declared for name in given)


def _is(declared: Mapping[str, Any], value: Any) -> bool:
    kind = declared["type"]
    if kind == "String":
        return type(value) is str
    if kind == "Long":
        return type(value) is int and -_LONG <= value < _LONG
    if kind == "Boolean":
        return type(value) is bool
    if kind == "Set":
        return type(value) is list and all(_is(declared["element"], each) for each in value)
    # the owner; attributes that are entities otherwise are left to Cedar
    if declared != {"type": "Entity", "name": "Organ"} or type(value) is not dict:
        return False
    named = value.get("__entity")
    return type(named) is dict and named.keys() == {"type", "id"} and named["type"] == "Organ"
