"""What each certificate of a path must say for itself (RFC 5280 6.1.3 a 2, 6.1.4 k to o, 4.2.1.12)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from yinxin.crypto import oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    Expired,
    NotAnAuthority,
    NotYetValid,
    PathTooLong,
    UnsupportedExtension,
    UsageNotAllowed,
)
from yinxin.crypto.path.usage import Usage

#: extensions whose meaning is honoured in this room, or by the caller that chose the usage
_PROCESSED = {
    oids.AUTHORITY_KEY_ID,
    oids.SUBJECT_KEY_ID,
    oids.KEY_USAGE,
    oids.BASIC_CONSTRAINTS,
    oids.EXTENDED_KEY_USAGE,
    oids.SUBJECT_ALTERNATIVE_NAME,
    oids.NAME_CONSTRAINTS,
    oids.CERTIFICATE_POLICIES,
    oids.POLICY_MAPPINGS,
    oids.POLICY_CONSTRAINTS,
    oids.INHIBIT_ANY_POLICY,
    oids.CRL_DISTRIBUTION_POINTS,
    oids.FRESHEST_CRL,
}


def check(chain: Sequence[Certificate], at: datetime, usage: Usage) -> None:
    """Validity, critical extensions, usage, authority and path length, the anchor's included.

    Raises Expired, NotYetValid, UnsupportedExtension, UsageNotAllowed, NotAnAuthority or PathTooLong.
    """
    for certificate in chain:
        _check_validity(certificate, at)
        _check_extensions(certificate)
    _check_usage(chain[0], usage)
    below = 0  # certificates between the authority and the leaf that are not self-issued
    for authority in chain[1:]:
        _check_authority(authority, usage, below)
        below += not authority.is_self_issued


def _check_validity(certificate: Certificate, at: datetime) -> None:
    name = certificate.subject.text
    if at < certificate.not_before:
        raise NotYetValid(subject=name, not_before=certificate.not_before, at=at)
    if at.replace(microsecond=0) > certificate.not_after:
        raise Expired(subject=name, not_after=certificate.not_after, at=at)


def _check_extensions(certificate: Certificate) -> None:
    for oid, extension in certificate.extensions.items():
        if extension.critical and oid not in _PROCESSED:
            raise UnsupportedExtension(subject=certificate.subject.text, oid=oid)


def _check_usage(leaf: Certificate, usage: Usage) -> None:
    given = leaf.key_usage
    if usage.key_usage and given is not None and not usage.key_usage & given:
        raise _not_allowed(leaf, usage, given)
    if usage is Usage.AUTHORITY and not leaf.is_ca:
        raise NotAnAuthority(subject=leaf.subject.text)
    purposes = leaf.extended_key_usage
    # what states attributes of others is for nothing else, and needs no other purpose to say so
    if usage is not Usage.ANY and (oids.SOA_IDENTIFIER in leaf.extensions) != (usage is Usage.ATTRIBUTES):
        raise _not_allowed(leaf, usage, purposes or frozenset())
    if usage is Usage.TIMESTAMP:  # RFC 3161 2.3: this purpose alone, and critical
        extension = leaf.extensions.get(oids.EXTENDED_KEY_USAGE)
        if purposes != frozenset({"timeStamping"}) or extension is None or not extension.critical:
            raise _not_allowed(leaf, usage, purposes or frozenset())
    _check_purposes(leaf, usage)


def _check_purposes(certificate: Certificate, usage: Usage) -> None:
    purposes = certificate.extended_key_usage
    if purposes is not None and usage.purposes and not (usage.purposes | {"anyExtendedKeyUsage"}) & purposes:
        raise _not_allowed(certificate, usage, purposes)


def _check_authority(authority: Certificate, usage: Usage, below: int) -> None:
    name = authority.subject.text
    if not authority.is_ca or (authority.key_usage is not None and "keyCertSign" not in authority.key_usage):
        raise NotAnAuthority(subject=name)
    if authority.path_length is not None and below > authority.path_length:
        raise PathTooLong(subject=name, limit=authority.path_length)
    _check_purposes(authority, usage)


def _not_allowed(certificate: Certificate, usage: Usage, allowed: Iterable[str]) -> UsageNotAllowed:
    text = ", ".join(sorted(allowed)) or "-"
    return UsageNotAllowed(subject=certificate.subject.text, usage=usage.name.lower(), allowed=text)
