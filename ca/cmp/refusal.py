"""Errors as CMP says them: PKIStatusInfo with a failure bit (RFC 9810 5.2.3) and the sentence in both languages."""

from enum import IntEnum

from authz.errors import CannotBind
from ca.cmp import errors as cmp
from ca.enrolment.errors import CredentialRefused, RenewalDiffers, UnsupportedRequest
from ca.errors import (
    AlreadyRevoked,
    CompromisedKey,
    ForeignName,
    KeyInUse,
    LintFailed,
    ProfileRefuses,
    ReferenceReused,
    UnknownCertificate,
    UnknownHolder,
    UnknownProfile,
    WeakKey,
)
from yinxin.crypto import der
from yinxin.crypto.errors import (
    BadSignature,
    CertificateRevoked,
    Malformed,
    PathInvalid,
    UnknownIssuer,
    UnsupportedAlgorithm,
)
from yinxin.errors import NotPermitted, Unavailable, YinxinError


class Status(IntEnum):
    """PKIStatus."""

    ACCEPTED = 0
    GRANTED_WITH_MODS = 1
    REJECTION = 2
    WAITING = 3


class Failure(IntEnum):
    """Bits of PKIFailureInfo."""

    BAD_ALG = 0
    BAD_MESSAGE_CHECK = 1
    BAD_REQUEST = 2
    BAD_TIME = 3
    BAD_CERT_ID = 4
    BAD_DATA_FORMAT = 5
    BAD_POP = 9
    CERT_REVOKED = 10
    WRONG_INTEGRITY = 12
    BAD_RECIPIENT_NONCE = 13
    BAD_SENDER_NONCE = 18
    BAD_CERT_TEMPLATE = 19
    SIGNER_NOT_TRUSTED = 20
    TRANSACTION_ID_IN_USE = 21
    UNSUPPORTED_VERSION = 22
    NOT_AUTHORIZED = 23
    SYSTEM_UNAVAIL = 24
    SYSTEM_FAILURE = 25


#: the first that fits counts
_BITS: tuple[tuple[type[YinxinError] | tuple[type[YinxinError], ...], Failure], ...] = (
    (cmp.Unprotected, Failure.WRONG_INTEGRITY),
    (cmp.WrongTime, Failure.BAD_TIME),
    (cmp.BadPossession, Failure.BAD_POP),
    ((cmp.TransactionInUse, ReferenceReused), Failure.TRANSACTION_ID_IN_USE),
    (cmp.UnknownTransaction, Failure.BAD_REQUEST),
    (cmp.NotConfirmed, Failure.CERT_REVOKED),
    (CredentialRefused, Failure.BAD_MESSAGE_CHECK),
    ((AlreadyRevoked, CertificateRevoked), Failure.CERT_REVOKED),
    ((UnknownIssuer, PathInvalid), Failure.SIGNER_NOT_TRUSTED),
    (BadSignature, Failure.BAD_POP),
    (UnsupportedAlgorithm, Failure.BAD_ALG),
    ((Malformed, cmp.BadMessage), Failure.BAD_DATA_FORMAT),
    (UnknownCertificate, Failure.BAD_CERT_ID),
    ((NotPermitted, CannotBind), Failure.NOT_AUTHORIZED),
    (
        (
            WeakKey,
            CompromisedKey,
            KeyInUse,
            ProfileRefuses,
            ForeignName,
            UnknownHolder,
            UnknownProfile,
            LintFailed,
            RenewalDiffers,
        ),
        Failure.BAD_CERT_TEMPLATE,
    ),
    (UnsupportedRequest, Failure.BAD_REQUEST),
    (Unavailable, Failure.SYSTEM_UNAVAIL),
)


def failure_of(error: YinxinError) -> Failure:
    """The bit for an error; systemFailure for what is no fault of the request."""
    fitting = (bit for kinds, bit in _BITS if isinstance(error, kinds))
    return next(fitting, Failure.SYSTEM_FAILURE if error.status >= 500 else Failure.BAD_REQUEST)


def status_info(status: Status, error: YinxinError | None = None, failure: Failure | None = None) -> bytes:
    """PKIStatusInfo in DER."""
    words = der.sequence(der.utf8(error.text("zh")), der.utf8(error.text("en"))) if error else b""
    bit = failure_of(error) if error and failure is None else failure
    return der.sequence(der.integer(status), words, der.named_bits([bit]) if bit is not None else b"")
