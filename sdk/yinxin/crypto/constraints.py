"""What an authority's certificate imposes on those below it: names, policies, mappings (RFC 5280 4.2.1.5, 10, 11, 14)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from yinxin.crypto import der
from yinxin.crypto.errors import MalformedTemplate
from yinxin.crypto.general_names import GeneralName, read_subtree, write_subtree

#: the policy that stands for every policy (RFC 5280 4.2.1.4)
ANY_POLICY = "2.5.29.32.0"

#: (policy of the issuer's domain, policy of the subject's domain that is its equal)
PolicyMapping = tuple[str, str]


@dataclass(frozen=True)
class NameConstraints:
    """In which names an authority may issue (RFC 5280 4.2.1.10), as (kind, text) pairs.

    Texts: `dns` and `uri` a domain, `email` a mailbox, a host or a domain with a leading dot, `ip` a network
    (10.0.0.0/8, 2001:db8::/32), `dirname` hexadecimal DER of the Name; when reading also `other`.
    """

    permitted: tuple[GeneralName, ...] = ()
    excluded: tuple[GeneralName, ...] = ()

    @property
    def der(self) -> bytes:
        """NameConstraints in DER; raises MalformedTemplate when it is empty or a text is not of its kind."""
        if not self.permitted and not self.excluded:
            raise MalformedTemplate(field="name_constraints", reason="neither permitted nor excluded names")
        return der.sequence(*_subtrees(0, self.permitted), *_subtrees(1, self.excluded))

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read what was held to DER before; raises MalformedDer or ValueError, also for a minimum or a maximum."""
        found: dict[int, tuple[GeneralName, ...]] = {}
        for each in der.elements(encoded):
            if each[0] not in (0xA0, 0xA1) or each[0] in found or (each[0] == 0xA0 and found):
                raise ValueError("the name constraints are neither permitted nor excluded names")
            subtrees = (der.elements(subtree) for subtree in der.elements(each, each[0]))
            found[each[0]] = tuple(_base(subtree) for subtree in subtrees)
        if not any(found.values()):
            raise ValueError("the name constraints say nothing")
        return cls(found.get(0xA0, ()), found.get(0xA1, ()))


def _subtrees(number: int, names: tuple[GeneralName, ...]) -> Iterable[bytes]:
    if names:
        bases = (der.sequence(write_subtree(kind, text)) for kind, text in names)
        yield der.implicit(number, der.sequence(*bases))


def _base(subtree: list[bytes]) -> GeneralName:
    if len(subtree) != 1:  # RFC 5280: minimum is zero, maximum absent, or the certificate is refused
        raise ValueError("a name constraint has a minimum or a maximum")
    return read_subtree(subtree[0])


@dataclass(frozen=True)
class PolicyConstraints:
    """After how many further certificates a policy must be explicit, or mapping ends (RFC 5280 4.2.1.11)."""

    require_explicit: int | None = None
    inhibit_mapping: int | None = None

    @property
    def der(self) -> bytes:
        """PolicyConstraints in DER; raises MalformedTemplate when it says nothing or counts below zero."""
        counts = (self.require_explicit, self.inhibit_mapping)
        if counts == (None, None) or any(count is not None and count < 0 for count in counts):
            raise MalformedTemplate(field="policy_constraints", reason="a count from 0 up is needed")
        given = enumerate(counts)
        return der.sequence(*(der.implicit(i, der.integer(n)) for i, n in given if n is not None))

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read what was held to DER before; raises MalformedDer or ValueError."""
        found: dict[int, int] = {}
        for each in der.elements(encoded):
            if each[0] not in (0x80, 0x81) or any(each[0] <= known for known in found):
                raise ValueError("the policy constraints are not two counts")
            found[each[0]] = skip_certs(bytes((der.INTEGER,)) + each[1:])
        if not found:
            raise ValueError("the policy constraints say nothing")
        return cls(found.get(0x80), found.get(0x81))


def skip_certs(encoded: bytes) -> int:
    """A SkipCerts INTEGER, as inhibitAnyPolicy holds one (RFC 5280 4.2.1.14); raises MalformedDer or ValueError."""
    der.check(encoded)
    count = der.number(encoded)
    if count < 0:
        raise ValueError("a count of certificates is negative")
    return count


def write_mappings(mappings: Iterable[PolicyMapping]) -> bytes:
    """PolicyMappings in DER (RFC 5280 4.2.1.5); raises MalformedTemplate when anyPolicy is mapped."""
    pairs = tuple(mappings)
    if any(ANY_POLICY in pair for pair in pairs):
        raise MalformedTemplate(
            field="policy_mappings", reason="anyPolicy is mapped to nothing and nothing to it"
        )
    return der.sequence(*(der.sequence(der.oid(issuer), der.oid(subject)) for issuer, subject in pairs))


def read_mappings(encoded: bytes) -> tuple[PolicyMapping, ...]:
    """Read PolicyMappings; raises MalformedDer or ValueError. Whether anyPolicy is among them, the path says."""
    pairs = [tuple(map(der.dotted, der.elements(pair))) for pair in der.elements(encoded)]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ValueError("the policy mappings are not pairs")
    return tuple((pair[0], pair[1]) for pair in pairs)
