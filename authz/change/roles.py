"""Which changes are everyday and which take several people."""

from collections.abc import Iterable

from authz.change.base import Change
from authz.roles import POWERS
from yinxin.authz import Resource

#: roles by which somebody could make herself, or others, more than they are
SENSITIVE = POWERS | {"registration-officer", "personnel-officer"}
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
#: verbs that take several people when the post has a sensitive role
GIVING = frozenset({"authz.found-post", "authz.appoint", "authz.transfer", "authz.reinstate"})


def proposed_only(change: Change, resources: Iterable[Resource]) -> bool:
    """Whether nobody makes this change alone; the policies say the same, and a test holds both together."""
    if change.verb in ALWAYS:
        return True
    roles = {role for each in resources for role in each.attributes.get("roles", ())}
    return change.verb in GIVING and bool(roles & SENSITIVE)
