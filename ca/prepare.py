"""From an order to octets that may be signed: serial number, times, TBSCertificate, and the linter's leave."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.errors import ProfileRefuses
from ca.issuer import Addresses, Issuer, SecondKey, addresses
from ca.lint import Case, Cleared, judge
from ca.request import Order
from ca.settings import CaSettings
from ca.status.line import shard_of
from yinxin.clock import Clock
from yinxin.crypto import alternative
from yinxin.crypto.attribute.controls import OURS
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import linting_signature
from yinxin.crypto.oids import OCSP_NO_CHECK, SOURCE_OF_AUTHORITY, Extension
from yinxin.crypto.tbs import CertificateTemplate, throwaway_sign, to_be_signed
from yinxin.randomness import Randomness
from yinxin.text import Text


@dataclass(frozen=True)
class Prepared:
    """A certificate complete but for its signature."""

    #: hexadecimal, lower case: the certificate's name everywhere
    serial: str
    #: the list it names, fixed with the serial number
    shard: int
    tbs: bytes
    #: the same octets under a signature that is not over them: what the linter saw
    lint_certificate: Certificate
    cleared: Cleared
    #: what the linter was shown beside it, for a certificate that is linted once more when its alternative signature is in
    case: Case


def prepare(
    order: Order, issuer: Issuer, settings: CaSettings, clock: Clock, randomness: Randomness
) -> Prepared:
    """Choose a serial number, write the TBSCertificate, have it linted; raises ProfileRefuses or LintFailed.

    Where there will be an alternative signature, one over nothing stands in its place.
    """
    # a prefix below 0x80 keeps the number positive and its length fixed; 128 random bits make a repetition a defect
    serial = int.from_bytes(bytes([settings.node]) + randomness.token(16))
    shard = shard_of(settings, issuer, serial)
    where = addresses(settings, issuer, shard)
    tbs = to_be_signed(
        _template(order, issuer, settings, where, clock.now()),
        spki=order.public_key.spki,
        issuer_name=issuer.subject,
        issuer_key_id=issuer.key_id,
        serial=serial,
        algorithm=issuer.algorithm,
        key_id=order.key_id or order.public_key.key_id,
    )
    if second := _second(order, issuer):
        tbs = alternative.completed(tbs, linting_signature(second.algorithm))
    certificate = Certificate(throwaway_sign(tbs, issuer.algorithm))
    case = Case(certificate, issuer, order.profile, where, settings.node, order.key_id)
    return Prepared(f"{serial:x}", shard, tbs, certificate, judge(case), case)


def _second(order: Order, issuer: Issuer) -> SecondKey | None:
    """The key that makes the alternative signature, when there is to be one; raises ProfileRefuses."""
    wanted = order.profile.alternative
    if not wanted and order.second_key is None:
        return None
    if issuer.second is None or wanted not in ("", issuer.second.public_key.algorithm):
        kind = wanted or "-"
        reason = Text(
            f"签发机构 {issuer.name} 没有用于备用签名的 {kind} 密钥",
            f"the authority {issuer.name} has no {kind} key for alternative signatures",
        )
        raise ProfileRefuses(profile=order.profile.name, field="alternative", reason=reason)
    return issuer.second


def _alternative(order: Order, issuer: Issuer) -> Iterator[Extension]:
    if order.second_key is not None:
        yield alternative.second_key(order.second_key)
    if second := _second(order, issuer):
        yield alternative.announced(second.algorithm)


def _period(days: int, now: datetime, settings: CaSettings) -> tuple[datetime, datetime]:
    not_before = now.replace(microsecond=0) - timedelta(seconds=settings.backdate_seconds)
    # both ends are inside the validity (RFC 5280 4.1.2.5), so the last second is not the first of the next day
    return not_before, not_before + timedelta(days=days) - timedelta(seconds=1)


def _template(
    order: Order, issuer: Issuer, settings: CaSettings, where: Addresses, now: datetime
) -> CertificateTemplate:
    profile = order.profile
    not_before, not_after = order.period or _period(order.days, now, settings)
    if issuer.not_after is not None and not_after > issuer.not_after and profile.clamp:
        not_after = issuer.not_after
    if issuer.not_after is not None and not_after > issuer.not_after:
        end = issuer.not_after.date().isoformat()
        reason = Text(
            f"签发机构 {end} 到期，证书不能更晚",
            f"the authority ends on {end} and no certificate outlives it",
        )
        raise ProfileRefuses(profile=profile.name, field="days", reason=reason)
    return CertificateTemplate(
        subject=order.subject,
        not_before=not_before,
        not_after=not_after,
        ca=profile.ca,
        path_length=profile.path_length,
        key_usage=profile.usage_of(order.public_key.algorithm),
        extended_key_usage=profile.extended_key_usage,
        san=order.san,
        policies=profile.policies,
        name_constraints=profile.constraints.names,
        policy_mappings=profile.constraints.mappings,
        policy_constraints=profile.constraints.policies,
        inhibit_any_policy=profile.constraints.inhibit_any_policy,
        crl_urls=where.crl,
        ocsp_urls=where.ocsp,
        ca_issuer_urls=where.issuer,
        extensions=(
            *((OCSP_NO_CHECK,) if profile.no_check else ()),
            *((SOURCE_OF_AUTHORITY, OURS.extension) if profile.attributes else ()),
            *order.identifiers,
            *_alternative(order, issuer),
        ),
    )
