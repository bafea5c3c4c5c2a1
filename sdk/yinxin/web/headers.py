"""The headers that every answer has, and the scheme that one of them depends on."""

from typing import Any

from yinxin.web.peer import trusted_hop

#: images may be data: URLs because Bootstrap's style sheet draws its arrows and ticks so; nothing inline runs
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: that makes browsers send `Origin: null` with our own forms, and the cross-site check needs it
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
TRANSPORT_SECURITY = "max-age=63072000; includeSubDomains"


def scheme_of(environ: dict[str, Any]) -> str:
    """By which scheme the reader came: what the trusted hop says, else how the connection is."""
    told = environ.get("HTTP_X_FORWARDED_PROTO")
    return str(told if told in ("http", "https") and trusted_hop(environ) else environ["wsgi.url_scheme"])
