"""What the room refuses, and what the writer of the document can do about it."""

from yinxin.errors import Invalid, Misconfigured


class DraftTooLarge(Invalid):
    """The file is over the limit; it was not opened. Facts: size and limit in bytes."""

    code = "document.draft_too_large"
    status = 413
    zh = "文件有 {size} 字节，超过 {limit} 字节的上限，未予读取：请拆分正文，或把大附件单独发送。"
    en = "The file has {size} bytes, over the limit of {limit}; it was not read: split it or send large attachments apart."


class DraftFormatUnknown(Invalid):
    """Neither the name nor the content is plain text, Markdown or DOCX."""

    code = "document.draft_format_unknown"
    status = 415
    zh = "不能读取“{filename}”（{found}）：请另存为 .docx、.md 或 .txt 后重新提交。"
    en = "Cannot read “{filename}” ({found}): save it as .docx, .md or .txt and submit it again."


class DraftUnreadable(Invalid):
    """The file says it is of a format and is not, or is damaged."""

    code = "document.draft_unreadable"
    zh = "“{filename}”已损坏或不是其扩展名所示的格式（{reason}）：请用原软件打开并重新保存。"
    en = "“{filename}” is damaged or not what its name says ({reason}): open it in its own program and save it again."


class DraftEncodingUnknown(Invalid):
    """The bytes are neither UTF-8 nor GB 18030. Facts: offset of the first byte that fits neither."""

    code = "document.draft_encoding_unknown"
    zh = "“{filename}”既不是 UTF-8 也不是 GB 18030 编码（第 {offset} 字节起）：请另存为 UTF-8 文本。"
    en = "“{filename}” is neither UTF-8 nor GB 18030 (from byte {offset}): save it as UTF-8 text."


class DraftEncrypted(Invalid):
    """The DOCX is protected by a password."""

    code = "document.draft_encrypted"
    zh = "“{filename}”设有打开密码：请取消密码后重新提交。"
    en = "“{filename}” is protected by a password: remove the password and submit it again."


class DraftHasMacros(Invalid):
    """The DOCX carries macros or active content."""

    code = "document.draft_has_macros"
    zh = "“{filename}”含有宏或活动内容（{part}），不予接收：请另存为不含宏的 .docx。"
    en = "“{filename}” contains macros or active content ({part}): save it as .docx without macros."


class DraftBomb(Invalid):
    """Unpacked, the DOCX would be larger than is allowed. Facts: bytes it would take, and the limit."""

    code = "document.draft_bomb"
    status = 413
    zh = "“{filename}”解压后有 {size} 字节，超过 {limit} 字节的上限，未予解压：请删除多余图片和嵌入对象。"
    en = "“{filename}” would unpack to {size} bytes, over {limit}; it was not unpacked: remove images and embedded objects."


class DraftUnsupportedContent(Invalid):
    """The draft holds something that the page cannot carry; leaving it out silently would change the document."""

    code = "document.draft_unsupported_content"
    zh = "“{filename}”含有不能排入公文正文的内容（{what}，{where}）：请删除，或改作附件另行发送。"
    en = "“{filename}” holds what the page cannot carry ({what}, {where}): remove it, or send it as a file of its own."


class DraftEmpty(Invalid):
    """No text is left to lay out."""

    code = "document.draft_empty"
    zh = "“{filename}”没有可排版的正文（{missing}）：第一行写标题，其后写正文。"
    en = "“{filename}” has no text to lay out ({missing}): write the title on the first line and the body below it."


class ControlCharacter(Invalid):
    """A control or invisible formatting character stands in the text. Facts: its code point, field and line."""

    code = "document.control_character"
    zh = "{field} 第 {line} 行含有控制字符 {point}：请删除该字符（可重新键入该行）。"
    en = "{field}, line {line}, holds the control character {point}: delete it (typing the line anew is enough)."


class UnprintableCharacter(Invalid):
    """No configured typeface has the characters. Facts: the characters, and their code points."""

    code = "document.unprintable_character"
    zh = "字库中没有这些字：{characters}（{points}）。请核对用字，或由管理员在字体配置中加入含这些字的字体。"
    en = "No typeface has these characters: {characters} ({points}). Check them, or have a typeface with them configured."


class ElementMissing(Invalid):
    """An element that every document has is empty. Facts: its name in both languages."""

    code = "document.element_missing"
    zh = "{element} 不能为空：请填写。"
    en = "{element} cannot be empty: fill it in."


class NumberInvalid(Invalid):
    """The document number is not one of 7.2.5."""

    code = "document.number_invalid"
    zh = "发文字号应有机关代字、四位年份和不小于 1 的序号，现为“{organ}”“{year}”“{serial}”：请改正。"
    en = "A document number takes an organ code, a four-digit year and a serial from 1, not “{organ}”, “{year}”, “{serial}”."


class CopyNumberInvalid(Invalid):
    """The copy number has at most six digits (7.2.1)."""

    code = "document.copy_number_invalid"
    zh = "份号应为 1 至 999999 的整数，现为 {number}：请改正。"
    en = "A copy number is from 1 to 999999, not {number}: correct it."


class PrintingIncomplete(Invalid):
    """Printing organ and printing date stand in one line of the record (7.4.3)."""

    code = "document.printing_incomplete"
    zh = "印发机关和印发日期应同时填写或同时空缺：请补齐。"
    en = "Printing organ and printing date are given both or neither: complete them."


class FormUnsupported(Invalid):
    """No form of GB/T 9704-2012 has this name."""

    code = "document.form_unsupported"
    zh = "没有名为“{form}”的公文格式：可用的格式是 {supported}。"
    en = "There is no form of documents “{form}”: use one of {supported}."


class FormWrong(Invalid):
    """The elements do not fit the form that was asked for."""

    code = "document.form_wrong"
    zh = "{kind}应当用“{right}”格式，不能用“{form}”格式。"
    en = "A document of kind {kind} takes the form “{right}”, not “{form}”."


class DoesNotFit(Invalid):
    """A part is larger than the place the standard gives it."""

    code = "document.does_not_fit"
    zh = "{element} 过长，排不进规定的位置（{place}）：请缩短。"
    en = "{element} is too long for its place ({place}): shorten it."


class TypefaceMissing(Misconfigured):
    """A configured typeface is not on this machine; nothing is substituted in silence."""

    code = "document.typeface_missing"
    zh = "找不到字体“{family}”：请安装（Debian/Ubuntu 软件包 fonts-noto-cjk），或改正字体配置。"
    en = "The typeface “{family}” is not installed: install it (package fonts-noto-cjk) or correct the typefaces configured."


class RuleBroken(Invalid):
    """A rule of the Regulation on Official Documents (2012) or of GB/T 9704; leaves say which."""


class RequestInsideReport(RuleBroken):
    """Art. 15(4): a report must not carry a request. Facts: the words found, and the paragraph from 1."""

    code = "document.rule.request_inside_report"
    zh = "报告不得夹带请示事项（条例第十五条）：正文第 {paragraph} 段有“{phrase}”。请删去，或另行起草请示。"
    en = "A report must not carry a request (Regulation art. 15): “{phrase}” in paragraph {paragraph}. Remove it, or draft a 请示."


class RequestInsideTitle(RuleBroken):
    """Reports and requests are two kinds; 请示报告 is none."""

    code = "document.rule.request_inside_title"
    zh = "报告的标题“{title}”不得含有“请示”（条例第八条、第十五条）：请按一个文种改写。"
    en = "The title of a report, “{title}”, must not say 请示 (Regulation art. 8, 15): write one kind or the other."


class OneRecipient(RuleBroken):
    """Art. 15(1): a request goes to one main recipient."""

    code = "document.rule.one_recipient"
    zh = "请示只能写一个主送机关（条例第十五条），现为 {count} 个：请保留一个，其余改为抄送。"
    en = "A request has exactly one main recipient (Regulation art. 15), not {count}: keep one, copy the others."


class SignerMissing(RuleBroken):
    """Art. 9(6): a document to a higher organ names who signed it for issue."""

    code = "document.rule.signer_missing"
    zh = "上行文应当标注签发人姓名（条例第九条）：请填写签发人。"
    en = "A document to a higher organ names its signer (Regulation art. 9): fill in the signer."


class RecipientMissing(RuleBroken):
    """This kind of document is addressed to somebody."""

    code = "document.rule.recipient_missing"
    zh = "{kind}应当有主送机关：请填写。"
    en = "A document of kind {kind} has a main recipient: fill it in."


class TitleWithoutKind(RuleBroken):
    """Art. 9(7): the title consists of the organ, the matter and the kind."""

    code = "document.rule.title_without_kind"
    zh = "标题“{title}”应当以文种“{kind}”结尾（条例第九条）：请改正标题或文种。"
    en = "The title “{title}” must end with its kind “{kind}” (Regulation art. 9): correct the title or the kind."


class CopyNumberMissing(RuleBroken):
    """Art. 9(1): a classified document carries a copy number."""

    code = "document.rule.copy_number_missing"
    zh = "涉密公文应当标注份号（条例第九条）：请填写份号。"
    en = "A classified document carries a copy number (Regulation art. 9): fill it in."


class SignatureDateOrder(RuleBroken):
    """A document cannot be printed before it was made."""

    code = "document.rule.date_order"
    zh = "印发日期 {printed} 早于成文日期 {dated}：请核对。"
    en = "The printing date {printed} is before the document's date {dated}: check them."
