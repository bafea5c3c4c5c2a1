"""Rules for revocation lists, RFC 5280 section 5: what the list says of itself, and each entry.

What the list says is looked at before it replaces the one in force, at a cost that does not grow with it. The reader
has held its form to DER already, and refuses a scope that says nothing (5.2.5). The entries are each looked at when
everything stored is checked again (`ca.recheck`): a list of a hundred thousand is made within seconds of a revocation,
and its entries are those of the list before.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from ca.lint.case import Finding
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.oids import Extension, read_extensions
from yinxin.crypto.status import CertificateList, Reason, read_entries
from yinxin.errors import YinxinError

_UTC_TIME_ENDS = datetime(2050, 1, 1, tzinfo=UTC)
_CRITICAL = {oids.DELTA_CRL_INDICATOR, oids.ISSUING_DISTRIBUTION_POINT}
_KNOWN = {*_CRITICAL, oids.AUTHORITY_KEY_ID, oids.CRL_NUMBER, oids.FRESHEST_CRL}


@dataclass(frozen=True)
class ListCase:
    """A revocation list and the certificate of the authority that makes it."""

    list: CertificateList
    issuer: Certificate

    @cached_property
    def fields(self) -> tuple[bytes, ...]:
        """The fields of the TBSCertList, encoded."""
        return tuple(der.elements(der.elements(self.list.der)[0]))

    @cached_property
    def extensions(self) -> dict[str, Extension]:
        """Every extension by object identifier."""
        return dict(read_extensions(self.fields[-1], 0))


ListCheck = Callable[[ListCase], Iterator[str]]


def list_findings(
    made: CertificateList, issuer: Certificate, *, entries: bool = False
) -> tuple[Finding, ...]:
    """Every broken rule; with `entries`, also those about each entry."""
    case = ListCase(made, issuer)
    rules = _RULES | _ENTRY_RULES if entries else _RULES
    return tuple(Finding(clause, fault) for clause, check in rules.items() for fault in check(case))


def _signature(case: ListCase) -> Iterator[str]:
    wanted = case.issuer.public_key.signature_algorithm
    if case.list.signature_algorithm != wanted:
        yield f"signed with {case.list.signature_algorithm.name}, not with {wanted.name}"


def _issuer(case: ListCase) -> Iterator[str]:
    if case.list.issuer != case.issuer.subject:
        yield "the issuer's name is not the authority's subject"


def _times(case: ListCase) -> Iterator[str]:
    this, following = case.list.this_update, case.list.next_update
    if following <= this:
        yield "the next update is not after this one"
    for at, element in zip((this, following), case.fields[3:5], strict=True):
        if (element[0] == der.UTC_TIME) != (at < _UTC_TIME_ENDS):
            yield "a time through 2049 must be UTCTime, a later one GeneralizedTime"


def _presence(case: ListCase) -> Iterator[str]:
    if len(case.fields) > 6 and not der.content(case.fields[5]):
        yield "a list without entries must leave them out"


def _authority_key(case: ListCase) -> Iterator[str]:
    if case.list.authority_key_id != case.issuer.subject_key_id:
        yield "the authority key identifier is missing or not the issuer's"


def _number(case: ListCase) -> Iterator[str]:
    if case.list.number < 0 or len(der.integer(case.list.number)) - 2 > 20:
        yield "the number is negative or longer than 20 octets"


def _base(case: ListCase) -> Iterator[str]:
    base = case.list.delta_base
    if base is not None and base >= case.list.number:
        yield "a delta must follow the list it refers to"
    if base is not None and oids.FRESHEST_CRL in case.extensions:
        yield "a delta must not refer to a delta"


def _extensions(case: ListCase) -> Iterator[str]:
    for oid, extension in case.extensions.items():
        if oid not in _KNOWN:
            yield f"unknown extension {oid}"
        elif extension.critical != (oid in _CRITICAL):
            yield f"extension {oid} must {'' if oid in _CRITICAL else 'not '}be critical"


def _entries(case: ListCase) -> Iterator[str]:
    try:
        entries = read_entries(case.list.entries)
    except YinxinError as error:
        yield f"an entry cannot be read: {error.code}"
        return
    counted = Counter(serial for serial, _ in entries)
    for serial, what in entries:
        if serial <= 0 or counted[serial] > 1:
            yield f"serial number {serial:x} is not positive, or stands twice"
        if what.at > case.list.this_update:
            yield f"serial number {serial:x} is revoked after the list was made"
        if what.reason is Reason.UNSPECIFIED:
            yield f"serial number {serial:x} says unspecified, which is said by saying nothing"
        if what.reason is Reason.REMOVE_FROM_CRL and case.list.delta_base is None:
            yield f"serial number {serial:x} is removed in a list that is no delta"


_RULES: dict[str, ListCheck] = {
    "RFC 5280 5.1.1.2": _signature,
    "RFC 5280 5.1.2.3": _issuer,
    "RFC 5280 5.1.2.4 and 5.1.2.5": _times,
    "RFC 5280 5.1.2.6": _presence,
    "RFC 5280 5.2.1": _authority_key,
    "RFC 5280 5.2.3": _number,
    "RFC 5280 5.2.4 and 5.2.6": _base,
    "RFC 5280 5.2": _extensions,
}
_ENTRY_RULES: dict[str, ListCheck] = {"RFC 5280 5.3": _entries}
