"""A further authority below one of ours: a city's CA with a key of ours, or another site's own that asks by PKCS#10."""

from ca.ceremony.errors import PlanRefused
from ca.ceremony.kinds import FilePlan, NewAuthority, SubordinatePlan
from ca.ceremony.order import Party, order_for
from ca.ceremony.services import certify_services, key_of
from ca.ceremony.table import Place, Table
from ca.ceremony.terms import specialised
from ca.issuer import Issuer
from ca.profile import Profile
from kms.models import Purpose
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.names import Name
from yinxin.text import Text


def subordinate(table: Table, plan: SubordinatePlan) -> None:
    """The authority's certificate; with a key of ours its helpers, first list and trust file too."""
    parent = table.issuer(plan.parent)
    if plan.request is not None:
        _outside(table, plan, plan.request, parent)
    if plan.authority is not None:
        _ours(table, plan, plan.authority, parent)


def _ours(table: Table, plan: SubordinatePlan, wanted: NewAuthority, parent: Issuer) -> None:
    subject = Name.of(wanted.subject)
    signer = table.key(wanted.name, Purpose.CA, key_of(parent.suite, wanted.key_algorithm))
    party = Party(signer.public_key, subject, wanted.name)
    order = order_for(
        party, _profile(table, plan, subject), parent.line, table.reference(wanted.name), days=plan.terms.days
    )
    place = Place(wanted.name, parent.suite.name, parent.name, wanted.name)
    table.register(place, subject, signer.public_key)
    certificate = table.certify(wanted.name, order, parent, authority=wanted.name)
    certify_services(table, table.generation(wanted.name), plan.service)
    table.list_of(wanted.name)
    path = table.folder / "trust" / f"{wanted.name}.pem"
    table.write(wanted.name, path, certificate.pem.encode())


def _outside(table: Table, plan: SubordinatePlan, file: FilePlan, parent: Issuer) -> None:
    asked = table.request_file(file)
    if not asked.subject:
        raise PlanRefused(field="request", reason=Text("其中没有名称", "it has no name"))
    _not_ours(table, asked.public_key)
    party = Party(asked.public_key, asked.subject, outside_holder(asked.public_key))
    order = order_for(
        party,
        _profile(table, plan, asked.subject),
        parent.line,
        table.reference(plan.label),
        days=plan.terms.days,
    )
    certificate = table.certify(plan.label, order, parent)
    hand_out(table, plan.label, certificate, parent)


def hand_out(table: Table, label: str, certificate: Certificate, issuer: Issuer) -> None:
    """The certificate for whoever asked, and beside it those above with the root: what the other site adopts."""
    folder = table.folder / "ceremony"
    table.write(label, folder / f"{label}.pem", certificate.pem.encode())
    above = "".join(each.pem for each in issuer.chain)
    table.write(f"{label}.chain", folder / f"{label}.chain.pem", above.encode())


def outside_holder(key: PublicKey) -> str:
    """Under what name an outside authority stands in the register: its key's identifier."""
    return f"ca-{key.key_id.hex()}"


def _profile(table: Table, plan: SubordinatePlan, subject: Name) -> Profile:
    attributes = [attribute for attribute, _ in subject.pairs]
    return specialised(table.ctx.profiles["subordinate"], plan.terms, attributes)


def _not_ours(table: Table, key: PublicKey) -> None:
    """One of our own authorities is certified under its own name, not as an outside one."""
    if table.ctx.issuers.of_key(key.key_id) is not None:
        reason = Text("这是本站点签发机构的密钥", "the key is one of this site's authorities'")
        raise PlanRefused(field="request", reason=reason)
