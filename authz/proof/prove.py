"""Every theorem held against every request of the small scope that the policies permit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from authz.policy_set import PolicySet
from authz.proof.errors import PowersNotSeparated
from authz.proof.scope import Request, answers
from authz.proof.theorems import THEOREMS, Theorem
from authz.proof.words import sentence
from yinxin.text import Text


@dataclass(frozen=True)
class Violation:
    """A permission that breaks a theorem; `policies` grant it."""

    theorem: Theorem
    request: Request
    policies: tuple[str, ...]

    @property
    def text(self) -> Text:
        """The counterexample in words."""
        return sentence(self.request)


@dataclass(frozen=True)
class Proof:
    """What was asked, what was permitted of it, and for each theorem that does not hold the simplest counterexample."""

    policy_set: str
    requests: int
    permitted: int
    broken: Sequence[Violation]
    violations: int


@lru_cache(maxsize=8)
def prove(policies: PolicySet) -> Proof:
    """Ask everything, some seconds of work; raises BadPolicies when a policy cannot be evaluated.

    A function of the set alone, so a set that was proved for its approvers is not proved anew when it comes into force.
    """
    groups = {action: policies.groups(action) for action in policies.actions}
    requests = permitted = violations = 0
    simplest: dict[str, Violation] = {}
    for request, reasons in answers(policies):
        requests += 1
        if reasons is None:
            continue
        permitted += 1
        for theorem in THEOREMS:
            if not theorem.breached(request, groups[request.action]):
                continue
            violations += 1
            before = simplest.get(theorem.name)
            if before is None or _complexity(request) < _complexity(before.request):
                simplest[theorem.name] = Violation(theorem, request, reasons)
    broken = [simplest[each.name] for each in THEOREMS if each.name in simplest]
    return Proof(policies.hash, requests, permitted, broken, violations)


def require_separation(policies: PolicySet) -> Proof:
    """The proof; raises PowersNotSeparated with a counterexample when a theorem does not hold."""
    proof = prove(policies)
    if proof.broken:
        first = proof.broken[0]
        raise PowersNotSeparated(
            theorem=first.theorem.text,
            count=proof.violations,
            example=first.text,
            policies=", ".join(first.policies),
        )
    return proof


def _complexity(request: Request) -> tuple[int, bool, int]:
    graded = request.resource.region is not None or request.resource.sharing is not None
    account = request.account
    return (
        len(account.roles) + 2 * len(account.elsewhere) + (not account.appointed),
        graded,
        len(request.context),
    )
