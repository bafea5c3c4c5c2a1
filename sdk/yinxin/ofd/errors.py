"""What an OFD can fail by."""

from yinxin.errors import Invalid, Untrue


class OfdMalformed(Untrue):
    """No OFD package that can be read in one way only."""

    code = "ofd.malformed"
    zh = "该文件不是完好的 OFD（{reason}）；请向发文机关索取原件。"
    en = "The file is not a sound OFD ({reason}); ask the issuing organ for the original."


class OfdNotSealed(Untrue):
    """An OFD without an electronic seal."""

    code = "ofd.not_sealed"
    zh = "该 OFD 没有电子印章（{reason}）；请向发文机关索取盖章的原件。"
    en = "The OFD carries no seal ({reason}); ask the issuing organ for the sealed original."


class OfdAltered(Untrue):
    """A part is not the one that was sealed. `place` says in words which."""

    code = "ofd.altered"
    zh = "盖章之后{place}被改动过（{reason}）；此件不可采信。"
    en = "After it was sealed, {place} was changed ({reason}); do not rely on it."


class OfdSealUntrusted(Untrue):
    """Intact, but the seal, its certificate or its proofs do not hold."""

    code = "ofd.seal_untrusted"
    zh = "电子印章或其证明不能被信任（{reason}）；请核对信任的根证书。"
    en = "The seal or its proofs are not to be trusted ({reason}); check which root certificates you trust."


class OfdSealedAlready(Invalid):
    """The first seal covers every part: nothing can be added beside it."""

    code = "ofd.sealed_already"
    zh = "该 OFD 已经盖章，不能再盖；请从未盖章的排版稿重新盖章。"
    en = "The OFD is sealed already; seal the page as laid out, before any seal."
