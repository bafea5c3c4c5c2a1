"""http-01 (RFC 8555 8.3): the answer lies under a well-known path of the host itself."""

import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urljoin, urlsplit

from ca.acme.errors import NoConnection, WrongResponse
from ca.acme.reach import Hurried, Reach, monotonic
from yinxin.text import Text

#: redirections followed, octets read, characters quoted
_REDIRECTIONS = 10
_MOST = 4096
_QUOTED = 80
_MOVED = frozenset({301, 302, 303, 307, 308})


def probe(reach: Reach, kind: str, name: str, token: str, expected: str) -> None:
    """Fetch the answer; raises NoAddress, NoConnection, WrongResponse.

    Redirections lead to http and https only, and to the ports of these and of http-01. What was read is quoted only
    while nobody has led us elsewhere: a name's owner must not read other servers through our error messages.
    """
    until = reach.until()
    host = f"[{name}]" if kind == "ip" and ":" in name else name
    port = reach.settings.http01_port
    url = f"http://{host}{'' if port == 80 else f':{port}'}/.well-known/acme-challenge/{token}"
    for hop in range(_REDIRECTIONS + 1):
        status, moved, body = _get(reach, url, until)
        if status in _MOVED and moved:
            url = _next(reach, url, moved)
            continue
        if status == 200 and body.decode("ascii", "replace").rstrip() == expected:
            return
        raise WrongResponse(where=url, seen=_seen(status, body, quoted=hop == 0))
    raise WrongResponse(where=url, seen=Text("重定向过多", "too many redirections"))


def _seen(status: int, body: bytes, *, quoted: bool) -> Text:
    text = "".join(each if each.isprintable() else "·" for each in body[:_QUOTED].decode("utf-8", "replace"))
    if not quoted:
        return Text(f"HTTP {status}，{len(body)} 字节", f"HTTP {status}, {len(body)} octets")
    return Text(f"HTTP {status}，“{text}”", f"HTTP {status}, “{text}”")


def _next(reach: Reach, url: str, moved: str) -> str:
    """Where a redirection leads; raises WrongResponse when that is nowhere we go."""
    try:
        target = urljoin(url, moved)
        parts = urlsplit(target)
        port, host = parts.port, parts.hostname
    except ValueError:
        target, parts, port, host = "", urlsplit(""), None, None
    allowed = {None, 80, 443, reach.settings.http01_port}
    if parts.scheme not in ("http", "https") or not host or port not in allowed or not target.isascii():
        seen = Text("重定向到不允许的地址", "a redirection to where validation does not go")
        raise WrongResponse(where=url, seen=seen)
    return target


def _get(reach: Reach, url: str, until: float) -> tuple[int, str, bytes]:
    """Status, Location and the beginning of the body; raises NoAddress, NoConnection."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    connection = HTTPConnection(host, parts.port or (443 if secure else 80))
    try:
        made = reach.connect(host, connection.port, until)
        connection.sock = _secured(made, host, until) if secure else made
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", parts.netloc.rpartition("@")[2])
        connection.putheader("User-Agent", "yinxin-acme")
        connection.putheader("Accept", "*/*")
        connection.putheader("Connection", "close")
        connection.endheaders()
        response: HTTPResponse = connection.getresponse()
        return response.status, response.getheader("Location") or "", response.read(_MOST)
    except (OSError, HTTPException, ValueError) as error:
        raise NoConnection(where=url, reason=str(error)[:120] or type(error).__name__) from error
    finally:
        connection.close()


def _secured(made: Hurried, host: str, until: float) -> ssl.SSLSocket:
    """TLS after a redirection; the certificate there is what is being asked for, so it is not judged."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = _HurriedTls
    try:
        wrapped = context.wrap_socket(made, server_hostname=host, do_handshake_on_connect=False)
        wrapped.until = until  # type: ignore[attr-defined]
        wrapped.do_handshake()
    except BaseException:
        made.close()
        raise
    return wrapped


class _HurriedTls(ssl.SSLSocket):
    """As `Hurried`, over TLS."""

    until = 0.0

    def read(self, *arguments, **named):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN003, ANN202 - the socket's own signature
        self.settimeout(max(self.until - monotonic(), 0.001))
        return super().read(*arguments, **named)
