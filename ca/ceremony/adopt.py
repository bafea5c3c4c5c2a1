"""An authority under an outside one: the request goes out, the certificate comes in, only then it issues."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.ceremony.errors import CeremonyDiffers, PlanRefused
from ca.ceremony.kinds import AdoptPlan, RequestPlan
from ca.ceremony.services import certify_services, key_of
from ca.ceremony.table import Place, Rehearsal, Table
from ca.ceremony.take import take
from ca.context import Context
from ca.errors import UnknownAuthority
from ca.hierarchy.models import Use
from ca.models import AuthorityRow
from kms.models import Purpose
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer
from yinxin.crypto.names import Name
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import suite
from yinxin.errors import YinxinError
from yinxin.text import Text

# --- the request goes out --------------------------------------------------------------------------------------


def request(table: Table, plan: RequestPlan) -> None:
    """Key, place among the authorities, and a PKCS#10 for the outside authority."""
    wanted = plan.authority
    subject = Name.of(wanted.subject)
    if plan.succeeds:
        _follows(table.ctx, plan, subject)
    signer = table.key(wanted.name, Purpose.CA, key_of(suite(plan.suite), wanted.key_algorithm))
    place = Place(wanted.name, plan.suite, None, plan.succeeds or wanted.name, plan.generation)
    table.register(place, subject, signer.public_key)
    path = table.folder / "ceremony" / f"{wanted.name}.csr.pem"
    table.write(f"{wanted.name}.csr", path, _request(path, signer, subject))


def _follows(ctx: Context, plan: RequestPlan, subject: Name) -> None:
    """The line exists, this generation is its next, and it keeps the name; raises PlanRefused."""
    with ctx.store.read() as session:
        query = sa.select(AuthorityRow).where(
            AuthorityRow.line == plan.succeeds, AuthorityRow.generation == plan.generation - 1
        )
        before = session.scalars(query).one_or_none()
    if before is None:
        reason = Text(
            f"没有 {plan.succeeds} 的第 {plan.generation - 1} 代",
            f"there is no generation {plan.generation - 1} of {plan.succeeds}",
        )
        raise PlanRefused(field="generation", reason=reason)
    if before.subject != subject.der:
        reason = Text("换代不改变名称", "a new generation keeps the name")
        raise PlanRefused(field="authority.subject", reason=reason)


def _request(path: Path, signer: Signer, subject: Name) -> bytes:
    """A request for this key and name: the one that was written before, whose signature no second one would have."""
    if path.exists():
        try:
            known = CertificationRequest.load(path.read_bytes())
        except YinxinError as error:
            raise CeremonyDiffers(what=str(path)) from error
        if known.public_key == signer.public_key and known.subject == subject:
            return path.read_bytes()
    return CertificationRequest.build(signer, subject).pem.encode()


# --- the certificate comes in ----------------------------------------------------------------------------------


def adopt(table: Table, plan: AdoptPlan) -> None:
    """The certificate for the waiting key and name, with a valid path to the anchor the plan names; then helpers and list."""
    # 1. it is for this key and this name, and its path holds
    row = _waiting(table.ctx, plan)
    own = table.certificate_file(plan.certificate)
    above = tuple(table.certificate_file(each) for each in plan.above)
    anchor = table.certificate_file(plan.anchor)
    if own.public_key.spki != row.spki:
        reason = Text("它不是为本机构的密钥签发的", "it is not for the authority's key")
        raise PlanRefused(field="certificate", reason=reason)
    if own.subject.der != row.subject:
        reason = Text(f"其名称是 {own.subject.text}", f"its name is {own.subject.text}")
        raise PlanRefused(field="certificate", reason=reason)
    now = table.ctx.store.clock.now()
    path = validate(own, above, [anchor], at=now, usage=Usage.AUTHORITY, require_revocation=False)
    # 2. all of it goes into the tables
    uses = {own: Use.OWN} | dict.fromkeys(path.certificates[1:-1], Use.ABOVE) | {anchor: Use.ANCHOR}
    take(table, row.name, uses, own)
    # 3. the authority is one from here on
    _becomes(table, plan, row.name, own, path.certificates[1:])
    # 4. its helpers, its first list, and the root that verifiers need
    certify_services(table, table.generation(row.name), plan.service)
    table.list_of(row.name)
    trust = table.folder / "trust"
    table.write(row.name, trust / f"{row.name}.pem", own.pem.encode())
    table.write(f"{row.name}.root", trust / f"{row.name}.root.pem", anchor.pem.encode())


def _waiting(ctx: Context, plan: AdoptPlan) -> AuthorityRow:
    with ctx.store.read() as session:
        row = session.get(AuthorityRow, plan.authority)
    if row is None:
        raise UnknownAuthority(name=plan.authority[:60])
    if row.serial is not None or row.adopted not in (None, plan.certificate.sha256):
        reason = Text("该机构已有证书", "the authority has a certificate already")
        raise PlanRefused(field="authority", reason=reason)
    if plan.active_from is not None and row.generation == 1:
        reason = Text("第一代立即生效，不填此项", "a first generation signs at once")
        raise PlanRefused(field="active_from", reason=reason)
    return row


def _becomes(
    table: Table, plan: AdoptPlan, name: str, own: Certificate, above: tuple[Certificate, ...]
) -> None:
    def change(session: Session) -> None:
        row = session.get_one(AuthorityRow, name)
        row.adopted = own.fingerprint
        row.active_from = plan.active_from

    table.change("ca.authority", f"authority:{name}", change, adopted=own.fingerprint)
    if isinstance(table, Rehearsal):
        table.stand_in(name, own, above)
