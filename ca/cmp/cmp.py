"""The service: a message in, its answer out (RFC 9810 5.3, RFC 9483 section 4)."""

import hmac
from dataclasses import replace

import sqlalchemy as sa

from ca.cmp import revocation
from ca.cmp import transaction as transactions
from ca.cmp.crmf import CertRequest, read_requests
from ca.cmp.errors import BadMessage, NotConfirmed, UnknownTransaction
from ca.cmp.inquiry import inform
from ca.cmp.message import (
    CONFIRM_WAIT,
    IMPLICIT_CONFIRM,
    RESPONSES,
    Body,
    Message,
    info,
    read_infos,
)
from ca.cmp.models import Stage
from ca.cmp.pieces import accepts, like, profile_of, response
from ca.cmp.protection import Sender, sender_of
from ca.cmp.refusal import Status, status_info
from ca.cmp.replies import Asked, Replies, fault_of_form
from ca.cmp.transaction import Transaction
from ca.enrolment import Protocol
from ca.enrolment.errors import UnsupportedRequest
from ca.enrolment.renew import renew, same_names
from ca.errors import IssuanceUnderWay, UnknownCertificate
from ca.issue import Issued
from ca.models import CertificateRow, State
from ca.request import application_of
from ca.service import Authority
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import CertificateRevoked, Malformed
from yinxin.errors import Unavailable, YinxinError
from yinxin.steps import step
from yinxin.text import Text

#: seconds after which a client may ask again
_AGAIN = 3


class Cmp:
    """Answers messages; one per process, shared by its threads."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.ctx = authority.ctx
        self._replies = Replies(authority)

    def answer(self, encoded: bytes, profile: str = "") -> bytes:
        """The answer to a message, both DER; whatever is wrong is an answer too, and recorded."""
        message: Message | None = None
        sender: Sender | None = None
        try:
            if len(encoded) > self.ctx.settings.most_request_bytes:
                most = self.ctx.settings.most_request_bytes
                raise BadMessage(reason=Text(f"超过 {most} 字节", f"more than {most} octets"))
            message = Message.load(encoded)
            if (failure := fault_of_form(message.header)) is not None:
                return self._replies.error(message, None, BadMessage(reason=failure.name), failure)
            try:
                sender = sender_of(self.authority, message)
            except CertificateRevoked:
                # by this very message, it may be, whose answer was lost
                if (again := revocation.repeated(self._replies, message)) is None:
                    raise
                return again
            self._replies.in_time(message.header)
            return self._handle(Asked(message, sender, profile))
        except YinxinError as error:
            return self._replies.error(message, sender, error)

    # --- requests ----------------------------------------------------------------------------------------------

    def _handle(self, asked: Asked) -> bytes:
        kind = asked.message.kind
        if kind in RESPONSES:
            return self._request(asked)
        if kind is Body.CERTCONF:
            return self._confirm(asked)
        if kind is Body.POLLREQ:
            return self._poll(asked)
        if kind is Body.RR:
            return revocation.answer(self._replies, asked)
        if kind is Body.ERROR:
            return self._client_failed(asked)
        if kind is Body.GENM:
            try:
                infos = read_infos(asked.message.content)
            except (Malformed, ValueError, IndexError) as error:
                raise BadMessage(reason=str(error)) from error
            told = inform(self.authority, infos, asked.profile)
            return self._replies.reply(asked, Body.GENP, der.sequence(*(info(*each) for each in told)))
        remedy = Text("请直接发送请求本身", "send the request itself")
        raise UnsupportedRequest(what=kind.name.lower(), remedy=remedy)

    def _request(self, asked: Asked) -> bytes:
        """ir, cr, kur, p10cr: issued now, or to be asked for again."""
        known = transactions.begin(self.ctx, asked.sender, asked.message)
        if known.response is not None:
            return known.response
        if known.stage is not Stage.BEGUN:
            raise NotConfirmed(serial=known.serial or "-")
        try:
            return self._work(asked, known)
        except IssuanceUnderWay:
            number = -1 if asked.message.kind is Body.P10CR else 0
            waiting = response(number, status_info(Status.WAITING))
            kind = RESPONSES[asked.message.kind]
            return self._replies.reply(asked, kind, waiting, nonce=known.nonces[0])

    def _work(self, asked: Asked, known: Transaction) -> bytes:
        """Issue, or refuse for good, and keep the answer; raises IssuanceUnderWay and Unavailable, which pass."""
        number, issued = -1 if asked.message.kind is Body.P10CR else 0, None
        extra: tuple[Certificate, ...] = ()
        try:
            request = self._asked_for(asked)
            number = request.number
            issued = self._issue(asked, known, request)
            step("ca.cmp.2-issued")
            mods = issued.certificate.subject.pairs != request.application.subject.pairs
            status = Status.GRANTED_WITH_MODS if mods else Status.ACCEPTED
            content = response(number, status_info(status), issued.certificate)
            if asked.message.kind is Body.IR and asked.sender.credential is not None:
                # who has only a secret learns the root under its protection (RFC 9483 4.1.1)
                root = issued.chain[-1].der
                content = der.sequence(der.explicit(1, der.sequence(root)), *der.elements(content))
            extra = issued.chain[:-1]
        except (IssuanceUnderWay, Unavailable):
            raise
        except YinxinError as error:
            self._replies.record(asked.sender, error)
            content = response(number, status_info(Status.REJECTION, error))
        implicit = IMPLICIT_CONFIRM in (asked.header.general or {})
        general: dict[str, bytes | None] = {}
        if issued is not None:
            general = (
                {IMPLICIT_CONFIRM: der.null()}
                if implicit
                else {CONFIRM_WAIT: der.generalized(known.confirm_until)}
            )
        reply = self._replies.reply(
            asked, RESPONSES[asked.message.kind], content, extra=extra, general=general, nonce=known.nonces[0]
        )
        return transactions.keep(
            self.ctx, known.id, reply, issued.serial if issued else None, confirmed=implicit
        )

    def _asked_for(self, asked: Asked) -> CertRequest:
        if asked.message.kind is Body.P10CR:
            return CertRequest(-1, application_of(asked.message.content, self.ctx.settings), None)
        return read_requests(asked.message.content)

    def _issue(self, asked: Asked, known: Transaction, request: CertRequest) -> Issued:
        """The certificate: on a credential what it covers; for a certificate's holder another of the same names."""
        sender, application = asked.sender, request.application
        if sender.certificate is not None:
            old = sender.certificate
            if request.replaces not in (None, (old.issuer.der, old.serial)):
                raise UnknownCertificate(certificate=f"{(request.replaces or (b'', 0))[1]:x}")
            application = like(old, application)
            return renew(self.ctx, old, known.reference, application, Protocol.CMP)
        assert sender.credential is not None  # noqa: S101 - for the type checker: every sender is one or the other
        profile = asked.profile or profile_of(asked.header)
        if asked.message.kind is Body.KUR:
            row = self._had(sender, request.replaces)
            application, profile = like(Certificate(row.der or b""), application), row.profile
            same_names(Certificate(row.der or b""), application)
        return self.authority.enrolment.issue(
            sender.credential, known.reference, application, profile=profile
        )

    def _had(self, sender: Sender, named: tuple[bytes, int] | None) -> CertificateRow:
        """The certificate in force that a credential had and a request names; raises UnknownCertificate."""
        serial = f"{named[1]:x}" if named else "-"
        query = sa.select(CertificateRow).where(
            CertificateRow.serial == serial,
            CertificateRow.requested_by == sender.actor.id,
            CertificateRow.state == State.ISSUED,
            CertificateRow.revoked_at.is_(None),
        )
        with self.ctx.store.read() as session:
            row = session.scalars(query).one_or_none()
        if row is None or row.der is None or Certificate(row.der).issuer.der != (named or (b"", 0))[0]:
            raise UnknownCertificate(certificate=serial[:80])
        return row

    # --- what follows ------------------------------------------------------------------------------------------

    def _poll(self, asked: Asked) -> bytes:
        """pollReq: the answer if there is one by now, made here if its worker died."""
        known = self._continued(asked)
        response = known.response
        if response is None and known.stage is not Stage.BEGUN:
            raise NotConfirmed(serial=known.serial or "-")
        if response is None:
            try:
                response = self._work(replace(asked, message=Message.load(known.request)), known)
            except IssuanceUnderWay:
                response = None
        nonce = transactions.next_nonce(self.ctx, known.id)
        if response is None:
            number = -1 if Message.load(known.request).kind is Body.P10CR else 0
            later = der.sequence(der.sequence(der.integer(number), der.integer(_AGAIN)))
            return self._replies.reply(asked, Body.POLLREP, later, nonce=nonce)
        kept = Message.load(response)
        return self._replies.reply(
            asked,
            kept.kind,
            kept.content,
            extra=tuple(kept.certificates()),
            general=kept.header.general,
            nonce=nonce,
        )

    def _confirm(self, asked: Asked) -> bytes:
        """certConf: accepted, or else the certificate is revoked (RFC 9810 5.3.18)."""
        known = self._continued(asked)
        if known.stage is Stage.WAITING:
            with self.ctx.store.read() as session:
                row = session.get_one(CertificateRow, known.serial)
            try:
                accepted = accepts(asked.message.content, Certificate(row.der or b""))
            except (Malformed, ValueError, IndexError) as error:
                raise BadMessage(reason=str(error)) from error
            if accepted is Status.ACCEPTED and transactions.move(
                self.ctx, known.id, Stage.WAITING, Stage.CONFIRMED
            ):
                return self._replies.reply(asked, Body.PKICONF, der.null())
            if accepted is not Status.ACCEPTED:
                transactions.reject(self.ctx, asked.sender.actor, known.id)
                if accepted is Status.REJECTION:
                    return self._replies.reply(asked, Body.PKICONF, der.null())
                raise NotConfirmed(serial=known.serial or "-")
            known = self._continued(asked)
        if known.stage is Stage.CONFIRMED:
            return self._replies.reply(asked, Body.PKICONF, der.null())
        raise NotConfirmed(serial=known.serial or "-")

    def _client_failed(self, asked: Asked) -> bytes:
        """error: a client that cannot use its certificate does not keep it (RFC 9483 3.6.2)."""
        known = self._continued(asked)
        if known.stage is Stage.WAITING:
            transactions.reject(self.ctx, asked.sender.actor, known.id)
        return self._replies.reply(asked, Body.PKICONF, der.null())

    def _continued(self, asked: Asked) -> Transaction:
        """The transaction that a message goes on with; raises UnknownTransaction, also for a nonce that is not ours."""
        known = transactions.find(self.ctx, asked.sender, asked.header.transaction)
        if not any(hmac.compare_digest(asked.header.recipient_nonce, nonce) for nonce in known.nonces):
            raise UnknownTransaction(transaction=asked.header.transaction.hex()[:64])
        return known
