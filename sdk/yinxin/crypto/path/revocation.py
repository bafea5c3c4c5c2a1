"""Whether a certificate was revoked at a moment: what verified statements say together (RFC 5280 6.3, RFC 6960).

A statement counts when it was current then, or was made later and before the certificate expired. One that says
revoked outweighs all that say good; only a hold is ended by a newer statement made before that moment.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import CertificateRevoked, RevocationUnknown, RevocationUnusable
from yinxin.crypto.path import answers, lists
from yinxin.crypto.path.build import Chain, Pool
from yinxin.crypto.path.statement import ALL_REASONS, Statement
from yinxin.crypto.path.work import Work
from yinxin.crypto.status import CertificateList, OcspResponse, Reason, Revoked
from yinxin.errors import YinxinError


@dataclass(frozen=True)
class RevocationEvidence:
    """Statements of authorities about their certificates, in any order; each is verified before it counts."""

    ocsp: tuple[OcspResponse, ...] = ()
    crls: tuple[CertificateList, ...] = ()


class Revocation:
    """The evidence of one validation, and what has been verified of it."""

    def __init__(
        self,
        evidence: RevocationEvidence,
        at: datetime,
        pool: Pool,
        work: Work,
        *,
        required: bool,
        find_path: Callable[[Certificate, Certificate], Iterator[Chain]],
    ) -> None:
        """`find_path` gives the valid paths from the signer of a list to an anchor."""
        self.at, self.work, self.pool, self.find_path = at, work, pool, find_path
        self._required = required
        self._answers = answers.Answers(evidence.ocsp, self)
        self._lists = lists.Lists(evidence.crls, self)
        #: certificates being judged further up the stack: none of them may vouch for itself
        self._open: list[Certificate] = []

    def check(self, chain: Sequence[Certificate]) -> None:
        """Every certificate below the anchor; raises CertificateRevoked, RevocationUnknown or PathTooComplex."""
        for place, (certificate, issuer) in enumerate(pairwise(chain)):
            self.check_one(certificate, issuer, chain[place + 1 :], required=self._required)

    def check_one(
        self, certificate: Certificate, issuer: Certificate, above: Sequence[Certificate], *, required: bool
    ) -> None:
        """One certificate; `above` is its path from the issuer to the anchor."""
        with self._judging(certificate):
            unusable: list[YinxinError] = []
            said = [
                *self._answers.about(certificate, issuer, above, unusable),
                *self._lists.about(certificate, above, unusable),
            ]
        for statement in said:
            self._refuse_revoked(certificate, statement, said)
        if not required or self._is_known(certificate, said):
            return
        if unusable:
            raise RevocationUnusable(subject=certificate.subject.text, at=self.at, reason=unusable[0])
        raise RevocationUnknown(subject=certificate.subject.text, at=self.at)

    @contextmanager
    def _judging(self, certificate: Certificate) -> Iterator[None]:
        self._open.append(certificate)
        try:
            yield
        finally:
            self._open.pop()

    def is_open(self, certificate: Certificate) -> bool:
        """Whether this certificate is being judged, so that nothing that leads over it may speak for it."""
        return certificate in self._open

    def _refuse_revoked(
        self, certificate: Certificate, statement: Statement, said: Sequence[Statement]
    ) -> None:
        status = statement.status
        if not isinstance(status, Revoked) or status.effective > self.at:
            return
        if status.reason is Reason.CERTIFICATE_HOLD and any(
            statement.is_ended_by(other, self.at) for other in said
        ):
            return
        reason = status.reason.value if status.reason else "-"
        name = certificate.subject.text
        raise CertificateRevoked(subject=name, revoked_at=status.effective, reason=reason, at=self.at)

    def _is_known(self, certificate: Certificate, said: Sequence[Statement]) -> bool:
        """Whether what was said then tells of every reason (RFC 5280 6.3.3, the end)."""
        speaking = (each for each in said if each.speaks_for(self.at, certificate))
        return frozenset().union(*(each.reasons for each in speaking)) >= ALL_REASONS
