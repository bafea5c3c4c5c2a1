"""A change of the policies, as it is proposed, approved and carried out."""

from collections.abc import Mapping
from dataclasses import dataclass

from authz.errors import BadPolicies
from authz.policy_set import PolicySet, read_change
from authz.version.errors import PoliciesRefused
from yinxin.text import Text


@dataclass(frozen=True)
class Change:
    """The whole new set (`text`, `schema`), why (`note`), and the version it was made from.

    A return to an earlier version is a change like any other: the old text under a new number.
    """

    text: str
    schema: str
    note: str
    made_from: int

    def policies(self, shipped: PolicySet) -> PolicySet:
        """The set, checked: parsed, named, worded, valid against its schema. Raises PoliciesRefused.

        What the software says of its own acts stays: an act that writes does not become a read by a change, nor does
        an attribute cease to name a person. The proof rests on both.
        """
        try:
            policies = read_change(self.text, self.schema)
        except BadPolicies as error:
            raise PoliciesRefused(reason=error.facts["reason"]) from error
        for action in sorted(shipped.actions & policies.actions):
            if policies.groups(action) != shipped.groups(action):
                raise PoliciesRefused(
                    reason=Text(
                        f"操作 {action} 的分类不得改变", f"the groups of action {action} may not change"
                    )
                )
        for kind, names in _naming(shipped).items():
            if names - _naming(policies).get(kind, names):
                raise PoliciesRefused(
                    reason=Text(
                        f"{kind} 中指明人员或机关的属性不得改变",
                        f"the attributes of {kind} that name people and organs may not change",
                    )
                )
        return policies


def _naming(policies: PolicySet) -> Mapping[str, frozenset[str]]:
    """The attributes of each type that name people or organs."""
    return {
        kind: frozenset(
            name
            for name, each in declared["shape"]["attributes"].items()
            if each.get("annotations", {}).get("names")
        )
        for kind, declared in policies.declared["entityTypes"].items()
    }
