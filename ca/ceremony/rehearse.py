"""The dry run: every certificate of a plan made, linted and signed with keys nobody keeps; nothing is written."""

from ca.ceremony.plan import CeremonyPlan, Item
from ca.context import Context
from ca.issuer import Issuer
from ca.prepare import prepare
from ca.request import IssueRequest, Order, examine
from ca.sign import sign
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey, Signer
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import suite


def order_of(ctx: Context, item: Item, signer: Signer) -> Order:
    """The item as a request like any other: its key proves possession, its profile and the directory are asked."""
    csr = CertificationRequest.build(signer, item.subject, item.san)
    request = IssueRequest(
        reference=f"ceremony/{item.label}",
        profile=item.profile,
        csr=csr.der,
        holder=item.holder,
        days=item.days,
        authority=item.authority,
    )
    return examine(request, ctx.profiles[item.profile], ctx.register, ctx.settings)


def own_issuer(item: Item, order: Order, signer: Signer) -> Issuer:
    """A root before it has a certificate: the one moment when an authority signs for itself."""
    return Issuer(
        name=item.label,
        suite=suite(item.suite),
        subject=order.subject,
        public_key=order.public_key,
        certificate=None,
        chain=(),
        signer=lambda: signer,
    )


def rehearse(ctx: Context, plan: CeremonyPlan) -> tuple[Certificate, ...]:
    """The certificates the plan would give, but for keys and serial numbers; raises whatever is wrong with it."""
    made: list[Certificate] = []
    issuers: dict[str, Issuer] = {}
    for item in plan.items():
        key = PrivateKey.generate(item.key_algorithm)
        order = order_of(ctx, item, key)
        issuer = issuers.get(item.authority) or own_issuer(item, order, key)
        prepared = prepare(order, issuer, ctx.settings, ctx.store.clock, ctx.store.randomness)
        certificate = sign(prepared, issuer)
        made.append(certificate)
        if item.makes_authority:
            issuers[item.label] = _issuer(item, certificate, issuer, key)
    return tuple(made)


def _issuer(item: Item, certificate: Certificate, above: Issuer, key: PrivateKey) -> Issuer:
    return Issuer(
        name=item.label,
        suite=suite(item.suite),
        subject=certificate.subject,
        public_key=certificate.public_key,
        certificate=certificate,
        chain=(certificate, *above.chain),
        signer=lambda: key,
    )
