"""The real server: what strangers send on its ports holds nobody up and names nobody.

Seen to fail when: the sockets of `ops.listening` are ssl's own; `forwarder_headers` is gunicorn's own.
"""

import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from ops import listening
from tests.laws.province import identity
from tests.laws.serving import Served

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("served") / "data"))
    with Served(folder, "server.threads=2") as served:
        yield served


def trusting(served: Served) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(served.trust))


@pytest.fixture
def stranger(served: Served) -> Iterator[httpx.Client]:
    address = f"https://{HOST}:{served.where['port']}"
    with httpx.Client(base_url=address, verify=trusting(served), timeout=60) as http:
        yield http


@pytest.mark.parametrize("name", ["X-Client-Cert", "X_Client_Cert", "yinxin.peer_certificate"])
def test_a_header_is_no_certificate(served: Served, stranger: httpx.Client, name: str) -> None:
    pem = quote(identity(served.folder, "demo-leader").certificate.pem)
    answer = stranger.post("/api/authz/v1/sessions/tls", json={}, headers={name: pem})
    assert answer.json()["code"] == "authz.no_certificate_shown"


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "X-Forwarded-Proto"])
def test_nobody_speaks_for_a_proxy_that_is_not_there(stranger: httpx.Client, name: str) -> None:
    assert stranger.get("/sign-in", headers={name: "/x"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "//api/authz/v1/organs",
        "/ocsp/../api/authz/v1/organs",
        "/ca/..%2fapi/authz/v1/organs",
        "/sign-in",
        "/",
    ],
)
def test_the_plain_port_leads_nowhere_else(served: Served, path: str) -> None:
    with socket.create_connection((HOST, int(str(served.where["plain_port"]))), timeout=30) as plain:
        plain.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: plain.recv(65536), b""))
    assert b'"items"' not in answer
    assert answer.split(b" ")[1] in (b"404", b"200")
    assert b"text/html" not in answer


def test_whoever_sends_slowly_loses_her_connection() -> None:
    """Held against the socket itself, with less patience, so that nobody waits for a minute."""
    ours, theirs = socket.socketpair()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = listening.Hurried
    with pytest.MonkeyPatch.context() as patch, ours, theirs:
        patch.setattr(listening, "PATIENCE", 0.2)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            context.wrap_socket(ours, server_side=True)
        assert time.monotonic() - began < 5


def test_whoever_takes_a_moment_is_waited_for(served: Served) -> None:
    """A request that comes a while after the handshake, and in two parts, is within everybody's patience."""
    port = int(str(served.where["port"]))
    with (
        socket.create_connection((HOST, port), timeout=30) as plain,
        trusting(served).wrap_socket(plain, server_hostname=HOST) as link,
    ):
        for part in (b"GET /sign-in HTTP/1.1\r\n", f"Host: {HOST}\r\nConnection: close\r\n\r\n".encode()):
            threading.Event().wait(0.3)
            link.sendall(part)
        assert link.recv(12) == b"HTTP/1.1 200"


def test_connections_opened_ahead_of_need_cost_nobody_a_thread(
    served: Served, stranger: httpx.Client
) -> None:
    """As browsers open them: the handshake done, and then silence. Seen to fail with gunicorn's own worker."""
    port = int(str(served.where["port"]))
    quiet = [
        trusting(served).wrap_socket(socket.create_connection((HOST, port), timeout=30), server_hostname=HOST)
        for _ in range(24)
    ]
    began = time.monotonic()
    try:
        assert stranger.get("/sign-in").status_code == 200
        assert time.monotonic() - began < 10
        link = quiet[-1]  # and when its request comes at last, it is served
        link.sendall(f"GET /sign-in HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        assert link.recv(12) == b"HTTP/1.1 200"
    finally:
        for each in quiet:
            each.close()
