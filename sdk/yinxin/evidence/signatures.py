"""A signature in evidence: made by whom, proved to exist when, with a certificate that was good then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import CertificateList, OcspResponse
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.evidence.trust import Trust
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the evidence brings to check its signatures with; none of it is trusted by itself."""

    trust: Trust
    certificates: tuple[Certificate, ...]
    crls: tuple[CertificateList, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that holds: whose certificate, and the instant that a timestamp proves."""

    certificate: Certificate
    at: datetime


def check(signature: bytes, content: bytes, around: Surroundings, ocsps: Sequence[bytes] = ()) -> Signed:
    """Check a detached CMS signature with its timestamp; raises what is wrong, by its own name.

    1. The signature holds over `content`. 2. A timestamp of a trusted authority proves when. 3. The signer's
    certificate leads to a trusted root and was valid and not revoked at that instant. 4. Every certificate carried
    inside the signature is one that the evidence lists, so that none is there unexplained.
    """
    by = cms.verify_detached(signature, content, certificates=around.certificates)
    token = by.timestamp_token
    if token is None:
        raise EvidenceMismatch(what=Text("签名没有时间戳", "a signature without a timestamp"))
    revocation = RevocationEvidence(ocsp=tuple(OcspResponse.load(each) for each in ocsps), crls=around.crls)
    token.verify(
        cms.signature_value(signature),
        anchors=around.trust.roots,
        intermediates=around.certificates,
        revocation=revocation,
    )
    validate(
        by.certificate,
        around.certificates,
        around.trust.roots,
        at=token.at,
        usage=Usage.SIGNATURE,
        revocation=revocation,
    )
    known = {by.certificate, *around.certificates, *around.trust.roots}
    if unknown := [each for each in (*by.chain, *token.certificates) if each not in known]:
        raise EvidenceMismatch(
            what=Text(
                f"来历不明的证书 {unknown[0].subject.text}",
                f"an unexplained certificate, {unknown[0].subject.text}",
            )
        )
    return Signed(by.certificate, token.at)
