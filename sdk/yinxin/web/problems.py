"""Errors on the wire: RFC 9457 problem details for programs, a page for browsers; what is unexpected stays inside."""

import logging
from collections.abc import Mapping
from string import Formatter
from typing import Any

from flask import Flask, Response, json, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from yinxin.authz import StepUpRequired
from yinxin.errors import (
    Conflict,
    InternalError,
    Invalid,
    Misconfigured,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Unavailable,
    Untrue,
    YinxinError,
)
from yinxin.store import trouble_of
from yinxin.text import Language, Text
from yinxin.web import errors
from yinxin.web._kit import CALLER, SESSION_COOKIE, caller_or_none, reader_language, request_id
from yinxin.web.crosssite import SAFE
from yinxin.web.frame import page_before
from yinxin.web.recording import record_refusal

_log = logging.getLogger("yinxin.web")

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:yinxin:error:"
#: seconds after which a retryable refusal is worth another try
RETRY_AFTER = 5

#: what sort of problem it is (RFC 9457 3.1.3), by branch of the error tree
TITLES: tuple[tuple[type[YinxinError], Text], ...] = (
    (NotFound, Text("没有找到", "Not found")),
    (Conflict, Text("状态已变", "Conflict")),
    (NotAuthenticated, Text("需要登录", "Sign-in required")),
    (NotPermitted, Text("未获准许", "Not permitted")),
    (Unavailable, Text("暂不可用", "Temporarily unavailable")),
    (Misconfigured, Text("配置有误", "Misconfigured")),
    (Untrue, Text("验证不成立", "Verification failed")),
    (Invalid, Text("请求有误", "Invalid request")),
    (YinxinError, Text("系统错误", "Platform error")),
)


def title_of(kind: type[YinxinError]) -> Text:
    """The heading for errors of this branch."""
    return next(text for branch, text in TITLES if issubclass(kind, branch))


def status_of(error: YinxinError) -> int:
    """The HTTP status it leaves with."""
    return int(error.facts["http_status"]) if isinstance(error, errors.Refused) else error.status


def problem_of(error: YinxinError, language: Language, request: str) -> dict[str, Any]:
    """The problem document (RFC 9457 section 3) for a reader of `language`.

    `facts` are those that the sentence names, so that a client can make the same error again in another language.
    """
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": title_of(type(error))(language),
        "status": status_of(error),
        "detail": error.text(language),
        "code": error.code,
        "facts": _facts(error, language),
        "request": request,
        "retryable": error.retryable,
    }
    if error.entry is not None:
        document["entry"] = error.entry
    if isinstance(error, errors.InvalidRequest):
        document["errors"] = [
            {"in": fault.place, "pointer": fault.pointer, "code": fault.code, "detail": fault.text(language)}
            for fault in error.faults
        ]
    return document


def _facts(error: YinxinError, language: Language) -> dict[str, Any]:
    names = {name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(error.zh) if name}
    return {name: _plain(error.facts[name], language) for name in sorted(names)}


def _plain(value: Any, language: Language) -> Any:
    if isinstance(value, Text):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, YinxinError):
        return value.text(language)
    if isinstance(value, Mapping):
        return {str(name): _plain(item, language) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, language) for item in value]
    return value if isinstance(value, str | int) else str(value)


def respond(error: YinxinError, headers: list[tuple[str, str]] | None = None) -> BaseResponse:
    """The answer to a request that ended in `error`; records the refusal where no module did."""
    record_refusal(error)
    language = reader_language()
    if _wants_page():
        if isinstance(error, NotAuthenticated) and request.method in SAFE and request.endpoint:
            return _to_sign_in()
        if isinstance(error, StepUpRequired):
            before = page_before() or (request.full_path.rstrip("?") if request.method in SAFE else "/")
            return redirect(url_for("yinxin.step_up", next=before), 303)
        body, media_type = _page(error, language), "text/html"
    else:
        body, media_type = json.dumps(problem_of(error, language, request_id())), MEDIA_TYPE
    response = Response(body, status_of(error), mimetype=media_type)
    response.headers.extend(headers or [])
    if error.retryable:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    if status_of(error) == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="yinxin"'
    if isinstance(error, errors.ScopeNeeded):
        response.headers["WWW-Authenticate"] = 'Bearer realm="yinxin", error="insufficient_scope"'
    return response


def _wants_page() -> bool:
    if request.path.startswith("/api/"):
        return False
    best = request.accept_mimetypes.best_match(["text/html", MEDIA_TYPE, "application/json"])
    return best == "text/html" and ("Accept" in request.headers)


def _page(error: YinxinError, language: Language) -> str:
    try:
        caller_or_none()  # the frame greets whoever is signed in
    except Exception:  # noqa: BLE001 - what keeps us from knowing must not keep the reader from the error
        request.environ[CALLER] = None
    return render_template(
        "yinxin/error.html",
        error=error,
        title=title_of(type(error))(language),
        detail=error.text(language),
        faults=error.faults if isinstance(error, errors.InvalidRequest) else (),
        request_number=request_id(),
        back=page_before(),
    )


def _to_sign_in() -> BaseResponse:
    response = redirect(url_for("yinxin.sign_in", next=request.full_path.rstrip("?")), 303)
    response.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="Strict")
    return response


def _http(error: HTTPException) -> BaseResponse:
    """Werkzeug's own refusals join the tree; redirections and ready-made answers pass."""
    if error.response is not None or error.code is None or error.code < 400:
        return BaseResponse.force_type(error.get_response(request.environ), request.environ)
    kept = [(name, value) for name, value in error.get_headers() if not name.lower().startswith("content-")]
    return respond(_translated(error.code), kept)


def _translated(status: int) -> YinxinError:
    match status:
        case 400:
            return errors.MalformedRequest()
        case 404:
            return errors.NoSuchAddress(path=request.path)
        case 405:
            return errors.MethodNotAllowed(method=request.method)
        case 413:
            return errors.TooLarge(limit=request.max_content_length or 0)
        case 415:
            return errors.UnsupportedMediaType(given=request.mimetype or "-", wanted="application/json")
    return errors.Refused(http_status=status)


def _unexpected(error: Exception) -> BaseResponse:
    # the database's own trouble, met past the store's transactions: as after a crash, while it is put in order
    if (trouble := trouble_of(error)) is not None:
        _log.warning("request %s: %s %s", request_id(), request.method, request.path, exc_info=error)
        return respond(trouble)
    _log.exception("request %s: %s %s", request_id(), request.method, request.path, exc_info=error)
    return respond(InternalError(request=request_id()))


def install(app: Flask) -> None:
    """Let every error of `app` leave as a problem."""
    app.register_error_handler(YinxinError, respond)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
