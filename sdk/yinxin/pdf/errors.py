"""What a sealed PDF can fail by."""

from yinxin.errors import Invalid, Misconfigured, Untrue


class PdfNotSealed(Untrue):
    """No seal, or no PDF at all."""

    code = "pdf.not_sealed"
    zh = "该文件没有电子印章（{reason}）；请向发文机关索取盖章的原件。"
    en = "The file carries no seal ({reason}); ask the issuing organ for the sealed original."


class PdfUnreadable(Invalid):
    """What is to be sealed is no PDF."""

    code = "pdf.unreadable"
    zh = "待盖章的文件不是可读的 PDF（{reason}）；请重新排版后再盖章。"
    en = "The file to be sealed is not a readable PDF ({reason}); lay it out again before sealing."


class PictureUnreadable(Invalid):
    """The picture of the seal is no PNG."""

    code = "pdf.picture_unreadable"
    zh = "印章图片不是可读的 PNG 文件（{reason}）；请使用印章登记簿中的印模。"
    en = "The picture of the seal is not a readable PNG ({reason}); use the one in the register of seals."


class PdfAltered(Untrue):
    """Something was changed after the seal was put on."""

    code = "pdf.altered"
    zh = "盖章之后文件被改动过（{reason}）；此件不可采信。"
    en = "The file was changed after it was sealed ({reason}); do not rely on it."


class PdfSealUntrusted(Untrue):
    """Intact, but the seal's certificate or its proofs do not hold."""

    code = "pdf.seal_untrusted"
    zh = "印章的证书或其证明不能被信任（{reason}）；请核对信任的根证书。"
    en = "The seal's certificate or its proofs are not to be trusted ({reason}); check which root certificates you trust."


class PdfSupportMissing(Misconfigured):
    """Sealed PDF and evidence need the extra."""

    code = "pdf.support_missing"
    zh = "缺少核验和盖章 PDF 所需的软件包（{missing}）：请执行 pip install 'yinxin[pdf]'。"
    en = "What sealing and verifying a PDF needs is not installed ({missing}): run pip install 'yinxin[pdf]'."
