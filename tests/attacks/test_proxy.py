"""Behind Debian's nginx with the configuration that we ship: the certificate of its TLS connection, and nothing else.

Seen to fail when: `PeerLayer` believes the header on every connection.
"""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.laws.province import identity
from tests.laws.serving import Served
from tests.support.nginx import fronting
from yinxin.client.transports import present
from yinxin.crypto.keys import Identity

HOST = "127.0.0.1"
TLS = "/api/authz/v1/sessions/tls"


@pytest.fixture(scope="module")
def served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("proxied") / "data"))
    with Served(folder, "server.threads=2", "web.proxy=socket", "authz.attempts_per_minute=1000") as served:
        yield served


@pytest.fixture(scope="module")
def front(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of nginx."""
    with fronting(tmp_path_factory.mktemp("nginx"), served.folder) as port:
        yield port


@pytest.fixture
def through(served: Served, front: int) -> Callable[..., httpx.Client]:
    """A connection through nginx, with somebody's certificate or none."""

    def connect(shown: Identity | None = None, port: int = front) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(served.trust))
        if shown is not None:
            present(context, shown)
        return httpx.Client(base_url=f"https://{HOST}:{port}", verify=context, timeout=60)

    return connect


def test_the_certificate_of_the_connection_to_nginx(
    served: Served, through: Callable[..., httpx.Client]
) -> None:
    with through(identity(served.folder, "demo-clerk")) as http:
        answer = http.post(TLS, json={}).json()
        assert answer["caller"]["person"] == "demo-clerk"
        token = answer["token"]
    headers = {"Authorization": f"Bearer {token}"}
    with through(identity(served.folder, "demo-leader")) as http:
        stolen = http.get("/api/authz/v1/sessions/current", headers=headers)
        assert stolen.json()["code"] == "authz.session_of_another"
    with through() as http:
        assert http.post(TLS, json={}).json()["code"] == "authz.no_certificate_shown"
        assert http.get("/sign-in").headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "name", ["X-Client-Cert", "x-client-cert", "X_Client_Cert", "X-Client_Cert", "X.Client.Cert"]
)
def test_a_readers_header_through_nginx_is_nobodys(
    served: Served, through: Callable[..., httpx.Client], name: str
) -> None:
    pem = quote(identity(served.folder, "demo-leader").certificate.pem)
    with through() as http:
        assert http.post(TLS, json={}, headers={name: pem}).json()["code"] == "authz.no_certificate_shown"
        twice = http.post(TLS, json={}, headers=[(name, pem), (name, pem)])
        assert twice.json()["code"] == "authz.no_certificate_shown"
    with through(identity(served.folder, "demo-clerk")) as http:
        own = http.post(TLS, json={}, headers={name: pem})
        assert own.json()["caller"]["person"] == "demo-clerk"


def test_the_same_header_on_our_own_port_is_nobodys(
    served: Served, through: Callable[..., httpx.Client]
) -> None:
    pem = quote(identity(served.folder, "demo-leader").certificate.pem)
    with through(port=int(str(served.where["port"]))) as http:
        answer = http.post(TLS, json={}, headers={"X-Client-Cert": pem, "X-Proxy-Secret": "s" * 32})
        assert answer.json()["code"] == "authz.no_certificate_shown"
    with through(identity(served.folder, "demo-clerk"), port=int(str(served.where["port"]))) as http:
        answer = http.post(TLS, json={}, headers={"X-Client-Cert": pem})
        assert answer.json()["caller"]["person"] == "demo-clerk"


def test_a_line_break_in_a_header_smuggles_nothing(served: Served, front: int) -> None:
    """A request inside a request's header or body: neither nginx nor we take it for one with a certificate."""
    pem = quote(identity(served.folder, "demo-leader").certificate.pem)
    inner = f"POST {TLS} HTTP/1.1\r\nHost: {HOST}\r\nX-Client-Cert: {pem}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    for outer in (
        f"GET /sign-in HTTP/1.1\r\nHost: {HOST}\r\nX: y\nX-Client-Cert: {pem}\r\n\r\n",
        f"POST {TLS} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{inner}",
    ):
        context = ssl.create_default_context(cafile=str(served.trust))
        with (
            socket.create_connection((HOST, front), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as link,
        ):
            link.settimeout(3)
            link.sendall(outer.encode())
            answer = b""
            try:
                while part := link.recv(65536):
                    answer += part
            except TimeoutError:
                pass
        assert b"demo-leader" not in answer
        assert b'"token"' not in answer


def test_the_certificate_of_another_authority_with_the_same_names(
    served: Served, front: int, tmp_path: Path
) -> None:
    """The issuer, the subject, the serial number and the key identifiers are ours; the key is not."""
    real = identity(served.folder, "demo-leader").certificate
    forged = _twin(real)
    for port in (front, int(str(served.where["port"]))):
        context = ssl.create_default_context(cafile=str(served.trust))
        present(context, forged)
        with httpx.Client(base_url=f"https://{HOST}:{port}", verify=context, timeout=30) as http:
            try:
                answer = http.post(TLS, json={})
            except httpx.TransportError:
                continue  # our own port ends the handshake
            assert answer.status_code == 400  # nginx says so in words
            assert "token" not in answer.text


def _twin(real: object) -> Identity:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    from yinxin.crypto.certificates import Certificate
    from yinxin.crypto.keys import PrivateKey
    from yinxin.crypto.suite import INTL

    old = x509.load_der_x509_certificate(real.der)  # type: ignore[attr-defined]
    key = PrivateKey.generate(INTL)
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    builder = x509.CertificateBuilder(
        old.issuer,
        old.subject,
        load_der_public_key(key.public_key.spki),  # type: ignore[arg-type]
        old.serial_number,
        old.not_valid_before_utc,
        old.not_valid_after_utc,
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    from cryptography.hazmat.primitives.serialization import Encoding

    return Identity(key, Certificate(made.public_bytes(Encoding.DER)), ())


def test_nobody_else_may_open_the_socket(served: Served) -> None:
    path = Path(str(served.where["proxy_socket"]))
    assert path.stat().st_mode & 0o777 == 0o660
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-sS", "--unix-socket", str(path), "http://x/sign-in"]  # fmt: skip
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode != 0
    assert not tried.stdout
