"""Path validation (RFC 5280 section 6): from a certificate to a trusted authority, judged at one moment."""

from yinxin.crypto.path.names import hold_names
from yinxin.crypto.path.policies import Policies
from yinxin.crypto.path.revocation import RevocationEvidence
from yinxin.crypto.path.usage import Usage
from yinxin.crypto.path.validate import ValidatedPath, validate

__all__ = ["Policies", "RevocationEvidence", "Usage", "ValidatedPath", "hold_names", "validate"]
