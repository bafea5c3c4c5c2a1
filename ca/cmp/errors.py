"""What CMP refuses beyond what issuance and enrolment refuse."""

from yinxin.errors import Conflict, Invalid, NotAuthenticated, NotPermitted


class BadMessage(Invalid):
    """Not a PKIMessage, or one that breaks the protocol's form."""

    code = "ca.cmp_bad_message"
    zh = "CMP 报文无法读取（{reason}）：请按 RFC 9810 重新生成。"
    en = "The CMP message cannot be read ({reason}): make it again by RFC 9810."


class Unprotected(NotAuthenticated):
    """A message without protection, or one whose protection nobody here can verify."""

    code = "ca.cmp_unprotected"
    zh = "CMP 报文没有可验证的保护：请用注册凭据（MAC）或本中心签发的证书（签名）保护。"
    en = "The CMP message has no protection that can be verified: protect it with an enrolment credential (MAC) or a certificate of ours (signature)."


class WrongTime(Invalid):
    """A message whose time is too far from ours."""

    code = "ca.cmp_wrong_time"
    zh = "CMP 报文的时间 {given} 与本中心相差超过 {most} 秒：请校准时钟后重试。"
    en = "The CMP message's time {given} is more than {most} seconds from ours: set the clock and try again."


class BadPossession(Invalid):
    """A request that does not prove the possession of its key in a way that is accepted."""

    code = "ca.cmp_bad_possession"
    zh = "不接受这种私钥持有证明（{kind}）：请用待认证的密钥对请求签名。"
    en = "This proof of possession ({kind}) is not accepted: sign the request with the key that is to be certified."


class UnknownTransaction(Invalid):
    """A confirmation or question about a transaction that is not there, or is somebody else's."""

    code = "ca.cmp_unknown_transaction"
    zh = "没有待处理的 CMP 事务 {transaction}：请重新发起请求。"
    en = "There is no CMP transaction {transaction} to go on with: begin anew."


class TransactionInUse(Conflict):
    """Another request under a transaction identifier that was used."""

    code = "ca.cmp_transaction_in_use"
    zh = "CMP 事务号 {transaction} 已用于另一请求：请换一个事务号。"
    en = "CMP transaction {transaction} was used for another request: use another identifier."


class NotConfirmed(Conflict):
    """A certificate that was not confirmed in time, or whose confirmation does not fit."""

    code = "ca.cmp_not_confirmed"
    zh = "证书 {serial} 未按期确认或确认不符，已撤销：请重新申请。"
    en = "Certificate {serial} was not confirmed in time, or the confirmation does not fit; it is revoked: ask for another."


class NotYours(NotPermitted):
    """Revoking a certificate by a sender who neither holds it nor had it."""

    code = "ca.cmp_not_yours"
    zh = "证书 {serial} 不属于报文的发送者：请用该证书本身或取得它的注册凭据保护撤销请求。"
    en = "Certificate {serial} is not the sender's: protect the revocation with that certificate, or with the credential on which it was had."
