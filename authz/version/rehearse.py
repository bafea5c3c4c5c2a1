"""What a change of the policies would come to, told before anybody proposes it and again to whoever approves it."""

from dataclasses import dataclass

from authz.decide import Decisions
from authz.policy_set import PolicySet
from authz.proof import THEOREMS, Difference, Proof, Theorem, Violation, differences, prove
from authz.version.affected import Affected, affected
from authz.version.change import Change
from authz.version.versions import InForce
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.store import Store

READ = "authz.read-policies"


def permit_reading(decisions: Decisions, actor: Actor) -> None:
    """Raise Denied, recorded, unless the actor may read the policies and what a change would do."""
    decisions.require(actor, READ, Resource("Policies", "policies", PLATFORM))


@dataclass(frozen=True)
class Rehearsal:
    """The proof of a set, and what is different from the version `made_from`, the real people named."""

    made_from: int
    proof: Proof
    differences: tuple[Affected, ...]

    @property
    def theorems(self) -> tuple[tuple[Theorem, Violation | None], ...]:
        """Every theorem, with the simplest counterexample where it does not hold."""
        return verdicts(self.proof)

    @property
    def sound(self) -> bool:
        """Whether every theorem holds, so that it may be proposed."""
        return not self.proof.broken


def verdicts(proof: Proof) -> tuple[tuple[Theorem, Violation | None], ...]:
    """Every theorem, with its simplest counterexample where it does not hold."""
    broken = {each.theorem.name: each for each in proof.broken}
    return tuple((each, broken.get(each.name)) for each in THEOREMS)


def wanted(decisions: Decisions, text: str, types: str | None, note: str = "") -> tuple[InForce, Change]:
    """The policies in force, and the change from them to the set that somebody gave; its schema is theirs unless given."""
    current = decisions.versions.current()
    return current, Change(text, types or current.policies.schema, note, current.number or 0)


def rehearse(store: Store, decisions: Decisions, actor: Actor, change: Change) -> Rehearsal:
    """Check, prove and compare; changes nothing. Some seconds of work for a new set.

    Raises Denied, PoliciesRefused, PoliciesUnchanged, PoliciesMoved. A broken theorem is told and not raised.
    """
    permit_reading(decisions, actor)
    policies = decisions.versions.check(change)
    return compare(store, before_of(decisions, change), policies, change.made_from)


def compare(store: Store, before: PolicySet, after: PolicySet, made_from: int) -> Rehearsal:
    """The proof of `after`, and what it would let whom do that `before` does not."""
    return Rehearsal(made_from, prove(after), told(store, differences(before, after)))


def told(store: Store, found: tuple[Difference, ...]) -> tuple[Affected, ...]:
    """The differences with the people whom each would touch now."""
    return affected(store, found, store.clock.now())


def before_of(decisions: Decisions, change: Change) -> PolicySet:
    """The set that a change was made from; raises UnknownVersion."""
    versions = decisions.versions
    return versions.version(change.made_from)[1] if change.made_from else versions.shipped
