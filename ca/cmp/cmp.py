"""The service: a message in, its answer out (RFC 9810 5.3, RFC 9483 section 4)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace

import sqlalchemy as sa

from ca import inventory
from ca.cmp import transaction as transactions
from ca.cmp.crmf import CertRequest, read_requests, read_revocation
from ca.cmp.errors import BadMessage, NotConfirmed, NotYours, UnknownTransaction, WrongTime
from ca.cmp.inquiry import inform
from ca.cmp.message import (
    CONFIRM_WAIT,
    IMPLICIT_CONFIRM,
    RESPONSES,
    VERSIONS,
    Body,
    Header,
    Message,
    body_of,
    directory_name,
    info,
    read_infos,
)
from ca.cmp.models import Stage
from ca.cmp.pieces import NOBODY, accepts, like, profile_of, response
from ca.cmp.protection import Sender, protect, sender_of
from ca.cmp.refusal import Failure, Status, failure_of, status_info
from ca.cmp.transaction import Transaction
from ca.enrolment import Protocol
from ca.enrolment.errors import UnsupportedRequest
from ca.enrolment.renew import renew, same_names
from ca.errors import IssuanceUnderWay, UnknownCertificate
from ca.issue import VERB, Issued
from ca.models import CertificateRow, State
from ca.request import application_of
from ca.revoke import VERB as REVOKE
from ca.revoke import revoke
from ca.service import Authority
from yinxin.act import STRANGER
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed
from yinxin.crypto.status import Reason
from yinxin.errors import Unavailable, YinxinError
from yinxin.steps import step
from yinxin.text import Text

#: octets of a nonce (RFC 9810 5.1.1: 128 bits)
_NONCE = 16
#: octets of a transactionID: fewer are guessed, more are no identifier
_TRANSACTION = range(1, 65)
#: seconds after which a client may ask again
_AGAIN = 3
#: reason codes of RFC 5280 5.3.1
_REASONS = {
    0: Reason.UNSPECIFIED,
    1: Reason.KEY_COMPROMISE,
    3: Reason.AFFILIATION_CHANGED,
    4: Reason.SUPERSEDED,
    5: Reason.CESSATION_OF_OPERATION,
    9: Reason.PRIVILEGE_WITHDRAWN,
}


@dataclass(frozen=True)
class Asked:
    """A message whose sender is known, and the profile that its address names."""

    message: Message
    sender: Sender
    profile: str

    @property
    def header(self) -> Header:
        """Its header."""
        return self.message.header


class Cmp:
    """Answers messages; one per process, shared by its threads."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.ctx = authority.ctx

    def answer(self, encoded: bytes, profile: str = "") -> bytes:
        """The answer to a message, both DER; whatever is wrong is an answer too, and recorded."""
        message: Message | None = None
        sender: Sender | None = None
        try:
            if len(encoded) > self.ctx.settings.most_request_bytes:
                most = self.ctx.settings.most_request_bytes
                raise BadMessage(reason=Text(f"超过 {most} 字节", f"more than {most} octets"))
            message = Message.load(encoded)
            if (failure := self._form(message.header)) is not None:
                return self._error(message, None, BadMessage(reason=failure.name), failure)
            sender = sender_of(self.authority, message)
            self._in_time(message.header)
            return self._handle(Asked(message, sender, profile))
        except YinxinError as error:
            return self._error(message, sender, error)

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
            return self._revoke(asked)
        if kind is Body.ERROR:
            return self._client_failed(asked)
        if kind is Body.GENM:
            try:
                infos = read_infos(asked.message.content)
            except (Malformed, ValueError, IndexError) as error:
                raise BadMessage(reason=str(error)) from error
            told = inform(self.authority, infos, asked.profile)
            return self._reply(asked, Body.GENP, der.sequence(*(info(*each) for each in told)))
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
            return self._reply(asked, kind, waiting, nonce=known.nonces[0])

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
            self._record(asked.sender, error)
            content = response(number, status_info(Status.REJECTION, error))
        implicit = IMPLICIT_CONFIRM in (asked.header.general or {})
        general: dict[str, bytes | None] = {}
        if issued is not None:
            general = {IMPLICIT_CONFIRM: der.null()} if implicit else {CONFIRM_WAIT: self._deadline(known)}
        reply = self._reply(
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
            return self._reply(asked, Body.POLLREP, later, nonce=nonce)
        kept = Message.load(response)
        return self._reply(
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
                return self._reply(asked, Body.PKICONF, der.null())
            if accepted is not Status.ACCEPTED:
                transactions.reject(self.ctx, asked.sender.actor, known.id)
                if accepted is Status.REJECTION:
                    return self._reply(asked, Body.PKICONF, der.null())
                raise NotConfirmed(serial=known.serial or "-")
            known = self._continued(asked)
        if known.stage is Stage.CONFIRMED:
            return self._reply(asked, Body.PKICONF, der.null())
        raise NotConfirmed(serial=known.serial or "-")

    def _client_failed(self, asked: Asked) -> bytes:
        """error: a client that cannot use its certificate does not keep it (RFC 9483 3.6.2)."""
        known = self._continued(asked)
        if known.stage is Stage.WAITING:
            transactions.reject(self.ctx, asked.sender.actor, known.id)
        return self._reply(asked, Body.PKICONF, der.null())

    def _continued(self, asked: Asked) -> Transaction:
        """The transaction that a message goes on with; raises UnknownTransaction, also for a nonce that is not ours."""
        known = transactions.find(self.ctx, asked.sender, asked.header.transaction)
        if not any(hmac.compare_digest(asked.header.recipient_nonce, nonce) for nonce in known.nonces):
            raise UnknownTransaction(transaction=asked.header.transaction.hex()[:64])
        return known

    def _revoke(self, asked: Asked) -> bytes:
        """rr: by the certificate itself, or by the credential on which it was had (RFC 9483 4.2)."""
        known = transactions.begin(self.ctx, asked.sender, asked.message)
        if known.response is not None:
            return known.response
        sender = asked.sender
        try:
            template, code = read_revocation(asked.message.content)
            row = inventory.find(self.ctx, f"{template.serial or 0:x}")
            own = sender.row is not None and sender.row.fingerprint == row.fingerprint
            if row.der is None or template.issuer is None or Certificate(row.der).issuer != template.issuer:
                raise UnknownCertificate(certificate=f"{template.serial or 0:x}")
            if not own and (sender.credential is None or row.requested_by != sender.actor.id):
                raise NotYours(serial=row.serial)
            decision = sender.credential.decision if sender.credential else {"holder": sender.name}
            revoke(self.ctx, sender.actor, row.serial, _REASONS.get(code, f"reason {code}"), decision)
            info_ = status_info(Status.ACCEPTED)
        except Unavailable:
            raise
        except YinxinError as error:
            self._record(sender, error, REVOKE)
            info_ = status_info(Status.REJECTION, error)
        reply = self._reply(asked, Body.RP, der.sequence(der.sequence(info_)), nonce=known.nonces[0])
        return transactions.keep(self.ctx, known.id, reply, None, confirmed=True)

    # --- form --------------------------------------------------------------------------------------------------

    def _form(self, header: Header) -> Failure | None:
        """What is wrong with the header's form, if anything."""
        if header.version not in VERSIONS:
            return Failure.UNSUPPORTED_VERSION
        if len(header.transaction) not in _TRANSACTION:
            return Failure.BAD_DATA_FORMAT
        if len(header.sender_nonce) < _NONCE:
            return Failure.BAD_SENDER_NONCE
        return None

    def _in_time(self, header: Header) -> None:
        most = self.ctx.settings.cmp_clock_seconds
        if header.time and abs((header.time - self.ctx.store.clock.now()).total_seconds()) > most:
            raise WrongTime(given=header.time.isoformat(), most=most)

    def _deadline(self, known: Transaction) -> bytes:
        return der.generalized(known.confirm_until)

    def _reply(
        self,
        asked: Asked,
        kind: Body,
        content: bytes,
        *,
        extra: tuple[Certificate, ...] = (),
        general: Mapping[str, bytes | None] | None = None,
        nonce: bytes | None = None,
    ) -> bytes:
        header = self._header(asked.header, asked.sender, nonce, general)
        return protect(self.authority, asked.sender, header, body_of(kind, content), extra)

    def _header(
        self,
        of: Header,
        sender: Sender | None,
        nonce: bytes | None,
        general: Mapping[str, bytes | None] | None,
    ) -> Header:
        if sender is not None and sender.certificate is not None:
            own = self.authority.agents.signing(sender.certificate.public_key.suite.name).certificate.subject
        else:
            own = self.ctx.issuers.issuing("intl-issuing").subject
        return Header(
            version=of.version if of.version in VERSIONS else VERSIONS[0],
            sender=directory_name(own),
            recipient=of.sender,
            transaction=of.transaction,
            sender_nonce=nonce or self.ctx.store.randomness.token(_NONCE),
            recipient_nonce=of.sender_nonce,
            time=self.ctx.store.clock.now(),
            general=general or {},
        )

    def _error(
        self,
        message: Message | None,
        sender: Sender | None,
        error: YinxinError,
        failure: Failure | None = None,
    ) -> bytes:
        """error: protected when its receiver is known; that it is a stranger's or unreadable is said in the clear."""
        self._record(sender, error)
        bit = failure if failure is not None else failure_of(error)
        content = der.sequence(status_info(Status.REJECTION, error, bit))
        of = message.header if message else Header(VERSIONS[0], NOBODY, NOBODY, b"", b"")
        try:
            header = self._header(of, sender, None, None)
            return protect(self.authority, sender, header, body_of(Body.ERROR, content), ())
        except Unavailable:
            header = self._header(of, None, None, None)
            return protect(self.authority, None, header, body_of(Body.ERROR, content), ())

    def _record(self, sender: Sender | None, error: YinxinError, verb: str = VERB) -> None:
        self.ctx.rejections.record(sender.actor if sender else STRANGER, verb, "cmp", error)
