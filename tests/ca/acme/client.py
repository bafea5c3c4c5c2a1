"""A client of ACME written for tests: it says exactly what it is told to, right or wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import Client, TestResponse

from yinxin.crypto.jose import Jwk, encode64, mac, sign
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL

HOST = "https://trust.example.gov.cn"
JOSE = "application/jose+json"
URN = "urn:ietf:params:acme:error:"


@dataclass
class AcmeClient:
    """One client with one key."""

    http: Client
    key: PrivateKey = field(default_factory=lambda: PrivateKey.generate(INTL))
    kid: str | None = None

    def directory(self) -> dict[str, Any]:
        return json.loads(self.http.get("/acme/directory", base_url=HOST).data)

    def nonce(self) -> str:
        return self.http.head("/acme/new-nonce", base_url=HOST).headers["Replay-Nonce"]

    def jwk(self) -> dict[str, str]:
        return dict(Jwk.of(self.key.public_key).members)

    def signed(
        self,
        url: str,
        payload: Any,
        *,
        header: Mapping[str, Any] | None = None,
        key: PrivateKey | None = None,
        drop: tuple[str, ...] = (),
    ) -> dict[str, str]:
        """A JWS as it should be, but for `header` and `drop`."""
        who = {"kid": self.kid} if self.kid else {"jwk": self.jwk()}
        whole = {"nonce": self.nonce(), "url": url, **who, **(header or {})}
        kept = {name: value for name, value in whole.items() if name not in drop}
        octets = (
            b""
            if payload is None
            else payload
            if isinstance(payload, bytes)
            else json.dumps(payload).encode()
        )
        return sign(key or self.key, kept, octets)

    def send(self, url: str, body: Any, media_type: str = JOSE, method: str = "POST") -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.open(
            url.removeprefix(HOST), base_url=HOST, method=method, data=data, content_type=media_type
        )

    def post(self, url: str, payload: Any, **parts: Any) -> TestResponse:
        return self.send(url, self.signed(url, payload, **parts))

    def get(self, url: str) -> dict[str, Any]:
        """POST-as-GET of JSON."""
        answer = self.post(url, None)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.data)

    # --- the usual way -----------------------------------------------------------------------------------------

    def binding(self, kid: str, secret: bytes, url: str | None = None) -> dict[str, str]:
        where = url or f"{HOST}/acme/new-account"
        return mac(secret, {"kid": kid, "url": where}, json.dumps(self.jwk()).encode())

    def register(self, kid: str, secret: bytes, **payload: Any) -> TestResponse:
        url = f"{HOST}/acme/new-account"
        given = {"externalAccountBinding": self.binding(kid, secret), "termsOfServiceAgreed": True, **payload}
        answer = self.post(url, given)
        if answer.status_code in (200, 201):
            self.kid = answer.headers["Location"]
        return answer

    def order(self, *names: str, **payload: Any) -> tuple[str, dict[str, Any]]:
        answer = self.new_order(*names, **payload)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"], json.loads(answer.data)

    def new_order(self, *names: str, **payload: Any) -> TestResponse:
        identifiers = [{"type": "ip" if name[0].isdigit() else "dns", "value": name} for name in names]
        return self.post(f"{HOST}/acme/new-order", {"identifiers": identifiers, **payload})

    def key_authorization(self, token: str) -> str:
        return f"{token}.{Jwk.of(self.key.public_key).thumbprint}"

    def challenge(self, authorization: str, kind: str = "http-01") -> dict[str, Any]:
        found = self.get(authorization)
        return next(each for each in found["challenges"] if each["type"] == kind)

    def finalize(self, order: Mapping[str, Any], csr: bytes | None = None) -> TestResponse:
        return self.post(order["finalize"], {"csr": encode64(csr or request_for(order))})


def request_for(order: Mapping[str, Any], key: PrivateKey | None = None, **subject: str) -> bytes:
    """A request for exactly the names of an order."""
    san = [(each["type"], each["value"]) for each in order["identifiers"]]
    return CertificationRequest.build(key or PrivateKey.generate(INTL), subject, san).der


def problem(answer: TestResponse, kind: str, status: int) -> dict[str, Any]:
    """The problem document of an answer, held to its form."""
    assert answer.content_type == "application/problem+json", answer.text
    document = json.loads(answer.data)
    assert (document["type"], document["status"], answer.status_code) == (URN + kind, status, status), (
        document
    )
    assert " / " in document["detail"]
    assert f'<{HOST}/acme/directory>;rel="index"' in answer.headers.getlist("Link")
    return document
