"""Refusals on the wire: problem documents with ACME's own types (RFC 8555 6.7), in both languages at once.

Clients put `detail` into their logs and know no language, so it says the same in Chinese and in English.
"""

from typing import Any

from ca.acme.errors import AcmeError, Rejected
from yinxin.errors import Invalid, NotAuthenticated, NotPermitted, Unavailable, YinxinError
from yinxin.text import Text

MEDIA_TYPE = "application/problem+json"
URN = "urn:ietf:params:acme:error:"
#: seconds after which a part that did not answer is worth another try
RETRY_AFTER = 5
#: types for the errors of the house, by branch
_KINDS: tuple[tuple[type[YinxinError], str, int], ...] = (
    (Unavailable, "serverInternal", 503),
    (NotAuthenticated, "unauthorized", 401),
    (NotPermitted, "unauthorized", 403),
    (Invalid, "malformed", 400),
)


def status_of(error: YinxinError) -> int:
    """The HTTP status it leaves with."""
    return error.status if isinstance(error, AcmeError) else _kind(error)[1]


def problem(error: YinxinError) -> dict[str, Any]:
    """The problem document."""
    kind = error.kind if isinstance(error, AcmeError) else _kind(error)[0]
    document: dict[str, Any] = {
        "type": URN + kind,
        "detail": f"{error.text('zh')} / {error.text('en')}",
        "status": status_of(error),
    }
    if isinstance(error, AcmeError):
        document |= error.extras()
    if isinstance(error, Rejected):
        document["subproblems"] = [
            {"type": URN + kind, "detail": _both(reason), "identifier": identifier}
            for identifier, kind, reason in error.reasons
        ]
    return document


def retry_after(error: YinxinError) -> int | None:
    """Seconds after which to try again, where that can help."""
    if "seconds" in error.facts:
        return int(error.facts["seconds"])
    return RETRY_AFTER if isinstance(error, Unavailable) else None


def _kind(error: YinxinError) -> tuple[str, int]:
    for branch, kind, status in _KINDS:
        if isinstance(error, branch):
            return kind, status
    if 400 <= error.status < 500:
        return "malformed", error.status
    return "serverInternal", 500


def _both(text: Text) -> str:
    return f"{text.zh} / {text.en}"
