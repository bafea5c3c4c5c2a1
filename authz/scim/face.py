"""SCIM over HTTP (RFC 7644 section 3): addresses, headers, and errors that are SCIM's own in every case."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request
from pydantic import ValidationError
from scim2_models import Context, SCIMException, SearchRequest
from werkzeug.exceptions import HTTPException

from authz.scim.client import ScimClient
from authz.scim.errors import NoAddress, NoFilterHere, NoMethod, NotOffered, TokenNeeded
from authz.scim.filter import measure
from authz.scim.message import read
from authz.scim.problems import RETRY_AFTER, from_http, from_library, message, status_of
from authz.scim.schemas import ROOT
from authz.scim.seek import KINDS, Kind
from authz.scim.wire import LISTED, answer, client_of, dumped, parameters, shown
from authz.scim.writing import add_writing
from yinxin.errors import InternalError, YinxinError
from yinxin.web import bearer, reader_language, request_id

if TYPE_CHECKING:
    from authz.scim.service import Listed, Scim
    from authz.service import Authz

_log = logging.getLogger("yinxin.authz")

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
#: addresses that one may only read, and what is not offered at all
_DESCRIBING = ("ServiceProviderConfig", "ResourceTypes", "Schemas")
_NOT_OFFERED = ("Me", "Bulk", ".search", "")


def routes(authz: "Authz") -> tuple[Blueprint, ...]:
    """Everything below `/scim/v2`."""
    blueprint = Blueprint("scim", __name__, url_prefix=ROOT)
    scim = authz.scim
    _add_description(blueprint, scim)
    _add_reading(blueprint, scim)
    add_writing(blueprint, scim, authz.scim_write)
    _add_rest(blueprint)
    blueprint.register_error_handler(YinxinError, _refused)
    blueprint.register_error_handler(ValidationError, lambda error: _refused(from_library(error)))
    blueprint.register_error_handler(SCIMException, lambda error: _refused(from_library(error)))
    blueprint.register_error_handler(
        HTTPException, lambda error: _refused(from_http(error, request.max_content_length or 0))
    )
    blueprint.register_error_handler(Exception, _unexpected)
    return (blueprint,)


def _add_description(blueprint: Blueprint, scim: "Scim") -> None:
    """What the service says of itself, to everybody: how to get a token stands there too (RFC 7644 section 4)."""

    @blueprint.get("/ServiceProviderConfig")
    def config() -> Response:
        _nothing_filtered()
        return answer(_described(scim.provider.config))

    @blueprint.get("/ResourceTypes", defaults={"name": None})
    @blueprint.get("/ResourceTypes/<name>")
    def resource_types(name: str | None) -> Response:
        return _one_of(name, {str(each.id): each for each in scim.provider.resource_types}, "ResourceTypes")

    @blueprint.get("/Schemas", defaults={"name": None})
    @blueprint.get("/Schemas/<name>")
    def schemas(name: str | None) -> Response:
        return _one_of(name, {str(each.id): each for each in scim.provider.schemas}, "Schemas")


def _add_reading(blueprint: Blueprint, scim: "Scim") -> None:
    @blueprint.get("/<any(Users, Groups, Organs):kind>")
    def listing(kind: str) -> Response:
        client = client_of(scim)
        asked = {name: request.args[name] for name in LISTED if name in request.args}
        return _list(scim, client, KINDS[kind], asked)

    @blueprint.post("/<any(Users, Groups, Organs):kind>/.search")
    def search(kind: str) -> Response:
        client = client_of(scim)
        return _list(scim, client, KINDS[kind], read(request))

    @blueprint.get("/<any(Users, Groups, Organs):kind>/<id_>")
    def one(kind: str, id_: str) -> Response:
        client = client_of(scim)
        wanted = parameters(KINDS[kind])
        return shown(scim.get(client, KINDS[kind], id_), wanted)


def _add_rest(blueprint: Blueprint) -> None:
    @blueprint.route("/", defaults={"rest": ""}, methods=_METHODS)
    @blueprint.route("/<path:rest>", methods=_METHODS)
    def nothing(rest: str) -> Response:
        head, _, below = rest.partition("/")
        if head in _NOT_OFFERED and not below:
            raise NotOffered(what=f"/{head}")
        if head in _DESCRIBING:
            raise NoMethod(method=request.method, allowed="GET")
        if head in KINDS and "/" not in below:
            raise NoMethod(method=request.method, allowed="GET, PUT, PATCH, DELETE" if below else "GET, POST")
        raise NoAddress


def _list(scim: "Scim", client: ScimClient, kind: Kind, asked: Mapping[str, Any]) -> Response:
    for name in ("filter", "sortBy", "attributes", "excludedAttributes"):
        for text in asked[name] if isinstance(asked.get(name), list) else (asked.get(name),):
            if isinstance(text, str):
                measure(text)
    wanted: SearchRequest[Any] = SearchRequest[kind.model].model_validate(asked)  # type: ignore[name-defined]
    found: Listed = scim.find(client, kind, wanted)
    body = {
        "schemas": [_LIST],
        "totalResults": found.total,
        "startIndex": found.start,
        "itemsPerPage": len(found.resources),
        "Resources": [dumped(each, wanted) for each in found.resources],
    }
    return answer(body)


def _described(resource: Any) -> dict[str, Any]:
    body: dict[str, Any] = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    return body


def _one_of(name: str | None, known: Mapping[str, Any], endpoint: str) -> Response:
    """All of them as a list, or the one that is named."""
    _nothing_filtered()
    for id_, each in known.items():
        meta = {"resourceType": endpoint.removesuffix("s"), "location": f"{ROOT}/{endpoint}/{id_}"}
        if name == id_:
            return answer(_described(each) | {"meta": meta})
    if name is not None:
        raise NoAddress
    listed = [
        _described(each)
        | {"meta": {"resourceType": endpoint.removesuffix("s"), "location": f"{ROOT}/{endpoint}/{id_}"}}
        for id_, each in known.items()
    ]
    return answer(
        {
            "schemas": [_LIST],
            "totalResults": len(listed),
            "startIndex": 1,
            "itemsPerPage": len(listed),
            "Resources": listed,
        }
    )


def _nothing_filtered() -> None:
    if "filter" in request.args:
        raise NoFilterHere


def _refused(error: YinxinError) -> Response:
    made = answer(message(error, reader_language()), status_of(error))
    made.headers["Content-Language"] = "zh-CN" if reader_language() == "zh" else "en"
    made.vary.add("Accept-Language")
    if isinstance(error, TokenNeeded):
        given = ', error="invalid_token"' if bearer() else ""
        made.headers["WWW-Authenticate"] = f'Bearer realm="scim"{given}'
    if isinstance(error, NoMethod):
        made.headers["Allow"] = str(error.facts["allowed"])
    if error.retryable:
        made.headers["Retry-After"] = str(RETRY_AFTER)
    return made


def _unexpected(error: Exception) -> Response:
    _log.exception("request %s: %s %s", request_id(), request.method, request.path, exc_info=error)
    return _refused(InternalError(request=request_id()))
