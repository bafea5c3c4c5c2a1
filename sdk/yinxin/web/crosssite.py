"""Defence against requests that another site makes a reader's browser send.

A session cookie and a TLS certificate go with every request the browser makes, whoever made it make them. So an
unsafe request without a bearer token must come from our own pages: browsers say so in `Sec-Fetch-Site`, older ones in
`Origin`. A program without a cookie sends neither and is not in danger.
"""

from flask import Flask, request

from yinxin.web._kit import SESSION_COOKIE, bearer, caller_or_none, own_origin
from yinxin.web.errors import CrossSite

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def _check() -> None:
    if request.method in SAFE or bearer() is not None:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    elif origin is not None:
        allowed = origin == own_origin()
    else:
        allowed = SESSION_COOKIE not in request.cookies
    if not allowed:
        caller_or_none()  # the record of the refusal names whose browser it was
        raise CrossSite(origin=origin or site or "?")


def install(app: Flask) -> None:
    """Check every request of `app`."""
    app.before_request(_check)
