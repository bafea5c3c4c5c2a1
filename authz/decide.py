"""Decisions: a question in, an answer that can be given again years later out. Fails closed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import cedarpy
import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory import Standing
from authz.directory.look import path, standing, standings
from authz.entities import Entities, beyond_delegation, slice_of
from authz.errors import (
    BadQuestion,
    DecisionFailed,
    ReplayDiffers,
    UnknownAction,
    UnknownOrgan,
    UnknownPerson,
    UnknownPost,
)
from authz.grant.look import held
from authz.grant.records import holder
from authz.kept import Kept
from authz.policy_set import PolicySet
from authz.step_up import Freshness
from authz.version import InForce, Versions
from authz.visible import Columns, visible
from yinxin.act import Actor, Kind
from yinxin.authz import PLATFORM, Decision, Denied, Resource, StepUpRequired
from yinxin.errors import YinxinError
from yinxin.store import Store
from yinxin.text import Text
from yinxin.tlog import NoteSigner

_NO_POLICY = Text("没有规则允许", "no policy permits it")
_NOT_DELEGATED = Text("该操作不在授权代行的范围内", "the delegation does not extend to this")
_NO_POST = Text("操作者不是本平台登记的在岗人员", "the actor holds no post in the directory")


class Decisions:
    """Answers by the policies in force and what the directory knows now; implements `yinxin.authz.Decider`."""

    def __init__(self, store: Store, shipped: PolicySet, freshness: Freshness | None = None) -> None:
        self._store = store
        self._freshness = freshness or Freshness()
        self._kept = Kept(store)
        self.versions = Versions(store, shipped)

    @property
    def policies(self) -> PolicySet:
        """The policies in force."""
        return self.versions.current().policies

    def adopt(self, signers: Sequence[NoteSigner] = ()) -> None:
        """Put the shipped set in force where none is, recorded; versions are signed by `signers` and so believed."""
        self.versions.sign_with(signers)
        self.versions.adopt_shipped()

    def require(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The decision that permits; raises Denied, recorded with the decision. Ask before the act begins.

        Raises StepUpRequired, recorded, for an act that wants a fresh proof of the actor's key.
        """
        decision = self.check(actor, action, resource, context)
        self._kept.keep(decision)
        if not decision.allowed:
            with self._store.act(actor, action, str(resource)) as act:
                act.decision = decision.record()
                raise Denied(action=action, resource=str(resource), reason=decision.reason)
        try:
            self._freshness.demand(actor, action, self._store.clock.now())
        except StepUpRequired as error:
            self._store.refuse(actor, action, str(resource), error)
            raise
        return decision

    def check(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The decision, unrecorded; raises UnknownAction, UnknownOrgan, BadQuestion or DecisionFailed."""
        return self.check_many(actor, [(action, resource, context)])[0]

    def check_many(
        self, actor: Actor, questions: Iterable[tuple[str, Resource, Mapping[str, Any] | None]]
    ) -> tuple[Decision, ...]:
        """One decision for each question, in order: all by one set of policies and one state of the directory."""
        version = self.versions.current()
        asked = [(action, resource, dict(context or {})) for action, resource, context in questions]
        for action, _, _ in asked:
            if action not in version.policies.actions:
                raise UnknownAction(action=action)
        with self._store.read() as session:
            person = self._standing(session, actor)
            owners = {
                organ: self._owner(session, person, organ) for organ in {each.organ for _, each, _ in asked}
            }
            grants = {
                action: self._grants(session, person, version, action)
                for action in {each[0] for each in asked}
            }
        put = [
            Question(
                (actor.id, action, resource),
                slice_of(person, resource, owners[resource.organ]),
                context,
                grants[action],
            )
            for action, resource, context in asked
        ]
        return tuple(replace(each, version=version.number) for each in decide_many(version.policies, put))

    def check_all(self, questions: Sequence[tuple[Actor, str, Resource]]) -> tuple[Decision | None, ...]:
        """As `check`, for many actors by one set of policies and one state of the directory.

        None where `check` would raise, and where the act wants a fresh proof of the actor's key that is not there:
        `require` says why. What the permissions rest on is kept, as `require` keeps it.
        """
        version = self.versions.current()
        acting = {(actor.id, actor.post) for actor, _, _ in questions if actor.post is not None}
        with self._store.read() as session:
            people = standings(session, acting, self._store.clock.now())
            asked = [
                self._answered(
                    session, version, question, people.get((question[0].id, question[0].post or ""))
                )
                for question in questions
            ]
        for decision in asked:
            if decision is not None and decision.allowed:
                self._kept.keep(decision)
        return tuple(asked)

    def _answered(
        self,
        session: Session,
        version: InForce,
        question: tuple[Actor, str, Resource],
        found: Standing | None,
    ) -> Decision | None:
        actor, action, resource = question
        if action not in version.policies.actions:
            return None
        person = _acting(actor, found)
        try:
            self._freshness.demand(actor, action, self._store.clock.now())
            entities = slice_of(person, resource, self._owner(session, person, resource.organ))
            grants = self._grants(session, person, version, action)
            answer = decide(version.policies, (actor.id, action, resource), entities, {}, grants)
        except YinxinError:
            return None
        return replace(answer, version=version.number)

    def visible(self, actor: Actor, action: str, kind: str, columns: Columns) -> sa.ColumnElement[bool]:
        """The condition for a list: the rows, resources of type `kind`, that the actor may do `action` to.

        It agrees with `check` without a context on every row. Raises UnknownAction, BadQuestion, NotExpressible.
        """
        version = self.versions.current()
        if action not in version.policies.actions:
            raise UnknownAction(action=action)
        if kind not in version.policies.declared["actions"][action]["appliesTo"]["resourceTypes"]:
            about = Text(f"该操作不以 {kind} 为对象", f"the action is not about {kind}")
            raise BadQuestion(resource=kind, action=action, reason=about)
        with self._store.read() as session:
            person = self._standing(session, actor)
            grants = self._grants(session, person, version, action)
            return visible(
                session, version.policies, person, grants, question=(action, kind), columns=columns
            )

    def replay(self, actor: Actor, record: Mapping[str, Any], entities: Entities | None = None) -> Decision:
        """Decide a recorded question again with the policies of that time and what was kept then.

        `record` is `Decision.record()` from the log; `entities` may be given by whoever kept them beside it. Raises
        ReplayDiffers naming what does not agree.
        """
        policies = self.versions.set_of(record["policy_set"])
        if policies is None:
            raise ReplayDiffers(field="policy_set")
        if entities is None:
            entities = self._kept.entities(record)
        question = (actor.id, record["action"], Resource.of(record["resource"]))
        grants = tuple(record.get("grants", ()))
        again = decide(policies, question, entities, dict(record.get("context", {})), grants)
        for field, value in replace(again, version=record.get("version")).record().items():
            if record.get(field) != value:
                raise ReplayDiffers(field=field)
        return again

    def _owner(self, session: Session, person: Standing | None, organ: str) -> tuple[str, ...]:
        """The organ that owns a thing and those above it; raises UnknownOrgan."""
        if organ == PLATFORM:
            return (PLATFORM,)
        owner = person.organ.path if person is not None and person.organ.id == organ else path(session, organ)
        if not owner:
            raise UnknownOrgan(organ=organ)
        return owner

    def _grants(
        self, session: Session, person: Standing | None, version: InForce, action: str
    ) -> tuple[Mapping[str, Any], ...]:
        """The grants in force that bear on the action, as decisions see them."""
        if person is None:
            return ()
        templates = [each.id for each in version.policies.templates.values() if action in each.actions]
        return tuple(each.link() for each in held(session, person, templates, self._store.clock.now()))

    def _standing(self, session: Session, actor: Actor) -> Standing | None:
        """None for whoever is no person in a post: such an actor is permitted nothing."""
        if actor.kind is not Kind.PERSON or actor.post is None:
            return None
        try:
            found = standing(session, actor.id, actor.post, self._store.clock.now())
        except (UnknownPerson, UnknownPost):
            return None
        return _acting(actor, found)


def _acting(actor: Actor, found: Standing | None) -> Standing | None:
    """The standing in which the actor acts: of a person, and in the organ that she says."""
    if found is None or actor.kind is not Kind.PERSON:
        return None
    return found if actor.organ in (None, found.organ.id) else None


@dataclass(frozen=True, slots=True)
class Question:
    """(person, action, resource), and all that the answer depends on beside the policies."""

    asked: tuple[str, str, Resource]
    entities: Entities
    context: Mapping[str, Any]
    grants: tuple[Mapping[str, Any], ...] = ()

    def request(self) -> dict[str, Any]:
        """The question as Cedar takes it."""
        person, action, resource = self.asked
        return {
            "principal": {"type": "Person", "id": person},
            "action": {"type": "Action", "id": action},
            "resource": {"type": resource.type, "id": resource.id},
            "context": dict(self.context),
        }

    def hopeless(self) -> Text | None:
        """Why no policy need be asked: the person holds no post, or acts by a delegation for other acts."""
        if not any(entity["uid"] == {"type": "Person", "id": self.asked[0]} for entity in self.entities):
            return _NO_POST
        return _NOT_DELEGATED if beyond_delegation(self.entities, self.asked[1]) else None

    def answer(
        self, policies: PolicySet, *, allowed: bool, reason: Text, determining: tuple[str, ...] = ()
    ) -> Decision:
        """The decision with all that it rests on."""
        _, action, resource = self.asked
        return Decision(
            allowed,
            action,
            resource,
            reason,
            determining,
            policies.hash,
            self.entities,
            self.context,
            grants=self.grants,
        )


def decide(
    policies: PolicySet,
    question: tuple[str, str, Resource],
    entities: Entities,
    context: Mapping[str, Any],
    grants: tuple[Mapping[str, Any], ...] = (),
) -> Decision:
    """The answer to (person, action, resource) as a function of the arguments alone."""
    return _decided(policies, Question(question, entities, context, grants))


def decide_many(policies: PolicySet, questions: Sequence[Question]) -> list[Decision]:
    """As `decide` for each; questions about one action in one call of the engine, which reads what they share once.

    When the engine does not answer all of them, or two speak of one thing differently, each is decided by itself: the
    question that is wrong is then refused as it would be alone.
    """
    answers: dict[int, Decision] = {}
    together: dict[tuple[str, str], list[int]] = {}
    for number, each in enumerate(questions):
        if each.hopeless() is None:
            together.setdefault((each.asked[1], repr(each.grants)), []).append(number)
    for numbers in together.values():
        answers |= dict(zip(numbers, _at_once(policies, [questions[each] for each in numbers]), strict=False))
    return [
        answers[number] if number in answers else _decided(policies, each)
        for number, each in enumerate(questions)
    ]


def _at_once(policies: PolicySet, questions: Sequence[Question]) -> list[Decision]:
    """The answers, or nothing when they have to be asked one by one."""
    entities: dict[tuple[str, str], Mapping[str, Any]] = {}
    for each in chain.from_iterable(question.entities for question in questions):
        name = each["uid"]["type"], each["uid"]["id"]
        if entities.setdefault(name, each) != each:
            return []
    first = questions[0]
    if len(questions) == 1:
        return []
    results = cedarpy.is_authorized_batch(
        [each.request() for each in questions],
        linked(policies.slice(first.asked[1]), first.grants),
        [dict(each) for each in entities.values()],
        schema=policies.parsed_schema,
    )
    if any(each.diagnostics.errors or each.decision is cedarpy.Decision.NoDecision for each in results):
        return []
    return [_worded(policies, each, result) for each, result in zip(questions, results, strict=True)]


def _decided(policies: PolicySet, question: Question) -> Decision:
    _, action, resource = question.asked
    if (reason := question.hopeless()) is not None:
        return question.answer(policies, allowed=False, reason=reason)
    slice_ = [dict(entity) for entity in question.entities]
    concerning = linked(policies.slice(action), question.grants)
    result = cedarpy.is_authorized(question.request(), concerning, slice_, schema=policies.parsed_schema)
    diagnostics = result.diagnostics
    if result.decision is cedarpy.Decision.NoDecision:
        raise BadQuestion(resource=str(resource), action=action, reason=_short(diagnostics.errors))
    if diagnostics.errors:
        # Cedar leaves out a policy that errs: were it a forbid, the answer would be wrong
        raise DecisionFailed(reason=_short(diagnostics.errors))
    return _worded(policies, question, result)


def _worded(policies: PolicySet, question: Question, result: cedarpy.AuthzResult) -> Decision:
    determining = tuple(sorted(result.diagnostics.reasons))
    words = [policies.reasons[name] for name in dict.fromkeys(each.partition("#")[0] for each in determining)]
    reason = Text("；".join(word.zh for word in words), "; ".join(word.en for word in words))
    return question.answer(
        policies, allowed=result.allowed, reason=reason if words else _NO_POLICY, determining=determining
    )


def linked(policies: cedarpy.PolicySet, grants: Iterable[Mapping[str, Any]]) -> cedarpy.PolicySet:
    """The policies with the grants in their templates' rooms; each becomes a policy named `template#grant`."""
    links = []
    for grant in grants:
        kind, identifier = holder(grant["holder"])
        rooms = {
            "?principal": {"type": kind, "id": identifier},
            "?resource": {"type": "Organ", "id": grant["organ"]},
        }
        links.append(
            {
                "template_id": grant["template"],
                "new_id": f"{grant['template']}#{grant['id']}",
                "values": rooms,
            }
        )
    return policies.with_linked_batch(links) if links else policies


def _short(errors: list[str]) -> str:
    """The tail of Cedar's message says what is wrong; its head repeats the whole input."""
    return errors[0].rsplit("]: ", 1)[-1][:300] if errors else "?"
