"""The reader's certificate, from the only places that cannot be forged from outside.

Either the TLS connection ends in this process, and the socket itself has the certificate; or a reverse proxy ended it
and states the certificate in `X-Client-Cert`. That header is believed from a trusted hop alone: a Unix socket that
nobody else may open, or an address that is named in the settings and shows a secret (`X-Proxy-Secret`) besides. What
anybody else writes there is taken away, in every spelling, before anything of the application can see it.
"""

import hmac
import re
import socket
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from yinxin.client.transports import PEER
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedCertificate
from yinxin.crypto.suite import INTL
from yinxin.web.errors import BadProxySecret
from yinxin.web.settings import WebSettings

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

#: what the trusted hop states, kept where no header can reach; read when somebody asks for it
_STATED = "yinxin.peer_stated"
#: the request comes from the trusted hop
_TRUSTED = "yinxin.trusted_hop"
_CERTIFICATE, _SECRET = "X-Client-Cert", "X-Proxy-Secret"
#: a hop may put a certificate here and nothing else: one PEM block, no second one, nothing before or after it
_ONE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*")
#: characters of a secret, at least
_SHORTEST_SECRET = 32


class PeerLayer:
    """WSGI layer before everything else: says whose certificate a request came with, and takes forgeries away.

    Raises BadProxySecret when `settings` ask for a secret and its file holds none.
    """

    def __init__(self, app: WsgiApp, settings: WebSettings) -> None:
        self._app = app
        self._proxy = settings.proxy
        self._addresses = frozenset(settings.proxy_addresses)
        self._secret = _secret(settings) if settings.proxy == "secret" else b""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        stated, secret = (_take(environ, name) for name in (_CERTIFICATE, _SECRET))
        if PEER not in environ:
            if self._trusted(environ, secret):
                environ[_TRUSTED] = True
                environ[_STATED] = stated
            elif (certificate := _of_socket(environ)) is not None:
                environ[PEER] = certificate
        return self._app(environ, start_response)

    def _trusted(self, environ: dict[str, Any], secret: str) -> bool:
        connection = environ.get("gunicorn.socket")
        if self._proxy == "socket":
            return connection is not None and getattr(connection, "family", None) == socket.AF_UNIX
        return (
            self._proxy == "secret"
            and connection is not None
            and environ.get("REMOTE_ADDR") in self._addresses
            and hmac.compare_digest(_digest(secret.encode("utf-8", "replace")), self._secret)
        )


def peer_certificate(environ: dict[str, Any]) -> bytes | None:
    """DER of the certificate the peer proved to hold, or None; `PeerLayer` has been here before.

    Raises MalformedCertificate when the trusted hop states something that is no certificate, or more than one.
    """
    if PEER in environ:
        return bytes(environ[PEER])
    stated = environ.get(_STATED, "")
    return _read(stated) if stated not in ("", "-") else None


def peer_shown(environ: dict[str, Any]) -> bytes:
    """What the connection shows, unread: the same octets are the same certificate. Empty without one."""
    if PEER in environ:
        return bytes(environ[PEER])
    stated: str = environ.get(_STATED, "")
    return stated.encode() if stated != "-" else b""


def trusted_hop(environ: dict[str, Any]) -> bool:
    """Whether the request comes from the reverse proxy of the settings; unknown is no."""
    return environ.get(_TRUSTED) is True


def _take(environ: dict[str, Any], header: str) -> str:
    """The header's value, taken away with whatever a server or a library could mistake for it."""
    wanted = _BARE[header]
    found = [name for name in environ if name.startswith("HTTP_") and _bare(name[5:]) == wanted]
    values = [str(environ.pop(name)) for name in found]
    # twice is never what our proxy writes; joined it is neither a certificate nor the secret
    return ",".join(values)


@lru_cache(maxsize=1024)
def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_BARE = {each: _bare(each) for each in (_CERTIFICATE, _SECRET)}


def _of_socket(environ: dict[str, Any]) -> bytes | None:
    connection: Any = environ.get("gunicorn.socket")
    if not hasattr(connection, "getpeercert"):
        return None
    return connection.getpeercert(binary_form=True) or None  # None: the peer showed no certificate


def _read(stated: str) -> bytes:
    text = unquote_to_bytes(stated)
    if not _ONE.fullmatch(text):
        raise MalformedCertificate(reason=_CERTIFICATE)
    return Certificate.load(text).der


def _secret(settings: WebSettings) -> bytes:
    try:
        secret = Path(settings.proxy_secret_file).read_bytes().strip()
    except OSError as error:
        raise BadProxySecret(file=settings.proxy_secret_file, reason=error.strerror or str(error)) from error
    if len(secret) < _SHORTEST_SECRET:
        raise BadProxySecret(file=settings.proxy_secret_file, reason=f"< {_SHORTEST_SECRET}")
    return _digest(secret)


def _digest(secret: bytes) -> bytes:
    """Digests are compared: of equal length whatever was sent."""
    return INTL.hash.digest(secret)
