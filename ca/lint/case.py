"""What a rule is shown, and what it says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ca.issuer import Addresses, Issuer
from ca.profile import Profile
from yinxin.crypto.certificates import Certificate

#: of the rules of this version; one more with each version that has a rule which certificates of before need not keep
EDITION = 2


@dataclass(frozen=True)
class Case:
    """A certificate about to be made, beside everything it must agree with."""

    certificate: Certificate
    issuer: Issuer
    profile: Profile
    addresses: Addresses
    #: first octet of every serial number of this site
    node: int
    #: how an outside authority identifies its key, where that is not derived from the key as ours are
    key_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule: its clause and what is wrong."""

    clause: str
    fault: str
    #: the edition that the rule came with
    since: int = 1

    def __str__(self) -> str:
        return f"{self.clause}: {self.fault}"


#: yields the faults of a certificate in the rule's field; none when it keeps the rule
Check = Callable[[Case], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check and the clause it enforces."""

    clause: str
    check: Check
    #: the edition that it came with
    since: int


class Rules:
    """A list of rules that grows by decoration: `@rules("RFC 5280 4.1.2.2")` above each check."""

    def __init__(self) -> None:
        self.all: list[Rule] = []

    def __call__(self, clause: str, *, since: int = 1) -> Callable[[Check], Check]:
        """Add the check below, under its clause, as of the edition that it came with."""

        def add(check: Check) -> Check:
            self.all.append(Rule(clause, check, since))
            return check

        return add
