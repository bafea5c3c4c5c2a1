"""ACME, the full flow with http-01, by one and the same client: our server beside OpenBao's, both durable.

Each certificate takes a new order for an address that was never validated, the authorization read, the challenge
answered and validated over the network, the order finalized and the certificate fetched.
"""

import json
import secrets
import tempfile
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import BAD_REQUEST, HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLEOFError
from statistics import median
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from ops.bench.measure import Result
from ops.bench.openbao import ROLE, Ask, openbao
from ops.bench.served import CLIENTS, Rate, Served, cpu_seconds, ours
from yinxin.crypto.jose import Jwk, encode64, mac, sign
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL

ROUNDS, _COUNT = 3, 40
#: the port of http-01, which OpenBao does not let choose; taking it needs the right to
_HTTP = 80
#: seconds between two looks at what is not ready, and after which it never will be
_POLL, _PATIENCE = 0.02, 60.0


def acme() -> Iterator[Result]:
    """Certificates per second of the server's CPU, and per second of the wall clock."""
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as name, _answers() as answers:
        folder = Path(name)
        every = "ca.acme.authorization_days=0"
        with openbao(folder, _enabled) as theirs, ours(folder, every) as own:
            eab = json.loads((folder / "yinxin" / "credentials" / "acme_eab.json").read_text("utf-8"))
            contestants = {
                "ours": [_Client(own, "/acme/directory", answers, eab) for _ in range(CLIENTS)],
                "OpenBao": [_Client(theirs, "/v1/pki/acme/directory", answers) for _ in range(CLIENTS)],
            }
            found = _rates(contestants)
    includes = (
        f"{CLIENTS} accounts, P-256, per certificate: new order, authorization, http-01 validated, finalized, fetched. "
        "Ours: TLS, nonces, policy and lint, SoftHSM2, audit records, OCSP answers (SQLite, synchronous=FULL). "
        "OpenBao: plain HTTP, raft, key in its own memory, no audit device"
    )
    us, them = found["ours"], found["OpenBao"]
    yield Result("acme", us.cpu, "certificates per CPU-second of the server", {"OpenBao": them.cpu}, includes)
    yield Result("acme-wall", us.wall, "certificates per second", {"OpenBao": them.wall}, includes)


def _rates(contestants: Mapping[str, Sequence["_Client"]]) -> dict[str, Rate]:
    found: dict[str, list[Rate]] = {name: [] for name in contestants}
    for round_ in range(ROUNDS + 1):
        for name, clients in contestants.items():
            process = clients[0].server.process
            cpu, wall = cpu_seconds(process), time.monotonic()
            with ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(lambda client: client.work(_COUNT // CLIENTS), clients))
            cpu, wall = cpu_seconds(process) - cpu, time.monotonic() - wall
            if round_:  # the first one warms
                found[name].append(Rate(_COUNT / max(cpu, 0.01), _COUNT / wall))
    return {
        name: Rate(median(r.cpu for r in rates), median(r.wall for r in rates))
        for name, rates in found.items()
    }


def _enabled(ask: Ask, address: str, token: str) -> None:
    """ACME on OpenBao's authority, for accounts without further proof."""
    headers = {
        "passthrough_request_headers": ["If-Modified-Since"],
        "allowed_response_headers": ["Last-Modified", "Location", "Replay-Nonce", "Link"],
    }
    ask("POST", "sys/mounts/pki/tune", headers, token)
    ask("POST", "pki/config/cluster", {"path": f"{address}/v1/pki"}, token)
    ask("POST", f"pki/roles/{ROLE}", {"allow_any_name": True, "require_cn": False, "key_type": "ec"}, token)
    policy = {"enabled": True, "default_directory_policy": f"role:{ROLE}", "eab_policy": "not-required"}
    ask("POST", "pki/config/acme", policy, token)


@contextmanager
def _answers() -> Iterator[dict[str, str]]:
    """What the well-known path of every address of this machine answers, by token."""
    known: dict[str, str] = {}

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = known.get(self.path.rpartition("/")[2], "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.0", _HTTP), Answering, bind_and_activate=False) as server:
        server.server_address = ("", _HTTP)
        server.server_bind()
        server.server_activate()
        Thread(target=server.serve_forever, daemon=True).start()
        yield known
        server.shutdown()


class _Client:
    """An account of its own, on a connection that it keeps."""

    def __init__(
        self,
        server: Served,
        directory: str,
        answers: dict[str, str],
        eab: Mapping[str, str] | None = None,
    ) -> None:
        self.server = server
        self._answers = answers
        self._key = PrivateKey.generate(INTL)
        self._connection: HTTPConnection = server.connect()
        self._kid = self._nonce = ""
        self._urls = json.loads(self._send("GET", directory)[1])
        self._send("HEAD", self._urls["newNonce"])
        account: dict[str, Any] = {"termsOfServiceAgreed": True}
        if eab is not None:
            secret = urlsafe_b64decode(eab["hmac_key"] + "=" * (-len(eab["hmac_key"]) % 4))
            protected = {"kid": eab["kid"], "url": self._urls["newAccount"]}
            account["externalAccountBinding"] = mac(secret, protected, json.dumps(self._jwk()).encode())
        self._kid = self._post(self._urls["newAccount"], account)[0]["location"]

    def work(self, count: int) -> None:
        """So many certificates; raises RuntimeError for an answer that is no success."""
        for _ in range(count):
            self._certificate()

    def _certificate(self) -> None:
        address = f"127.{secrets.randbelow(255)}.{secrets.randbelow(255)}.{1 + secrets.randbelow(254)}"
        asked = {"identifiers": [{"type": "ip", "value": address}]}
        headers, said = self._post(self._urls["newOrder"], asked)
        where, order = headers["location"], json.loads(said)
        (authorization,) = order["authorizations"]
        found = self._get(authorization)
        challenge = next(each for each in found["challenges"] if each["type"] == "http-01")
        token = challenge["token"]
        self._answers[token] = f"{token}.{Jwk.of(self._key.public_key).thumbprint}"
        self._post(challenge["url"], {})
        self._until(authorization, "valid")
        del self._answers[token]
        csr = CertificationRequest.build(PrivateKey.generate(INTL), {}, [("ip", address)])
        self._post(order["finalize"], {"csr": encode64(csr.der)})
        done = self._until(where, "valid")
        _, chain = self._post(done["certificate"], None)
        if b"BEGIN CERTIFICATE" not in chain:
            raise RuntimeError(chain.decode("utf-8", "replace")[:200])

    def _until(self, url: str, state: str) -> Any:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            found = self._get(url)
            if found["status"] == state:
                return found
            if found["status"] == "invalid":
                raise RuntimeError(json.dumps(found)[:500])
            time.sleep(_POLL)
        raise RuntimeError(f"{url} does not become {state}")

    def _get(self, url: str) -> Any:
        return json.loads(self._post(url, None)[1])

    def _jwk(self) -> dict[str, str]:
        return dict(Jwk.of(self._key.public_key).members)

    def _post(self, url: str, payload: Mapping[str, Any] | None) -> tuple[Mapping[str, str], bytes]:
        who = {"kid": self._kid} if self._kid else {"jwk": self._jwk()}
        octets = b"" if payload is None else json.dumps(payload).encode()
        body = sign(self._key, {"nonce": self._nonce, "url": url, **who}, octets)
        return self._send("POST", url, json.dumps(body).encode())

    def _send(self, method: str, url: str, body: bytes | None = None) -> tuple[Mapping[str, str], bytes]:
        try:
            answer = self._asked(method, url, body)
        except (ConnectionError, SSLEOFError):  # it had waited for longer than the server keeps one
            self._connection.close()
            answer = self._asked(method, url, body)
        said = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        self._nonce = headers.get("replay-nonce", self._nonce)
        if answer.status >= BAD_REQUEST:
            raise RuntimeError(f"{url}: {answer.status} {said.decode('utf-8', 'replace')[:500]}")
        return headers, said

    def _asked(self, method: str, url: str, body: bytes | None) -> HTTPResponse:
        self._connection.request(method, urlsplit(url).path, body, {"Content-Type": "application/jose+json"})
        return self._connection.getresponse()
