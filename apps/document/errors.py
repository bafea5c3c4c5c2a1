"""What the life of a document can refuse; the layout's refusals are in `layout/errors.py`."""

from yinxin.errors import Conflict, Invalid, NotFound, Unavailable, Untrue


class NoSuchDocument(NotFound):
    """No such document, or not for this reader."""

    code = "document.not_found"
    zh = "没有公文 {document}，或者您无权查看；请核对编号。"
    en = "There is no document {document}, or it is not yours to see; check its identifier."


class WrongState(Conflict):
    """The act does not fit the state."""

    code = "document.wrong_state"
    zh = "公文 {document} 当前状态是“{state}”，不能执行“{verb}”；请刷新后再看。"
    en = "Document {document} is “{state}” now, which does not allow “{verb}”; reload it and look again."


class MovedOn(Conflict):
    """Somebody else acted in between."""

    code = "document.moved_on"
    retryable = True
    zh = "公文 {document} 刚被他人处理过；请刷新后重新操作。"
    en = "Somebody else has just acted on document {document}; reload it and act again."


class UnknownRecipient(Invalid):
    """A recipient that is no organ of the directory."""

    code = "document.unknown_recipient"
    zh = "主送机关“{organ}”不在机构目录中；请从目录中选择。"
    en = "Recipient “{organ}” is not in the directory of organs; choose one from the directory."


class StaleStatement(Conflict):
    """The statement that was signed is not the one that is due now."""

    code = "document.stale_statement"
    zh = "所签的内容与公文 {document} 的当前内容不一致或已过期（{field}）；请重新取得待签内容再签。"
    en = "What was signed does not match document {document} as it stands now, or is too old ({field}); fetch the statement again and sign that."


class WrongSigner(Untrue):
    """Signed with another certificate than the one that signed in."""

    code = "document.wrong_signer"
    zh = "签名所用证书不是本次登录的证书；请用登录时的证书签名。"
    en = (
        "The signature was made with another certificate than the one you signed in with; sign with that one."
    )


class NoSeal(Conflict):
    """The organ has no usable seal."""

    code = "document.no_seal"
    zh = "机关 {organ} 没有可用的 {suite} 电子印章；请安全管理员先签发印章证书。"
    en = "Organ {organ} has no usable {suite} seal; have a security officer issue a seal certificate first."


class ReferenceTaken(Conflict):
    """The drafter's own key is already used for something else."""

    code = "document.reference_taken"
    zh = "引用号 {reference} 已用于另一份公文；请换一个。"
    en = "Reference {reference} already belongs to another document; choose another."


class RecipientTwice(Invalid):
    """An organ named twice: it would be sent two copies and could answer for one."""

    code = "document.recipient_twice"
    zh = "主送机关“{organ}”重复；请每个机关只选一次。"
    en = "Recipient “{organ}” is named twice; choose each organ once."


class KindOrLevelFixed(Invalid):
    """A revision that would change what the document is, or who may read it."""

    code = "document.kind_or_level_fixed"
    zh = "修改时不能更换文种或密级（现为 {kind}、{level}）；请照此提交，或另行起草。"
    en = "A revision cannot change kind or level (they are {kind} and {level}); send it with these, or draft a new document."


class ReasonMissing(Invalid):
    """Sending back without saying why."""

    code = "document.reason_missing"
    zh = "退回公文必须写明理由；请填写“理由”。"
    en = "Sending a document back needs a reason; fill in “reason”."


class NumberTaken(Conflict):
    """Another document took the number while this page was being set."""

    code = "document.number_taken"
    retryable = True
    zh = "文号 {number} 刚被另一份公文占用；请重试编号。"
    en = "Number {number} has just gone to another document; try numbering again."


class NotARecipient(Conflict):
    """An organ the document was not sent to."""

    code = "document.not_a_recipient"
    zh = "公文 {document} 没有发给机关 {organ}，不能签收或退文；请与发文机关核对。"
    en = "Document {document} was not sent to organ {organ}, so it cannot be signed for or returned; check with the issuing organ."


class AlreadyAnswered(Conflict):
    """Signed for or returned once already."""

    code = "document.already_answered"
    zh = "公文 {document} 已经处理过（当前为 {state}），不能重复签收或退文。"
    en = "Document {document} has been answered already (now {state}); it cannot be signed for or returned twice."


class UnknownKind(Invalid):
    """A kind of document that does not exist."""

    code = "document.unknown_kind"
    zh = "没有文种“{kind}”；可用的有 {known}。"
    en = "There is no kind of document “{kind}”; use one of {known}."


class UnknownStatement(Invalid):
    """Nothing of this name is signed here."""

    code = "document.unknown_statement"
    zh = "没有可签的“{verb}”；可签的有 {known}。"
    en = "Nothing named “{verb}” is signed here; use one of {known}."


class NoTimestamp(Unavailable):
    """Our own timestamp authority gives no time: without it nothing is signed or sealed."""

    code = "document.no_timestamp"
    zh = "时间戳服务（{suite}）没有签发时间戳（{reason}），本次签名或用印没有执行；请稍后重试，并请管理员查看 yinxin status 中的 ca 与 kms。"
    en = "The timestamp authority ({suite}) gave no timestamp ({reason}), so nothing was signed or sealed; try again later, and have an operator look at ca and kms in yinxin status."
