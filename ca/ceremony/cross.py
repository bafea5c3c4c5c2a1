"""Cross-certification with another authority, in either direction."""

from ca.ceremony.errors import PlanRefused
from ca.ceremony.kinds import CrossPlan, FilePlan
from ca.ceremony.order import Party, order_for
from ca.ceremony.subordinate import hand_out, outside_holder
from ca.ceremony.table import Table
from ca.ceremony.take import take
from ca.ceremony.terms import Terms, specialised
from ca.hierarchy.models import Use
from ca.issuer import Issuer
from yinxin.crypto.certificates import Certificate
from yinxin.text import Text


def cross(table: Table, plan: CrossPlan) -> None:
    """We certify the other's key and name as they stand in its own certificate; and take in what it issued for ours."""
    other = table.certificate_file(plan.other)
    _an_authority(table, other)
    if plan.certify is not None:
        _certify(table, plan, plan.certify, other)
    if plan.accept is not None:
        _accept(table, plan, plan.accept, other)


def _an_authority(table: Table, other: Certificate) -> None:
    if not other.is_ca or (other.key_usage is not None and "keyCertSign" not in other.key_usage):
        raise PlanRefused(
            field="other", reason=Text("它不是签发机构的证书", "it is no certificate of an authority")
        )
    if other.is_self_issued and other.authority_key_id in (None, other.subject_key_id):
        other.issued_by(other)
    if not other.not_before <= table.ctx.store.clock.now() <= other.not_after:
        raise PlanRefused(field="other", reason=Text("它不在有效期内", "it is not valid now"))
    if table.ctx.issuers.of_key(other.public_key.key_id) is not None:
        reason = Text("这是本站点的签发机构", "it is one of this site's own authorities")
        raise PlanRefused(field="other", reason=reason)


def _certify(table: Table, plan: CrossPlan, terms: Terms, other: Certificate) -> None:
    issuer = table.issuer(plan.authority)
    attributes = [attribute for attribute, _ in other.subject.pairs]
    profile = specialised(table.ctx.profiles["cross"], terms, attributes)
    key = other.public_key
    own_id = other.subject_key_id if other.subject_key_id != key.key_id else None
    party = Party(key, other.subject, outside_holder(key), own_id)
    order = order_for(party, profile, issuer.line, table.reference(plan.label), days=terms.days)
    certificate = table.certify(plan.label, order, issuer)
    if certificate.not_after > other.not_after:
        reason = Text("交叉证书比对方自己的证书更晚到期", "it would outlive the other's own certificate")
        raise PlanRefused(field="certify.days", reason=reason)
    hand_out(table, plan.label, certificate, issuer)


def _accept(table: Table, plan: CrossPlan, file: FilePlan, other: Certificate) -> None:
    ours = table.certificate_file(file)
    ours.issued_by(other)
    issuer = _whose(table, plan.authority, ours)
    take(table, issuer.name, {ours: Use.OWN, other: Use.ABOVE}, ours)


def _whose(table: Table, line: str, ours: Certificate) -> Issuer:
    """The generation of our line that the certificate is for; raises PlanRefused."""
    for name in table.ctx.issuers.line(line):
        issuer = table.ctx.issuers.get(name)
        if issuer.public_key == ours.public_key and issuer.subject == ours.subject:
            return issuer
    reason = Text(
        f"其中的密钥和名称不是 {line} 任何一代的", f"its key and name are of no generation of {line}"
    )
    raise PlanRefused(field="accept", reason=reason)
