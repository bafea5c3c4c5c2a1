"""Making certificates: what will be signed, then the signature put to it.

The certification authority writes `to_be_signed`, lints the copy that `throwaway_sign` makes, has its security module
sign the same octets, and `assemble`s the certificate. One template gives one sequence of octets, on every machine.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import V3
from yinxin.crypto.constraints import NameConstraints, PolicyConstraints, PolicyMapping, write_mappings
from yinxin.crypto.errors import MalformedTemplate
from yinxin.crypto.general_names import GeneralName, write_general_name, write_general_names
from yinxin.crypto.keys import linting_signature
from yinxin.crypto.names import Name
from yinxin.crypto.oids import EXTENDED_KEY_USAGES, KEY_USAGES, REASON_FLAGS, Extension
from yinxin.crypto.points import CrlPoint, write_points
from yinxin.crypto.public_key import public_key
from yinxin.crypto.suite import SignatureAlgorithm


@dataclass(frozen=True)
class CertificateTemplate:
    """Everything a certificate will say except key, serial number and issuer; raises MalformedTemplate when built wrong."""

    subject: Name
    #: aware datetimes, whole seconds
    not_before: datetime
    not_after: datetime
    ca: bool = False
    #: how many intermediate certificates may follow; only with `ca`
    path_length: int | None = None
    #: names of `oids.KEY_USAGES`; never empty
    key_usage: frozenset[str] = frozenset()
    #: names of `oids.EXTENDED_KEY_USAGES` or dotted identifiers, in the order to be written
    extended_key_usage: tuple[str, ...] = ()
    #: (kind, text) with the kinds dns, ip, email, uri, dirname
    san: tuple[GeneralName, ...] = ()
    #: certificate policies, dotted
    policies: tuple[str, ...] = ()
    #: what an authority imposes on those below it; only with `ca`, and critical
    name_constraints: NameConstraints | None = None
    policy_mappings: tuple[PolicyMapping, ...] = ()
    policy_constraints: PolicyConstraints | None = None
    #: after how many further certificates anyPolicy means nothing
    inhibit_any_policy: int | None = None
    #: the addresses of one list; `crl_points` instead, when there are several lists or one of another's
    crl_urls: tuple[str, ...] = ()
    crl_points: tuple[CrlPoint, ...] = ()
    #: where the deltas to those lists are
    freshest_crl: tuple[CrlPoint, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    ca_issuer_urls: tuple[str, ...] = ()
    #: further extensions, written last and in this order
    extensions: tuple[Extension, ...] = ()

    def __post_init__(self) -> None:
        for field, wrong, reason in (
            (
                "not_before",
                self.not_before.tzinfo is None or self.not_after.tzinfo is None,
                "an aware time is needed",
            ),
            (
                "key_usage",
                not self.key_usage or bool(self.key_usage - KEY_USAGES.keys()),
                "empty or unknown usage",
            ),
            ("key_usage", not self.ca and "keyCertSign" in self.key_usage, "keyCertSign without ca"),
            (
                "path_length",
                self.path_length is not None and (not self.ca or self.path_length < 0),
                "only with ca",
            ),
            ("crl_points", bool(self.crl_urls and self.crl_points), "crl_urls are given as well"),
            ("subject", not self.subject and not self.san, "empty, and no alternative name"),
            ("subject", not self.subject and self.ca, "an authority needs a name"),
        ):
            if wrong:
                raise MalformedTemplate(field=field, reason=reason)
        self._check_constraints()
        if self.not_after < self.not_before:
            raise MalformedTemplate(field="not_after", reason="earlier than not_before")

    def _check_constraints(self) -> None:
        for field in ("name_constraints", "policy_mappings", "policy_constraints", "inhibit_any_policy"):
            if not self.ca and getattr(self, field) not in (None, ()):
                raise MalformedTemplate(field=field, reason="only with ca")
        if self.inhibit_any_policy is not None and self.inhibit_any_policy < 0:
            raise MalformedTemplate(field="inhibit_any_policy", reason="a count from 0 up is needed")
        for point in (*self.crl_points, *self.freshest_crl):
            if not point.name.names and point.relative is None and not point.issuer:
                raise MalformedTemplate(field="crl_points", reason="neither a place nor an issuer")
            if point.reasons is not None and (not point.reasons or point.reasons - REASON_FLAGS.keys()):
                raise MalformedTemplate(field="crl_points", reason="no or unknown reasons")


def to_be_signed(
    template: CertificateTemplate,
    *,
    spki: bytes,
    issuer_name: Name,
    issuer_key_id: bytes,
    serial: int,
    algorithm: SignatureAlgorithm,
    key_id: bytes | None = None,
) -> bytes:
    """TBSCertificate in DER (RFC 5280 4.1); `algorithm` is how the issuer's key signs, `serial` positive, at most 20 octets.

    `spki` is the subject's, of any suite; a self-signed root gives its own name and key identifier as the issuer's.
    `key_id` is for an authority that identifies its key otherwise than by method 1 of RFC 5280 4.2.1.2: what stands in
    the certificates below it must stand in every certificate of its own.
    Raises MalformedTemplate, MalformedKey or UnsupportedAlgorithm.
    """
    if not 0 < serial < 1 << 159:
        raise MalformedTemplate(field="serial", reason="not positive or longer than 20 octets")
    extensions = _unique(_extensions(template, key_id or public_key(spki).key_id, issuer_key_id))
    return der.sequence(
        V3,
        der.integer(serial),
        algorithm.identifier,
        issuer_name.der,
        der.sequence(der.time(template.not_before), der.time(template.not_after)),
        template.subject.der,
        spki,
        der.explicit(3, der.sequence(*(each.der for each in extensions))),
    )


def assemble(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """The DER certificate (or any other SIGNED object of X.509) of `tbs` and the issuer's signature over it."""
    return der.sequence(tbs, algorithm.identifier, der.bits(signature))


def throwaway_sign(tbs: bytes, algorithm: SignatureAlgorithm) -> bytes:
    """A certificate of exactly these octets and a signature of the right form that is not over them: what a linter is shown."""
    return assemble(tbs, algorithm, linting_signature(algorithm))


def _extensions(template: CertificateTemplate, key_id: bytes, issuer_key_id: bytes) -> Iterable[Extension]:
    yield _authority_key(issuer_key_id)
    yield Extension(oids.SUBJECT_KEY_ID, False, der.octets(key_id))
    yield _key_usage(template.key_usage)
    yield _basic_constraints(template.ca, template.path_length)
    if template.extended_key_usage:
        yield _purposes(template.extended_key_usage)
    if template.san:
        yield Extension(
            oids.SUBJECT_ALTERNATIVE_NAME, not template.subject, write_general_names(template.san)
        )
    if template.policies:
        yield _policies(template.policies)
    yield from _constraints(template)
    if points := template.crl_points or ((CrlPoint(template.crl_urls),) if template.crl_urls else ()):
        yield _points(points)
    if template.freshest_crl:
        yield Extension(oids.FRESHEST_CRL, False, write_points(template.freshest_crl, "freshest_crl"))
    if template.ocsp_urls or template.ca_issuer_urls:
        yield _access(template.ocsp_urls, template.ca_issuer_urls)
    yield from template.extensions


def _constraints(template: CertificateTemplate) -> Iterable[Extension]:
    """RFC 5280 has them critical, so that who does not process them refuses the path."""
    if template.policy_mappings:
        yield Extension(oids.POLICY_MAPPINGS, True, write_mappings(template.policy_mappings))
    if template.name_constraints:
        yield Extension(oids.NAME_CONSTRAINTS, True, template.name_constraints.der)
    if template.policy_constraints:
        yield Extension(oids.POLICY_CONSTRAINTS, True, template.policy_constraints.der)
    if template.inhibit_any_policy is not None:
        yield Extension(oids.INHIBIT_ANY_POLICY, True, der.integer(template.inhibit_any_policy))


# The certificates of one profile and one issuer say the same of these: written once, octets and all.


@lru_cache(maxsize=256)
def _authority_key(key_id: bytes) -> Extension:
    return Extension(oids.AUTHORITY_KEY_ID, False, der.sequence(der.implicit(0, der.octets(key_id))))


@lru_cache(maxsize=256)
def _key_usage(usages: frozenset[str]) -> Extension:
    return Extension(oids.KEY_USAGE, True, der.named_bits([KEY_USAGES[name] for name in usages]))


@lru_cache(maxsize=256)
def _basic_constraints(ca: bool, path_length: int | None) -> Extension:  # noqa: FBT001 - the fields of the standard
    length = b"" if path_length is None else der.integer(path_length)
    value = der.sequence(der.boolean(True), length) if ca else der.sequence()
    return Extension(oids.BASIC_CONSTRAINTS, ca, value)


@lru_cache(maxsize=256)
def _purposes(names: tuple[str, ...]) -> Extension:
    purposes = (der.oid(EXTENDED_KEY_USAGES.get(each, each)) for each in names)
    # RFC 3161 2.3: a timestamp unit's certificate has this one purpose, critical
    return Extension(oids.EXTENDED_KEY_USAGE, names == ("timeStamping",), der.sequence(*purposes))


@lru_cache(maxsize=256)
def _policies(policies: tuple[str, ...]) -> Extension:
    written = (der.sequence(der.oid(each)) for each in policies)
    return Extension(oids.CERTIFICATE_POLICIES, False, der.sequence(*written))


@lru_cache(maxsize=256)
def _points(points: tuple[CrlPoint, ...]) -> Extension:
    return Extension(oids.CRL_DISTRIBUTION_POINTS, False, write_points(points, "crl_urls"))


@lru_cache(maxsize=256)
def _access(ocsp: tuple[str, ...], ca_issuers: tuple[str, ...]) -> Extension:
    places = (
        *((oids.OCSP, url, "ocsp_urls") for url in ocsp),
        *((oids.CA_ISSUERS, url, "ca_issuer_urls") for url in ca_issuers),
    )
    written = (
        der.sequence(der.oid(method), write_general_name("uri", url, of)) for method, url, of in places
    )
    return Extension(oids.AUTHORITY_INFORMATION_ACCESS, False, der.sequence(*written))


def _unique(extensions: Iterable[Extension]) -> list[Extension]:
    found = list(extensions)
    names = [each.oid for each in found]
    if len(set(names)) != len(names):
        raise MalformedTemplate(field="extensions", reason="one extension given twice")
    return found
