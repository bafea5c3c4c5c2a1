"""Questions that nobody acts on at once: answered, recorded with one entry for all of a call, and kept to be decided again.

The entry names the answers by their digest; they are kept beside the log (`authz_answers`), each once however often it
is given. What an act rests on stands in the act's own entry instead (`Decisions.require`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from authz.decide import Decisions
from authz.entities import Entities
from authz.errors import ReplayDiffers
from authz.judge import decide
from authz.version.models import AnswersRow, EntitiesRow
from authz.visible.visible import asker_of, visible
from yinxin import canonical
from yinxin.act import Actor
from yinxin.authz import Decision, Resource
from yinxin.condition import Condition
from yinxin.crypto.suite import INTL
from yinxin.store import Store

VERB = "authz.answer"
#: digests that a process remembers having kept
_REMEMBERED = 10_000
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Again:
    """What came out when the answers of an entry were decided again: how many, and how many of them were a yes."""

    answers: int
    allowed: int

    def fields(self) -> dict[str, int]:
        """As facts, for people and for scripts."""
        return {"answers": self.answers, "permitted": self.allowed}


class Answers:
    """Asks `decisions`, and lets no answer out unrecorded (law 7: without a log, no answer)."""

    def __init__(self, store: Store, decisions: Decisions) -> None:
        self._store = store
        self._decisions = decisions
        self._remembered: dict[str, None] = {}
        #: what was known, by the person as the engine has her and the owner; the first keeps the other from becoming another
        self._known: dict[tuple[int, str], tuple[Mapping[str, Any], str, bytes]] = {}

    def ask(
        self, actor: Actor, questions: Iterable[tuple[str, Resource, Mapping[str, Any] | None]]
    ) -> tuple[Decision, ...]:
        """As `Decisions.check_many`, recorded; a call without questions is none."""
        decisions = self._decisions.check_many(actor, questions)
        if decisions:
            self.record(actor, decisions)
        return decisions

    def record(self, actor: Actor, decisions: Sequence[Decision]) -> None:
        """Record answers that were given to `actor` of one state, by one set of policies."""
        known: dict[str, tuple[str, bytes]] = {}
        told = []
        for each in decisions:
            organ = each.resource.organ
            if organ not in known:
                known[organ] = self._known_of(each)
            given = {"context": dict(each.context), "grants": [dict(grant) for grant in each.grants]}
            told.append(
                {
                    "action": each.action,
                    "resource": each.resource.fields(),
                    "allowed": each.allowed,
                    "policies": list(each.policies),
                    "known": known[organ][0],
                }
                | {name: value for name, value in given.items() if value}
            )
        first = decisions[0]
        allowed = sum(each.allowed for each in decisions)
        basis = _basis(first.policy_set, first.version)
        body = canonical.encode({"v": _FORMAT, **basis, "answers": told})
        self._note(actor, body, dict(known.values()), **basis, asked=len(decisions), allowed=allowed)

    def ask_list(self, actor: Actor, action: str, kind: str) -> Condition:
        """As `Decisions.visible`, recorded: the condition by its digest, with all that it was worked out of."""
        listed = self._decisions.listed(actor, action, kind)
        self._note(actor, listed.body, {listed.known[0]: listed.known[1]}, **listed.basis)
        return listed.condition

    def replay(self, actor: Actor, facts: Mapping[str, Any]) -> Again:
        """Decide again what an entry records (`facts`); raises ReplayDiffers naming what does not agree."""
        with self._store.read() as session:
            text = session.scalar(sa.select(AnswersRow.data).where(AnswersRow.digest == facts.get("answers")))
        if text is None or INTL.hash.digest(text.encode()).hex() != facts["answers"]:
            raise ReplayDiffers(field="answers")
        body = json.loads(text)
        policies = self._decisions.versions.set_of(body["policy_set"])
        if policies is None:
            raise ReplayDiffers(field="policy_set")
        if "list" in body:
            asked, below = body["list"], body["below"]
            again = visible(
                policies,
                asker_of(self._decisions.kept_of(body["known"])),
                body.get("grants", []),
                question=(asked["action"], asked["type"]),
                below=below.__getitem__,
            )
            if again.digest != asked["condition"]:
                raise ReplayDiffers(field="condition")
            return Again(1, 0 if again.nothing else 1)
        for each in body["answers"]:
            resource = Resource.of(each["resource"])
            entities: Entities = self._decisions.kept_of(each["known"], resource)
            question = actor.id, each["action"], resource
            grants = tuple(each.get("grants", ()))
            found = decide(policies, question, entities, each.get("context", {}), grants)
            for name, value in (("allowed", found.allowed), ("policies", list(found.policies))):
                if each[name] != value:
                    raise ReplayDiffers(field=name)
        return Again(len(body["answers"]), sum(each["allowed"] for each in body["answers"]))

    def _known_of(self, decision: Decision) -> tuple[str, bytes]:
        """What was known of the actor and the organs, by its digest: of one state it differs by the owner alone."""
        first = decision.entities[0]
        key = id(first), decision.resource.organ
        if (kept := self._known.get(key)) is not None and kept[0] is first:
            return kept[1:]
        data = decision.known
        found = INTL.hash.digest(data).hex(), data
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[key] = first, *found
        return found

    def _note(self, actor: Actor, body: bytes, known: Mapping[str, bytes], **facts: Any) -> None:
        digest = INTL.hash.digest(body).hex()
        rows = {EntitiesRow: known, AnswersRow: {digest: body}}
        new = {
            kind: {name: data for name, data in found.items() if name not in self._remembered}
            for kind, found in rows.items()
        }
        insert = sqlite.insert if self._store.engine.dialect.name == "sqlite" else postgresql.insert

        def keep(connection: sa.Connection) -> None:
            since = self._store.clock.now()
            for kind, found in new.items():
                if found:
                    told = [
                        {"digest": name, "data": data.decode(), "since": since}
                        for name, data in found.items()
                    ]
                    connection.execute(insert(kind).on_conflict_do_nothing(), told)

        self._store.note(actor, VERB, f"answers:{digest}", within=keep, answers=digest, **facts)
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered |= dict.fromkeys(name for found in new.values() for name in found)


def _basis(policy_set: str, version: int | None) -> dict[str, Any]:
    return {"policy_set": policy_set} if version is None else {"policy_set": policy_set, "version": version}
