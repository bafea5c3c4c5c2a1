"""The one place where a certificate is signed: only cleared octets, and only what was cleared leaves."""

from ca.errors import Misissued
from ca.issuer import Issuer
from ca.prepare import Prepared
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.tbs import assemble
from yinxin.errors import YinxinError


def sign(prepared: Prepared, issuer: Issuer) -> Certificate:
    """The certificate; raises TokenSpent or TokenForeign before signing, Misissued after, and what the HSM raises."""
    # 1. the token gives the octets out once, for this issuer
    tbs = prepared.cleared.redeem(prepared.tbs, issuer)
    # 2. the security module signs them
    signature = issuer.signer().sign(tbs)
    # 3. what came back verifies under the authority's key and holds exactly the octets that were linted
    try:
        issuer.public_key.verify(signature, tbs, issuer.algorithm, what="certificate")
        certificate = Certificate(assemble(tbs, issuer.algorithm, signature))
    except YinxinError as error:
        raise Misissued(serial=prepared.serial) from error
    if certificate.tbs != prepared.lint_certificate.tbs:
        raise Misissued(serial=prepared.serial)
    return certificate
