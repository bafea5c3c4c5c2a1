"""Everything that a verifier without a connection needs, in one PEM text: certificates above it and lists of today."""

import sqlalchemy as sa

from ca.attribute.lists import in_force
from ca.attribute.models import AttributeCertificateRow
from ca.context import Context
from ca.models import CertificateRow
from ca.status import crl
from ca.status.line import Line
from yinxin.crypto.attribute import AttributeCertificate
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.pem import encode


def bundle(ctx: Context, row: AttributeCertificateRow) -> str:
    """The attribute certificate; its authority's certificate and the holder's with those above, the roots left out; lists.

    What to trust must come by another way than what is to be verified, so no root is in it. Raises what making a list
    raises.
    """
    certificate = AttributeCertificate(row.der or b"")
    with ctx.store.read() as session:
        leaves = [session.get_one(CertificateRow, serial) for serial in (row.signer, row.certificate)]
    chain = [Certificate(each.der or b"") for each in leaves]
    lines = [Line(each.authority, each.shard) for each in leaves]
    for leaf in leaves:
        for each in ctx.issuers.get(leaf.authority).chain:
            if each.is_self_issued or each in chain:
                continue
            chain.append(each)
            lines += _line(ctx, each)
    crls = [crl.in_force(ctx, line).der for line in dict.fromkeys(lines)]
    if certificate.revocable:
        crls.append(in_force(ctx, row.authority).der)
    parts = (certificate.pem, *(each.pem for each in chain), *(encode("X509 CRL", each) for each in crls))
    return "".join(parts)


def _line(ctx: Context, authority: Certificate) -> list[Line]:
    """The list that speaks for an authority's certificate; none for what an outside authority issued."""
    query = sa.select(CertificateRow.authority, CertificateRow.shard).where(
        CertificateRow.fingerprint == authority.fingerprint
    )
    with ctx.store.read() as session:
        return [Line(*each) for each in session.execute(query)]
