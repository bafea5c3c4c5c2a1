"""The reader's certificate, from the only two places that cannot be forged from outside.

Either the TLS connection ends in this process, and the socket itself has the certificate; or a reverse proxy on this
machine ended it and states the certificate in `X-Client-Cert` over a Unix socket that nobody else may open. The
header is worth nothing on TCP, where anyone may write it.
"""

import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from yinxin.client.transports import PEER
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedCertificate

_HEADER = "HTTP_X_CLIENT_CERT"


def peer_certificate(environ: Mapping[str, Any], *, proxy: bool = False) -> bytes | None:
    """DER of the certificate the peer proved to hold, or None.

    `proxy` says that a reverse proxy states it (WebSettings.proxy); raises MalformedCertificate for what is none.
    """
    if PEER in environ:
        return bytes(environ[PEER])
    connection: Any = environ.get("gunicorn.socket")
    if hasattr(connection, "getpeercert"):
        return connection.getpeercert(binary_form=True) or None  # None: the peer showed no certificate
    stated = environ.get(_HEADER, "")
    if proxy and over_unix_socket(environ) and stated not in ("", "-"):
        return _read(stated)
    return None


def over_unix_socket(environ: Mapping[str, Any]) -> bool:
    """Whether the server itself says that this request came over a Unix socket; unknown is no."""
    connection = environ.get("gunicorn.socket")
    return connection is not None and getattr(connection, "family", None) == socket.AF_UNIX


def _read(stated: str) -> bytes:
    text = unquote(stated)
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise MalformedCertificate(reason="X-Client-Cert")
    return Certificate.load(text.encode("ascii", "replace")).der
