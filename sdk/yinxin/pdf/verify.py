"""Check a sealed PDF offline: what it covers, who sealed it, when, and whether anything was touched since."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from asn1crypto import x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from yinxin.crypto.certificates import Certificate
from yinxin.pdf.errors import PdfAltered, PdfNotSealed, PdfSealUntrusted


@dataclass(frozen=True, slots=True)
class SealedBy:
    """A seal that holds: whose, and the time that a timestamp proves for it."""

    certificate: Certificate
    at: datetime


def verify(pdf: bytes, roots: Sequence[Certificate], at: datetime) -> SealedBy:
    """Check the one seal of `pdf` against `roots` as of `at`; raises PdfNotSealed, PdfAltered or PdfSealUntrusted.

    The seal must cover the whole file but for the proofs that long-term validation adds, the certificates must have
    been good at the time its timestamp proves, and that must be shown by what the file itself carries
    (ETSI EN 319 102-1, 5.6.3).
    """
    signatures = _reader(pdf).embedded_regular_signatures
    if len(signatures) != 1:
        raise PdfNotSealed(reason=f"{len(signatures)} signatures")
    signature = signatures[0]
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=False)
    try:
        result = asyncio.run(ades_lta_validation(signature, _specification(roots), timing))
    except (SignatureValidationError, PdfError, ValueError) as error:
        raise PdfAltered(reason=str(error)) from error
    status = result.api_status
    if status is None or not status.intact or not status.valid:
        raise PdfAltered(reason=result.failure_msg or "digest")
    if not status.docmdp_ok:
        raise PdfAltered(reason="content added after the seal")
    if result.ades_subindic != AdESPassed.OK:
        raise PdfSealUntrusted(reason=result.failure_msg or str(result.ades_subindic))
    return SealedBy(Certificate.load(signature.signer_cert.dump()), result.best_signature_time)


def _specification(roots: Sequence[Certificate]) -> PdfSignatureValidationSpec:
    """Only the file's own proofs, only our roots, revocation always shown, nothing fetched."""
    required = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([x509.Certificate.load(root.der) for root in roots]),
        revinfo_policy=CertRevTrustPolicy(
            RevocationCheckingPolicy(required, required), retroactive_revinfo=False
        ),
    )
    return PdfSignatureValidationSpec(
        SignatureValidationSpec(
            policy,
            RevocationInfoGatheringSpec(
                RevinfoOnlineFetchingRule.LOCAL_ONLY,
                certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
            ),
        )
    )


def attachments(pdf: bytes) -> dict[str, bytes]:
    """The files carried inside, by name; raises PdfNotSealed when it is no readable PDF."""
    reader = _reader(pdf)
    found: dict[str, bytes] = {}
    try:
        names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    except KeyError:
        return found
    for spec in list(names)[1::2]:
        entry = spec.get_object()
        found[str(entry["/UF"])] = entry["/EF"]["/F"].data
    return found


def _reader(pdf: bytes) -> PdfFileReader:
    try:
        return PdfFileReader(BytesIO(pdf))
    except (PdfError, ValueError) as error:
        raise PdfNotSealed(reason="not a readable PDF") from error
