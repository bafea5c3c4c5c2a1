"""A new generation: new key, same name. A root's two generations certify each other's keys (RFC 9810 4.4).

Whoever trusts the old root comes to the new one by “new with old”; whoever trusts the new one comes to what the old
one signed by “old with new”. The old generation goes on telling status until its last certificate ends.
"""

import json
from datetime import datetime

import sqlalchemy as sa

from ca.ceremony.errors import PlanRefused
from ca.ceremony.kinds import RolloverPlan
from ca.ceremony.order import Party, order_for, own_issuer
from ca.ceremony.services import certify_services
from ca.ceremony.table import Place, Table
from ca.context import Context
from ca.errors import UnknownAuthority
from ca.issuer import Issuer
from ca.models import AuthorityRow, CertificateRow, ProfileRow
from ca.profile import Profile
from kms.models import Purpose
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.names import Name
from yinxin.text import Text


def rollover(table: Table, plan: RolloverPlan) -> None:
    """Key, place, own certificate; link certificates for a root, helpers for any other; list and files."""
    row, profile = _before(table.ctx, plan)
    old = table.generation(row.name)
    signer = table.key(plan.name, Purpose.CA, old.public_key.algorithm)
    party = Party(signer.public_key, old.subject, plan.name)
    root = row.parent is None
    parent = None if root else table.issuer(_line(table.ctx, row.parent))
    place = Place(plan.name, row.suite, parent.name if parent else None, row.line, plan.generation)
    table.register(place, old.subject, signer.public_key, active_from=plan.active_from)
    above = parent.line if parent else plan.authority
    order = order_for(party, profile, above, table.reference(plan.name), days=plan.days)
    issuer = parent or own_issuer(plan.name, order, row.suite, signer)
    certificate = table.certify(plan.name, order, issuer, authority=plan.name)
    new = table.generation(plan.name)
    if root:
        _links(table, plan, old, new)
        _no_helpers(plan)
    certify_services(table, new, plan.service)
    table.list_of(plan.name)
    name = f"{row.suite}-{plan.generation}.root" if root else plan.name
    table.write(name, table.folder / "trust" / f"{name}.pem", certificate.pem.encode())


def _before(ctx: Context, plan: RolloverPlan) -> tuple[AuthorityRow, Profile]:
    """The generation that the new one follows, and by which profile it was certified; raises PlanRefused."""
    with ctx.store.read() as session:
        lines = sa.select(AuthorityRow).where(AuthorityRow.line == plan.authority)
        rows = {each.generation: each for each in session.scalars(lines)}
        if not rows:
            raise UnknownAuthority(name=plan.authority[:60])
        row = rows.get(plan.generation - 1)
        own = session.get(CertificateRow, row.serial) if row and row.serial else None
        profile = session.get(ProfileRow, own.profile_hash) if own else None
    if row is None or (own is None and row.adopted is None):
        reason = Text(
            f"没有已建成的第 {plan.generation - 1} 代", f"generation {plan.generation - 1} is not there"
        )
        raise PlanRefused(field="generation", reason=reason)
    if profile is None:
        reason = Text(
            "其证书由外部机构签发：请用 request（succeeds）和 adopt",
            "its certificate comes from outside: use request (succeeds) and adopt",
        )
        raise PlanRefused(field="authority", reason=reason)
    return row, _again(ctx, profile, Name(row.subject))


def _again(ctx: Context, kept: ProfileRow, subject: Name) -> Profile:
    """The profile of the next generation: the one in force, but a subordinate's own terms go on with its name."""
    if kept.name != "subordinate":
        return ctx.profiles[kept.name]
    attributes = {attribute: "request" for attribute, _ in subject.pairs}
    return Profile.model_validate(json.loads(kept.data) | {"subject": attributes})


def _line(ctx: Context, parent: str | None) -> str:
    """The line above: the new generation is signed by whichever of it signs now."""
    return ctx.issuers.get(parent or "").line


def _links(table: Table, plan: RolloverPlan, old: Issuer, new: Issuer) -> None:
    """Old with new, from the old key's beginning; new with old, from the new one's; both to the old one's end."""
    ending = min(_ends(old), _ends(new))
    for what, below, above in (("old-with-new", old, new), ("new-with-old", new, old)):
        label = f"{plan.name}-{what}"
        party = Party(below.public_key, below.subject, below.name)
        period = (_own_certificate(below).not_before, ending)
        order = order_for(
            party, table.ctx.profiles["link"], above.name, table.reference(label), period=period
        )
        link = table.certify(label, order, above)
        table.write(label, table.folder / "ceremony" / f"{label}.pem", link.pem.encode())


def _no_helpers(plan: RolloverPlan) -> None:
    if plan.service:
        reason = Text("根没有自己的服务证书", "a root has no helpers")
        raise PlanRefused(field="service", reason=reason)


def _own_certificate(issuer: Issuer) -> Certificate:
    if issuer.certificate is None:
        raise UnknownAuthority(name=issuer.name)
    return issuer.certificate


def _ends(issuer: Issuer) -> datetime:
    return _own_certificate(issuer).not_after
