"""What everybody may ask: status (RFC 6960), lists and certificates (RFC 5280), timestamps (RFC 3161), over plain HTTP."""

import base64
import binascii
from collections.abc import Callable
from email.utils import format_datetime

from flask import Blueprint, Response, abort, request

from ca.service import Authority
from yinxin.crypto.status import CertificateList, OcspError, build_ocsp_error
from yinxin.errors import NotFound, Unavailable, YinxinError

_OCSP = "application/ocsp-response"
_TSA = "application/timestamp-reply"
_CRL = "application/pkix-crl"
_CERTIFICATE = "application/pkix-cert"
_CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only"


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """The addresses that stand in every certificate, and the timestamp service."""
    blueprint = Blueprint("ca_public", __name__)

    @blueprint.post("/ocsp")
    def ocsp() -> Response:
        return _ocsp(authority, request.get_data(cache=False))

    @blueprint.get("/ocsp/<path:encoded>", merge_slashes=False)  # base64 may hold two slashes in a row
    def ocsp_by_get(encoded: str) -> Response:
        try:
            asked = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return Response(build_ocsp_error(OcspError.MALFORMED_REQUEST), content_type=_OCSP)
        return _ocsp(authority, asked)

    @blueprint.get("/crl/<path:name>.crl")
    def crl(name: str) -> Response:
        whole = name.removesuffix(".delta")
        made = _or_404(lambda: authority.crl(name) if whole == name else authority.delta(whole))
        answer = Response(made, content_type=_CRL)
        # a list is made anew at every revocation, so nobody keeps one without asking again
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["Expires"] = format_datetime(
            CertificateList(answer.get_data()).next_update, usegmt=True
        )
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    @blueprint.get("/ca/<name>.crt")
    def certificate(name: str) -> Response:
        return Response(_or_404(lambda: authority.certificate(name).der), content_type=_CERTIFICATE)

    @blueprint.get("/ca/<label>.acrl")
    def attribute_list(label: str) -> Response:
        answer = Response(_or_404(lambda: authority.attributes.list(label)), content_type=_CRL)
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    @blueprint.get("/ca/<name>.p7c")
    def certificates(name: str) -> Response:
        return Response(_or_404(lambda: authority.collection(name)), content_type=_CERTIFICATES)

    @blueprint.post("/tsa/<suite>")
    def timestamp(suite: str) -> Response:
        if request.mimetype != "application/timestamp-query":
            abort(415)
        asked = request.get_data(cache=False)
        return Response(_or_404(lambda: authority.timestamp(suite, asked)), content_type=_TSA)

    return (blueprint,)


def _ocsp(authority: Authority, asked: bytes) -> Response:
    answer = Response(authority.ocsp(asked), content_type=_OCSP)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _or_404(ask: Callable[[], bytes]) -> bytes:
    """Clients of these protocols read status codes, not problem details."""
    try:
        return ask()
    except Unavailable:
        raise
    except NotFound:
        abort(404)
    except YinxinError:
        abort(404)
