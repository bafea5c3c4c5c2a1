"""What the life of a record can refuse. `thing` is what the application calls its records."""

from yinxin.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable, Untrue


class NoSuchRecord(NotFound):
    """No such record, or not for this reader."""

    code = "flow.not_found"
    zh = "没有{thing} {record}，或者您无权查看；请核对编号。"
    en = "There is no {thing} {record}, or it is not yours to see; check its identifier."


class WrongState(Conflict):
    """The act does not fit the state."""

    code = "flow.wrong_state"
    zh = "{thing} {record} 当前状态是“{state}”，不能执行“{verb}”；请刷新后再看。"
    en = "{thing} {record} is “{state}” now, which does not allow “{verb}”; reload it and look again."


class MovedOn(Conflict):
    """Somebody else acted in between."""

    code = "flow.moved_on"
    retryable = True
    zh = "{thing} {record} 刚被他人处理过；请刷新后重新操作。"
    en = "Somebody else has just acted on {thing} {record}; reload it and act again."


class ReasonMissing(Invalid):
    """An act that must say why, and does not."""

    code = "flow.reason_missing"
    zh = "“{verb}”必须写明理由；请填写“理由”。"
    en = "“{verb}” needs a reason; fill in “reason”."


class StaleStatement(Conflict):
    """The statement that was signed is not the one that is due now."""

    code = "flow.stale_statement"
    zh = "所签的内容与 {subject} 的当前内容不一致或已过期（{field}）；请重新取得待签内容再签。"
    en = "What was signed does not match {subject} as it stands now, or is too old ({field}); fetch the statement again and sign that."


class WrongSigner(Untrue):
    """Signed with another certificate than the one that signed in."""

    code = "flow.wrong_signer"
    zh = "签名所用证书不是本次登录的证书；请用登录时的证书签名。"
    en = (
        "The signature was made with another certificate than the one you signed in with; sign with that one."
    )


class DelegationUnproved(Conflict):
    """The delegation somebody acts by was signed with a certificate that is not good any more: no evidence of it could be given."""

    code = "flow.delegation_unproved"
    zh = "您所凭的授权代行 {delegation} 是用已失效的证书签署的，凭此签名将无法举证；请委托人用有效证书重新授权。未作任何更改。"
    en = "The delegation {delegation} that you act by was signed with a certificate that is not good any more, so nothing could be proved of it; have it given anew. Nothing was changed."


class SignatureMissing(Untrue):
    """An act that is done by a signature, and came without one."""

    code = "flow.signature_missing"
    zh = "“{verb}”须由办理人签名；请取得待签内容，签名后再提交。"
    en = "“{verb}” is done by a signature; fetch the statement, sign it and hand that in."


class NoTimestamp(Unavailable):
    """Our own timestamp authority gives no time: without it nothing is signed or sealed."""

    code = "flow.no_timestamp"
    zh = "时间戳服务（{suite}）没有签发时间戳（{reason}），本次签名或用印没有执行；请稍后重试，并请管理员查看 yinxin status 中的 ca 与 kms。"
    en = "The timestamp authority ({suite}) gave no timestamp ({reason}), so nothing was signed or sealed; try again later, and have an operator look at ca and kms in yinxin status."


class NoClock(Conflict):
    """A clock that does not run for this record."""

    code = "flow.no_clock"
    zh = "{thing} {record} 没有正在计时的“{clock}”，无法延长；请刷新后再看。"
    en = "“{clock}” does not run for {thing} {record}, so there is nothing to extend; reload it and look again."


#: what any transition may be refused by, for the operation that offers it to declare
REFUSALS = (NotPermitted, NoSuchRecord, WrongState, MovedOn)
