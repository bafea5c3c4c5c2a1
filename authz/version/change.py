"""A change of the policies, as it is proposed, approved and carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from authz.errors import BadPolicies
from authz.policy_set import PolicySet, read_change
from authz.version.errors import PoliciesRefused


@dataclass(frozen=True)
class Change:
    """The whole new set (`text`, `schema`), why (`note`), and the version it was made from.

    A return to an earlier version is a change like any other: the old text under a new number.
    """

    text: str
    schema: str
    note: str
    made_from: int

    def policies(self) -> PolicySet:
        """The set, checked: parsed, named, worded, valid against its schema. Raises PoliciesRefused."""
        try:
            return read_change(self.text, self.schema)
        except BadPolicies as error:
            raise PoliciesRefused(reason=error.facts["reason"]) from error

    def fields(self) -> dict[str, Any]:
        """The change as the content of a proposal."""
        return {"text": self.text, "schema": self.schema, "note": self.note, "made_from": self.made_from}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The change that a proposal's content describes."""
        return cls(fields["text"], fields["schema"], fields["note"], fields["made_from"])
