"""What a sealed PDF can fail by."""

from yinxin.errors import Untrue


class PdfNotSealed(Untrue):
    """No seal, or no PDF at all."""

    code = "pdf.not_sealed"
    zh = "该文件没有电子印章({reason});请向发文机关索取盖章的原件。"
    en = "The file carries no seal ({reason}); ask the issuing organ for the sealed original."


class PdfAltered(Untrue):
    """Something was changed after the seal was put on."""

    code = "pdf.altered"
    zh = "盖章之后文件被改动过({reason});此件不可采信。"
    en = "The file was changed after it was sealed ({reason}); do not rely on it."


class PdfSealUntrusted(Untrue):
    """Intact, but the seal's certificate or its proofs do not hold."""

    code = "pdf.seal_untrusted"
    zh = "印章未被改动,但其证书不能被信任({reason});请核对信任的根证书。"
    en = "The seal is intact but its certificate is not trusted ({reason}); check which root certificates you trust."
