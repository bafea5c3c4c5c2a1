"""SCEP's address (RFC 8894 4.1): `/scep`, also as `/scep/pkiclient.exe`. On the plain port too: messages protect themselves."""

import base64
import binascii
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from ca.issue import VERB
from ca.scep.errors import BadScepMessage, BadScepOperation
from ca.scep.scep import Scep
from yinxin.act import STRANGER
from yinxin.crypto.enveloped_data import SCEP_ALGORITHMS
from yinxin.errors import Untrue, YinxinError
from yinxin.text import Text

if TYPE_CHECKING:
    from ca.service import Authority

_TEXT = "text/plain; charset=utf-8"
_MESSAGE = "application/x-pki-message"
_CERTIFICATES, _NEXT = "application/x-x509-ca-ra-cert", "application/x-x509-next-ca-cert"
#: what is offered beside algorithms (RFC 8894 3.5.2); `SCEPStandard` stands for all that the standard demands
CAPABILITIES = (*SCEP_ALGORITHMS, "POSTPKIOperation", "Renewal", "SCEPStandard")


def routes(authority: "Authority") -> tuple[Blueprint, ...]:
    """The one address, by GET and POST."""
    blueprint, scep = Blueprint("ca_scep", __name__), Scep(authority)

    def operate() -> Response:
        operation = request.args.get("operation", "")
        if operation == "PKIOperation":
            return Response(scep.answer(_message()), content_type=_MESSAGE)
        if request.method == "GET" and operation == "GetCACaps":
            more = ("GetNextCACert",) if scep.next_authority() else ()
            return Response("\n".join((*CAPABILITIES, *more)) + "\n", content_type=_TEXT)
        if request.method == "GET" and operation == "GetCACert":
            return Response(scep.certificates(), content_type=_CERTIFICATES)
        if request.method == "GET" and operation == "GetNextCACert":
            return Response(scep.next_certificates(), content_type=_NEXT)
        raise BadScepOperation(operation=operation[:40] or "-")

    def refused(error: YinxinError) -> Response:
        authority.ctx.rejections.record(STRANGER, VERB, "scep", error)
        text = f"{error.text('zh')}\n{error.text('en')}\n"
        status = 400 if error.status == 422 or isinstance(error, Untrue) else error.status
        headers = {"Retry-After": "3"} if error.retryable else {}
        return Response(text, status, headers, content_type=_TEXT)

    for name, rule in (("scep", "/scep"), ("scep_pkiclient", "/scep/pkiclient.exe")):
        blueprint.add_url_rule(rule, name, operate, methods=["GET", "POST"])
    blueprint.register_error_handler(YinxinError, refused)
    return (blueprint,)


def _message() -> bytes:
    """The pkiMessage: a POST's body, or base64 in a GET's address; raises BadScepMessage."""
    if request.method == "POST":
        return request.get_data(cache=False)
    try:
        # some clients do not escape the plus sign, which then arrives as a space
        return base64.b64decode(request.args.get("message", "").replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadScepMessage(reason=Text("message 应为 base64", "message should be base64")) from error
