"""The policies of a site: its versions, the proof of a set, and what a change would let whom do."""

from collections.abc import Iterator

from yinxin.client._http import Connection
from yinxin.client.proposals import Proposal, Proposals
from yinxin.wire import Instant, Reply, Words

_PATH = "/api/authz/v1/policies"


class PolicyVersion(Reply):
    """A version: in force from a moment on, until the next. `shipped`: as the software brought it, unchanged here."""

    number: int
    policy_set: str
    shipped: bool
    author: str
    note: str
    proposal: str | None
    in_force_from: Instant
    in_force_until: Instant | None


class PolicyText(PolicyVersion):
    """A version with its policies (`text`, Cedar) and its schema (`types`, JSON)."""

    text: str
    types: str


class Theorem(Reply):
    """A theorem; where it does not hold, the simplest counterexample in words and the policies that permit it."""

    name: str
    text: Words
    holds: bool
    counterexample: Words | None
    policies: tuple[str, ...]


class PolicyProof(Reply):
    """What was asked of a set, what of it was permitted, and every theorem."""

    policy_set: str
    requests: int
    permitted: int
    holds: bool
    theorems: tuple[Theorem, ...]


class PolicyDifference(Reply):
    """One kind of act that would become allowed, or would be so no more, and the people it touches now."""

    allowed: bool
    roles: tuple[str, ...]
    action: str
    type: str
    place: str
    levels: tuple[str, ...]
    policies: tuple[str, ...]
    people: int
    names: tuple[str, ...]
    text: Words


class PolicyRehearsal(Reply):
    """What a change would come to; `sound` when it could be proposed."""

    made_from: int
    sound: bool
    proof: PolicyProof
    differences: tuple[PolicyDifference, ...]


class Policies:
    """Calls about policies, for security officers and auditors. All raise Denied for anybody else."""

    def __init__(self, connection: Connection, proposals: Proposals) -> None:
        self._connection = connection
        self._proposals = proposals

    def versions(self) -> Iterator[PolicyVersion]:
        """Every version, newest first."""
        return (
            PolicyVersion.model_validate(item) for item in self._connection.pages(f"{_PATH}/versions", {})
        )

    def version(self, number: int) -> PolicyText:
        """One version with its text; raises NotFound."""
        return PolicyText.model_validate(self._connection.json("GET", f"{_PATH}/versions/{number}"))

    def in_force(self) -> PolicyText:
        """The version in force, with its text: what a change begins from."""
        return PolicyText.model_validate(self._connection.json("GET", f"{_PATH}/in-force"))

    def prove(self, text: str, types: str | None = None) -> PolicyProof:
        """Ask a whole set everything it could tell apart, some seconds of work; its schema is the one in force unless given."""
        body = {"text": text, "types": types}
        return PolicyProof.model_validate(self._connection.json("POST", f"{_PATH}/proof", json=body))

    def difference(self, text: str, types: str | None = None) -> PolicyRehearsal:
        """What the set would let whom do that is not so now, with its proof; nothing is proposed or changed."""
        body = {"text": text, "types": types}
        return PolicyRehearsal.model_validate(self._connection.json("POST", f"{_PATH}/difference", json=body))

    def propose(self, text: str, types: str | None = None, *, reason: str, basis: str) -> Proposal:
        """Propose the set in the place of the one in force; raises what is wrong with it, counterexample in words."""
        current = self.in_force()
        content = {
            "text": text,
            "types": types or current.types,
            "note": reason,
            "made_from": current.number,
        }
        return self._proposals.propose("authz.change-policies", content, reason=reason, basis=basis)
