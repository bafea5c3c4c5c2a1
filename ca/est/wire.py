"""How EST writes and reads its bodies: base64 both ways (RFC 8951 section 2), several parts where a key comes too."""

import base64
import binascii

from flask import Response

from ca.est.enrol import Generated
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedRequest
from yinxin.crypto.signed_data import certificates_only
from yinxin.text import Text

CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only"
_SEALED = "application/pkcs7-mime; smime-type=server-generated-key"
_KEY = "application/pkcs8"
#: between the parts, which are base64 and have no hyphen
_BOUNDARY = "yinxin-est"


def decoded(body: bytes) -> bytes:
    """The DER inside a body, whatever white space stands between (RFC 8951 2.1); raises MalformedRequest."""
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        reason = Text("应为 base64 编码的 DER", "it should be DER in base64")
        raise MalformedRequest(kind="PKCS#10", reason=reason) from error


def encoded(der: bytes) -> bytes:
    """DER as the body of an answer: one line, as RFC 4648 3.1 has it, which RFC 8951 takes for EST."""
    return base64.b64encode(der)


def answer(der: bytes, content_type: str) -> Response:
    """An answer of one part. Clients pass over the encoding header (RFC 8951 2.1); the older ones want it."""
    response = Response(encoded(der), content_type=content_type)
    response.headers["Content-Transfer-Encoding"] = "base64"
    return response


def certificates(*listed: Certificate) -> Response:
    """A certs-only answer."""
    return answer(certificates_only(listed), CERTIFICATES)


def key_and_certificate(made: Generated) -> Response:
    """The key and its certificate (RFC 7030 4.4.2), in two parts."""
    parts = (
        (_SEALED if made.delivery.sealed else _KEY, made.delivery.octets),
        (CERTIFICATES, certificates_only([made.issued.certificate])),
    )
    body = b"".join(
        f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
        + encoded(der)
        + b"\r\n"
        for kind, der in parts
    )
    return Response(
        body + f"--{_BOUNDARY}--\r\n".encode(), content_type=f"multipart/mixed; boundary={_BOUNDARY}"
    )
