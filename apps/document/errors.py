"""What is refused of documents alone; the refusals of every life are in `yinxin.flow`, those of copies in `yinxin.distribution`, the layout's in `layout/errors.py`."""

from yinxin.errors import Conflict, Invalid


class UnknownRecipient(Invalid):
    """A recipient that is no organ of the directory, nor of another site's."""

    code = "document.unknown_recipient"
    zh = "收文机关“{organ}”不在机构目录和交换名录中；请从名录中选择。"
    en = "Recipient “{organ}” is neither in the directory of organs nor in that of the exchange; choose one from there."


class GradedElsewhere(Conflict):
    """A document of another site, whose secrecy its issuing organ decides."""

    code = "document.graded_elsewhere"
    zh = "公文 {document} 由其他站点的 {organ} 制发，密级、期限和解密由发文机关决定；请向发文机关提出。"
    en = "Document {document} was issued by {organ} at another site, which decides on its level, period and declassification; put it to that organ."


class ProvedElsewhere(Conflict):
    """A document of another site, whose acts stand in that site's log."""

    code = "document.proved_elsewhere"
    zh = "公文 {document} 由其他站点的 {organ} 制发，其证据包由该站点导出；在这里请下载盖章文件，交核验页或 `yinxin verify` 核验，收到的过程见交换中该消息的证据。"
    en = "Document {document} was issued by {organ} at another site, whose log proves it: its evidence is exported there. Here, download the sealed file, which `yinxin verify` verifies; how it came is proved by the evidence of its message."


class NoSeal(Conflict):
    """The organ has no usable seal."""

    code = "document.no_seal"
    zh = "机关 {organ} 没有可用的电子印章；请先申请制章并经批准。"
    en = "Organ {organ} has no seal in use; apply for one first and have it approved."


class ReferenceTaken(Conflict):
    """The drafter's own key is already used for something else."""

    code = "document.reference_taken"
    zh = "引用号 {reference} 已用于另一份公文；请换一个。"
    en = "Reference {reference} already belongs to another document; choose another."


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


class SkipsLevel(Invalid):
    """An upward document past the organ right above, without a reason (Regulation 2012, art. 14)."""

    code = "document.skips_level"
    zh = (
        "上行文一般不得越级：{organ} 不是本机关的直接上级（直接上级是 {above}）。确需越级的，请填写越级理由。"
    )
    en = "An upward document does not skip a level: {organ} is not right above your organ ({above} is). If it must, give the reason for skipping it."


class NotUpward(Invalid):
    """A report or request to an organ that is not above (Regulation 2012, art. 15)."""

    code = "document.not_upward"
    zh = "“{kind}”是上行文，只能报送上级机关，{organ} 不是本机关的上级；向不相隶属机关行文请用函。"
    en = "A {kind} goes to a higher organ, and {organ} is not above yours; write a letter to an organ that is neither above nor below."


class NotDownward(Invalid):
    """A downward kind to an organ above."""

    code = "document.not_downward"
    zh = "“{kind}”是下行文，不能主送上级机关 {organ}；请改用报告或请示。"
    en = "A {kind} is not sent to the higher organ {organ}; write a report or a request for instructions."


class CopyDownward(Invalid):
    """An upward document copied to a lower organ at the same time (Regulation 2012, art. 15)."""

    code = "document.copy_downward"
    zh = "上行文不得同时抄送下级机关 {organ}；请取消该抄送。"
    en = "An upward document is not copied to the lower organ {organ} at the same time; take it off the list."


class NotAnOrder(Invalid):
    """A name seal on what shows none (GB/T 9704-2012, 7.3.5.3)."""

    code = "document.not_an_order"
    zh = "公文 {document} 不是命令（令），不加盖签名章；其他文种由机关盖章。"
    en = "Document {document} is no order, so it bears no name seal; other kinds are sealed by the organ."


class NoNameSeal(Conflict):
    """The signer has no name seal in use."""

    code = "document.no_name_seal"
    zh = "{person} 没有在用的签名章；请先申请制作签名章，或直接编号排版，署名以红色姓名排印。"
    en = "{person} has no name seal in use; apply for one, or have the order numbered as it is: then her name is printed in red."
