"""The independent linter, pkilint, over one certificate or list: its errors by code. Imported when first asked."""

import re
from functools import cache
from typing import Any

from yinxin.crypto import oids
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.suite import SM

#: RFC 8813 3 forbids an EC key what GM/T 0015 has an SM2 key do, and SM2 keys are EC keys to pkilint
_NATIONAL = {"pkix.key_usage_value_prohibited_for_ec"}
#: what it says of a host without a dot, as closed networks have them. RFC 5280 4.2.1.6 wants the preferred name syntax of
#: RFC 1034 3.5, modified by RFC 1123 2.1, and that is `<label>` as well as `<subdomain> "." <label>`. It says the same of a
#: wildcard, which that clause leaves to whoever uses one (RFC 9525 6.3): whether it may be there is the profile's to say
_DOMAIN_SYNTAX = "pkix.invalid_domain_name_syntax"
_WILDCARD = re.compile(r"\*(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){2,}", re.ASCII)
LABEL = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)


def certificate_faults(encoded: bytes, key: PublicKey) -> tuple[str, ...]:
    """Codes of its findings of severity ERROR and above for a certificate in DER."""
    from pkilint import loader

    document = loader.RFC5280CertificateDocumentLoader().load_der_document(encoded, "certificate")
    forgiven = _NATIONAL if key.suite is SM else set()
    return tuple(code for code in _errors(_for_certificates(), document.root) if code not in forgiven)


def list_faults(encoded: bytes) -> tuple[str, ...]:
    """The same for a revocation list in DER."""
    from pkilint import loader

    document = loader.RFC5280CertificateListDocumentLoader().load_der_document(encoded, "list")
    return _errors(_for_lists(), document.root)


def _errors(judge: Any, root: Any) -> tuple[str, ...]:
    from pkilint.validation import ValidationFindingSeverity as Severity

    return tuple(
        str(each.finding.code)
        for result in judge.validate(root)
        for each in result.finding_descriptions
        if each.finding.severity in (Severity.ERROR, Severity.FATAL)
        and not (each.finding.code == _DOMAIN_SYNTAX and _stands(str(result.node.pdu)))
    )


def _stands(host: str) -> bool:
    return bool(LABEL.fullmatch(host) or _WILDCARD.fullmatch(host))


def extension_types() -> dict[Any, Any]:
    """The extensions that it reads, by object identifier, but for aaControls (RFC 5755 7.4).

    It knows that one only where something of the same process had read it before pkilint was imported, and then takes none
    that names attributes of our own: their object identifiers have an arc of more than 32 bits (X.667). Our linter reads it.
    """
    from pkilint.pkix import extension

    return {oid: kind for oid, kind in extension.EXTENSION_MAPPINGS.items() if str(oid) != oids.AA_CONTROLS}


@cache
def _for_certificates() -> Any:
    from pkilint.pkix import certificate, name

    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension_types()),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


@cache
def _for_lists() -> Any:
    from pkilint import pkix
    from pkilint.pkix import crl, name

    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension_types()),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
