"""The small scope: every abstract request that policies could tell apart, and the engine's answer to each.

A request is an account (no role, one or two; one of the powers held in another post; not appointed), an action, a
thing of each type at each place of the tree, with every value of an attribute that a policy names or that is the
asker's own, and every context. What is permitted to accounts of at most one role is asked again at every level of
secrecy, in every grading, and with what flows in from another level. Two requests that no policy can tell apart are
asked once: a role that is named in no policy of the action is like any other such role.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import cedarpy

from authz.entities import resource_entity
from authz.errors import BadPolicies
from authz.policy_set import CHANGE, PolicySet
from authz.proof.literals import OWN, SELF, Account, Literals, mentions, naming
from authz.roles import powers
from authz.schema import GIVEN
from yinxin.authz import LEVELS, PLATFORM, Level, Resource, Sharing

#: where the thing is, seen from the asker's organ
BELOW, ABOVE, BESIDE = "below", "above", "beside"
PLACES = (OWN, BELOW, ABOVE, BESIDE, PLATFORM)
_TREE = {OWN: ABOVE, BELOW: OWN, BESIDE: ABOVE, ABOVE: None, PLATFORM: None}
_POST = "post"
CLEARANCE: Level = "internal"
HERE, ELSEWHERE = "990100", "980000"
#: region, sharing, shared with
_Grading = tuple[str | None, Sharing | None, tuple[str, ...]]
_UNGRADED: _Grading = (None, None, ())
_GRADINGS: tuple[_Grading, ...] = (
    (HERE, None, ()),
    (ELSEWHERE, None, ()),
    (None, "none", ()),
    (None, "conditional", ()),
    (None, "conditional", (OWN,)),
)
#: level, grading, and the level of what flows in: told apart by different policies, so each is varied by itself
_SECRECY: tuple[tuple[Level, _Grading, Level | None], ...] = (
    *((level, _UNGRADED, None) for level in LEVELS if level != CLEARANCE),
    *((CLEARANCE, grading, None) for grading in _GRADINGS),
    *((level, _UNGRADED, CLEARANCE) for level in LEVELS),
)


#: attributes and what they name
Naming = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """One abstract request. `granted`: a grant of every template over the organ beside is given to everybody."""

    account: "Account"
    action: str
    resource: Resource
    context: Mapping[str, Any]
    granted: bool
    #: the attributes that name somebody, and what they name, as the schema says
    naming: Naming

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the post she acts in."""
        return self.account.roles

    @property
    def powers(self) -> frozenset[str]:
        """Which of the three powers she holds, in this post or another."""
        return powers(self.account.roles) | self.account.elsewhere

    @property
    def place(self) -> str:
        """Where the thing is, seen from the asker's organ."""
        return self.resource.organ

    @property
    def names_asker(self) -> bool:
        """Whether the thing names the asker or her organ, in whatever part."""
        named = [self.resource.attributes[name] for name, _ in self.naming]
        return SELF in named or any(OWN in value for value in named if isinstance(value, list))

    @property
    def own(self) -> bool:
        """Whether the thing is the asker's own: names her as its author, holder, applicant."""
        return any(self.resource.attributes[name] == SELF for name, what in self.naming if what == "person")


#: a request, and the identifiers of the policies that permit it, or None where it is refused
Answer = tuple[Request, tuple[str, ...] | None]


def answers(policies: PolicySet, action: str, literals: Literals | None = None) -> Iterator[Answer]:
    """Every request of the scope about one action, with the policies that permit it, or None where it is refused.

    `literals` widens the scope to what another set of policies names too. Raises BadPolicies when a policy cannot be
    evaluated: what errs is left out by Cedar, and were it a forbid, the answer would be wrong.
    """
    known = literals or Literals(policies)
    templates = [each for each in policies.templates.values() if action in each.actions]
    secrecy = _Secrecy(policies, action)
    for kind in sorted(policies.declared["actions"][action]["appliesTo"]["resourceTypes"]):
        for granted in (False, True) if templates else (False,):
            plain = _ask(policies, _plain(policies, known, action, kind, granted=granted))
            secret = []
            for request, permits, determining in plain:
                yield request, permits
                if request.account.simple and (permits or secrecy.matters(determining)):
                    secret += list(_varied(request, writes=secrecy.writes))
            for request, permits, _ in _ask(policies, secret):
                yield request, permits


def _plain(
    policies: PolicySet, known: Literals, action: str, kind: str, *, granted: bool
) -> Iterator[Request]:
    """The requests about things of one type that are not graded, at the level of the clearance.

    With `granted` those about the organ that the grants are over.
    """
    accounts = known.accounts(action)
    declared = policies.declared["entityTypes"][kind]["shape"]["attributes"]
    named = ((name, naming(each)) for name, each in declared.items())
    named_by = frozenset((name, what) for name, what in named if what in ("person", "party", "organ"))
    places = (BESIDE,) if granted else PLACES
    varied = product(_attributes(known, action, declared), places)
    for number, (attributes, place) in enumerate(varied):
        resource = Resource(kind, f"r-{number}", place, CLEARANCE, attributes)
        for context in _contexts(policies, known, action):
            for account in accounts:
                yield Request(account, action, resource, context, granted, named_by)


def _varied(request: Request, *, writes: bool) -> Iterator[Request]:
    """The same request at every other level, graded in every way, and where it `writes` with what flows in from another level."""
    for level, (region, sharing, shared_with), source in _SECRECY:
        if source is not None and not writes:
            continue
        mark = f"{request.resource.id}/{level}/{region}/{sharing}/{len(shared_with)}"
        graded = replace(
            request.resource, id=mark, level=level, region=region, sharing=sharing, shared_with=shared_with
        )
        context = (
            request.context if source is None else {**request.context, "source_level": LEVELS.index(source)}
        )
        yield replace(request, resource=graded, context=context)


class _Secrecy:
    """What the policies of one action have to do with secrecy, looked for once for all its requests."""

    def __init__(self, policies: PolicySet, action: str) -> None:
        parts = (*(("resource", each) for each in GIVEN if each != "organ"), ("context", "source_level"))
        concerning = policies.concerning(action)
        self._speaking = {
            name
            for name, policy in concerning.items()
            if any(mentions(policy["conditions"], owner, part) for owner, part in parts)
        }
        self._permitted = any(concerning[name]["effect"] == "permit" for name in self._speaking)
        self.writes = "write" in policies.groups(action)

    def matters(self, determining: Iterable[str]) -> bool:
        """Whether another level could bring another answer although this one, decided by these policies, was a refusal.

        So it is when a permit of the action speaks of secrecy, or when what forbade it did. Where neither does, no
        variation of a refused request is permitted, and none is asked.
        """
        return self._permitted or not self._speaking.isdisjoint(determining)


def _attributes(known: Literals, action: str, declared: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The attributes of a thing, in every combination; lists of roles are varied together, all alike."""
    own = {name: each for name, each in declared.items() if name not in GIVEN}
    choices = {name: known.values(action, "resource", name, each) for name, each in own.items()}
    roles = [name for name, each in own.items() if naming(each) == "role" and len(choices[name]) > 1]
    for values in product(*choices.values()):
        attributes = dict(zip(own, values, strict=True))
        if len({str(attributes[name]) for name in roles}) < 2:
            yield attributes


def _contexts(policies: PolicySet, known: Literals, action: str) -> list[Mapping[str, Any]]:
    """Every context but for what flows into the thing, which `_SECRECY` says."""
    declared = policies.declared["actions"][action]["appliesTo"]["context"].get("attributes", {})
    asked = {name: each for name, each in declared.items() if name != "source_level"}
    choices = [
        [*([] if each.get("required", True) else [None]), *known.values(action, "context", name, each)]
        for name, each in asked.items()
    ]
    return [
        {name: value for name, value in zip(asked, values, strict=True) if value is not None}
        for values in product(*choices)
    ]


def _ask(
    policies: PolicySet, requests: Iterable[Request]
) -> Iterator[tuple[Request, tuple[str, ...] | None, tuple[str, ...]]]:
    """The engine's answers, all in one call: the entities are parsed once. What permits, and what decided."""
    asked = list(requests)
    if not asked:
        return
    action, granted = asked[0].action, asked[0].granted
    concerning = policies.slice(action)
    if granted:
        concerning = concerning.with_linked_batch(_links(policies, action))
    people = {account: _person(account) for account in dict.fromkeys(each.account for each in asked)}
    resources = {each.resource.id: each.resource for each in asked}
    things = {identifier: resource_entity(each) for identifier, each in resources.items()}
    entities = [dict(each) for each in (*people.values(), *things.values(), *_organs())]
    questions = [
        {
            "principal": people[each.account]["uid"],
            "action": {"type": "Action", "id": action},
            "resource": things[each.resource.id]["uid"],
            "context": dict(each.context),
        }
        for each in asked
    ]
    results = cedarpy.is_authorized_batch(questions, concerning, entities, schema=policies.parsed_schema)
    for each, result in zip(asked, results, strict=True):
        if result.diagnostics.errors or result.decision is cedarpy.Decision.NoDecision:
            raise BadPolicies(file=CHANGE, reason=f"{action}: {result.diagnostics.errors[0][-300:]}")
        reasons = tuple(sorted(result.diagnostics.reasons))
        yield each, reasons if result.allowed else None, reasons


def _links(policies: PolicySet, action: str) -> list[dict[str, Any]]:
    rooms = {"?principal": {"type": "Organ", "id": OWN}, "?resource": {"type": "Organ", "id": BESIDE}}
    return [
        {"template_id": each.id, "new_id": f"{each.id}#granted", "values": rooms}
        for each in policies.templates.values()
        if action in each.actions
    ]


def _person(account: Account) -> Mapping[str, Any]:
    parts = (
        "+".join(sorted(account.roles)),
        "+".join(sorted(account.elsewhere)),
        str(account.appointed),
        str(account.tenant),
    )
    return {
        "uid": {"type": "Person", "id": "/".join(parts)},
        "attrs": {
            "id": SELF,
            "organ": {"__entity": {"type": "Organ", "id": OWN}},
            "organ_id": OWN,
            "post": _POST,
            "regions": [HERE],
            "roles": sorted(account.roles),
            "powers": sorted(powers(account.roles) | account.elsewhere),
            "clearance": LEVELS.index(CLEARANCE),
            "appointed": account.appointed,
            **({"tenant": OWN} if account.tenant else {}),
        },
        "parents": [{"type": "Organ", "id": OWN}, {"type": "Post", "id": _POST}],
    }


def _organs() -> Iterator[Mapping[str, Any]]:
    for organ, parent in _TREE.items():
        above = [{"type": "Organ", "id": parent}] if parent else []
        yield {"uid": {"type": "Organ", "id": organ}, "attrs": {}, "parents": above}
