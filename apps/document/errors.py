"""What is refused of documents alone; the refusals of every life are in `yinxin.flow`, the layout's in `layout/errors.py`."""

from yinxin.errors import Conflict, Invalid


class UnknownRecipient(Invalid):
    """A recipient that is no organ of the directory."""

    code = "document.unknown_recipient"
    zh = "主送机关“{organ}”不在机构目录中；请从目录中选择。"
    en = "Recipient “{organ}” is not in the directory of organs; choose one from the directory."


class NoSeal(Conflict):
    """The organ has no usable seal."""

    code = "document.no_seal"
    zh = "机关 {organ} 没有可用的 {suite} 电子印章；请安全管理员先签发印章证书。"
    en = "Organ {organ} has no usable {suite} seal; have a security officer issue a seal certificate first."


class NoHolderKey(Conflict):
    """The session's certificate is for no key that its holder keeps in the key centre."""

    code = "document.no_holder_key"
    zh = "本次登录的证书不对应密钥管理中心里您的可用签名密钥：请用该密钥的证书（或为它添加的通行密钥）登录，或在您自己的计算机上签名。"
    en = "The certificate of this session is for no signing key of yours in the key centre that is in use: sign in with that key's certificate or a passkey added for it, or sign on your own side."


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
