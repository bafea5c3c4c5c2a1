"""The condition for a list: what one person may do one act to, of all rows of a table."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory import Standing
from authz.entities import beyond_delegation, slice_of
from authz.grant.records import holder
from authz.models import OrganClosure
from authz.policy_set import PolicySet, is_template
from authz.visible.columns import Columns
from authz.visible.errors import NotExpressible
from authz.visible.translate import Asker, Entity, Translation
from yinxin.authz import PLATFORM, Resource

#: an organ with more organs than this below it is asked row by row: the list then stops at the end of its page
_WIDE = 500
#: a thing to look at the asker beside
_NOTHING = Resource("Directory", "directory", PLATFORM)


def visible(
    session: Session,
    policies: PolicySet,
    person: Standing | None,
    grants: Iterable[Mapping[str, Any]],
    *,
    question: tuple[str, str],
    columns: Columns,
) -> sa.ColumnElement[bool]:
    """The rows of a table of resources of a type that `person` may do an action to; `question` is (action, type).

    Raises NotExpressible. Nobody in particular sees nothing.
    """
    action, kind = question
    if person is None or beyond_delegation(slice_of(person, _NOTHING, (PLATFORM,)), action):
        return sa.false()
    given = list(grants)
    asker = _asker(person)
    wide = _wide(session, {*person.organ.path, *(each["organ"] for each in given)})
    declared = policies.declared["entityTypes"][kind]["shape"]["attributes"]
    permits: list[bool | sa.ColumnElement[bool]] = []
    forbids: list[bool | sa.ColumnElement[bool]] = []
    actions = frozenset(Entity("Action", each) for each in (action, *policies.groups(action)))
    for name, policy in policies.concerning(action).items():
        translation = Translation(name, kind, declared, asker, columns, wide, actions)
        if is_template(policy):
            links = [each for each in given if each["template"] == name]
            permits += [_holds(translation, policy, link) for link in links]
        else:
            (permits if policy["effect"] == "permit" else forbids).append(_holds(translation, policy, None))
    return sa.and_(_either(permits), sa.not_(_either(forbids)))


def _holds(
    translation: Translation, policy: Mapping[str, Any], link: Mapping[str, Any] | None
) -> bool | sa.ColumnElement[bool]:
    """Whether scope and conditions hold; the action was looked at before."""
    parts: list[bool | sa.ColumnElement[bool]] = [
        _principal(translation, policy["principal"], link),
        _resource(translation, policy["resource"], link),
    ]
    if False in [each for each in parts if isinstance(each, bool)]:
        return False
    for each in policy["conditions"]:
        found = translation.condition(each["body"])
        if each["kind"] == "unless":
            found = not found if isinstance(found, bool) else sa.not_(found)
        parts.append(found)
        if found is False:
            return False
    rest = [each for each in parts if not isinstance(each, bool)]
    return sa.and_(*rest) if rest else True


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


def _resource(
    translation: Translation, scope: Mapping[str, Any], link: Mapping[str, Any] | None
) -> bool | sa.ColumnElement[bool]:
    if scope["op"] == "==":
        raise NotExpressible(policy=translation.policy, part="resource ==")
    if scope["op"] == "is" and scope["entity_type"] != translation.type:
        return False
    inner = scope.get("in", scope if scope["op"] == "in" else None)
    if inner is None:
        return True
    if "slot" in inner:
        return translation.within(link["organ"]) if link is not None else False
    return translation.within(inner["entity"]["id"]) if inner["entity"]["type"] == "Organ" else False


def _asker(person: Standing) -> Asker:
    entity = slice_of(person, _NOTHING, (PLATFORM,))[0]
    within = {
        Entity("Person", person.person.id),
        Entity("Post", person.post.id),
        *(Entity("Organ", organ) for organ in person.organ.path),
    }
    return Asker(person.person.id, entity["attrs"], frozenset(within), person.organ.path)


def _wide(session: Session, organs: set[str]) -> frozenset[str]:
    """Those of the organs that have very many below them."""
    counted = (
        sa.select(OrganClosure.ancestor)
        .where(OrganClosure.ancestor.in_(organs))
        .group_by(OrganClosure.ancestor)
        .having(sa.func.count() > _WIDE)
    )
    return frozenset(session.scalars(counted))


def _either(conditions: Iterable[bool | sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    found = list(conditions)
    if any(each is True for each in found):
        return sa.true()
    return sa.or_(sa.false(), *(each for each in found if not isinstance(each, bool)))
