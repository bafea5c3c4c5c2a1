"""Pieces of messages: a response, a confirmation, the profile a header names."""

import hmac

from ca.cmp.errors import BadMessage
from ca.cmp.message import CERT_PROFILE, Header
from ca.cmp.refusal import Status
from ca.request import Application
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed
from yinxin.crypto.suite import hash_algorithm

#: the NULL-DN of RFC 9810 5.1.1: somebody without a name
NOBODY = der.explicit(4, der.sequence())


def response(number: int, status: bytes, certificate: Certificate | None = None) -> bytes:
    """CertRepMessage with one response."""
    pair = der.sequence(der.explicit(0, certificate.der)) if certificate else b""
    return der.sequence(der.sequence(der.sequence(der.integer(number), status, pair)))


def like(old: Certificate, asked: Application) -> Application:
    """An update that names nobody is for the same names."""
    if asked.subject.pairs or asked.san:
        return asked
    return Application(asked.public_key, old.subject, old.san)


def profile_of(header: Header) -> str:
    """The profile that the header names (RFC 9483 section 3.1, id-it-certProfile); empty for none."""
    value = (header.general or {}).get(CERT_PROFILE)
    try:
        return der.content(der.elements(value)[0], der.UTF8).decode() if value else ""
    except (Malformed, ValueError, IndexError) as error:
        raise BadMessage(reason="certProfile") from error


def accepts(content: bytes, certificate: Certificate) -> Status:
    """ACCEPTED, REJECTION, or WAITING when the confirmation is of something else (RFC 9810 5.3.18)."""
    statuses = der.elements(content)
    if not statuses:
        return Status.REJECTION
    digest, _, *rest = der.elements(statuses[0])
    hash_ = certificate.signature_algorithm.hash
    for field in rest:
        if field[0] == 0xA0:
            hash_ = hash_algorithm(der.dotted(der.elements(der.tagged(field, 0))[0]), what="certHash")
        elif der.number(der.elements(field)[0]) not in (Status.ACCEPTED, Status.GRANTED_WITH_MODS):
            return Status.REJECTION
    same = hmac.compare_digest(hash_.digest(certificate.der), der.content(digest, der.OCTET_STRING))
    return Status.ACCEPTED if same and len(statuses) == 1 else Status.WAITING
