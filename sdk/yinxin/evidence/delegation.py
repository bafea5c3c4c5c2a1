"""The signed delegation that somebody acted under: given to her by who held the post, and the act lies within it."""

import base64
from dataclasses import dataclass
from typing import Self

from yinxin import canonical
from yinxin.clock import official, parse_rfc3339
from yinxin.crypto.suite import INTL
from yinxin.evidence.errors import BeyondDelegation, MalformedEvidence
from yinxin.evidence.signatures import Signed, Surroundings
from yinxin.evidence.signatures import check as signed_by
from yinxin.statement import Statement
from yinxin.text import Text

#: what a delegation is, as a statement
VERB = "authz.delegate"
#: the fact of an act's record that holds the digest of what the delegator signed
SIGNED_DELEGATION = "delegation_sha256"


@dataclass(frozen=True, slots=True)
class SignedDelegation:
    """The delegator's statement and her CMS signature, timestamped when it was acted on, and the OCSP answer of that time.

    `id` is what the log calls it.
    """

    id: str
    statement: bytes
    cms: bytes
    ocsp: bytes

    @property
    def sha256(self) -> str:
        """The digest (hexadecimal) of what the delegator signed: by it the log knows this one from any other."""
        return INTL.hash.digest(self.statement).hex()

    def encode(self) -> bytes:
        """Its one spelling."""
        parts = {
            name: base64.b64encode(getattr(self, name)).decode() for name in ("statement", "cms", "ocsp")
        }
        return canonical.encode({"v": 1, "id": self.id, **parts})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises MalformedEvidence."""
        try:
            body = canonical.decode(data)
            found = cls(
                body["id"],
                *(base64.b64decode(body[name], validate=True) for name in ("statement", "cms", "ocsp")),
            )
            same = found.encode() == data
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedEvidence(reason=f"a delegation of another form ({error})") from error
        if not same:
            raise MalformedEvidence(reason="another spelling of a delegation")
        return found


def check(
    delegation: SignedDelegation, statement: Statement, signed: Signed, around: Surroundings, held: list[Text]
) -> None:
    """Hold a delegation against the act that was done by it.

    1. Its signature holds, was there before the act's, and its certificate was good then; the signer is who it names. 2. It is
    a delegation of the very post, to the very person. 3. The instant that the act's timestamp proves lies in its window. 4.
    Where it is limited to some actions, this is one of them.

    Raises what `signatures.check` raises, and BeyondDelegation; KeyError, TypeError or ValueError for another form.
    """
    given = Statement.decode(delegation.statement)
    by = signed_by(delegation.cms, delegation.statement, around, [delegation.ocsp])
    content = given.content
    begins, ends = (parse_rfc3339(content[name]) for name in ("valid_from", "valid_to"))
    actions = content.get("actions")
    for holds, part in (
        (
            by.certificate.subject.get("serialNumber") == given.person,
            Text("委托人不是签名人", "another signed it"),
        ),
        (by.at <= signed.at, Text("委托签于该操作之后", "it was signed after the act")),
        (
            (given.type, given.subject) == (VERB, f"post:{given.post}"),
            Text("不是委托", "it delegates nothing"),
        ),
        ((given.post, given.organ) == (statement.post, statement.organ), Text("岗位不同", "another post")),
        (content["delegate"] == statement.person, Text("受托人不同", "another delegate")),
        (
            begins.replace(microsecond=0) <= signed.at < ends,  # timestamps tell whole seconds
            Text(
                f"该操作（{official(signed.at)}）不在委托期内",
                f"the act, at {official(signed.at)}, is outside its window",
            ),
        ),
        (
            actions is None or statement.type in actions,
            Text(f"委托不含 {statement.type}", f"{statement.type} is not among its actions"),
        ),
    ):
        if not holds:
            raise BeyondDelegation(delegation=delegation.id, part=part)
    who = by.certificate.subject.common_name or given.person
    limited = Text("", "") if actions is None else Text("，限于所列操作", ", limited to some actions")
    held.append(
        Text(
            f"签名人受 {who} 委托代行其岗位 {given.post}，期间 {official(begins)} 至 {official(ends)}{limited.zh}；委托由其本人签名，该操作在委托期内",
            f"the signer acted for {who} in the post {given.post} by a delegation from {official(begins)} to {official(ends)}{limited.en}, signed by that person; the act lies within it",
        )
    )
