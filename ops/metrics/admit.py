"""Who may read the metrics: a program of this machine, whoever has monitoring's token, or a certificate that is named."""

import hmac
import stat
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.errors import Misconfigured, NotPermitted, YinxinError
from yinxin.web.peer import peer_certificate, trusted_hop

if TYPE_CHECKING:
    from ops.metrics.settings import MetricsSettings
    from ops.platform import Platform

#: characters of a token, at least
_SHORTEST = 32
#: beginnings of the headers by which a proxy says that it asks for somebody
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_", "HTTP_X_REAL_IP", "HTTP_VIA")


class MetricsRefused(NotPermitted):
    """Nobody that the settings name."""

    code = "ops.metrics_refused"
    zh = "无权读取监控指标：可由本机程序直接读取（metrics.loopback），或出示令牌（metrics.token_file）、登记的客户端证书（metrics.clients）。"
    en = "These metrics are not for you: they are read by a program of this machine directly (metrics.loopback), with the token (metrics.token_file), or with a client certificate that is named (metrics.clients)."


class BadMetricsToken(Misconfigured):
    """The token's file holds none that could be believed."""

    code = "ops.bad_metrics_token"
    zh = "监控令牌文件 {file} 不可用（{reason}）：须至少 32 个字符，且只有本用户可读（chmod 600）。"
    en = "The token file for monitoring, {file}, cannot be used ({reason}): it takes at least 32 characters, readable by our own user alone (chmod 600)."


def admit(platform: "Platform", environ: dict[str, Any]) -> None:
    """Let whoever the settings name go on; raises MetricsRefused, or BadMetricsToken when the token's file is no good."""
    settings: MetricsSettings = platform.settings.metrics
    if settings.loopback and _on_this_machine(environ):
        return
    if settings.token_file and _knows(environ, settings.token_file):
        return
    if settings.clients and _is_named(platform, environ, settings.clients):
        return
    raise MetricsRefused


def _on_this_machine(environ: dict[str, Any]) -> bool:
    """Whether the connection itself is of this machine, and nobody stands between: a proxy here asks for others."""
    if trusted_hop(environ) or any(name.startswith(_FORWARDED) for name in environ):
        return False
    try:
        return ip_address(environ.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _knows(environ: Mapping[str, Any], file: str) -> bool:
    scheme, _, shown = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = _token(file)
    # digests are compared: of equal length whatever was sent
    given, wanted = (INTL.hash.digest(each) for each in (shown.strip().encode("utf-8", "replace"), token))
    return scheme.lower() == "bearer" and hmac.compare_digest(given, wanted)


def _token(file: str) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            if stat.S_IMODE(Path(file).stat().st_mode) & 0o077:
                raise BadMetricsToken(file=file, reason="chmod 600")
            token = opened.read(4096).strip()
    except OSError as error:
        raise BadMetricsToken(file=file, reason=error.strerror or str(error)) from error
    if len(token) < _SHORTEST:
        raise BadMetricsToken(file=file, reason=f"< {_SHORTEST}")
    return token


def _is_named(platform: "Platform", environ: dict[str, Any], clients: tuple[str, ...]) -> bool:
    """Whether the connection's certificate is one of these, in force now."""
    shown = peer_certificate(environ)
    if shown is None:
        return False
    certificate = Certificate(shown)
    if certificate.fingerprint not in {each.replace(":", "").lower() for each in clients}:
        return False
    try:
        platform.ca.checker.check(certificate, (), platform.clock.now())
    except YinxinError:
        return False
    return True
