"""From the problem document on the wire back to the error it was."""

from collections.abc import Mapping
from typing import Any

import httpx

from yinxin.client.errors import NotAPlatform, RemoteProblem
from yinxin.errors import YinxinError, registered
from yinxin.text import Text

MEDIA_TYPE = "application/problem+json"


def error_of(response: httpx.Response) -> YinxinError:
    """The error a refused `response` stands for: the class of its code when installed here, else RemoteProblem."""
    status, address = response.status_code, str(response.request.url.copy_with(query=None))
    if response.headers.get("Content-Type", "").partition(";")[0].strip() != MEDIA_TYPE:
        return NotAPlatform(url=address, http_status=status)
    try:
        document = response.json()
    except ValueError:
        return NotAPlatform(url=address, http_status=status)
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        return NotAPlatform(url=address, http_status=status)
    error = _known(document) or RemoteProblem(
        remote_code=document["code"],
        detail=str(document.get("detail", "")),
        http_status=status,
        problem=document,
    )
    entry = document.get("entry")
    error.entry = entry if isinstance(entry, str) else None
    return error


def _known(document: Mapping[str, Any]) -> YinxinError | None:
    """The error of the tree with its facts, if its class is installed here and the facts are those it names."""
    kind = registered().get(document["code"])
    facts = document.get("facts")
    if kind is None or not isinstance(facts, dict) or document.get("errors"):
        return None
    try:
        error = kind(**{name: _fact(value) for name, value in facts.items()})
        error.text("zh"), error.text("en")
    except (TypeError, LookupError, AttributeError, ValueError):
        return None  # another version of the same error: the platform's own words serve better
    return error


def _fact(value: Any) -> Any:
    """Words come back in both languages."""
    if isinstance(value, dict) and value.keys() == {"zh", "en"}:
        return Text(str(value["zh"]), str(value["en"]))
    return value


def worth_retrying(error: YinxinError) -> bool:
    """Whether the same request may succeed a little later."""
    return error.retry if isinstance(error, RemoteProblem) else error.retryable
