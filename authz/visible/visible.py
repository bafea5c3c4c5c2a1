"""The condition for a list: what one person may do one act to, of all rows of one type."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from authz.entities import Entities
from authz.grant.records import holder
from authz.policy_set import PolicySet, is_template
from authz.visible.errors import NotExpressible
from authz.visible.translate import Asker, Entity, Told, Translation, told_either, told_every, told_not
from yinxin.condition import Condition


def visible(
    policies: PolicySet,
    asker: Asker | None,
    grants: Iterable[Mapping[str, Any]],
    *,
    question: tuple[str, str],
    below: Callable[[str], Sequence[str]],
) -> Condition:
    """The rows that are resources of a type and that `asker` may do an action to; `question` is (action, type).

    `below` tells an organ and all below it. Raises NotExpressible. Nobody in particular sees nothing.
    """
    action, kind = question
    if asker is None or action not in asker.attributes.get("actions", [action]):
        return Condition(tree=False)
    given = list(grants)
    declared = policies.shapes[kind]
    permits: list[Told] = []
    forbids: list[Told] = []
    actions = frozenset(Entity("Action", each) for each in (action, *policies.groups(action)))
    for name, policy in policies.concerning(action).items():
        translation = Translation(name, kind, declared, asker, below, actions)
        if is_template(policy):
            links = [each for each in given if each["template"] == name]
            permits += [_holds(translation, policy, link) for link in links]
        else:
            (permits if policy["effect"] == "permit" else forbids).append(_holds(translation, policy, None))
    told = told_every([told_either(permits), told_not(told_either(forbids))])
    return Condition(told if isinstance(told, bool) else told.tree)


def _holds(translation: Translation, policy: Mapping[str, Any], link: Mapping[str, Any] | None) -> Told:
    """Whether scope and conditions hold; the action was looked at before."""
    parts: list[Told] = [
        _principal(translation, policy["principal"], link),
        _resource(translation, policy["resource"], link),
    ]
    for each in policy["conditions"]:
        if False in [part for part in parts if isinstance(part, bool)]:
            return False
        found = translation.condition(each["body"])
        parts.append(told_not(found) if each["kind"] == "unless" else found)
    return told_every(parts)


def _principal(translation: Translation, scope: Mapping[str, Any], link: Mapping[str, Any] | None) -> bool:
    if scope["op"] == "All":
        return True
    if scope["op"] == "is" and "in" not in scope:
        return bool(scope["entity_type"] == "Person")
    inner = scope.get("in", scope)
    if "slot" in inner:
        if link is None:
            return False
        kind, identifier = holder(link["holder"])
        wanted = Entity(kind, identifier)
    else:
        wanted = Entity(inner["entity"]["type"], inner["entity"]["id"])
    if scope["op"] == "==":
        return wanted == Entity("Person", translation.asker.id)
    return wanted in translation.asker.within


def _resource(translation: Translation, scope: Mapping[str, Any], link: Mapping[str, Any] | None) -> Told:
    if scope["op"] == "==":
        raise NotExpressible(policy=translation.policy, part="resource ==")
    if scope["op"] == "is" and scope["entity_type"] != translation.type:
        return False
    inner = scope.get("in", scope if scope["op"] == "in" else None)
    if inner is None:
        return True
    if "slot" in inner:
        if link is not None and "resource" in link:
            raise NotExpressible(policy=translation.policy, part="resource ==")
        return translation.within(link["organ"]) if link is not None else False
    return translation.within(inner["entity"]["id"]) if inner["entity"]["type"] == "Organ" else False


def asker_of(entities: Entities) -> Asker | None:
    """Who asks, as decisions know her: the person among the entities, with the organs above; None if there is none."""
    person = next((each for each in entities if each["uid"]["type"] == "Person"), None)
    if person is None:
        return None
    parents = {
        each["uid"]["id"]: each["parents"][0]["id"] if each["parents"] else None
        for each in entities
        if each["uid"]["type"] == "Organ"
    }
    path: list[str] = []
    organ: str | None = person["attrs"]["organ_id"]
    while organ is not None:
        path.append(organ)
        organ = parents[organ]
    within = {
        Entity("Person", person["uid"]["id"]),
        Entity("Post", person["attrs"]["post"]),
        *(Entity("Organ", each) for each in path),
    }
    return Asker(person["uid"]["id"], person["attrs"], frozenset(within), tuple(path))
