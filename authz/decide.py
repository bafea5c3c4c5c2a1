"""Decisions: a question in, an answer that can be given again years later out. Fails closed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import cedarpy
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from authz.directory import Standing
from authz.directory.look import path, standing
from authz.errors import (
    BadQuestion,
    DecisionFailed,
    ReplayDiffers,
    UnknownAction,
    UnknownOrgan,
    UnknownPerson,
    UnknownPost,
)
from authz.models import PolicySetRow
from authz.policy_set import PolicySet
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import LEVELS, PLATFORM, Decision, Denied, Resource
from yinxin.store import Store
from yinxin.text import Text

Entities = tuple[Mapping[str, Any], ...]

_NO_POLICY = Text("没有规则允许", "no policy permits it")
_NO_POST = Text("操作者不是本平台登记的在岗人员", "the actor holds no post in the directory")


class Decisions:
    """Answers by the policies in force and what the directory knows now; implements `yinxin.authz.Decider`."""

    def __init__(self, store: Store, policies: PolicySet) -> None:
        self._store = store
        self.policies = policies

    def adopt(self) -> None:
        """Keep the set in force, recorded, the first time it is seen: replays need it."""
        with self._store.read() as session:
            if session.get(PolicySetRow, self.policies.hash) is not None:
                return
        row = PolicySetRow(
            hash=self.policies.hash,
            text=self.policies.text,
            schema=self.policies.schema,
            adopted=self._store.clock.now(),
        )
        # another process that starts at the same moment may have been quicker; its row is the same
        with (
            suppress(IntegrityError),
            self._store.act(SYSTEM, "authz.adopt-policies", f"policy-set:{row.hash}") as act,
        ):
            act.session.add(row)

    def require(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The decision that permits; raises Denied, recorded with the decision. Ask before the act begins."""
        decision = self.check(actor, action, resource, context)
        if not decision.allowed:
            with self._store.act(actor, action, str(resource)) as act:
                act.decision = decision.record()
                raise Denied(action=action, resource=str(resource), reason=decision.reason)
        return decision

    def check(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The decision, unrecorded; raises UnknownAction, UnknownOrgan, BadQuestion or DecisionFailed."""
        if action not in self.policies.actions:
            raise UnknownAction(action=action)
        entities = self._entities(actor, resource)
        return decide(self.policies, (actor.id, action, resource), entities, dict(context or {}))

    def check_many(
        self, actor: Actor, questions: Iterable[tuple[str, Resource, Mapping[str, Any] | None]]
    ) -> tuple[Decision, ...]:
        """One decision for each question, in order."""
        return tuple(self.check(actor, *question) for question in questions)

    def replay(self, actor: Actor, record: Mapping[str, Any], entities: Entities) -> Decision:
        """Decide a recorded question again with the policies of that time.

        `record` is `Decision.record()` from the log, `entities` what was kept beside it. Raises ReplayDiffers naming
        what does not agree.
        """
        with self._store.read() as session:
            row = session.get(PolicySetRow, record["policy_set"])
        if row is None:
            raise ReplayDiffers(field="policy_set")
        policies = PolicySet(row.text, row.schema)
        if policies.hash != row.hash:
            raise ReplayDiffers(field="policy_set")
        resource = Resource(**record["resource"])
        again = decide(
            policies, (actor.id, record["action"], resource), entities, dict(record.get("context", {}))
        )
        for field, value in again.record().items():
            if record.get(field) != value:
                raise ReplayDiffers(field=field)
        return again

    def _entities(self, actor: Actor, resource: Resource) -> Entities:
        """What is known of the actor and the resource at this moment, read in one transaction."""
        with self._store.read() as session:
            person = self._standing(session, actor)
            if person is not None and person.organ.id == resource.organ:
                owner = person.organ.path
            else:
                owner = path(session, resource.organ)
        if not owner and resource.organ != PLATFORM:
            raise UnknownOrgan(organ=resource.organ)
        return slice_of(person, resource, owner or (PLATFORM,))

    def _standing(self, session: Session, actor: Actor) -> Standing | None:
        """None for whoever is no person in a post: such an actor is permitted nothing."""
        if actor.kind is not Kind.PERSON or actor.post is None:
            return None
        try:
            found = standing(session, actor.id, actor.post, self._store.clock.now())
        except (UnknownPerson, UnknownPost):
            return None
        return found if actor.organ in (None, found.organ.id) else None


def decide(
    policies: PolicySet,
    question: tuple[str, str, Resource],
    entities: Entities,
    context: Mapping[str, Any],
) -> Decision:
    """The answer to (person, action, resource) as a function of the arguments alone."""
    person, action, resource = question

    def answer(*, allowed: bool, reason: Text, determining: tuple[str, ...] = ()) -> Decision:
        return Decision(allowed, action, resource, reason, determining, policies.hash, entities, context)

    if not any(entity["uid"] == {"type": "Person", "id": person} for entity in entities):
        return answer(allowed=False, reason=_NO_POST)
    request = {
        "principal": {"type": "Person", "id": person},
        "action": {"type": "Action", "id": action},
        "resource": {"type": resource.type, "id": resource.id},
        "context": dict(context),
    }
    slice_ = [dict(entity) for entity in entities]
    result = cedarpy.is_authorized(request, policies.parsed, slice_, schema=policies.parsed_schema)
    diagnostics = result.diagnostics
    if result.decision is cedarpy.Decision.NoDecision:
        raise BadQuestion(resource=str(resource), action=action, reason=_short(diagnostics.errors))
    if diagnostics.errors:
        # Cedar leaves out a policy that errs: were it a forbid, the answer would be wrong
        raise DecisionFailed(reason=_short(diagnostics.errors))
    determining = tuple(sorted(diagnostics.id_annotations_by_reason.values()))
    words = [policies.reasons[name] for name in determining]
    reason = Text("；".join(word.zh for word in words), "; ".join(word.en for word in words))
    return answer(allowed=result.allowed, reason=reason if words else _NO_POLICY, determining=determining)


def slice_of(person: Standing | None, resource: Resource, owner: tuple[str, ...]) -> Entities:
    """The entities a decision sees: the person, if there is one, and the resource, each with the organs above."""
    chains = [owner]
    people: list[Mapping[str, Any]] = []
    if person is not None:
        chains.append(person.organ.path)
        people.append(_person(person))
    return (*people, _resource(resource), *_organs(chains))


def _short(errors: list[str]) -> str:
    """The tail of Cedar's message says what is wrong; its head repeats the whole input."""
    return errors[0].rsplit("]: ", 1)[-1][:300] if errors else "?"


def _organ_reference(organ: str) -> Mapping[str, Any]:
    return {"__entity": {"type": "Organ", "id": organ}}


def _person(acting: Standing) -> Mapping[str, Any]:
    return {
        "uid": {"type": "Person", "id": acting.person.id},
        "attrs": {
            "id": acting.person.id,
            "organ": _organ_reference(acting.organ.id),
            "organ_id": acting.organ.id,
            "post": acting.post.id,
            "roles": sorted(acting.post.roles),
            "powers": sorted(acting.powers),
            "clearance": LEVELS.index(acting.person.clearance),
            "appointed": acting.appointed,
        },
        "parents": [{"type": "Organ", "id": acting.organ.id}],
    }


def _resource(resource: Resource) -> Mapping[str, Any]:
    given = {"organ": _organ_reference(resource.organ), "level": LEVELS.index(resource.level)}
    return {
        "uid": {"type": resource.type, "id": resource.id},
        "attrs": {**resource.attributes, **given},
        "parents": [],
    }


def _organs(chains: Iterable[tuple[str, ...]]) -> Iterable[Mapping[str, Any]]:
    """Each organ once, with its parent."""
    parents: dict[str, str | None] = {}
    for chain in chains:
        parents |= dict(zip(chain, (*chain[1:], None), strict=True))
    for organ, parent in sorted(parents.items()):
        above = [{"type": "Organ", "id": parent}] if parent else []
        yield {"uid": {"type": "Organ", "id": organ}, "attrs": {}, "parents": above}
