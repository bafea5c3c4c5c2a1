"""Making attribute certificates: what will be signed. One template gives one sequence of octets, on every machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from yinxin.crypto import der, oids
from yinxin.crypto.attribute.claims import Claims
from yinxin.crypto.attribute.holder import Holder
from yinxin.crypto.attribute.targets import Target, write_targets
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedTemplate
from yinxin.crypto.general_names import write_general_names
from yinxin.crypto.oids import Extension
from yinxin.crypto.points import CrlPoint, write_points


@dataclass(frozen=True)
class AttributeTemplate:
    """Everything an attribute certificate will say except serial number and issuer."""

    holder: Holder
    claims: Claims
    #: aware datetimes, whole seconds; both ends are inside
    not_before: datetime
    not_after: datetime
    #: verifiers it is meant for; empty: any
    targets: tuple[Target, ...] = ()
    #: where the authority's list is; empty: no revocation will be told (noRevAvail)
    crl_urls: tuple[str, ...] = ()
    #: further extensions, written last and in this order
    extensions: tuple[Extension, ...] = ()


def to_be_signed(template: AttributeTemplate, *, authority: Certificate, serial: int) -> bytes:
    """AttributeCertificateInfo in DER (RFC 5755 4.1), signed by the key of `authority`; raises MalformedTemplate."""
    if not 0 < serial < 1 << 159:
        raise MalformedTemplate(field="serial", reason="not positive or longer than 20 octets")
    if template.not_before.tzinfo is None or template.not_after.tzinfo is None:
        raise MalformedTemplate(field="not_before", reason="an aware time is needed")
    if template.not_after < template.not_before:
        raise MalformedTemplate(field="not_after", reason="earlier than not_before")
    issuer = write_general_names([("dirname", authority.subject.der.hex())])
    return der.sequence(
        der.integer(1),
        template.holder.der,
        der.implicit(0, der.sequence(issuer)),
        authority.public_key.signature_algorithm.identifier,
        der.integer(serial),
        der.sequence(der.generalized(template.not_before), der.generalized(template.not_after)),
        der.sequence(*template.claims.attributes),
        der.sequence(*(each.der for each in _extensions(template, authority))),
    )


def _extensions(template: AttributeTemplate, authority: Certificate) -> Iterable[Extension]:
    key_id = authority.subject_key_id or authority.public_key.key_id
    yield Extension(oids.AUTHORITY_KEY_ID, False, der.sequence(der.implicit(0, der.octets(key_id))))
    if template.targets:
        yield Extension(oids.TARGET_INFORMATION, True, write_targets(template.targets))
    if template.crl_urls:
        points = write_points((CrlPoint(template.crl_urls),), "crl_urls")
        yield Extension(oids.CRL_DISTRIBUTION_POINTS, False, points)
    else:
        yield Extension(oids.NO_REV_AVAIL, False, der.null())
    yield from template.extensions
