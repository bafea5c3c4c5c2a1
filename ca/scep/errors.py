"""What SCEP refuses beyond what issuance and enrolment refuse."""

from yinxin.errors import Conflict, Invalid, NotFound


class BadScepMessage(Invalid):
    """Not a pkiMessage, or one that breaks the protocol's form."""

    code = "ca.scep_bad_message"
    status = 400
    zh = "SCEP 报文无法读取（{reason}）：请按 RFC 8894 重新生成。"
    en = "The SCEP message cannot be read ({reason}): make it again by RFC 8894."


class BadScepOperation(NotFound):
    """No operation of SCEP, or not by this method."""

    code = "ca.scep_bad_operation"
    zh = "没有 SCEP 操作 {operation}：可用 GetCACaps、GetCACert、GetNextCACert、PKIOperation。"
    en = "There is no SCEP operation {operation}: use GetCACaps, GetCACert, GetNextCACert or PKIOperation."


class OtherKey(Invalid):
    """A request signed by another key than the one that is to be certified."""

    code = "ca.scep_other_key"
    zh = "SCEP 报文不是由待认证的密钥签名：请用同一密钥签名报文和申请。"
    en = "The SCEP message is not signed by the key that is to be certified: sign message and request with the same key."


class NothingPending(Conflict):
    """A poll for a transaction under which nothing is being made."""

    code = "ca.scep_nothing_pending"
    zh = "SCEP 事务 {transaction} 没有待取的证书：请重新发送申请。"
    en = "Nothing is pending under SCEP transaction {transaction}: send the request again."


class NoNextAuthority(NotFound):
    """No generation of the authority that begins later."""

    code = "ca.scep_no_next_authority"
    zh = "目前没有待启用的下一代签发机构：请继续使用 GetCACert 给出的证书。"
    en = "No next generation of the authority waits for its time: go on with what GetCACert gives."
