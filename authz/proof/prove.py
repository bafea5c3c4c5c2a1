"""Every theorem held against every request of the small scope that the policies permit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authz.policy_set import PolicySet
from authz.proof.errors import PowersNotSeparated
from authz.proof.scope import Request, answers
from authz.proof.theorems import THEOREMS, Theorem
from authz.proof.words import sentence
from yinxin.text import Text

#: actions, under all sets that were looked at, whose proofs a process remembers
_REMEMBERED = 1000
_known: "dict[str, _Part]" = {}


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


@dataclass(frozen=True)
class _Part:
    """What became of one action."""

    requests: int
    permitted: int
    violations: int
    simplest: Mapping[str, Violation]


def prove(policies: PolicySet) -> Proof:
    """Ask everything, some seconds of work for a new set; raises BadPolicies when a policy cannot be evaluated.

    What is known of an action depends on the policies that concern it alone: of a changed set, only the actions that
    the change concerns are asked about anew.
    """
    parts = []
    for action in sorted(policies.actions):
        key = policies.fingerprint(action)
        part = _known.get(key)
        if part is None:
            part = _part(policies, action)
            if len(_known) >= _REMEMBERED:
                _known.clear()
            _known[key] = part
        parts.append(part)
    simplest: dict[str, Violation] = {}
    for part in parts:
        for name, found in part.simplest.items():
            simplest[name] = _simpler(simplest.get(name), found)
    return Proof(
        policies.hash,
        sum(each.requests for each in parts),
        sum(each.permitted for each in parts),
        [simplest[each.name] for each in THEOREMS if each.name in simplest],
        sum(each.violations for each in parts),
    )


def _part(policies: PolicySet, action: str) -> _Part:
    groups = policies.groups(action)
    requests = permitted = violations = 0
    simplest: dict[str, Violation] = {}
    for request, reasons in answers(policies, action):
        requests += 1
        if reasons is None:
            continue
        permitted += 1
        for theorem in THEOREMS:
            if theorem.breached(request, groups):
                violations += 1
                found = Violation(theorem, request, reasons)
                simplest[theorem.name] = _simpler(simplest.get(theorem.name), found)
    return _Part(requests, permitted, violations, simplest)


def _simpler(before: Violation | None, after: Violation) -> Violation:
    return after if before is None or _complexity(after.request) < _complexity(before.request) else before


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
