"""The judgement: a certificate signed by a throwaway key is linted, and a one-shot token comes back for its octets.

Only `Cleared.redeem` gives the octets to whoever signs, once, and only to the issuer they were linted for. So nothing
is signed that was not linted, and nothing linted is signed twice (law 5).
"""

from threading import Lock
from typing import Protocol

from ca.errors import LintFailed, TokenForeign, TokenSpent
from ca.lint import alternative, house, keys, rfc5280
from ca.lint.case import Case, Finding

_RULES = (*rfc5280.rules.all, *keys.rules.all, *alternative.rules.all, *house.rules.all)
_CHECKS = tuple((rule.clause, rule.check, rule.since) for rule in _RULES)


class Signing(Protocol):
    """Whoever signs, by name and key: an `Issuer`, or an attribute authority."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def key_id(self) -> bytes:
        """Identifier of its key."""
        ...


class Cleared:
    """The token: these octets, for this issuer, once. Made by `judge` alone."""

    __slots__ = ("_issuer", "_lock", "_spent", "_tbs")

    def __init__(self, tbs: bytes, issuer: Signing) -> None:
        self._tbs = tbs
        self._issuer = (issuer.name, issuer.key_id)
        self._spent = False
        self._lock = Lock()

    def redeem(self, tbs: bytes, issuer: Signing) -> bytes:
        """The octets to sign; raises TokenForeign for other octets or another issuer, TokenSpent the second time."""
        if tbs != self._tbs or (issuer.name, issuer.key_id) != self._issuer:
            raise TokenForeign(issuer=issuer.name)
        with self._lock:
            if self._spent:
                raise TokenSpent
            self._spent = True
        return self._tbs


def findings(case: Case) -> tuple[Finding, ...]:
    """Every broken rule."""
    return tuple([Finding(clause, fault, since) for clause, check, since in _CHECKS for fault in check(case)])


def judge(case: Case) -> Cleared:
    """A token for the certificate's octets; raises LintFailed naming every broken rule."""
    if found := findings(case):
        raise LintFailed(findings="; ".join(map(str, found)))
    return Cleared(case.certificate.tbs, case.issuer)
