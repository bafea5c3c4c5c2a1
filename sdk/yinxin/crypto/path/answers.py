"""What OCSP answers say of a certificate (RFC 6960), and whether those who signed them may answer (4.2.2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from yinxin.crypto import oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import PathTooComplex
from yinxin.crypto.path.statement import Statement
from yinxin.crypto.path.work import Kind
from yinxin.crypto.status import Good, OcspResponse, Revoked
from yinxin.errors import YinxinError

if TYPE_CHECKING:
    from yinxin.crypto.path.revocation import Revocation


class Answers:
    """The OCSP responses at hand."""

    def __init__(self, responses: Iterable[OcspResponse], judge: Revocation) -> None:
        self._responses, self._judge = tuple(responses), judge

    def about(
        self,
        certificate: Certificate,
        issuer: Certificate,
        above: Sequence[Certificate],
        unusable: list[YinxinError],
    ) -> Iterator[Statement]:
        """What the verified ones say; why the rest was not heard goes to `unusable`."""
        for response in self._responses:
            if not response.speaks_of(certificate, issuer):
                continue
            try:
                self._verify(response, issuer, above)
            except PathTooComplex:
                raise
            except YinxinError as error:
                unusable.append(error)
                continue
            for answer in response.speaks_of(certificate, issuer):
                if isinstance(answer.status, Good | Revoked):
                    yield Statement(answer.status, answer.this_update, answer.next_update)

    def _verify(self, response: OcspResponse, issuer: Certificate, above: Sequence[Certificate]) -> None:
        """A delegate without `ocsp-nocheck` must itself be known not to be revoked, by another's word than its own."""
        self._judge.work.spend(Kind.STATEMENTS)
        responder = response.verify_signature(issuer)
        if responder == issuer or oids.OCSP_NOCHECK in responder.extensions:
            return
        if self._judge.is_open(responder):
            response.refuse_responder(issuer)
        self._judge.check_one(responder, issuer, above, required=True)
