"""An answered list question, with what its condition was worked out of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from authz.entities import Entities
from authz.version import InForce
from yinxin import canonical
from yinxin.condition import Condition
from yinxin.crypto.suite import INTL


@dataclass(frozen=True)
class Listed:
    """The condition; `basis` are set and version of the policies, `below` the organs met, each with all below it."""

    condition: Condition
    question: tuple[str, str]
    basis: Mapping[str, Any]
    entities: Entities
    grants: tuple[Mapping[str, Any], ...]
    below: Mapping[str, Sequence[str]]

    @classmethod
    def of(
        cls,
        version: InForce,
        question: tuple[str, str],
        entities: Entities,
        condition: Condition,
        *,
        grants: tuple[Mapping[str, Any], ...] = (),
        below: Mapping[str, Sequence[str]] | None = None,
    ) -> Self:
        """The answer to `question` (action, type)."""
        basis: dict[str, Any] = {"policy_set": version.policies.hash}
        if version.number is not None:
            basis["version"] = version.number
        return cls(condition, question, basis, entities, grants, below or {})

    @cached_property
    def known(self) -> tuple[str, bytes]:
        """What was known of the asker, in canonical bytes, and its digest."""
        data = canonical.encode([dict(each) for each in self.entities])
        return INTL.hash.digest(data).hex(), data

    @cached_property
    def body(self) -> bytes:
        """All of it in canonical bytes, to be kept."""
        action, kind = self.question
        whole = {
            "v": 1,
            **self.basis,
            "known": self.known[0],
            "list": {"action": action, "type": kind, "condition": self.condition.digest},
            "below": {organ: list(each) for organ, each in self.below.items()},
        }
        return canonical.encode(whole | ({"grants": [dict(g) for g in self.grants]} if self.grants else {}))
