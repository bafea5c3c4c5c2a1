"""Decisions: a question in, an answer that can be given again years later out. Fails closed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from authz.directory import Standing
from authz.entities import Entities, organs_of, person_entity, slice_of
from authz.errors import (
    BadQuestion,
    ReplayDiffers,
    UnknownAction,
    UnknownOrgan,
)
from authz.grant.look import held_by, next_edge
from authz.grant.records import bearing
from authz.judge import Question, decide, decide_many, words_of
from authz.kept import Kept
from authz.policy_set import PolicySet
from authz.prepared import Prepared
from authz.state import Acting, AtNumber, Facts, Moved, State
from authz.step_up import Freshness
from authz.version import Versions
from authz.visible import Listed, asker_of, visible
from yinxin.act import Actor, Kind
from yinxin.authz import Decision, Denied, Resource, StepUpRequired
from yinxin.condition import Condition
from yinxin.errors import YinxinError
from yinxin.premise import Between, Premise
from yinxin.store import Store, StoreUnavailable
from yinxin.text import Text
from yinxin.tlog import NoteSigner

#: how often the state may change while a list's condition is worked out
_TRIES = 20


class Decisions:
    """Answers by the policies in force and what the directory knows now; implements `yinxin.authz.Decider`."""

    def __init__(
        self,
        store: Store,
        shipped: PolicySet,
        freshness: Freshness | None = None,
        machines: Callable[[Session, Actor], Standing | None] | None = None,
    ) -> None:
        self._store = store
        #: how a registered system stands, by the actor as which it comes; without it none stands anywhere
        self._machines = machines
        self._freshness = freshness or Freshness()
        self._kept = Kept(store)
        self.versions = Versions(store, shipped)
        #: what is known of the state that decisions rest on
        self.state = State(store, self.versions)

    @property
    def policies(self) -> PolicySet:
        """The policies in force."""
        return self.state.version().policies

    def adopt(self, signers: Sequence[NoteSigner] = ()) -> None:
        """Put the shipped set in force where none is, recorded; versions are signed by `signers` and so believed."""
        self.versions.sign_with(signers)
        self.versions.adopt_shipped()

    def require(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The decision that permits; raises Denied, recorded with the decision. Ask before the act begins.

        Raises StepUpRequired, recorded, for an act that wants a fresh proof of the actor's key. Within an act, where an application
        asks the core something, it is that act that is recorded as refused.
        """
        decision = self.check(actor, action, resource, context)
        self._kept.keep(decision)
        if not decision.allowed and self._store.acting:
            raise Denied(action=action, resource=str(resource), reason=decision.reason)
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
        return self._found(
            actor, [(action, resource, dict(context or {})) for action, resource, context in questions]
        )[2]

    def _found(
        self, actor: Actor, asked: Sequence[tuple[str, Resource, Mapping[str, Any]]]
    ) -> tuple[Facts, Acting | None, tuple[Decision, ...]]:
        pair = _pair(actor)
        facts = self.state.facts([pair] if pair else [], {each.organ for _, each, _ in asked})
        for action, _, _ in asked:
            if action not in facts.version.policies.actions:
                raise UnknownAction(action=action)
        for _, resource, _ in asked:
            if not facts.paths[resource.organ]:
                raise UnknownOrgan(organ=resource.organ)
        acting = facts.people[pair] if pair else self._machine(actor)
        answers: list[Decision | None] = [None] * len(asked)
        for action in dict.fromkeys(each[0] for each in asked):
            numbers = [number for number, each in enumerate(asked) if each[0] == action]
            found = _answers(facts, actor, acting, action, [asked[number][1:] for number in numbers])
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        return facts, acting, tuple(each for each in answers if each is not None)

    def judged(self, actor: Actor, action: str, resource: Resource) -> tuple[Decision, tuple[Premise, ...]]:
        """As `check`, and what the decision rests on (`yinxin.premise.Judging`); a system's standing is its token's to tell.

        Raises as `check`, and StepUpRequired, unrecorded.
        """
        now = self._store.clock.now()
        self._freshness.demand(actor, action, now)
        facts, acting, (decision,) = self._found(actor, [(action, resource, {})])
        self._kept.keep(decision)
        premises: list[Premise] = [AtNumber(facts.number)]
        if acting is not None:
            premises.append(Between(acting.since, acting.until))
        if (ends := self._freshness.ends(actor, action)) is not None:
            premises.append(Between(now, ends))
        return decision, tuple(premises)

    def check_all(self, questions: Sequence[tuple[Actor, str, Resource]]) -> tuple[Decision | None, ...]:
        """As `check`, for many actors by one set of policies and one state of the directory.

        None where `check` would raise, and where the act wants a fresh proof of the actor's key that is not there:
        `require` says why. What the permissions rest on is kept, as `require` keeps it.
        """
        pairs = {pair for actor, _, _ in questions if (pair := _pair(actor))}
        facts = self.state.facts(pairs, {resource.organ for _, _, resource in questions})
        # what one asks about one action is asked at once
        together: dict[tuple[Actor, datetime | None, str], list[int]] = {}
        for place, (actor, action, resource) in enumerate(questions):
            if action in facts.version.policies.actions and facts.paths[resource.organ]:
                # equal actors may have proved their keys at different times
                together.setdefault((actor, actor.certified, action), []).append(place)
        asked: list[Decision | None] = [None] * len(questions)
        for (actor, _, action), places in together.items():
            found = self._answered(facts, actor, action, [questions[place][2] for place in places])
            for place, decision in zip(places, found, strict=True):
                asked[place] = decision
                if decision is not None and decision.allowed:
                    self._kept.keep(decision)
        return tuple(asked)

    def _answered(
        self, facts: Facts, actor: Actor, action: str, resources: Sequence[Resource]
    ) -> Sequence[Decision | None]:
        pair = _pair(actor)
        try:
            self._freshness.demand(actor, action, self._store.clock.now())
        except YinxinError:
            return [None] * len(resources)
        acting = facts.people[pair] if pair else None
        try:
            return _answers(facts, actor, acting, action, [(each, {}) for each in resources])
        except YinxinError:
            # one of them cannot be answered: each by itself, so that the others are
            alone = len(resources) == 1
            return (
                [None] if alone else [self._answered(facts, actor, action, [each])[0] for each in resources]
            )

    def _machine(self, actor: Actor) -> Acting | None:
        """How a registered system stands, looked up each time: it holds what was granted to itself, and nothing of its organ's."""
        if actor.kind is not Kind.SERVICE or self._machines is None:
            return None
        now = self._store.clock.now()
        with self._store.read() as session:
            standing = self._machines(session, actor)
            if standing is None:
                return Acting(None, (), now, None)
            until = next_edge(session, actor.id, now)
            return Acting(standing, held_by(session, actor.id, now), now, until)

    def visible(self, actor: Actor, action: str, kind: str) -> Condition:
        """The condition for a list: the rows, resources of type `kind`, that the actor may do `action` to.

        It agrees with `check` without a context on every row. Raises UnknownAction, BadQuestion, NotExpressible.
        """
        return self.listed(actor, action, kind).condition

    def listed(self, actor: Actor, action: str, kind: str) -> Listed:
        """As `visible`, with what the condition was worked out of."""
        for _ in range(_TRIES):
            with suppress(Moved):
                return self._listed(actor, action, kind)
        raise StoreUnavailable

    def _listed(self, actor: Actor, action: str, kind: str) -> Listed:
        pair = _pair(actor)
        facts = self.state.facts([pair] if pair else [], ())
        version = facts.version
        if action not in version.policies.actions:
            raise UnknownAction(action=action)
        if kind not in version.policies.declared["actions"][action]["appliesTo"]["resourceTypes"]:
            about = Text(f"该操作不以 {kind} 为对象", f"the action is not about {kind}")
            raise BadQuestion(resource=kind, action=action, reason=about)
        acting = facts.people[pair] if pair else self._machine(actor)
        person = _standing(actor, acting)
        if person is None or acting is None:
            return Listed.of(version, (action, kind), (), Condition(tree=False))
        key = ("visible", person.person.id, person.post.id, action, kind)
        kept = facts.prepared.get(key)
        if kept is None or kept[0] is not acting:
            grants = acting.links(version, action)
            # all at once; what a policy names besides is looked up when it is met
            below = dict(self.state.below(facts, {person.organ.id, *(each["organ"] for each in grants)}))

            def reached(organ: str) -> Sequence[str]:
                if organ not in below:
                    below.update(self.state.below(facts, [organ]))
                return below[organ]

            entities = (person_entity(person), *organs_of([person.organ.reach]))
            condition = visible(
                version.policies, asker_of(entities), grants, question=(action, kind), below=reached
            )
            listed = Listed.of(version, (action, kind), entities, condition, grants=grants, below=below)
            facts.keep(key, kept := (acting, listed))
        found: Listed = kept[1]
        return found

    def kept_of(self, digest: str, resource: Resource | None = None) -> Entities:
        """What was kept of the actor and the organs by its digest, with the resource; raises ReplayDiffers."""
        return self._kept.known(digest, resource)

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


def _pair(actor: Actor) -> tuple[str, str] | None:
    """The person and the post; None for whoever is no person in a post: such an actor is permitted nothing."""
    return (actor.id, actor.post) if actor.kind is Kind.PERSON and actor.post is not None else None


def _standing(actor: Actor, acting: Acting | None) -> Standing | None:
    """The standing in which the actor acts: of a person, and in the organ that she says."""
    found = acting.standing if acting is not None else None
    return found if found is not None and actor.organ in (None, found.organ.id) else None


def _answers(
    facts: Facts,
    actor: Actor,
    acting: Acting | None,
    action: str,
    asked: Sequence[tuple[Resource, Mapping[str, Any]]],
) -> list[Decision]:
    """One actor's questions about one action: the quick way, or the long one where that does not answer."""
    version, person = facts.version, _standing(actor, acting)
    given = acting.links(version, action) if acting is not None and person is not None else ()
    if len(asked) > 1 and any("resource" in each for each in given):
        # what is granted of single things bears on each question differently
        return [answer for each in asked for answer in _answers(facts, actor, acting, action, [each])]
    first = asked[0][0]
    grants = bearing(given, str(first), facts.paths[first.organ])
    if person is not None and acting is not None and (person.actions is None or action in person.actions):
        organs = tuple(dict.fromkeys(resource.organ for resource, _ in asked))
        key = (person.person.id, person.post.id, action, organs, tuple(each["id"] for each in grants))
        kept = facts.prepared.get(key)
        if kept is None or kept[0] is not acting:
            prepared = Prepared(
                version.policies,
                version.number,
                person,
                action=action,
                paths={organ: facts.paths[organ] for organ in organs},
                grants=grants,
            )
            facts.keep(key, kept := (acting, prepared))
        quick: list[Decision] | None = kept[1].answers(
            asked, lambda determining: words_of(version.policies, determining)
        )
        if quick is not None:
            return quick
    put = [
        Question(
            (actor.id, action, resource),
            slice_of(person, resource, facts.paths[resource.organ]),
            context,
            grants,
        )
        for resource, context in asked
    ]
    return [replace(each, version=version.number) for each in decide_many(version.policies, put)]
