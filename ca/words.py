"""What people are told for the authority's names of things: reasons of a revocation, suites, standings of an authority."""

from collections.abc import Mapping

from yinxin.text import Text

#: why a certificate was revoked (RFC 5280 5.3.1)
REASONS: Mapping[str, Text] = {
    "unspecified": Text("未说明原因", "no reason given"),
    "keyCompromise": Text("密钥已泄露或可能泄露", "the key is, or may be, known to others"),
    "cACompromise": Text("签发机构的密钥泄露", "the authority's key is known to others"),
    "affiliationChanged": Text("持有者已离岗或调任", "the holder has left the post"),
    "superseded": Text("已由新证书代替", "replaced by a new certificate"),
    "cessationOfOperation": Text("不再使用", "no longer in use"),
    "certificateHold": Text("暂停", "suspended"),
    "privilegeWithdrawn": Text("持有资格已收回", "the holder is no longer entitled to it"),
}
SUITES: Mapping[str, Text] = {
    "intl": Text("国际算法", "international"),
    "sm": Text("国密算法", "Chinese national"),
    "pq": Text("抗量子算法", "post-quantum"),
}
#: how an authority stands: the word, and what follows from it
STANDINGS: Mapping[str, tuple[Text, Text]] = {
    "waiting": (
        Text("等待外部签发", "waiting"),
        Text("申请已送外部机构，目前不签发", "its request went to an outside authority; it issues nothing"),
    ),
    "coming": (
        Text("尚未启用", "coming"),
        Text("已建成，到启用时间起签发", "made, and signs from a stated time on"),
    ),
    "issuing": (Text("正在签发", "issuing"), Text("签发新证书", "signs new certificates")),
    "superseded": (
        Text("已换代", "superseded"),
        Text("新一代签发；本代只提供证书状态", "a newer generation signs; this one tells status"),
    ),
    "retired": (
        Text("已停止签发", "retired"),
        Text("不再签发，只提供证书状态", "issues nothing any more, and tells status"),
    ),
    "revoked": (
        Text("已撤销", "revoked"),
        Text(
            "其证书已撤销，其下证书一律无效", "its certificate is revoked, and every one below falls with it"
        ),
    ),
    "ended": (
        Text("已到期", "ended"),
        Text("其证书已到期，其下证书一律到期", "its certificate has expired, and every one below with it"),
    ),
}
