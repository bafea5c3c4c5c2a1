"""The answer to a question as a function of the question alone: the long way, which says what is wrong where there is no answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import cedarpy

from authz.entities import Entities, beyond_delegation
from authz.errors import BadQuestion, DecisionFailed
from authz.policy_set import PolicySet, linked
from yinxin.authz import Decision, Resource
from yinxin.text import Text

_NO_POLICY = Text("没有规则允许", "no policy permits it")
_NOT_DELEGATED = Text("该操作不在授权代行的范围内", "the delegation does not extend to this")
_NO_POST = Text("操作者不是本平台登记的在岗人员", "the actor holds no post in the directory")


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
    reason = words_of(policies, determining)
    return question.answer(policies, allowed=result.allowed, reason=reason, determining=determining)


def words_of(policies: PolicySet, determining: tuple[str, ...]) -> Text:
    """The reader's words of the policies that determine an answer."""
    words = [policies.reasons[name] for name in dict.fromkeys(each.partition("#")[0] for each in determining)]
    reason = Text("；".join(word.zh for word in words), "; ".join(word.en for word in words))
    return reason if words else _NO_POLICY


def _short(errors: list[str]) -> str:
    """The tail of Cedar's message says what is wrong; its head repeats the whole input."""
    return errors[0].rsplit("]: ", 1)[-1][:300] if errors else "?"
