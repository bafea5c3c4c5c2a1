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


class AlgorithmLapsed(Untrue):
    """The evidence rests on an algorithm that is believed no more, and nothing shows that it was there before."""

    code = "evidence.algorithm_lapsed"
    zh = "证据所用的算法 {algorithm} 自 {ended} 起不再可信；请向保管方索取此前开始续期的证据记录（.ers），连同本件一并核验。"
    en = "The evidence rests on {algorithm}, which is not believed since {ended}; ask its keeper for the evidence record (.ers) that was begun before, and check both together."


class BeyondAuthority(Untrue):
    """The attribute certificate that an act brings is good, and does not give what the act claims. `part` says what differs."""

    code = "evidence.beyond_authority"
    zh = "属性证书 {serial} 不支持该操作：{part}；此件不可采信。"
    en = "Attribute certificate {serial} does not cover the act: {part}; do not rely on it."


class BeyondDelegation(Untrue):
    """The delegation that an act brings is good, and is not what it was done by. `part` says what differs."""

    code = "evidence.beyond_delegation"
    zh = "授权代行 {delegation} 不支持该操作：{part}；此件不可采信。"
    en = "Delegation {delegation} does not cover the act: {part}; do not rely on it."


class DelegationMissing(Untrue):
    """The log says that an act was done by a delegation, and the evidence brings none, or another."""

    code = "evidence.delegation_missing"
    zh = "日志记载 {type} 由受托人凭授权代行 {delegation} 办理，证据包附带的却是 {brought}；请索取完整的证据包。"
    en = "The log says that {type} was done by delegation {delegation}, and the bundle brings {brought}; ask for the whole evidence."


class TrustMissing(Misconfigured):
    """Nothing to check against."""

    code = "evidence.trust_missing"
    zh = "没有可信的根证书或日志公钥（{reason}）；请用 --trust 指定存放它们的目录。"
    en = "There is no root certificate or log key to trust ({reason}); name the folder that holds them with --trust."


class UnknownFile(Invalid):
    """A file of a kind that cannot be checked."""

    code = "evidence.unknown_file"
    zh = "不认识这个文件（{reason}）；可以核验的是盖章的 PDF 和 OFD、.asice 证据包、属性证书、日志区间证明和日志摘录。"
    en = "This file cannot be checked ({reason}); a sealed PDF or OFD, an .asice evidence bundle, an attribute certificate, a stretch or an extract of a log can."
