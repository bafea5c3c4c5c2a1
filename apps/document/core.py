"""What this application asks of the core, always as the person who acts; nothing else of the core is known here.

`ops` hands in an implementation on the SDK's client, over mutual TLS or in-process alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from yinxin.authz import Resource
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ as documents need it: `code` is its 机关代字."""

    id: str
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Seal:
    """An organ's seal in one suite: a signer whose key stays in the key centre, and its certificates, leaf first."""

    signer: Signer
    certificate: Certificate
    chain: tuple[Certificate, ...]


class Core(Protocol):
    """The core, asked as one signed-in person."""

    def require(self, action: str, resource: Resource) -> Mapping[str, Any]:
        """The decision's record; raises NotPermitted with the reason."""
        ...

    def allowed(self, action: str, resources: Sequence[Resource]) -> Sequence[bool]:
        """Whether each is permitted, in their order and unrecorded: for what a list shows."""
        ...

    def organ(self, organ: str) -> Organ:
        """An organ of the directory; raises NotFound."""
        ...

    def seal(self, organ: str, suite: str, subject: str) -> Seal:
        """The organ's seal; each use is authorised and recorded against `subject`. Raises NotFound, NotPermitted."""
        ...

    def seal_chain(self, organ: str, suite: str) -> tuple[Certificate, ...]:
        """The certificate of the organ's seal and its issuers up to and with the root; uses no key."""
        ...

    def evidence_seal(self, subject: str) -> Seal:
        """The platform's own seal for evidence bundles; each use is authorised and recorded against `subject`."""
        ...

    def query_timestamp(self, request: bytes, suite: str) -> bytes:
        """Our timestamp authority's answer (RFC 3161 TimeStampResp, DER) to a request (DER)."""
        ...

    def timestamp_chain(self, suite: str) -> tuple[Certificate, ...]:
        """The timestamp authority's certificate and its issuers up to and with the root."""
        ...

    def chain(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """The issuers of `certificate` up to and with the root."""
        ...

    def ocsp(self, certificate: Certificate) -> bytes:
        """A fresh OCSP response (DER) for `certificate`."""
        ...

    def crl(self, issuer: Certificate) -> bytes:
        """The current CRL (DER) of `issuer`."""
        ...

    def proof(self, entry: str) -> bytes:
        """The log proof of an audit entry, once it is under a signed checkpoint."""
        ...
