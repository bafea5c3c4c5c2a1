"""Grants: what was opened to whom, over which part of the tree, until when."""

from collections.abc import Iterator
from datetime import datetime

from yinxin.client._http import Connection, segment
from yinxin.client.proposals import Proposal, Proposals
from yinxin.clock import rfc3339
from yinxin.wire import Instant, Reply, Words

_PATH = "/api/authz/v1"


class Grant(Reply):
    """A grant on record; `state` is `in-force`, `future`, `ended` or `revoked`. `resource`: over that thing alone."""

    id: str
    template: str
    holder: str
    organ: str
    resource: str | None = None
    state: str
    valid_from: Instant
    valid_to: Instant
    source: str
    granted_by: str
    granted_at: Instant
    proposal: str | None
    revoked_at: Instant | None
    revoked_by: str | None
    revoked_because: str | None


class Template(Reply):
    """What can be granted, in words, and the acts it opens."""

    id: str
    text: Words
    actions: tuple[str, ...]


class Grants:
    """Calls about grants, for security officers and auditors. All raise Denied or NotFound for anybody else."""

    def __init__(self, connection: Connection, proposals: Proposals) -> None:
        self._connection = connection
        self._proposals = proposals

    def list(
        self,
        *,
        under: str = "",
        holder: str = "",
        template: str = "",
        resource: str = "",
        in_force: bool = False,
    ) -> Iterator[Grant]:
        """Grants over an organ and those below it (the own one, or `platform`), of a holder, template or single thing."""
        query = {
            "under": under,
            "holder": holder,
            "template": template,
            "resource": resource,
            "in_force": "true" if in_force else "false",
        }
        return (Grant.model_validate(item) for item in self._connection.pages(f"{_PATH}/grants", query))

    def show(self, id_: str) -> Grant:
        """One grant; raises NotFound."""
        return Grant.model_validate(self._connection.json("GET", f"{_PATH}/grants/{segment(id_)}"))

    def templates(self) -> tuple[Template, ...]:
        """What the policies in force have to grant."""
        answer = self._connection.json("GET", f"{_PATH}/grant-templates")
        return tuple(Template.model_validate(each) for each in answer["items"])

    def propose(
        self,
        template: str,
        holder: str,
        organ: str,
        *,
        starts: datetime,
        until: datetime,
        source: str,
        resource: str | None = None,
    ) -> Proposal:
        """Propose a grant to `person:ID`, `post:ID`, `organ:ID` or `client:ID`, on a named basis.

        It is over an organ and those below, or over one thing of theirs: `ServiceKey:NAME`.
        """
        content = {
            "resource": resource,
            "template": template,
            "holder": holder,
            "organ": organ,
            "valid_from": rfc3339(starts),
            "valid_to": rfc3339(until),
            "source": source,
        }
        return self._proposals.propose("authz.grant", content, reason=source)

    def revoke(self, id_: str, reason: str) -> Grant:
        """End a grant at once."""
        answer = self._connection.json(
            "POST", f"{_PATH}/grants/{segment(id_)}/revocation", json={"reason": reason}
        )
        return Grant.model_validate(answer)
