"""Errors as SCEP says them: one of five failInfo values (RFC 8894 3.2.1.4.1); the sentence goes beside it."""

from ca.enrolment.errors import CredentialRefused
from ca.errors import UnknownCertificate, WeakKey
from ca.scep.errors import OtherKey
from yinxin.crypto.errors import (
    BadSignature,
    CannotDecrypt,
    DigestMismatch,
    Malformed,
    PathInvalid,
    UnsupportedAlgorithm,
)
from yinxin.errors import YinxinError

BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_TIME, BAD_CERT_ID = "0", "1", "2", "3", "4"

#: the first that fits counts
_VALUES: tuple[tuple[tuple[type[YinxinError], ...], str], ...] = (
    ((UnsupportedAlgorithm, WeakKey), BAD_ALG),
    # one answer for whatever does not open, is not signed or not proved: nobody learns more by asking
    (
        (BadSignature, DigestMismatch, CannotDecrypt, Malformed, CredentialRefused, OtherKey, PathInvalid),
        BAD_MESSAGE_CHECK,
    ),
    ((UnknownCertificate,), BAD_CERT_ID),
)


def failure_of(error: YinxinError) -> str:
    """The failInfo for an error."""
    return next((value for kinds, value in _VALUES if isinstance(error, kinds)), BAD_REQUEST)
