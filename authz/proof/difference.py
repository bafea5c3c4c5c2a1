"""What a change of the policies would let whom do, and what it would forbid."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from authz.policy_set import PolicySet
from authz.proof.literals import Account, Literals
from authz.proof.scope import Request, answers
from authz.proof.words import ORDINARY, sentence
from yinxin.text import Text


@dataclass(frozen=True)
class Difference:
    """One kind of act that becomes allowed or denied for everybody whose post has `roles` (and perhaps more).

    `request` is an example of it, `levels` all levels of secrecy at which it is so, `policies` what permits it.
    """

    allowed: bool
    request: Request
    levels: tuple[str, ...]
    policies: tuple[str, ...]

    @property
    def roles(self) -> frozenset[str]:
        """The roles that suffice."""
        return self.request.roles

    @property
    def text(self) -> Text:
        """The difference in words."""
        return sentence(self.request, allowed=self.allowed)


@lru_cache(maxsize=8)
def differences(before: PolicySet, after: PolicySet) -> tuple[Difference, ...]:
    """Every difference over the small scope of both sets, the simplest accounts only; new permissions first."""
    literals = Literals(before, after)
    same = {
        action
        for action in before.actions & after.actions
        if before.fingerprint(action) == after.fingerprint(action)
    }
    old = _permitted(before, literals, before.actions - same)
    new = _permitted(after, literals, after.actions - same)
    gained = _summed(new, new.keys() - old.keys(), allowed=True)
    lost = _summed(old, old.keys() - new.keys(), allowed=False)
    return (*gained, *lost)


_Key = tuple[object, ...]
_Permitted = dict[_Key, tuple[Request, tuple[str, ...]]]


def _permitted(policies: PolicySet, literals: Literals, actions: Iterable[str]) -> _Permitted:
    """What is permitted, by everything but the number of the thing."""
    found: _Permitted = {}
    for action in sorted(actions):
        for request, reasons in answers(policies, action, literals):
            if reasons is not None:
                found[_key(request)] = request, reasons
    return found


def _key(request: Request) -> _Key:
    resource = request.resource
    return (
        request.account,
        request.granted,
        request.action,
        resource.type,
        resource.organ,
        resource.level,
        repr(sorted(resource.attributes.items())),
        (resource.region, resource.sharing, resource.shared_with),
        repr(sorted(request.context.items())),
    )


def _summed(permitted: _Permitted, keys: Iterable[_Key], *, allowed: bool) -> list[Difference]:
    """Differences that say the same of several levels as one, and only those that follow from no simpler one."""
    levels: dict[_Key, list[str]] = {}
    examples: dict[_Key, tuple[Request, tuple[str, ...]]] = {}
    special: dict[_Key, set[frozenset[str]]] = {}
    for key in sorted(keys, key=repr):
        request, reasons = permitted[key]
        own = _special(request)
        same = (request.account, *_about(request), own)
        levels.setdefault(same, []).append(request.resource.level)
        examples.setdefault(same, (request, reasons))
        special.setdefault((request.account, *_about(request)), set()).add(own)
    found = []
    for each_of, (request, reasons) in examples.items():
        about, own = _about(request), _special(request)
        if any(each < own for each in special[request.account, *about]):
            continue
        if any((smaller, *about, own) in levels for smaller in _smaller(request.account)):
            continue
        found.append(Difference(allowed, request, tuple(levels[each_of]), reasons))
    return sorted(found, key=lambda each: (each.request.action, each.request.place, sorted(each.roles)))


def _about(request: Request) -> tuple[str, str, str, bool]:
    return request.action, request.resource.type, request.place, request.granted


def _special(request: Request) -> frozenset[str]:
    """What is out of the ordinary about the thing and the context."""
    resource = request.resource
    grading = {"region": resource.region, "sharing": resource.sharing, "shared_with": resource.shared_with}
    given = {
        **resource.attributes,
        **request.context,
        **{name: each for name, each in grading.items() if each},
    }
    return frozenset(f"{name}={value}" for name, value in given.items() if value not in ORDINARY)


def _smaller(account: Account) -> Iterable[Account]:
    """Accounts that hold less: one role fewer, no power elsewhere."""
    for role in account.roles:
        yield replace(account, roles=account.roles - {role})
    if account.elsewhere:
        yield replace(account, elsewhere=frozenset())
    if account.tenant:
        yield replace(account, tenant=False)
    if len(account.roles) > 1:
        yield Account(frozenset())
