"""genm: what a client may ask before it asks for a certificate (RFC 9483 4.3)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ca.enrolment.errors import UnsupportedRequest
from ca.hierarchy.chains import collection, in_force
from ca.status import crl
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.csr_attributes import key_specifications
from yinxin.crypto.errors import Malformed
from yinxin.crypto.names import Name
from yinxin.crypto.suite import suite
from yinxin.text import Text

if TYPE_CHECKING:
    from ca.service import Authority

Info = tuple[str, bytes | None]

_IT = "1.3.6.1.5.5.7.4"
SIGN_KEY_PAIR_TYPES, CURRENT_CRL, CA_CERTS = (f"{_IT}.{n}" for n in (2, 6, 17))
ROOT_CA_KEY_UPDATE, CERT_REQ_TEMPLATE, ROOT_CA_CERT = (f"{_IT}.{n}" for n in (18, 19, 20))
CRL_STATUS_LIST, CRLS = (f"{_IT}.{n}" for n in (22, 23))
_SUITES = ("intl", "sm")
#: the profile that a template is told for when the client names none
_USUAL = "tls-client"


def inform(authority: "Authority", asked: Sequence[Info], profile: str) -> list[Info]:
    """What is known of each thing asked for, in their order; what is unknown here is passed over.

    Raises UnsupportedRequest when nothing is understood, UnknownProfile, and what the lists raise.
    """
    told = [_ANSWERS[oid](authority, value, profile) for oid, value in asked if oid in _ANSWERS]
    if asked and not told:
        remedy = Text("可询问 caCerts、certReqTemplate、CRL 等", "ask for caCerts, certReqTemplate, CRLs")
        raise UnsupportedRequest(what=asked[0][0], remedy=remedy)
    return told


def _ca_certs(authority: "Authority", _value: bytes | None, _profile: str) -> Info:
    issuing = authority.ctx.issuers.issuing("intl-issuing")
    return CA_CERTS, der.sequence(*(each.der for each in collection(authority.ctx, issuing.name)))


def _sign_key_pair_types(_authority: "Authority", _value: bytes | None, _profile: str) -> Info:
    return SIGN_KEY_PAIR_TYPES, der.sequence(*(suite(name).signature.identifier for name in _SUITES))


def _current_crl(authority: "Authority", _value: bytes | None, _profile: str) -> Info:
    return CURRENT_CRL, crl.current(authority.ctx, authority.ctx.issuers.issuing("intl-issuing").name).der


def _crls(authority: "Authority", _value: bytes | None, _profile: str) -> Info:
    issuing = authority.ctx.issuers.issuing("intl-issuing")
    names = [issuing.name, *_above(authority, issuing.name)]
    return CRLS, der.sequence(*(crl.current(authority.ctx, name).der for name in names))


def _above(authority: "Authority", name: str) -> list[str]:
    issuers = authority.ctx.issuers
    return [
        found.name
        for each in issuers.get(name).chain[1:]
        if (found := issuers.of_key(each.public_key.key_id)) is not None
    ]


def _root_update(authority: "Authority", value: bytes | None, _profile: str) -> Info:
    """RootCaKeyUpdateContent when the root that the client has was followed by another; else nothing (RFC 9810 5.3.19.15)."""
    newest = authority.ctx.issuers.issuing("intl-root").chain[0]
    try:
        held = Certificate(value) if value else newest
    except Malformed:
        held = newest
    if held == newest or held.subject not in _roots(authority):
        return ROOT_CA_KEY_UPDATE, None
    links = [
        each for each in in_force(authority.ctx) if each.public_key == newest.public_key and each != newest
    ]
    by_old = next((each for each in links if each.authority_key_id == held.subject_key_id), None)
    linked = der.explicit(0, by_old.der) if by_old else b""
    return ROOT_CA_KEY_UPDATE, der.sequence(newest.der, linked)


def _roots(authority: "Authority") -> set[Name]:
    issuers = authority.ctx.issuers
    return {issuers.get(name).subject for name in issuers.line("intl-root")}


def _template(authority: "Authority", _value: bytes | None, profile: str) -> Info:
    """CertReqTemplateContent (RFC 9810 5.3.19.16): fixed attributes of the subject with their text, others without."""
    found = authority.ctx.profiles[profile or _USUAL]
    fixed = [(name, source[1:]) for name, source in found.subject.items() if source.startswith("=")]
    template = der.sequence(der.explicit(5, Name.of(fixed).der))
    return CERT_REQ_TEMPLATE, der.sequence(template, key_specifications(found.keys, found.smallest_rsa))


_ANSWERS: "dict[str, Callable[[Authority, bytes | None, str], Info]]" = {
    CA_CERTS: _ca_certs,
    SIGN_KEY_PAIR_TYPES: _sign_key_pair_types,
    CURRENT_CRL: _current_crl,
    CRL_STATUS_LIST: _crls,
    ROOT_CA_CERT: _root_update,
    CERT_REQ_TEMPLATE: _template,
}
