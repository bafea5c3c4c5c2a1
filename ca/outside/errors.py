"""What an outside timestamp authority can fail by."""

from yinxin.errors import Misconfigured, Unavailable


class OutsideUnreachable(Unavailable):
    """No answer, or none that is a timestamp reply."""

    code = "ca.outside_unreachable"
    zh = "外部时间戳服务 {name} 没有可用的应答（{reason}）；请检查网络和配置。在此期间由本平台的时间戳服务代替。"
    en = "The outside timestamp authority {name} gave no answer that can be used ({reason}); check the network and its configuration. Our own unit stands in meanwhile."


class OutsideRefused(Unavailable):
    """Its answer does not hold, so it was not kept."""

    code = "ca.outside_refused"
    zh = "外部时间戳服务 {name} 的应答不成立，没有采用（{reason}）；请与对方核对。在此期间由本平台的时间戳服务代替。"
    en = "The answer of the outside timestamp authority {name} does not hold and was not kept ({reason}); look into it with its operator. Our own unit stands in meanwhile."


class OutsideFailing(Unavailable):
    """What health says while one of them gives no tokens."""

    code = "ca.outside_failing"
    zh = "外部时间戳服务 {names} 不可用，由本平台的时间戳服务代替；原因见审计日志中的 ca.timestamp-outside。"
    en = "The outside timestamp authorities {names} fail and our own unit stands in; ca.timestamp-outside in the audit log says why."


class OutsideMisconfigured(Misconfigured):
    """A file for it cannot be used."""

    code = "ca.outside_misconfigured"
    zh = "外部时间戳服务 {name} 的文件 {file} 无法使用（{reason}）；请更正 ca.tsa_outside。"
    en = "The file {file} of the outside timestamp authority {name} cannot be used ({reason}); correct ca.tsa_outside."
