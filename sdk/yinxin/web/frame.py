"""The frame around every page: what templates may ask, and static files that never go stale."""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request

from yinxin.crypto.suite import INTL
from yinxin.web._kit import caller_or_none, kit, reader_language
from yinxin.web.caller import Named
from yinxin.web.crosssite import SAFE
from yinxin.web.pages import NavItem

#: the names that the present page has asked for, in the request's own store
_NAMES = "yinxin.names"
_FOREVER = "public, max-age=31536000, immutable"


@cache
def _digest(file: Path) -> str:
    return INTL.hash.digest(file.read_bytes()).hex()[:16]


def _static_file(app: Flask, endpoint: str, name: str) -> Path | None:
    """The file behind a static address, if there is one."""
    owner = app if endpoint == "static" else app.blueprints.get(endpoint.rpartition(".")[0])
    file = Path(owner.static_folder) / name if owner and owner.static_folder else None
    return file if file is not None and file.is_file() else None


def navigation() -> list[NavItem]:
    """What the present reader sees of the navigation."""
    caller = caller_or_none()
    return [item for item in kit().navigation if (item.shown_to(caller) if caller else item.public)]


def named(identifier: str | None, kind: Named) -> str:
    """What a person, post or organ is called in the reader's language; the identifier when nobody knows."""
    if not identifier:
        return ""
    # a list names the same few organs and posts line by line; a page that changes nothing asks for each once
    known = g.setdefault(_NAMES, {}) if request.method in SAFE else {}
    key = (kind, identifier)
    if key not in known:
        known[key] = kit().names.name(kind, identifier)
    name = known[key]
    return name(reader_language()) if name else identifier


def mark() -> str:
    """The colour by which a tenant's people know its pages; empty for everybody else."""
    caller = caller_or_none()
    return kit().names.mark(caller.tenant) if caller and caller.tenant else ""


def page_before() -> str | None:
    """The page of ours that the reader acted from, for going back after a refusal; None for a page just read."""
    before, found, path = (request.referrer or "").partition(request.host_url)
    return f"/{path}" if found and not before and request.method not in SAFE else None


def install(app: Flask) -> None:
    """Give templates their helpers, and static addresses the digest of what they name."""

    @app.url_defaults
    def versioned(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.rpartition(".")[2] == "static" and "v" not in values:
            file = _static_file(app, endpoint, values.get("filename", ""))
            if file is not None:
                values["v"] = _digest(file)

    @app.after_request
    def cached(response: Response) -> Response:
        if (request.endpoint or "").rpartition(".")[2] == "static" and response.status_code == 200:
            file = _static_file(app, request.endpoint or "", (request.view_args or {})["filename"])
            fresh = file is not None and request.args.get("v") == _digest(file)
            response.headers["Cache-Control"] = _FOREVER if fresh else "no-cache"
        return response

    app.jinja_env.filters["named"] = named
    app.context_processor(
        lambda: {
            "new_key": kit().store.identifier,
            "language": reader_language(),
            "caller": caller_or_none(),
            "navigation": navigation(),
            "mark": mark(),
            "here": page_before() or request.full_path.rstrip("?"),
        }
    )
