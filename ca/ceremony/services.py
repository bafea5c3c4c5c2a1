"""Helpers of an authority: the certificates of OCSP responders, timestamp units and evidence seals."""

from collections.abc import Iterable

from ca.ceremony.errors import PlanRefused
from ca.ceremony.kinds import ServicesPlan
from ca.ceremony.order import order_of
from ca.ceremony.plan import PURPOSES, Item, ServicePlan
from ca.ceremony.table import Table
from ca.issuer import Issuer
from ca.request import Holder
from yinxin.authz import PLATFORM
from yinxin.crypto.suite import Suite
from yinxin.text import Text

#: the helper that an authority needs as long as its certificates live, retired or not
STATUS = "ocsp-responder"


def services(table: Table, plan: ServicesPlan) -> None:
    """New certificates for helpers of one generation; of a retired one, for its OCSP responder only."""
    issuer = table.generation(plan.authority)
    if issuer.certificate is not None and issuer.certificate.is_self_issued:
        reason = Text("根只签发签发机构的证书", "a root signs authorities only")
        raise PlanRefused(field="authority", reason=reason)
    certify_services(table, issuer, plan.service)


def certify_services(table: Table, issuer: Issuer, wanted: Iterable[ServicePlan]) -> None:
    """Key and certificate of each helper, under the authority's own organisation."""
    for each in wanted:
        item = _item(issuer, each)
        signer = table.key(each.label, PURPOSES[each.profile], key_of(issuer.suite, item.asked_key))
        order = order_of(table.ctx, item, signer, table.reference(each.label))
        table.certify(each.label, order, issuer, status=each.profile == STATUS)


def key_of(suite: Suite, asked: str) -> str:
    """The kind of key that a plan asks for, or the suite's own; raises PlanRefused for one that is none of the suite's."""
    if asked and asked not in suite.signing_keys:
        kinds = ", ".join(suite.signing_keys)
        reason = Text(f"{suite.name} 套件可用的有 {kinds}", f"the suite {suite.name} has {kinds}")
        raise PlanRefused(field="key_algorithm", reason=reason)
    return asked or suite.key_algorithm


def _item(issuer: Issuer, plan: ServicePlan) -> Item:
    organization = issuer.subject.get("organizationName")
    names = (("organizationName", organization),) if organization else ()
    return Item(
        label=plan.label,
        profile=plan.profile,
        suite=issuer.suite.name,
        asked_key=plan.key_algorithm,
        authority=issuer.name,
        subject=(*names, ("commonName", plan.common_name)),
        san=(),
        holder=Holder("service", plan.label, None, PLATFORM),
        days=plan.days,
        in_file=False,
    )
