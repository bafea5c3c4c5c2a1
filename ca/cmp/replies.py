"""Answers as messages: their form, their protection, and how what is wrong is said and recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.cmp.errors import WrongTime
from ca.cmp.message import VERSIONS, Body, Header, Message, body_of, directory_name
from ca.cmp.pieces import NOBODY
from ca.cmp.protection import Sender, protect
from ca.cmp.refusal import Failure, Status, failure_of, status_info
from ca.issue import VERB
from ca.service import Authority
from yinxin.act import STRANGER
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.errors import Unavailable, YinxinError

#: octets of a nonce (RFC 9810 5.1.1: 128 bits)
_NONCE = 16
#: octets of a transactionID: fewer are guessed, more are no identifier
_TRANSACTION = range(1, 65)


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


def fault_of_form(header: Header) -> Failure | None:
    """What is wrong with a header's form, if anything."""
    if header.version not in VERSIONS:
        return Failure.UNSUPPORTED_VERSION
    if len(header.transaction) not in _TRANSACTION:
        return Failure.BAD_DATA_FORMAT
    if len(header.sender_nonce) < _NONCE:
        return Failure.BAD_SENDER_NONCE
    return None


class Replies:
    """Makes the answers of one authority."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.ctx = authority.ctx

    def in_time(self, header: Header) -> None:
        """The message's clock is about ours; raises WrongTime."""
        most = self.ctx.settings.cmp_clock_seconds
        if header.time and abs((header.time - self.ctx.store.clock.now()).total_seconds()) > most:
            raise WrongTime(given=header.time.isoformat(), most=most)

    def reply(
        self,
        asked: Asked,
        kind: Body,
        content: bytes,
        *,
        extra: tuple[Certificate, ...] = (),
        general: Mapping[str, bytes | None] | None = None,
        nonce: bytes | None = None,
    ) -> bytes:
        """The answer of this body, protected as its request was."""
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

    def error(
        self,
        message: Message | None,
        sender: Sender | None,
        error: YinxinError,
        failure: Failure | None = None,
    ) -> bytes:
        """error: protected when its receiver is known; that it is a stranger's or unreadable is said in the clear."""
        self.record(sender, error)
        bit = failure if failure is not None else failure_of(error)
        content = der.sequence(status_info(Status.REJECTION, error, bit))
        of = message.header if message else Header(VERSIONS[0], NOBODY, NOBODY, b"", b"")
        try:
            header = self._header(of, sender, None, None)
            return protect(self.authority, sender, header, body_of(Body.ERROR, content), ())
        except Unavailable:
            header = self._header(of, None, None, None)
            return protect(self.authority, None, header, body_of(Body.ERROR, content), ())

    def record(self, sender: Sender | None, error: YinxinError, verb: str = VERB) -> None:
        """Put a refusal on the record, within what strangers may write there."""
        self.ctx.rejections.record(sender.actor if sender else STRANGER, verb, "cmp", error)
