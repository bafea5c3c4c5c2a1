"""Somebody of another site was certified when she signed."""

from collections.abc import Sequence

from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import OcspResponse
from yinxin.statement import Statement


def certified(by: cms.SignedBy, roots: Sequence[Certificate], ocsp: bytes, declared: Statement) -> None:
    """Hold who signed a statement to the roots of her site, at the time of its timestamp, or else at the one it declares.

    The OCSP response that came with the signature counts where it is of her certificate. Raises what `validate` raises.
    """
    validate(
        by.certificate,
        by.chain,
        roots,
        at=by.timestamp_token.at if by.timestamp_token else declared.at,
        usage=Usage.SIGNATURE,
        revocation=RevocationEvidence(ocsp=(OcspResponse.load(ocsp),)),
        require_revocation=False,
    )
