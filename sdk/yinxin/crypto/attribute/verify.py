"""Whether an attribute certificate holds (RFC 5755 sections 5 and 6): offline, at a stated time, with bounded work.

`verify` raises the first thing that does not hold, in the order of section 5.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from yinxin.crypto import oids
from yinxin.crypto.attribute.certificate import AttributeCertificate
from yinxin.crypto.attribute.claims import Claims
from yinxin.crypto.attribute.controls import Controls
from yinxin.crypto.attribute.errors import (
    AttributeCertificateExpired,
    AttributeCertificateNotYetValid,
    AttributeCertificateRevoked,
    AttributeNotPermitted,
    AttributeStatusUnknown,
    ClaimOver,
    HolderMissing,
    NotAnAttributeAuthority,
    UnsupportedAttributeExtension,
    WrongTarget,
)
from yinxin.crypto.attribute.targets import meant_for
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed, UnknownIssuer
from yinxin.crypto.path import RevocationEvidence, Usage, ValidatedPath, validate
from yinxin.crypto.status import CertificateList
from yinxin.errors import YinxinError
from yinxin.text import Text

#: critical extensions that are processed here
_PROCESSED = {
    oids.AUTHORITY_KEY_ID,
    oids.TARGET_INFORMATION,
    oids.CRL_DISTRIBUTION_POINTS,
    oids.NO_REV_AVAIL,
}
#: authorities of one name, and lists, that are tried
_MOST = 32


@dataclass(frozen=True)
class Known:
    """What a verifier has beforehand and beside the attribute certificate.

    `certificates` and `revocation` are believed only as far as they verify; `anchors` are trusted. `authorities` are
    certificates of attribute authorities that are trusted by name (RFC 5755 5, item 4); None: every certificate below
    the anchors that was issued for one: that of a source of authority (X.509 17.2) with aaControls (RFC 5755 7.4).
    """

    anchors: tuple[Certificate, ...]
    certificates: tuple[Certificate, ...] = ()
    revocation: RevocationEvidence = field(default_factory=RevocationEvidence)
    authorities: tuple[Certificate, ...] | None = None
    #: by which names this verifier is a target, and of which groups it is a member
    names: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verified:
    """An attribute certificate that holds: what it states, of whom, on whose word, and when it was judged."""

    certificate: AttributeCertificate
    claims: Claims
    holder: ValidatedPath
    authority: ValidatedPath
    at: datetime


def verify(
    certificate: AttributeCertificate,
    known: Known,
    *,
    at: datetime,
    holder: Certificate | None = None,
    require_revocation: bool = True,
) -> Verified:
    """Judge `certificate` at the instant `at`; `holder` is the certificate that somebody showed and proved to hold.

    Without `holder` it is looked for among `known.certificates`. With `require_revocation` every certificate needs a
    statement that it was not revoked at `at`; an attribute certificate with noRevAvail needs none of its own.

    Raises HolderMissing, HolderDiffers, NotAnAttributeAuthority, AttributeNotPermitted, WrongIssuer, BadSignature,
    AttributeCertificateNotYetValid, AttributeCertificateExpired, WrongTarget, UnsupportedAttributeExtension,
    AttributeCertificateRevoked, AttributeStatusUnknown, ClaimOver, MalformedAttributeCertificate, and of the two
    certification paths what `path.validate` raises.
    """
    # 1. the holder's certificate is the one that is named, and its path holds
    shown = holder or _holder(certificate, known.certificates)
    certificate.holder.match(shown, certificate.name)
    holder_path = _path(shown, Usage.ANY, known, at, required=require_revocation)
    # 2. the signature is its authority's, whose path holds; 3. and 4. the authority may state these attributes
    authority, authority_path = _authority(certificate, known, at, required=require_revocation)
    _permitted(certificate, authority)
    # 5. the time
    _timely(certificate, at)
    # 6. for this verifier
    if certificate.targets and not meant_for(certificate.targets, known.names, known.groups):
        told = ", ".join(each.text for each in certificate.targets)
        raise WrongTarget(serial=certificate.name, targets=told)
    # 7. nothing critical that is not understood
    for oid, extension in certificate.extensions.items():
        if extension.critical and oid not in _PROCESSED:
            raise UnsupportedAttributeExtension(serial=certificate.name, oid=oid)
    # section 6: not revoked
    _unrevoked(certificate, authority, known.revocation.crls, at, required=require_revocation)
    # and what it states is in force by its own words
    claims = certificate.claims
    _in_force(certificate, claims, at)
    return Verified(certificate, claims, holder_path, authority_path, at)


def _holder(certificate: AttributeCertificate, pool: Iterable[Certificate]) -> Certificate:
    wanted = certificate.holder
    for each in pool:
        if each.serial == wanted.serial and each.issuer.matches(wanted.issuer):
            return each
    raise HolderMissing(serial=certificate.name, holder=f"{wanted.serial:x}")


def _path(leaf: Certificate, usage: Usage, known: Known, at: datetime, *, required: bool) -> ValidatedPath:
    return validate(
        leaf,
        known.certificates,
        known.anchors,
        at=at,
        usage=usage,
        revocation=known.revocation,
        require_revocation=required,
    )


def _authority(
    certificate: AttributeCertificate, known: Known, at: datetime, *, required: bool
) -> tuple[Certificate, ValidatedPath]:
    """The first authority of that name whose key signed it and that holds in every respect, or why the likeliest does not."""
    pool = (*(known.authorities or ()), *known.certificates, *known.anchors)
    candidates = [each for each in dict.fromkeys(pool) if each.subject.matches(certificate.issuer)]
    failure: YinxinError | None = None
    for each in candidates[:_MOST]:
        try:
            certificate.issued_by(each)
        except YinxinError as error:
            failure = failure or error
            continue
        try:
            _trusted(each, known)
            usage = Usage.ATTRIBUTES if known.authorities is None else Usage.ANY
            return each, _path(each, usage, known, at, required=required)
        except YinxinError as error:
            # its key did sign: that tells more than a key that did not
            raise error from None
    raise failure or UnknownIssuer(
        subject=f"attribute certificate {certificate.name}", issuer=certificate.issuer.text
    )


def _trusted(authority: Certificate, known: Known) -> None:
    """RFC 5755 5, items 3 and 4, with 4.5: no certification authority, may sign, and is trusted to state attributes."""
    name = authority.subject.text

    def refuse(zh: str, en: str) -> NotAnAttributeAuthority:
        return NotAnAttributeAuthority(subject=name, reason=Text(zh, en))

    if authority.is_ca:
        raise refuse("证书认证机构不得出具属性证书", "a certification authority states no attributes")
    if authority.key_usage is not None and "digitalSignature" not in authority.key_usage:
        raise refuse("其证书不可用于签名", "its certificate is not for signatures")
    if known.authorities is not None:
        if authority not in known.authorities:
            raise refuse("不在信任的属性权威之列", "it is not among those that are trusted")
        return
    if not authority.extensions.keys() >= {oids.AA_CONTROLS, oids.SOA_IDENTIFIER}:
        raise refuse("其证书不是为属性权威签发的", "its certificate was not issued for one")


def _permitted(certificate: AttributeCertificate, authority: Certificate) -> None:
    """No attribute beyond what aaControls of the authority's own certificate leaves it (RFC 5755 7.4)."""
    extension = authority.extensions.get(oids.AA_CONTROLS)
    if extension is None:
        return
    try:
        controls = Controls.read(extension.value)
    except (Malformed, ValueError) as error:
        reason = Text("aaControls 无法读取", "its aaControls cannot be read")
        raise NotAnAttributeAuthority(subject=authority.subject.text, reason=reason) from error
    for oid in certificate.attributes:
        if not controls.permits(oid):
            raise AttributeNotPermitted(subject=authority.subject.text, attribute=oid)


def _timely(certificate: AttributeCertificate, at: datetime) -> None:
    if at < certificate.not_before:
        raise AttributeCertificateNotYetValid(
            serial=certificate.name, not_before=certificate.not_before, at=at
        )
    if at.replace(microsecond=0) > certificate.not_after:
        raise AttributeCertificateExpired(serial=certificate.name, not_after=certificate.not_after, at=at)


def _unrevoked(
    certificate: AttributeCertificate,
    authority: Certificate,
    crls: Collection[CertificateList],
    at: datetime,
    *,
    required: bool,
) -> None:
    """RFC 5755 section 6: noRevAvail is enough; else the authority's list, current at `at` or made later while it could list it."""
    current = False
    for each in _lists(certificate, authority, crls):
        said = each.lookup(certificate.serial)
        if said is not None and said.effective <= at:
            reason = said.reason.value if said.reason else "-"
            raise AttributeCertificateRevoked(
                serial=certificate.name, revoked_at=said.effective, reason=reason, at=at
            )
        later = at < each.this_update <= certificate.not_after
        current = current or each.this_update <= at <= each.next_update or later
    if required and certificate.revocable and not current:
        place = ", ".join(certificate.crl_urls) or authority.subject.text
        raise AttributeStatusUnknown(serial=certificate.name, place=place)


def _lists(
    certificate: AttributeCertificate, authority: Certificate, crls: Collection[CertificateList]
) -> Iterable[CertificateList]:
    """The authority's own whole lists that speak for attribute certificates and of this one."""
    own = [each for each in crls if each.issuer.matches(authority.subject)]
    for each in own[:_MOST]:
        scope = each.scope
        if scope.only_user or scope.only_ca or scope.indirect or scope.reasons is not None:
            continue
        if each.delta_base is not None or (scope.urls and set(scope.urls).isdisjoint(certificate.crl_urls)):
            continue
        try:
            each.verify(authority)
        except YinxinError:
            continue  # somebody else's list of the same name says nothing, and must not keep ours from being heard
        yield each


def _in_force(certificate: AttributeCertificate, claims: Claims, at: datetime) -> None:
    if not claims.appointment.covers(at):
        post = claims.appointment.post
        raise ClaimOver(serial=certificate.name, claim=post.name, at=at)
    for each in claims.grants:
        if not each.covers(at):
            raise ClaimOver(serial=certificate.name, claim=each.template.name, at=at)
