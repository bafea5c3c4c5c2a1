"""The core asked through the SDK's client: what this application does here, a department's own system can do.

Names of keys: an organ's seal is `seal-<organ>-<suite>`, the evidence seal `<suite>-evidence`, the timestamp
authority `<suite>-tsa`.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from apps.document.core import Organ, Seal
from apps.document.errors import NoSeal
from yinxin.authz import Resource
from yinxin.client import Client
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertId, OcspRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import NotFound

_PURPOSE = "document.seal"


class RemoteCore:
    """The core in the name of one signed-in person (`apps.document.core.Core`)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        #: authority certificates by the name in their address
        self._authorities: dict[str, Certificate] = {}

    def require(self, action: str, resource: Resource) -> Mapping[str, Any]:
        return self._client.authz.require(action, resource)

    def allowed(self, action: str, resources: Sequence[Resource]) -> Sequence[bool]:
        questions = [(action, each, None) for each in resources]
        return [each.allowed for each in self._client.authz.check_many(questions)] if questions else []

    def organ(self, organ: str) -> Organ:
        found = self._client.authz.organ(organ)
        return Organ(found.id, found.name.zh, found.short_name)

    def seal(self, organ: str, suite: str, subject: str) -> Seal:
        return self._seal(f"seal-{organ}-{suite}", organ, suite, subject)

    def seal_chain(self, organ: str, suite: str) -> tuple[Certificate, ...]:
        return self._client.ca.chain_of(self._client.kms.key(f"seal-{organ}-{suite}").verifier())

    def evidence_seal(self, subject: str) -> Seal:
        return self._seal(f"{INTL.name}-evidence", "platform", INTL.name, subject)

    def query_timestamp(self, request: bytes, suite: str) -> bytes:
        return self._client.ca.timestamp(request, suite=suite)

    def timestamp_chain(self, suite: str) -> tuple[Certificate, ...]:
        return self._client.ca.chain_of(self._client.kms.key(f"{suite}-tsa").verifier())

    def chain(self, certificate: Certificate) -> tuple[Certificate, ...]:
        issuers: list[Certificate] = []
        below = certificate
        while not below.is_self_issued:
            below = self._authority(_name(below.ca_issuer_urls))
            issuers.append(below)
        return tuple(issuers)

    def ocsp(self, certificate: Certificate) -> bytes:
        issuer = self._authority(_name(certificate.ca_issuer_urls))
        return self._client.ca.ocsp(OcspRequest.build([CertId.of(certificate.serial, issuer)]))

    def crl(self, issuer: Certificate) -> bytes:
        return self._client.ca.crl(self._client.ca.authority_of(issuer.public_key))

    def proof(self, entry: str) -> bytes:
        return self._client.audit.proof(entry)

    def _seal(self, label: str, organ: str, suite: str, subject: str) -> Seal:
        try:
            signer = self._client.kms.signer(label, purpose=_PURPOSE, subject=subject)
            certificate, *chain = self._client.ca.chain_of(signer.public_key)
        except NotFound as error:
            raise NoSeal(organ=organ, suite=suite) from error
        return Seal(signer, certificate, tuple(chain))

    def _authority(self, name: str) -> Certificate:
        if name not in self._authorities:
            self._authorities[name] = self._client.ca.authority(name)
        return self._authorities[name]


def _name(urls: tuple[str, ...]) -> str:
    """The authority's name in the address at which its certificate says it can be had."""
    return PurePosixPath(urlsplit(urls[0]).path).stem if urls else ""
