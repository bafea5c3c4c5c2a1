"""What this application asks of the core, always as the person who acts; nothing else of the core is known here.

`ops` hands in an implementation on the SDK's client, over mutual TLS or in-process alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from yinxin import flow
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer
from yinxin.crypto.seal import Seal as SealStructure
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ as documents need it: `code` is its 机关代字, `parent` the organ above it."""

    id: str
    name: str
    code: str
    parent: str | None
    level: str


@dataclass(frozen=True, slots=True)
class Post:
    """A post of an organ, to which work is given."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal in one suite: a signer whose key stays in the key centre, and its certificates, leaf first."""

    signer: Signer
    certificate: Certificate
    chain: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class SealUse:
    """A use of an organ's seal that has begun: the seal as its maker signed it (GB/T 38540), and who signs in each suite."""

    id: str
    structure: SealStructure
    suites: Mapping[str, Seal]


@dataclass(frozen=True, slots=True)
class NameSeal:
    """A person's name seal: its identifier, and the structure that its maker signed (GB/T 38540)."""

    id: str
    structure: SealStructure


class Core(flow.Core, Protocol):
    """The core, asked as one signed-in person."""

    def organ(self, organ: str) -> Organ:
        """An organ of the directory; raises NotFound."""
        ...

    def organs(self) -> Mapping[str, Organ]:
        """Every organ of the directory, by its identifier."""
        ...

    def posts(self, organ: str) -> Sequence[Post]:
        """The posts of an organ."""
        ...

    def seal_size(self, organ: str) -> int | None:
        """Width of the organ's seal in mm; None when it has none yet."""
        ...

    def begin_seal_use(self, organ: str, *, subject: str, title: str, approval: str) -> SealUse:
        """Begin a use of the organ's seal on `subject`, on the approval that is on record as the entry `approval`.

        Raises NoSeal, NotPermitted.
        """
        ...

    def name_seal(self, organ: str, person: str) -> NameSeal | None:
        """The name seal in use that a person of the organ has, who asks; None where she has none."""
        ...

    def use_name_seal(self, seal: NameSeal, *, subject: str, title: str, approval: str) -> str:
        """Begin its use, on the holder's own sign-off that is on record as `approval`; raises NotPermitted."""
        ...

    def finish_seal_use(self, use: str, *, sha256: str, sm3: str) -> None:
        """Say what came out of a use, by its digests (hexadecimal)."""
        ...

    def seal_chain(self, organ: str, suite: str) -> tuple[Certificate, ...]:
        """The certificate of the organ's seal and its issuers up to and with the root; uses no key."""
        ...

    def evidence_seal(self, subject: str) -> Seal:
        """The platform's own seal for evidence bundles; each use is authorised and recorded against `subject`."""
        ...

    def timestamp_chain(self, suite: str) -> tuple[Certificate, ...]:
        """The timestamp authority's certificate and its issuers up to and with the root."""
        ...

    def chain(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """The issuers of `certificate` up to and with the root."""
        ...

    def crl(self, issuer: Certificate) -> bytes:
        """The current CRL (DER) of `issuer`."""
        ...

    def proof(self, entry: str) -> bytes:
        """The log proof of an audit entry, once it is under a signed checkpoint."""
        ...

    def checkpoint_record(self, size: int) -> bytes | None:
        """The evidence record of the log's checkpoint of that size: its timestamp and every renewal, if it has one."""
        ...

    def witness_policy(self) -> bytes | None:
        """The policy of the log's witnesses, if it has any."""
        ...
