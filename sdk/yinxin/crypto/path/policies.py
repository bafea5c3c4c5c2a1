"""Certificate policies (RFC 5280 6.1.3 d to f, 6.1.4 a, b and h to j, 6.1.5), without the tree that explodes.

RFC 9618 replaces the tree by a graph. What counts of it is its lowest row: for each policy there, under which names it
goes on, and from which policies of the anchor's domain it descends. So one row is kept, and the work is bounded by what
the certificates say, not by how their mappings multiply.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from yinxin.crypto import oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.constraints import ANY_POLICY, PolicyMapping
from yinxin.crypto.errors import PolicyMappingInvalid, PolicyNotAccepted
from yinxin.crypto.path.work import Kind, Work

_ANY = frozenset({ANY_POLICY})


@dataclass(frozen=True)
class Policies:
    """What the one who judges asks of policies (RFC 5280 6.1.1 c, e, f, g); by default nothing."""

    #: dotted, in the anchor's domain; anyPolicy among them accepts every one
    accepted: frozenset[str] = _ANY
    #: whether one of the accepted ones must hold along the whole path, even where no authority demands it
    require_explicit: bool = False
    inhibit_mapping: bool = False
    inhibit_any: bool = False


@dataclass(frozen=True)
class _Policy:
    """A policy that holds down to here: what it is called from here on, and where in the anchor's domain it began."""

    expected: frozenset[str]
    origins: frozenset[str]


Row = Mapping[str, _Policy]


@dataclass
class _Counters:
    """After how many certificates each rule begins; 0 is now."""

    explicit: int
    mapping: int
    any_policy: int

    def step(self) -> None:
        """One certificate that is not self-issued has passed (6.1.4 h)."""
        self.explicit = max(self.explicit - 1, 0)
        self.mapping = max(self.mapping - 1, 0)
        self.any_policy = max(self.any_policy - 1, 0)

    def narrow(self, certificate: Certificate) -> None:
        """What the certificate itself imposes (6.1.4 i and j)."""
        constraints = certificate.policy_constraints
        if constraints and constraints.require_explicit is not None:
            self.explicit = min(self.explicit, constraints.require_explicit)
        if constraints and constraints.inhibit_mapping is not None:
            self.mapping = min(self.mapping, constraints.inhibit_mapping)
        if certificate.inhibit_any_policy is not None:
            self.any_policy = min(self.any_policy, certificate.inhibit_any_policy)


@dataclass(frozen=True)
class Held:
    """The policies under which a path is valid, in the anchor's domain (RFC 5280 6.1.5 g)."""

    #: by what the authorities say
    authorities: frozenset[str]
    #: of these, the ones accepted
    accepted: frozenset[str]


def check(chain: Sequence[Certificate], wanted: Policies, work: Work) -> Held:
    """The policies that hold along the path; the anchor's own constraints count as if it stood below another.

    Raises PolicyNotAccepted, PolicyMappingInvalid or PathTooComplex.
    """
    links = chain[-2::-1]  # from below the anchor to the leaf
    unlimited = len(links) + 1
    counters = _Counters(
        explicit=0 if wanted.require_explicit else unlimited,
        mapping=0 if wanted.inhibit_mapping else unlimited,
        any_policy=0 if wanted.inhibit_any else unlimited,
    )
    if links:
        counters.narrow(chain[-1])
    row: Row = {ANY_POLICY: _Policy(_ANY, _ANY)}
    for certificate in links:
        is_leaf = certificate is links[-1]
        passes = counters.any_policy > 0 or (certificate.is_self_issued and not is_leaf)
        row = _next_row(row, certificate, work, any_policy=passes)
        if counters.explicit == 0 and not row:
            raise _not_accepted(certificate, wanted)
        if is_leaf:
            counters.explicit = max(counters.explicit - 1, 0)
            constraints = certificate.policy_constraints
            if constraints and constraints.require_explicit == 0:
                counters.explicit = 0
            break
        row = _mapped(row, certificate, work, allowed=counters.mapping > 0)
        if not certificate.is_self_issued:
            counters.step()
        counters.narrow(certificate)
    held = _held(row, wanted.accepted)
    if counters.explicit == 0 and not held.accepted:
        raise _not_accepted(chain[0], wanted)
    return held


def _next_row(row: Row, certificate: Certificate, work: Work, *, any_policy: bool) -> Row:
    """6.1.3 d and e: the certificate's policies that go on from the row above."""
    if not row or oids.CERTIFICATE_POLICIES not in certificate.extensions:
        return {}
    work.spend(Kind.POLICIES, len(certificate.policies))
    origins = _origins(row, work)
    found: dict[str, _Policy] = {}
    for policy in certificate.policies:
        if policy == ANY_POLICY:
            continue
        if policy in origins:
            found[policy] = _Policy(frozenset({policy}), frozenset(origins[policy]))
        elif ANY_POLICY in row:
            found[policy] = _Policy(frozenset({policy}), frozenset({policy}))
    if any_policy and ANY_POLICY in certificate.policies:
        for policy in origins.keys() - found.keys():
            found[policy] = _Policy(frozenset({policy}), frozenset(origins[policy]))
    return found


def _origins(row: Row, work: Work) -> Mapping[str, set[str]]:
    """Policy expected below the row → the policies of the anchor's domain that it stands for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for policy in row.values():
        work.spend(Kind.POLICIES, len(policy.expected) * len(policy.origins))
        for name in policy.expected:
            found[name] |= policy.origins
    return found


def _mapped(row: Row, certificate: Certificate, work: Work, *, allowed: bool) -> Row:
    """6.1.4 a and b: from here on the policies go under the names of the subject's domain."""
    if any(ANY_POLICY in pair for pair in certificate.policy_mappings):
        raise PolicyMappingInvalid(subject=certificate.subject.text)
    work.spend(Kind.POLICIES, len(certificate.policy_mappings))
    found = dict(row)
    for policy, names in _grouped(certificate.policy_mappings).items():
        if not allowed:
            found.pop(policy, None)
        elif policy in row:
            found[policy] = _Policy(names, row[policy].origins)
        elif ANY_POLICY in row:
            found[policy] = _Policy(names, frozenset({policy}))
    return found


def _grouped(mappings: Iterable[PolicyMapping]) -> Mapping[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for policy, name in mappings:
        found[policy].add(name)
    return {policy: frozenset(names) for policy, names in found.items()}


def _held(row: Row, accepted: frozenset[str]) -> Held:
    """6.1.5 g: anyPolicy at the end accepts whatever is accepted."""
    authorities: frozenset[str] = frozenset().union(*(policy.origins for policy in row.values()))
    if ANY_POLICY in accepted:
        return Held(authorities, authorities)
    return Held(authorities, accepted if ANY_POLICY in row else accepted & authorities)


def _not_accepted(certificate: Certificate, wanted: Policies) -> PolicyNotAccepted:
    accepted = "anyPolicy" if ANY_POLICY in wanted.accepted else ", ".join(sorted(wanted.accepted)) or "-"
    return PolicyNotAccepted(subject=certificate.subject.text, wanted=accepted)
