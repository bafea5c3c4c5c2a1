"""Who signs: the attribute authority of a suite, found by its certificate like the CA's other helpers."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from ca.attribute.errors import NoAttributeAuthority
from ca.context import Context
from ca.models import CertificateRow, State
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer

PROFILE = "attribute-authority"


@dataclass(frozen=True)
class Signatory:
    """An attribute authority: label of its key, its certificate with those above it, and what signs."""

    label: str
    certificate: Certificate
    chain: tuple[Certificate, ...]
    signer: Signer = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What it is called (`ca.lint.judge.Signing`)."""
        return self.label

    @property
    def key_id(self) -> bytes:
        """Its subject key identifier."""
        return self.certificate.public_key.key_id


def signatory(ctx: Context, *, suite: str = "", label: str = "") -> Signatory:
    """The newest one in force of a suite, or of a key's label; raises NoAttributeAuthority."""
    now = ctx.store.clock.now()
    query = sa.select(CertificateRow).where(CertificateRow.profile == PROFILE)
    with ctx.store.read() as session:
        rows = session.scalars(query).all()
    line = f"{suite}-issuing"
    authorities = ctx.issuers.line(line) if suite and line in ctx.issuers.names() else ()
    usable = [
        row
        for row in rows
        if row.state == State.ISSUED
        and row.revoked_at is None
        and row.not_before <= now <= row.not_after
        and (row.holder == label if label else row.authority in authorities)
    ]
    if not usable:
        raise NoAttributeAuthority(authority=label or suite)
    row = max(usable, key=lambda each: each.not_before)
    chain = ctx.issuers.get(row.authority).chain
    return Signatory(row.holder, Certificate(row.der or b""), chain, ctx.issuers.keys.signer(row.holder))
