"""The plain port: only what is public and signed itself, for readers that check signatures and not connections."""

from collections.abc import Callable, Iterable
from typing import Any

#: beginnings of the paths that are served without TLS: OCSP, CRLs, certificates, timestamps, the log's tiles, the
#: witness of others' logs, and protocols whose messages protect themselves (CMP, SCEP)
PUBLIC = ("/ocsp", "/crl/", "/ca/", "/tsa/", "/log/", "/witness/", "/cmp", "/.well-known/cmp", "/scep")

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


def public_only(app: WsgiApp) -> WsgiApp:
    """`app` with everything else answered by 404; no certificate, cookie or token ever crosses the plain port."""

    def filtered(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PUBLIC):
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [
                b"This port serves OCSP, CRLs, certificates and timestamps only; everything else is on the TLS port.\n"
            ]
        for name in ("HTTP_AUTHORIZATION", "HTTP_COOKIE"):
            environ.pop(name, None)
        return app(environ, start_response)

    return filtered
