"""What evidence can fail by. Errors of signatures, certificates and log proofs keep their own names."""

from yinxin.errors import Invalid, Misconfigured, Untrue


class MalformedEvidence(Untrue):
    """Not a container of ours, or one that was touched."""

    code = "evidence.malformed"
    zh = "证据包格式不对或被改动过（{reason}）；请向提供者索取原件。"
    en = "The evidence bundle is malformed or was changed ({reason}); ask for the original."


class EvidenceAltered(Untrue):
    """A file in the bundle is not the one that was put in."""

    code = "evidence.altered"
    zh = "证据包中的 {file} 与清单不符，内容被改动过；此件不可采信。"
    en = "{file} in the bundle does not match its manifest: it was changed; do not rely on it."


class EvidenceMismatch(Untrue):
    """Each part holds by itself, but they do not speak of the same thing."""

    code = "evidence.mismatch"
    zh = "证据各部分对不上：{what}；此件不可采信。"
    en = "The parts of the evidence do not fit together: {what}; do not rely on it."


class TrustMissing(Misconfigured):
    """Nothing to check against."""

    code = "evidence.trust_missing"
    zh = "没有可信的根证书或日志公钥（{reason}）；请用 --trust 指定存放它们的目录。"
    en = "There is no root certificate or log key to trust ({reason}); name the folder that holds them with --trust."


class UnknownFile(Invalid):
    """A file of a kind that cannot be checked."""

    code = "evidence.unknown_file"
    zh = "不认识这个文件（{reason}）；可以核验的是盖章的 PDF 和 .asice 证据包。"
    en = "This file cannot be checked ({reason}); a sealed PDF or an .asice evidence bundle can."
