"""Acts that take several people: proposed, approved by signatures made on this side, carried out."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from yinxin.client._http import Connection, segment
from yinxin.client.errors import IdentityNeeded
from yinxin.crypto import cms
from yinxin.errors import Invalid
from yinxin.statement import Statement
from yinxin.wire import Reply, Words, base64_text

_PATH = "/api/authz/v1/proposals"


class NotWhatWasSeen(Invalid):
    """The statement that the platform gave is not about what the signer saw."""

    code = "client.not_what_was_seen"
    zh = "平台给出的待签内容不是您查看的提案（{field}），未签名：请重新查看提案。"
    en = "The statement that the platform gave is not about the proposal you looked at ({field}), and nothing was signed: look at it again."


class ProposalLine(Reply):
    """A proposal in a list."""

    id: str
    kind: str
    title: Words
    state: str
    organ: str
    proposer: str
    created: str
    expires: str
    needed: int
    given: int
    digest: str


class Proposal(Reply):
    """A proposal as it stands; `digest` stands for all of it, `describes` says what it would do."""

    id: str
    kind: str
    state: str
    organ: str
    digest: str
    content: Mapping[str, Any]
    reason: str
    basis: str
    proposer: Mapping[str, str]
    created: str
    expires: str
    needed: int
    approvals: list[Mapping[str, str | None]]
    describes: list[Words]
    may_approve: list[Mapping[str, str]]
    note: str
    outcome: Mapping[str, Any] | None


class Proposals:
    """Calls about proposals."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def propose(
        self, kind: str, content: Mapping[str, Any], *, reason: str = "", basis: str = ""
    ) -> Proposal:
        """Propose an act of this kind."""
        body = {"kind": kind, "content": dict(content), "reason": reason, "basis": basis}
        return Proposal.model_validate(self._connection.json("POST", _PATH, json=body))

    def list(self, **query: str) -> Iterator[ProposalLine]:
        """Those that match, the newest first: kind, state, organ, proposer."""
        return (ProposalLine.model_validate(item) for item in self._connection.pages(_PATH, query))

    def show(self, id_: str) -> Proposal:
        """One proposal."""
        return Proposal.model_validate(self._connection.json("GET", f"{_PATH}/{segment(id_)}"))

    def approve(self, seen: Proposal) -> Proposal:
        """Approve what was seen: the statement is held against it before it is signed. Raises IdentityNeeded, NotWhatWasSeen."""
        identity = self._connection.identity
        if identity is None:
            raise IdentityNeeded
        answer = self._connection.json("GET", f"{_PATH}/{segment(seen.id)}/statement")
        statement = b64decode(answer["statement"])
        content = Statement.decode(statement).content
        for field, value in (("proposal", seen.id), ("kind", seen.kind), ("digest", seen.digest)):
            if content.get(field) != value:
                raise NotWhatWasSeen(field=field)
        signing = identity.stating("authz.approve", f"proposal:{seen.id}")
        signature = cms.sign_detached(signing, statement, signed_at=self._connection.clock.now())
        body = {"statement": base64_text(statement), "signature": base64_text(signature)}
        return self._post(seen.id, "approvals", body)

    def submit(self, id_: str, approval: bytes) -> Proposal:
        """Hand in an approval that somebody signed elsewhere."""
        return self._post(id_, "approvals", {"signature": base64_text(approval)})

    def refuse(self, id_: str, reason: str) -> Proposal:
        """End it for a reason."""
        return self._post(id_, "refusal", {"reason": reason})

    def withdraw(self, id_: str) -> Proposal:
        """Take one's own proposal back."""
        return self._post(id_, "withdrawal", {})

    def execute(self, id_: str) -> Proposal:
        """Carry it out."""
        return self._post(id_, "execution", {})

    def _post(self, id_: str, what: str, body: Mapping[str, Any]) -> Proposal:
        path = f"{_PATH}/{segment(id_)}/{what}"
        return Proposal.model_validate(self._connection.json("POST", path, json=body))
