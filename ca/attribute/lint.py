"""The judgement before the signature: RFC 5755 clause by clause, and what the house has on record (law 5).

The reader in `yinxin.crypto.attribute` has already held the form to DER, version 2, one of each attribute and extension.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ca.attribute.errors import AttributeLintFailed
from ca.attribute.settings import AttributeSettings
from ca.lint import Cleared
from ca.lint.case import Finding
from ca.lint.house import SERIAL_SIZE
from yinxin.crypto import der, oids
from yinxin.crypto.attribute import AttributeCertificate, Claims, Controls
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError

_KNOWN = {
    oids.AUTHORITY_KEY_ID,
    oids.TARGET_INFORMATION,
    oids.CRL_DISTRIBUTION_POINTS,
    oids.NO_REV_AVAIL,
}


@dataclass(frozen=True)
class AttributeCase:
    """An attribute certificate about to be made, beside everything it must agree with."""

    certificate: AttributeCertificate
    authority: Certificate
    holder: Certificate
    claims: Claims
    settings: AttributeSettings
    #: first octet of every serial number of this site
    node: int
    #: address of the authority's list
    url: str


Check = Callable[[AttributeCase], Iterator[str]]


def findings(case: AttributeCase) -> tuple[Finding, ...]:
    """Every broken rule."""
    return tuple(Finding(clause, fault) for clause, check in _RULES.items() for fault in check(case))


def judge(case: AttributeCase, name: str) -> Cleared:
    """A token for the octets, for the authority `name`; raises AttributeLintFailed naming every broken rule."""
    if found := findings(case):
        raise AttributeLintFailed(findings="; ".join(map(str, found)))
    return Cleared(case.certificate.tbs, _Signing(name, case.authority.public_key.key_id))


@dataclass(frozen=True)
class _Signing:
    """See `ca.lint.judge.Signing`."""

    name: str
    key_id: bytes


def _holder(case: AttributeCase) -> Iterator[str]:
    try:
        case.certificate.holder.match(case.holder, case.certificate.name)
    except YinxinError as error:
        yield error.text("en")
    if case.holder.is_ca:
        yield "the holder is a certification authority"


def _issuer(case: AttributeCase) -> Iterator[str]:
    if case.certificate.issuer != case.authority.subject:
        yield "the issuer's name is not the authority's subject"
    if case.authority.is_ca:
        yield "the authority is a certification authority"
    if "digitalSignature" not in (case.authority.key_usage or ()):
        yield "the authority's certificate is not for signatures"


def _signature(case: AttributeCase) -> Iterator[str]:
    wanted = case.authority.public_key.signature_algorithm
    if case.certificate.signature_algorithm != wanted:
        yield f"signed with {case.certificate.signature_algorithm.name}, not with {wanted.name}"


def _serial(case: AttributeCase) -> Iterator[str]:
    if case.certificate.serial >> 8 * (SERIAL_SIZE - 1) != case.node:
        yield f"the serial number does not consist of the prefix {case.node} and 16 octets"


def _validity(case: AttributeCase) -> Iterator[str]:
    begins, ends = case.certificate.not_before, case.certificate.not_after
    if (ends - begins).total_seconds() > case.settings.most_hours * 3600:
        yield f"valid for more than {case.settings.most_hours} hours"
    for name, each in (("authority", case.authority), ("holder", case.holder)):
        if begins < each.not_before or ends > each.not_after:
            yield f"not within the validity of the certificate of the {name}"
    covers = (case.claims.appointment.covers, *(each.covers for each in case.claims.grants))
    if not all(each(begins) and each(ends) for each in covers):
        yield "not within everything that is stated"


def _attributes(case: AttributeCase) -> Iterator[str]:
    if case.certificate.claims != case.claims:
        yield "not what is on record"
    extension = case.authority.extensions.get(oids.AA_CONTROLS)
    controls = Controls.read(extension.value) if extension else Controls(unspecified=False)
    for oid in case.certificate.attributes:
        if not controls.permits(oid):
            yield f"the authority may not state {oid}"


def _extensions(case: AttributeCase) -> Iterator[str]:
    for oid, extension in case.certificate.extensions.items():
        if oid not in _KNOWN:
            yield f"unknown extension {oid}"
        elif extension.critical != (oid == oids.TARGET_INFORMATION):
            yield f"extension {oid} is critical and must not be, or the other way round"
    if case.certificate.authority_key_id != case.authority.subject_key_id:
        yield "the authority key identifier is missing or not the authority's"


def _targets(case: AttributeCase) -> Iterator[str]:
    extension = case.certificate.extensions.get(oids.TARGET_INFORMATION)
    if extension is not None and len(der.elements(extension.value)) != 1:
        yield "more than one Targets"


def _revocation(case: AttributeCase) -> Iterator[str]:
    certificate = case.certificate
    lasts = (certificate.not_after - certificate.not_before).total_seconds()
    if certificate.revocable != bool(certificate.crl_urls):
        yield "neither a list nor the word that none is kept"
    if not certificate.revocable and lasts > case.settings.unlisted_hours * 3600:
        yield "too long to be without a revocation list"
    if certificate.revocable and certificate.crl_urls != (case.url,):
        yield "another list than the authority's"


_RULES: dict[str, Check] = {
    "RFC 5755 4.2.2": _holder,
    "RFC 5755 4.2.3 and 4.5": _issuer,
    "RFC 5755 4.2.4": _signature,
    "RFC 5755 4.2.5": _serial,
    "RFC 5755 4.2.6": _validity,
    "RFC 5755 4.2.7, 4.4 and 7.4": _attributes,
    "RFC 5755 4.2.9 and 4.3.3": _extensions,
    "RFC 5755 4.3.2": _targets,
    "RFC 5755 4.3.5, 4.3.6 and 6": _revocation,
}
