"""What a ceremony orders: certificates for its own items like any applicant's, and certificates for authorities."""

from dataclasses import dataclass
from datetime import datetime

from ca.ceremony.plan import Item
from ca.context import Context
from ca.errors import ProfileRefuses
from ca.issuer import Issuer
from ca.keycheck import sound
from ca.profile import Profile
from ca.request import Holder, IssueRequest, Order, examine
from yinxin.authz import PLATFORM
from yinxin.crypto.keys import PublicKey, Signer
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import suite
from yinxin.text import Text


def order_of(ctx: Context, item: Item, signer: Signer, reference: str = "") -> Order:
    """The item as a request like any other: its key proves possession, its profile and the directory are asked."""
    csr = CertificationRequest.build(signer, item.subject, item.san)
    request = IssueRequest(
        reference=reference or f"ceremony/{item.label}",
        profile=item.profile,
        csr=csr.der,
        holder=item.holder,
        days=item.days,
        authority=item.authority,
    )
    return examine(request, ctx.profiles[item.profile], ctx.register, ctx.settings)


@dataclass(frozen=True)
class Party:
    """An authority that is to be certified: ours, or an outside one, whose key and name stand as they are."""

    public_key: PublicKey
    subject: Name
    #: identifier of the holder: the authority's name, or for an outside one that of its key
    holder: str
    #: the subject key identifier, where it is not derived from the key as ours are
    key_id: bytes | None = None


def order_for(
    party: Party,
    profile: Profile,
    authority: str,
    reference: str,
    *,
    days: int | None = None,
    period: tuple[datetime, datetime] | None = None,
) -> Order:
    """An authority's certificate, ordered by the ceremony itself from `authority`; raises WeakKey and its kin, ProfileRefuses."""
    sound(party.public_key, profile)
    length = days or profile.days
    if not 0 < length <= profile.most_days:
        most = profile.most_days
        reason = Text(f"有效期 {length} 天，最长 {most} 天", f"{length} days of at most {most}")
        raise ProfileRefuses(profile=profile.name, field="days", reason=reason)
    return Order(
        reference=reference,
        profile=profile,
        authority=authority,
        public_key=party.public_key,
        subject=party.subject,
        san=(),
        holder=Holder("service", party.holder, None, PLATFORM),
        days=length,
        period=period,
        key_id=party.key_id,
    )


def own_issuer(name: str, order: Order, suite_name: str, signer: Signer) -> Issuer:
    """A root before it has a certificate: the one moment when an authority signs for itself."""
    return Issuer(
        name=name,
        suite=suite(suite_name),
        subject=order.subject,
        public_key=order.public_key,
        certificate=None,
        chain=(),
        signer=lambda: signer,
    )
