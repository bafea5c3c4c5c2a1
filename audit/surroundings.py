"""What the log is told by the floors above it: the tree of organs, and the words for what its entries name."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from yinxin.errors import Unavailable
from yinxin.text import Text

Rows = Iterator[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Executed:
    """A proposal that was carried out: its kind, the SHA-256 of its document (hexadecimal) and what it says is to be done.

    `signed` are the certificates (SHA-256 of the DER, hexadecimal) of those approvals whose signatures hold and whose signers
    were entitled to approve it then; `unentitled` those of signers who were not, and why; `needed` is how many the document
    asks for, `basis` the law or decision that it rests on.
    """

    kind: str
    digest: str
    content: Any
    signed: frozenset[str]
    needed: int
    basis: str = ""
    unentitled: Mapping[str, Text] = field(default_factory=dict)


class Surroundings(Protocol):
    """Handed in at assembly; `audit` itself knows identifiers only."""

    def below(self, organ: str) -> Sequence[str]:
        """The organ and every one below it in the directory, those dissolved since among them."""
        ...

    def tenant(self, organ: str) -> str | None:
        """The tenant that an organ is or lies in; None for the host's own."""
        ...

    def tenants(self) -> Collection[str]:
        """Every organ that lies in a tenant."""
        ...

    def verb(self, name: str) -> Text | None:
        """What an act is called."""
        ...

    def verbs(self) -> Sequence[tuple[str, Text]]:
        """Every act that is recorded, and what it is called; by module."""
        ...

    def modules(self) -> Sequence[tuple[str, Text]]:
        """Every module, and what it is called."""
        ...

    def person(self, id: str) -> bool:  # noqa: A002 - the field's name
        """Whether the directory has, or had, a person of that identifier."""
        ...

    def policy(self, id: str) -> Text | None:  # noqa: A002 - the field's name
        """What a policy in force says."""
        ...

    def executed(self, proposal: str) -> Executed | None:
        """The proposal, if it is on record, unaltered and carried out."""
        ...

    def tables(self, report: str) -> Sequence[tuple[str, Text, Sequence[tuple[str, Text]], Rows]]:
        """What modules add to a kind of report: name, title, columns, and the rows as they are now."""
        ...

    def seal(self, pdf: bytes, files: Sequence[tuple[str, str, bytes]], reason: str) -> bytes:
        """The PDF signed by the platform, with files (name, media type, content) inside; raises what hinders it."""
        ...


class CannotSeal(Unavailable):
    """The log was assembled without the floors whose key signs reports."""

    code = "audit.cannot_seal"
    zh = "本进程没有装配密钥中心和签发机构，不能为报告签名；请用完整的平台进程。"
    en = "This process was assembled without key centre and authority, and cannot sign reports; use a whole platform process."


class Alone:
    """A log without anything above it: organs have nothing below, and nothing has words."""

    def below(self, organ: str) -> Sequence[str]:
        """Only the organ itself."""
        return (organ,)

    def tenant(self, organ: str) -> str | None:  # noqa: ARG002 - the protocol's signature
        """No tenant."""
        return None

    def tenants(self) -> Collection[str]:
        """None."""
        return ()

    def verb(self, name: str) -> Text | None:  # noqa: ARG002 - the protocol's signature
        """No words."""
        return None

    def verbs(self) -> Sequence[tuple[str, Text]]:
        """None."""
        return ()

    def modules(self) -> Sequence[tuple[str, Text]]:
        """None."""
        return ()

    def person(self, id: str) -> bool:  # noqa: A002, ARG002 - the protocol's signature
        """Nobody."""
        return False

    def policy(self, id: str) -> Text | None:  # noqa: A002, ARG002 - the protocol's signature
        """No words."""
        return None

    def executed(self, proposal: str) -> Executed | None:  # noqa: ARG002 - the protocol's signature
        """Nobody proposes anything here."""
        return None

    def tables(self, report: str) -> Sequence[tuple[str, Text, Sequence[tuple[str, Text]], Rows]]:  # noqa: ARG002 - the protocol's signature
        """None."""
        return ()

    def seal(self, pdf: bytes, files: Sequence[tuple[str, str, bytes]], reason: str) -> bytes:  # noqa: ARG002 - the protocol's signature
        """Nobody is here to sign."""
        raise CannotSeal
