"""Whose certificate it is: from the socket, or from a proxy over a Unix socket; a header on TCP is worth nothing."""

import select
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from yinxin.crypto.errors import MalformedCertificate
from yinxin.web import PeerLayer, WebSettings, peer_certificate
from yinxin.web.errors import BadProxySecret


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "安全管理员-张三")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )


class Socket:
    def __init__(self, family):
        self.family = family


class TlsSocket(Socket):
    def __init__(self, der):
        super().__init__(socket.AF_INET)
        self.der = der

    def getpeercert(self, binary_form=False):
        assert binary_form
        return self.der


def header(certificate):
    return {"HTTP_X_CLIENT_CERT": quote(certificate.public_bytes(serialization.Encoding.PEM).decode())}


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret"
    file.write_text("s" * 32)
    return WebSettings(proxy="secret", proxy_secret_file=str(file))


SOCKET = WebSettings(proxy="socket")
NONE = WebSettings()


def seen(environ, settings):
    """Whose certificate the application sees, and that it sees nothing of the headers."""

    def app(inner, _start):
        assert not [name for name in inner if "CLIENT" in name.upper() or "SECRET" in name.upper()]
        return [peer_certificate(inner)]

    return PeerLayer(app, settings)(environ, None)[0]


def test_from_the_tls_socket(certificate):
    for settings in (NONE, SOCKET):
        assert seen({"gunicorn.socket": TlsSocket(der(certificate))}, settings) == der(certificate)
        assert seen({"gunicorn.socket": TlsSocket(None)}, settings) is None


def test_from_the_proxy_on_its_socket(certificate):
    def environ():
        return {"gunicorn.socket": Socket(socket.AF_UNIX), **header(certificate)}

    assert seen(environ(), SOCKET) == der(certificate)
    assert seen(environ(), NONE) is None


def test_from_the_proxy_with_the_secret(certificate, tmp_path):
    file = tmp_path / "secret"
    file.write_text("s" * 32 + "\n")
    settings = WebSettings(proxy="secret", proxy_secret_file=str(file))
    hop = {"gunicorn.socket": TlsSocket(None), "REMOTE_ADDR": "127.0.0.1", **header(certificate)}
    assert seen({**hop, "HTTP_X_PROXY_SECRET": "s" * 32}, settings) == der(certificate)
    for wrong in ("", "s" * 31, "s" * 33, "S" * 32, "s" * 32 + "," + "s" * 32):
        assert seen({**hop, "HTTP_X_PROXY_SECRET": wrong}, settings) is None
    assert seen(dict(hop), settings) is None
    assert seen({**hop, "HTTP_X_PROXY_SECRET": "s" * 32, "REMOTE_ADDR": "10.0.0.9"}, settings) is None


def test_the_proxys_own_certificate_is_not_the_readers(certificate, tmp_path):
    """A hop that authenticates itself over TLS speaks for a reader without a certificate: she is nobody."""
    file = tmp_path / "secret"
    file.write_text("s" * 32)
    settings = WebSettings(proxy="secret", proxy_secret_file=str(file))
    hop = {
        "gunicorn.socket": TlsSocket(der(certificate)),
        "REMOTE_ADDR": "::1",
        "HTTP_X_PROXY_SECRET": "s" * 32,
    }
    assert seen(hop, settings) is None


@pytest.mark.parametrize("text", ["", "short", "s" * 31])
def test_a_secret_that_is_none_does_not_start(tmp_path, text):
    file = tmp_path / "secret"
    file.write_text(text)
    for name in (str(file), str(tmp_path / "missing"), ""):
        with pytest.raises(BadProxySecret):
            PeerLayer(lambda *_: [], WebSettings(proxy="secret", proxy_secret_file=name))


def test_a_forged_header_on_tcp_is_taken_away(certificate, secret):
    for connection in (Socket(socket.AF_INET), Socket(socket.AF_INET6), TlsSocket(None), None):
        for settings in (NONE, SOCKET, secret):
            environ = {"gunicorn.socket": connection, "REMOTE_ADDR": "10.0.0.9", **header(certificate)}
            assert seen(environ, settings) is None


@pytest.mark.parametrize("name", ["HTTP_X_CLIENT_CERT", "HTTP_X-CLIENT-CERT", "HTTP_X_CLIENT-CERT", "HTTP_XCLIENTCERT", "HTTP_X.CLIENT.CERT", "HTTP_x_client_cert"])  # fmt: skip
def test_every_spelling_is_taken_away(certificate, name):
    environ = {"gunicorn.socket": Socket(socket.AF_INET), name: header(certificate)["HTTP_X_CLIENT_CERT"]}
    assert seen(environ, SOCKET) is None
    assert name not in environ


def test_two_spellings_from_the_hop_are_refused(certificate):
    """What a proxy that lets a reader's own spelling through would send."""
    environ = {"gunicorn.socket": Socket(socket.AF_UNIX), **header(certificate)}
    environ["HTTP_X-CLIENT-CERT"] = environ["HTTP_X_CLIENT_CERT"]
    with pytest.raises(MalformedCertificate):
        seen(environ, SOCKET)


def test_a_forged_header_does_not_override_the_socket(certificate):
    environ = {"gunicorn.socket": TlsSocket(None), **header(certificate)}
    assert seen(environ, SOCKET) is None


def test_no_certificate_from_the_proxy():
    for stated in ("", "-"):
        environ = {"gunicorn.socket": Socket(socket.AF_UNIX), "HTTP_X_CLIENT_CERT": stated}
        assert seen(environ, SOCKET) is None


def test_rubbish_from_the_proxy_is_refused(certificate):
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    rubbish = (
        "CN=\\E5\\AE\\89",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "键",
        pem + pem,
        f"{pem},{pem}",
        "x" + pem,
        pem + "\r\nX-Injected: 1",
        pem[:-40],
        pem.replace("\n", "\0", 1),
    )
    for stated in rubbish:
        with pytest.raises(MalformedCertificate):
            seen({"gunicorn.socket": Socket(socket.AF_UNIX), "HTTP_X_CLIENT_CERT": quote(stated)}, SOCKET)


def test_a_certificate_header_over_http_reaches_nobody(world, certificate):
    """End to end: the WSGI key of in-process clients cannot be set by any header."""
    seen = []

    @world.app.get("/peer")
    def peer():
        from flask import request

        seen.append(peer_certificate(request.environ))
        return ""

    for name in ("yinxin.peer_certificate", "yinxin.peer-certificate", "X-Client-Cert", "gunicorn.socket"):
        world.client().get("/peer", headers={name: quote(header(certificate)["HTTP_X_CLIENT_CERT"])})
    assert seen == [None] * 4


APP = """
from yinxin.web import PeerLayer, WebSettings, peer_certificate

def answer(environ, start_response):
    found = peer_certificate(environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [(found.hex() if found else "nobody").encode()]

app = PeerLayer(answer, WebSettings(proxy="socket"))
"""
CONFIG = """
import ssl
worker_class = "gthread"
control_socket_disable = True
bind = {bind!r}
if {tls}:
    certfile = keyfile = {server!r}
    ca_certs = {server!r}
    cert_reqs = ssl.CERT_OPTIONAL
"""


@pytest.fixture
def gunicorn(tmp_path):
    """A real gunicorn that says whose certificate it sees."""
    processes = []

    def start(bind, server=None):
        (tmp_path / "peer_app.py").write_text(APP)
        config = tmp_path / "conf.py"
        config.write_text(CONFIG.format(bind=bind, tls=server is not None, server=str(server)))
        command = [sys.executable, "-m", "gunicorn", "-c", str(config), "peer_app:app"]
        processes.append(subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL))

    yield start
    for process in processes:
        process.terminate()
        process.wait(10)


def ask(client, **headers):
    """The answer, once the server is there."""
    for _ in range(200):
        try:
            return client.get("/", headers=headers).text
        except httpx.TransportError:
            assert not select.select([], [], [], 0.05)[0]
    raise AssertionError("gunicorn did not start")


def test_gunicorn_gives_the_certificate_of_the_tls_connection(gunicorn, certificate, key, tmp_path):
    pem = tmp_path / "both.pem"
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem.write_bytes(key.private_bytes(encoding, form, plain) + certificate.public_bytes(encoding))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gunicorn(f"127.0.0.1:{port}", pem)
    context = ssl.create_default_context(cafile=pem)
    context.check_hostname = False
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context) as client:
        assert ask(client) == "nobody"
        assert ask(client, **{"X-Client-Cert": header(certificate)["HTTP_X_CLIENT_CERT"]}) == "nobody"
    context.load_cert_chain(pem)
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context) as client:
        assert ask(client) == der(certificate).hex()


def test_gunicorn_on_a_unix_socket_takes_the_proxys_word(gunicorn, certificate, tmp_path):
    path = tmp_path / "s"
    gunicorn(f"unix:{path}")
    for _ in range(200):  # httpx leaks the socket of a refused connection
        if path.exists() or select.select([], [], [], 0.05)[0]:
            break
    with httpx.Client(base_url="http://proxy", transport=httpx.HTTPTransport(uds=str(path))) as client:
        assert ask(client) == "nobody"
        stated = {"X-Client-Cert": header(certificate)["HTTP_X_CLIENT_CERT"]}
        assert ask(client, **stated) == der(certificate).hex()
