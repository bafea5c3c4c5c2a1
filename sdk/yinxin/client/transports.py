"""Ways to the platform: HTTPS, with mutual TLS where wanted, or straight into a WSGI application in this process."""

import secrets
import ssl
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization

from yinxin.client.errors import UnusableForTls
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.suite import INTL

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
#: WSGI environ key that stands for the certificate of a TLS connection; no header can reach it
PEER = "yinxin.peer_certificate"
#: WSGI environ key of a call that the process makes to itself
INSIDE = "yinxin.inside"


def https(
    *, trust: Path | None = None, identity: Identity | None = None, pins: frozenset[str] | None = None
) -> httpx.BaseTransport:
    """HTTPS, TLS 1.2 or later. Only the anchors in `trust` (PEM) are believed when given, else the system's.

    With `pins` the server's certificate must besides be one of these (SHA-256 of its DER, hexadecimal).
    `identity` authenticates the client (mutual TLS); raises UnusableForTls for a key that is not in this process or
    not of the intl suite, OSError or ssl.SSLError for an unreadable trust file.
    """
    context = ssl.create_default_context(cafile=str(trust) if trust else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if identity is not None:
        present(context, identity)
    if pins is not None:
        context.sslsocket_class = _pinned(pins)
    return httpx.HTTPTransport(verify=context)


def _pinned(pins: frozenset[str]) -> type[ssl.SSLSocket]:
    """A connection that ends with the handshake, before a request is sent, unless the server's certificate is pinned."""

    class Pinned(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the socket's own signature
            super().do_handshake(block)
            shown = self.getpeercert(binary_form=True) or b""
            if INTL.hash.digest(shown).hex() not in pins:
                raise ssl.SSLCertVerificationError("the server's certificate is not one that is pinned")

    return Pinned


def present(context: ssl.SSLContext, identity: Identity) -> None:
    """Give the key to the TLS library, which reads files only: encrypted under a password that is never written.

    Raises UnusableForTls for a key that is not in this process or not of the intl suite.
    """
    public_key = identity.certificate.public_key
    if not isinstance(identity.key, PrivateKey) or public_key.suite is not INTL:
        raise UnusableForTls(algorithm=public_key.algorithm)
    password = secrets.token_bytes(32).hex().encode()
    key = serialization.load_der_private_key(identity.key.pkcs8(), password=None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    chain = "".join(certificate.pem for certificate in (identity.certificate, *identity.chain))
    with tempfile.NamedTemporaryFile() as file:  # mode 0600
        file.write(key + chain.encode())
        file.flush()
        context.load_cert_chain(file.name, password=password)


def in_process(app: WsgiApp, *, certificate: bytes | None = None) -> httpx.BaseTransport:
    """Calls into `app` without a network. `certificate` (DER) stands for the one a TLS connection would show."""

    def called(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # httpx gives the path as text; WSGI wants its UTF-8 octets as Latin-1 (PEP 3333)
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
        environ[INSIDE] = True
        if certificate is not None:
            environ[PEER] = certificate
        return app(environ, start_response)

    return httpx.WSGITransport(app=called)
