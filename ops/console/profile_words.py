"""What a certificate profile demands, in words: names of usages, purposes, attributes and where their texts come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ca.profile import NameRule, Profile
from ca.profile.constraints import Constraints
from ca.profile.gmt0015 import IDENTIFIERS
from ca.words import SUITES
from yinxin.crypto.names import ATTRIBUTES
from yinxin.crypto.public_key import suite_of
from yinxin.text import Text

HOLDERS: Mapping[str, Text] = {
    "person": Text("人员", "people"),
    "organ": Text("机关", "organs"),
    "service": Text("系统和设备", "services and devices"),
}
USAGES: Mapping[str, Text] = {
    "digitalSignature": Text("数字签名、登录", "signatures, sign-in"),
    "contentCommitment": Text("抗抵赖的签名", "signatures that commit to a content"),
    "keyEncipherment": Text("加密密钥", "enciphering keys"),
    "dataEncipherment": Text("加密数据", "enciphering data"),
    "keyAgreement": Text("密钥协商", "agreeing on keys"),
    "keyCertSign": Text("签发证书", "signing certificates"),
    "cRLSign": Text("签发撤销列表", "signing revocation lists"),
    "encipherOnly": Text("协商时只加密", "agreement for enciphering only"),
    "decipherOnly": Text("协商时只解密", "agreement for deciphering only"),
}
PURPOSES: Mapping[str, Text] = {
    "serverAuth": Text("证明服务器身份（TLS）", "proving a server (TLS)"),
    "clientAuth": Text("证明客户端身份（登录、TLS）", "proving a client (sign-in, TLS)"),
    "codeSigning": Text("签名程序代码", "signing program code"),
    "emailProtection": Text("安全邮件", "secure mail"),
    "timeStamping": Text("时间戳", "timestamps"),
    "OCSPSigning": Text("答复证书状态（OCSP）", "answering for status (OCSP)"),
    "cmcCA": Text("代签发机构答复协议", "answering protocols for an authority"),
    "cmcRA": Text("代注册机构收发协议报文", "taking protocol messages for a registration authority"),
    "cmKGA": Text("代申请人生成密钥", "making keys for applicants"),
    "ipsecIKE": Text("虚拟专网（IPsec）", "virtual private networks (IPsec)"),
    "documentSigning": Text("签名文书", "signing documents"),
    "anyExtendedKeyUsage": Text("任何用途", "any purpose"),
}
_SOURCES: Mapping[str, Text] = {
    "request": Text("取自申请，必须有", "as asked for; must be there"),
    "request?": Text("取自申请，可以没有", "as asked for; may be missing"),
    "san?": Text("取自申请，没有时取第一个备用名称", "as asked for, else the first alternative name"),
    "holder.id": Text("持有者在名录中的标识", "the holder's identifier in the directory"),
    "person.name": Text("名录中的姓名", "the person's name in the directory"),
    "person.identity": Text("登记的身份证件号码", "the registered identity number"),
    "person.insurance": Text("登记的社会保险号", "the registered insurance number"),
    "post.name": Text("名录中的岗位名称", "the post's name in the directory"),
    "organ.name": Text("名录中的机关名称", "the organ's name in the directory"),
    "organ.code": Text("统一社会信用代码", "the unified social credit code"),
}
_NAMES: Mapping[str, Text] = {
    "dns": Text("主机名", "host names"),
    "ip": Text("IP 地址", "IP addresses"),
    "email": Text("邮箱地址", "mail addresses"),
    "uri": Text("网址", "addresses (URI)"),
}
_PRESENCE: Mapping[str, Text] = {
    "required": Text("必须有", "must be there"),
    "optional": Text("可以有", "may be there"),
}
SIGNERS: Mapping[str, Text] = {
    "self": Text("由自身签名（自签）", "signed by itself"),
    "root": Text("由根证书签名", "signed by a root"),
    "issuing": Text("由签发机构签名", "signed by an issuing authority"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A name in the certificate: its technical name, what may stand there, and by which rule."""

    name: str
    called: Text
    source: Text
    rule: Text


def suites(profile: Profile) -> Mapping[str, tuple[str, ...]]:
    """The kinds of key that it certifies, by the name of their suite, in the profile's order."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in profile.keys:
        name = suite_of(kind).name
        found[name] = (*found.get(name, ()), kind)
    return found


def suite_words(profile: Profile) -> list[Text]:
    """The suites of its keys."""
    return [SUITES[name] for name in suites(profile)]


def subject(profile: Profile) -> Iterator[Line]:
    """The attributes of the subject, in the order written."""
    for name, source in profile.subject.items():
        short = ATTRIBUTES[name][1]
        yield Line(name, Text(short, short), _source(source), _rule(profile.rules.get(name)))


def names(profile: Profile) -> Iterator[Line]:
    """The kinds of alternative names."""
    for kind, presence in profile.san.items():
        rule = _rule(profile.rules.get(kind))
        if kind == "dns" and profile.wildcards:
            wild = Text("可以是 *. 开头的通配符", "may begin with *. (a wildcard)")
            rule = Text(f"{wild.zh}；{rule.zh}", f"{wild.en}; {rule.en}") if rule.zh else wild
        yield Line(kind, _NAMES[kind], _PRESENCE[presence], rule)


def identifiers(profile: Profile) -> Iterator[Line]:
    """The identifiers of GM/T 0015, in certificates of the national suite."""
    for name, source in profile.gmt0015.items():
        title = IDENTIFIERS[name].title
        yield Line(name, Text(title.zh, title.en), _source(source), Text("", ""))


def protocols(profile: Profile) -> Text:
    """Who has such certificates made, and by which way; the policies in force decide on each."""
    if profile.ceremony_only:
        return Text(
            "无人可以申请：由密钥仪式或平台自身制作",
            "nobody asks for one: a ceremony or the platform itself makes it",
        )
    if profile.escrow:
        return Text(
            "与签名证书成对签发（双证书），密钥由密钥管理中心制作和托管；不能单独申请，也不经协议",
            "issued as one of a pair with the signing certificate, over a key that the key centre makes and keeps; not alone, and by no protocol",
        )
    if profile.wildcards:
        return Text(
            "由证书注册员或安全管理员按现行策略办理，或经申请、核验、批准；协议只有 ACME，在 DNS 中证明",
            "by a registration or security officer as the policies permit, or by an application that is vetted and approved; of the protocols ACME alone, proved in the DNS",
        )
    return Text(
        "由证书注册员或安全管理员按现行策略办理，或经申请、核验、批准；凭协议注册凭据经 ACME、EST、CMP、SCEP",
        "by a registration or security officer as the policies permit, or by an application that is vetted and approved; on a credential by ACME, EST, CMP, SCEP",
    )


def extensions(profile: Profile) -> list[Text]:
    """What else stands in its certificates."""
    found = []
    if profile.ca:
        found.append(_authority(profile.path_length))
    if profile.constraints != Constraints():
        found.append(Text("对其下的证书有名称或策略约束", "it constrains names or policies of those below"))
    if profile.attributes:
        found.append(Text("可以证明他人的属性（aaControls）", "it states attributes of others (aaControls)"))
    if profile.no_check:
        found.append(
            Text("本身的状态不必再查（OCSP no check）", "its own status need not be asked (no check)")
        )
    if profile.alternative:
        found.append(
            Text(
                f"另有签发机构 {profile.alternative} 密钥的第二个签名",
                f"a second signature, by the issuer's {profile.alternative} key",
            )
        )
    found += [Text(f"证书策略 {each}", f"certificate policy {each}") for each in profile.policies]
    return found


def _authority(below: int | None) -> Text:
    if below is None:
        return Text("是签发机构（基本约束）", "it is an authority (basic constraints)")
    if below == 0:
        return Text(
            "是签发机构（基本约束），其下不能再有签发机构",
            "it is an authority (basic constraints), with none below it",
        )
    return Text(
        f"是签发机构（基本约束），其下至多再有 {below} 级",
        f"it is an authority (basic constraints), with at most {below} below it",
    )


def _source(source: str) -> Text:
    if source.startswith("="):
        fixed = source.removeprefix("=")
        return Text(f"固定为 {fixed}", f"always {fixed}")
    if source in _SOURCES:
        return _SOURCES[source]
    known = _SOURCES[source.removesuffix("?")]
    return Text(f"{known.zh}，可以没有", f"{known.en}; may be missing")


def _rule(rule: NameRule | None) -> Text:
    if rule is None:
        return Text("", "")
    said = []
    if rule.pattern:
        said.append(
            Text(rule.hint.zh, rule.hint.en) if rule.hint else Text(f"须符合 {rule.pattern}", rule.pattern)
        )
    if rule.domains:
        domains = ", ".join(rule.domains)
        said.append(Text(f"须在 {domains} 之下", f"below {domains}"))
    if rule.most is not None:
        said.append(Text(f"至多 {rule.most} 个", f"{rule.most} at most"))
    return Text("；".join(each.zh for each in said), "; ".join(each.en for each in said))
