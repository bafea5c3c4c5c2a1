"""The core asked through the SDK's client: what an application does here, a department's own system can do."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from yinxin.act import Actor
from yinxin.authz import Resource
from yinxin.calendar import Calendar
from yinxin.client import Client
from yinxin.condition import Condition
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertId, OcspRequest
from yinxin.flow.core import Delegated


class RemoteCore:
    """The core in the name of one signed-in person (`yinxin.flow.Core`), for records that the policies call `kind`."""

    def __init__(self, client: Client, kind: str) -> None:
        self._client = client
        self._kind = kind
        #: authority certificates by the name in their address
        self._authorities: dict[str, Certificate] = {}

    def require(self, action: str, resource: Resource) -> Mapping[str, Any]:
        return self._client.authz.require(action, resource)

    def visible(self, action: str) -> Condition:
        return self._client.authz.visible(action, self._kind)

    def calendar(self) -> Calendar:
        return self._client.calendar.calendar()

    def query_timestamp(self, request: bytes, suite: str) -> bytes:
        return self._client.ca.timestamp(request, suite=suite)

    def ocsp(self, certificate: Certificate) -> bytes:
        issuer = self.issuer(certificate)
        return self._client.ca.ocsp(OcspRequest.build([CertId.of(certificate.serial, issuer)]))

    def attributes(self, certificate: Certificate, actor: Actor) -> bytes:
        wanted = {"person": actor.id, "certificate": f"{certificate.serial:x}", "state": "issued"}
        for each in self._client.ca.attribute_certificates(**wanted):
            if (each.post, each.organ) == (actor.post, actor.organ):
                whole = self._client.ca.attribute_certificate(each.serial)
                if whole.bundle_pem and not whole.load().targets:
                    return whole.bundle_pem.encode()
        return b""

    def delegation(self) -> Delegated | None:
        found = self._client.authz.delegation()
        return None if found is None else Delegated(found.id, found.statement, found.signature)

    def issuer(self, certificate: Certificate) -> Certificate:
        """The authority that issued `certificate`, from the address that stands in it."""
        urls = certificate.ca_issuer_urls
        name = PurePosixPath(urlsplit(urls[0]).path).stem if urls else ""
        if name not in self._authorities:
            self._authorities[name] = self._client.ca.authority(name)
        return self._authorities[name]
