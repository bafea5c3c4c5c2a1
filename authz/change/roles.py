"""Which changes are everyday and which take several people."""

from collections.abc import Iterable

from authz.change.base import Change
from authz.roles import POWERS
from yinxin.authz import Resource

#: roles by which somebody could make herself, or others, more than they are; leaders approve recoveries of keys and grants
SENSITIVE = POWERS | {"leader", "registration-officer", "personnel-officer"}
#: verbs that change the tree or what a post may
ALWAYS = frozenset(
    {
        "authz.found-organ",
        "authz.move-organ",
        "authz.merge-organs",
        "authz.split-organ",
        "authz.dissolve-organ",
        "authz.give-roles",
    }
)
#: verbs that take several people when the post has a sensitive role, or its holders have a grant
GIVING = frozenset({"authz.found-post", "authz.appoint", "authz.transfer", "authz.reinstate"})


def proposed_only(change: Change, resources: Iterable[Resource]) -> bool:
    """Whether nobody makes this change alone; the policies say the same, and a test holds both together."""
    return change.verb in ALWAYS or (change.verb in GIVING and of_power(resources))


def of_power(resources: Iterable[Resource]) -> bool:
    """Whether one of them is a post with a sensitive role, or one whose holders have a grant by several people."""
    return any(
        each.attributes.get("granted", False) or SENSITIVE & set(each.attributes.get("roles", ()))
        for each in resources
    )
