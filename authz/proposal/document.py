"""What is proposed, as one canonical document: approvals name its digest, and what it says is what is carried out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from authz.proposal.errors import DocumentAltered
from authz.proposal.models import ProposalRow
from yinxin import canonical
from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.crypto.suite import INTL

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that an approver answers for: what, why, on which basis, by whom, under which terms."""

    id: str
    kind: str
    organ: str
    holder: str
    content: Any
    reason: str
    basis: str
    proposer: str
    post: str
    proposer_organ: str
    created: datetime
    expires: datetime
    approvals: int
    organs: int

    def encode(self) -> bytes:
        """Its one spelling."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return canonical.encode(
            {"v": FORMAT, **fields, "created": rfc3339(self.created), "expires": rfc3339(self.expires)}
        )

    @classmethod
    def of(cls, row: ProposalRow) -> Self:
        """The document of a row, held against its digest; raises DocumentAltered."""
        if digest_of(row.document) != row.digest:
            raise DocumentAltered(proposal=row.id, digest=row.digest)
        body: dict[str, Any] = canonical.decode(row.document)
        if body.pop("v") != FORMAT or (body["id"], body["kind"]) != (row.id, row.kind):
            raise DocumentAltered(proposal=row.id, digest=row.digest)
        return cls(
            created=parse_rfc3339(body.pop("created")), expires=parse_rfc3339(body.pop("expires")), **body
        )


def digest_of(document: bytes) -> str:
    """SHA-256 of a document, hexadecimal."""
    return INTL.hash.digest(document).hex()
