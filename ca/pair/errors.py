"""What is refused about pairs."""

from yinxin.errors import Conflict, Invalid, NotFound, Untrue


class NoPair(Invalid):
    """A signing profile without an encryption profile beside it."""

    code = "ca.no_pair"
    zh = "模板“{profile}”没有配对的加密证书模板：可办理双证书的有 {known}。"
    en = "Profile {profile} has no encryption profile beside it: pairs are issued for {known}."


class CannotReceive(Invalid):
    """A signing key that cannot open an envelope."""

    code = "ca.cannot_receive"
    zh = "签名密钥为 {algorithm}，不能打开加密密钥的信封：请使用 {known} 密钥申请双证书。"
    en = "The signing key is {algorithm} and cannot open the envelope with the encryption key: ask for a pair with a key of {known}."


class TransportNeeded(Invalid):
    """A signing key that opens nothing, and no key beside it that does."""

    code = "ca.transport_needed"
    zh = "签名密钥为 {algorithm}，只能签名：请求中须有由它签名的传输密钥（{known}），加密密钥将交付给该密钥。请用 yinxin ca pair request 重新生成请求。"
    en = "The signing key is {algorithm} and does nothing but sign: the request must bring a transport key ({known}), signed by it, to deliver the encryption key to. Make the request again by yinxin ca pair request."


class TransportUnwanted(Invalid):
    """A transport key that is of no use."""

    code = "ca.transport_unwanted"
    zh = "请求中的传输密钥（{algorithm}）不能使用：只有 {known} 密钥可用于抗量子双证书，签名密钥能自行打开信封时不要附带。"
    en = "The transport key of the request ({algorithm}) is of no use: {known} only, for a pair of the post-quantum suite; leave it out where the signing key opens the envelope itself."


class FileThere(Conflict):
    """A file that a new key would be written over."""

    code = "ca.file_there"
    zh = "文件 {file} 已存在，未作任何更改：请换一个文件名，或先移走原文件。"
    en = "The file {file} exists already; nothing was changed: choose another name, or move it away first."


class UnknownPair(NotFound):
    """No pair of this reference or certificate."""

    code = "ca.unknown_pair"
    zh = "没有双证书 {pair}：请核对引用号或证书序列号。"
    en = "There is no pair {pair}: check its reference or a serial number of it."


class PairEnded(Conflict):
    """A pair that is revoked, suspended or has taken its place already."""

    code = "ca.pair_ended"
    zh = "双证书 {pair} 当前状态为 {state}，不能{act}：请重新申请。"
    en = "Pair {pair} is {state}; it cannot be {act}: ask for a new one."


class UnknownDialect(Invalid):
    """A form of envelope that this kind of key has not."""

    code = "ca.unknown_dialect"
    zh = "{algorithm} 密钥没有“{dialect}”格式的信封：可用的有 {known}。"
    en = "There is no envelope {dialect} for a key of {algorithm}: use one of {known}."


class KeyOfAnother(Untrue):
    """An encryption key that would go to somebody whom the certificates do not name: a table was altered."""

    code = "ca.key_of_another"
    status = 503
    zh = "加密密钥 {key} 未交出：登记数据与证书不一致（{reason}）。数据可能已被改动，请用 yinxin audit check 核查并从备份恢复。"
    en = "The encryption key {key} was not handed out: what is on record does not agree with the certificates ({reason}). Somebody may have altered it: look with yinxin audit check, and restore from a backup."
