"""What travels with a document so that its signatures can be judged offline: certificates, and who was revoked."""

from collections.abc import Iterable, Sequence

from apps.document.desk import Desk
from yinxin.crypto.certificates import Certificate


def proofs(desk: Desk, chains: Iterable[Sequence[Certificate]]) -> tuple[list[bytes], list[bytes]]:
    """Every certificate of these chains (leaf first, root last) below the roots, and the CRL of every issuer; in DER."""
    held = [tuple(chain) for chain in chains]
    needed = {each.fingerprint: each for chain in held for each in chain[:-1]}
    issuers = {each.fingerprint: each for chain in held for each in chain[1:]}
    crls = [desk.core.crl(issuers[fingerprint]) for fingerprint in sorted(issuers)]
    return [needed[fingerprint].der for fingerprint in sorted(needed)], crls
