"""Writing over HTTP (RFC 7644 3.3 to 3.6)."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from authz.scim.message import read
from authz.scim.seek import KINDS
from authz.scim.wire import client_of, parameters, shown

if TYPE_CHECKING:
    from authz.scim.service import Scim
    from authz.scim.write import Matches, Write

_ONE = "/<any(Users, Groups, Organs):kind>/<id_>"


def add_writing(blueprint: Blueprint, scim: "Scim", write: "Write") -> None:
    """The addresses by which resources are made, changed and deleted."""

    @blueprint.post("/<any(Users, Groups, Organs):kind>")
    def create(kind: str) -> Response:
        client, wanted = client_of(scim), parameters(KINDS[kind])
        return shown(write.create(client, KINDS[kind], read(request)), wanted, 201)

    @blueprint.put(_ONE)
    def replace(kind: str, id_: str) -> Response:
        client, wanted = client_of(scim), parameters(KINDS[kind])
        return shown(write.replace(client, KINDS[kind], id_, read(request), _matches()), wanted)

    @blueprint.patch(_ONE)
    def modify(kind: str, id_: str) -> Response:
        client, wanted = client_of(scim), parameters(KINDS[kind])
        return shown(write.modify(client, KINDS[kind], id_, read(request), _matches()), wanted)

    @blueprint.delete(_ONE)
    def remove(kind: str, id_: str) -> Response:
        client = client_of(scim)
        write.remove(client, KINDS[kind], id_, _matches())
        return Response(status=204)


def _matches() -> "Matches | None":
    """Whether a version is one of those in If-Match (RFC 9110 13.1.1; SCIM compares weak tags too, RFC 7644 3.14)."""
    if "If-Match" not in request.headers:
        return None
    named: Any = request.if_match

    def matches(tag: str) -> bool:
        return bool(named.star_tag or named.contains_weak(tag.removeprefix("W/").strip('"')))

    return matches
