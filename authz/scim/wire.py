"""Answers of the SCIM service: messages, versions, and which attributes they have."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, request
from scim2_models import Context, ResponseParameters

from authz.scim.message import MEDIA_TYPE
from authz.scim.seek import Kind
from yinxin.web import bearer, peer_certificate

if TYPE_CHECKING:
    from authz.scim.client import ScimClient
    from authz.scim.service import Scim

#: what an address may ask for of a list; the first two of a single resource too (RFC 7644 3.4.2, 3.9)
LISTED = ("attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count")


def client_of(scim: "Scim") -> "ScimClient":
    """The system that asks, by its token and the connection's certificate; raises TokenNeeded."""
    return scim.authenticate(bearer(), peer_certificate(request.environ))


def parameters(kind: Kind) -> ResponseParameters[Any]:
    """Which attributes the answer to the present request has (RFC 7644 3.9)."""
    asked = {name: request.args[name] for name in LISTED[:2] if name in request.args}
    found: ResponseParameters[Any] = ResponseParameters[kind.model].model_validate(asked)  # type: ignore[name-defined]
    return found


def dumped(resource: Any, wanted: ResponseParameters[Any] | None) -> dict[str, Any]:
    """The resource as it travels."""
    body: dict[str, Any] = resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wanted
    )
    return body


def shown(resource: Any, wanted: ResponseParameters[Any] | None, status: int = 200) -> Response:
    """The answer that shows one resource with its version, or says that it is as it was."""
    tag = resource.meta.version
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(
        tag.removeprefix("W/").strip('"')
    ):
        made = Response(status=304)
    else:
        made = answer(dumped(resource, wanted), status)
    made.headers["ETag"] = tag
    if status == 201:
        made.headers["Location"] = resource.meta.location
    return made


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """A message in SCIM's own type (RFC 7644 3.1)."""
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype=MEDIA_TYPE)
