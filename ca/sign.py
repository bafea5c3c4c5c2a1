"""The one place where a certificate is signed: only cleared octets, and only what was cleared leaves."""

from dataclasses import replace

from ca.errors import Misissued
from ca.issuer import Issuer, SecondKey
from ca.lint import judge
from ca.prepare import Prepared
from yinxin.crypto import alternative
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import verified_by
from yinxin.crypto.tbs import throwaway_sign
from yinxin.errors import YinxinError


def sign(prepared: Prepared, issuer: Issuer) -> Certificate:
    """The certificate; raises TokenSpent or TokenForeign before signing, Misissued after, and what the HSM raises."""
    # 1. the token gives the octets out once, for this issuer
    linted = prepared.lint_certificate
    tbs = prepared.cleared.redeem(prepared.tbs, issuer)
    if issuer.second is not None and alternative.algorithm_in(linted) is not None:
        linted = _signed_by_second(prepared, issuer, issuer.second, tbs)
        # the first key, too, gets only what the linter has cleared, octet for octet
        tbs = judge(replace(prepared.case, certificate=linted)).redeem(linted.tbs, issuer)
    # 2. the security module signs them
    signer = issuer.signer()
    signature = signer.sign(tbs)
    # 3. what came back verifies under the authority's key and holds exactly the octets that were linted
    if verified_by(signer) != issuer.public_key:
        try:
            issuer.public_key.verify(signature, tbs, issuer.algorithm, what="certificate")
        except YinxinError as error:
            raise Misissued(serial=prepared.serial) from error
    if tbs != linted.tbs:
        raise Misissued(serial=prepared.serial)
    return linted.signed_by(signature)


def _signed_by_second(prepared: Prepared, issuer: Issuer, second: SecondKey, draft: bytes) -> Certificate:
    """The certificate with its alternative signature, to be linted once more; nothing else in it is new."""
    # a. the second key signs PreTBSCertificate, which is all of the linted octets but the value that stood in its place
    signed = alternative.pre_tbs(draft)
    tbs = alternative.completed(draft, second.signer().sign(signed))
    # b. the signature verifies, and what it is over is what was linted
    try:
        certificate = Certificate(throwaway_sign(tbs, issuer.algorithm))
        alternative.verify(certificate, second.public_key)
    except YinxinError as error:
        raise Misissued(serial=prepared.serial) from error
    if alternative.pre_tbs(tbs) != signed:
        raise Misissued(serial=prepared.serial)
    return certificate
