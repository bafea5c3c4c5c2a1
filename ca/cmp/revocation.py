"""rr: a certificate is revoked by itself, or by the credential on which it was had (RFC 9483 4.2), once.

The message may come again: its answer was lost, or its worker died between the revocation and the answer. It is then
answered as before, also when the certificate that protects it is the very one that it had revoked.
"""

from ca import inventory
from ca.cmp import transaction as transactions
from ca.cmp.crmf import read_revocation
from ca.cmp.errors import NotYours
from ca.cmp.message import Body, Message
from ca.cmp.protection import past_signer
from ca.cmp.refusal import Status, status_info
from ca.cmp.replies import Asked, Replies
from ca.cmp.transaction import Transaction
from ca.errors import AlreadyRevoked, UnknownCertificate
from ca.models import CertificateRow
from ca.revoke import VERB, revoke
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import Reason
from yinxin.errors import Unavailable, YinxinError
from yinxin.steps import step

#: reason codes of RFC 5280 5.3.1
_REASONS = {
    0: Reason.UNSPECIFIED,
    1: Reason.KEY_COMPROMISE,
    3: Reason.AFFILIATION_CHANGED,
    4: Reason.SUPERSEDED,
    5: Reason.CESSATION_OF_OPERATION,
    9: Reason.PRIVILEGE_WITHDRAWN,
}


def answer(replies: Replies, asked: Asked) -> bytes:
    """The answer to rr: accepted, or rejected with the reason."""
    known = transactions.begin(replies.ctx, asked.sender, asked.message)
    if known.response is not None:
        return known.response
    try:
        _revoke(replies, asked, known)
        info = status_info(Status.ACCEPTED)
    except Unavailable:
        raise
    except YinxinError as error:
        replies.record(asked.sender, error, VERB)
        info = status_info(Status.REJECTION, error)
    reply = replies.reply(asked, Body.RP, der.sequence(der.sequence(info)), nonce=known.nonces[0])
    return transactions.keep(replies.ctx, known.id, reply, None, confirmed=True)


def repeated(replies: Replies, message: Message) -> bytes | None:
    """The answer to an rr that had been taken up before the certificate that protects it was revoked, or None."""
    if message.kind is not Body.RR or (sender := past_signer(replies.authority, message)) is None:
        return None
    known = transactions.known(replies.ctx, sender, message)
    return answer(replies, Asked(message, sender, "")) if known is not None else None


def _revoke(replies: Replies, asked: Asked, known: Transaction) -> None:
    ctx, sender = replies.ctx, asked.sender
    template, code = read_revocation(asked.message.content)
    row = inventory.find(ctx, f"{template.serial or 0:x}")
    own = sender.row is not None and sender.row.fingerprint == row.fingerprint
    if row.der is None or template.issuer is None or Certificate(row.der).issuer != template.issuer:
        raise UnknownCertificate(certificate=f"{template.serial or 0:x}")
    if not own and (sender.credential is None or row.requested_by != sender.actor.id):
        raise NotYours(serial=row.serial)
    decision = sender.credential.decision if sender.credential else {"holder": sender.name}
    reason = _REASONS.get(code, f"reason {code}")
    try:
        revoke(ctx, sender.actor, row.serial, reason, decision)
    except AlreadyRevoked:
        if not _by_this(row, known, reason):
            raise
    step("ca.cmp.2-revoked")


def _by_this(row: CertificateRow, known: Transaction, reason: str) -> bool:
    """Whether a revocation is this transaction's own, of a worker that died: since it began, for its reason."""
    return row.revoked_at is not None and row.revoked_at >= known.created and row.reason == reason
