"""What is refused about pairs."""

from yinxin.errors import Conflict, Invalid, NotFound


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
