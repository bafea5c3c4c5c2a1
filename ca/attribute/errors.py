"""What is refused about attribute certificates."""

from yinxin.errors import Conflict, Invalid, NotFound, Unavailable, Untrue


class NoAttributeAuthority(Unavailable):
    """No attribute authority of this suite, or its certificate is over."""

    code = "ca.no_attribute_authority"
    retryable = False
    zh = "本平台没有可用的属性权威（{authority}）：请按 ca/plans/services.toml 的格式举行仪式，设立或续签模板为 attribute-authority 的服务。"
    en = "There is no attribute authority in force ({authority}): hold a ceremony in the form of ca/plans/services.toml with a service of the profile attribute-authority."


class NotAPersonsCertificate(Invalid):
    """A certificate that no person holds in a post."""

    code = "ca.not_a_persons_certificate"
    zh = "证书 {certificate} 不是个人在岗位上的签名证书（模板 {profile}），不能为其出具属性证书：请指定本人的签名证书。"
    en = "Certificate {certificate} is not a person's signing certificate in a post (profile {profile}), so no attributes are stated for it: name her own signing certificate."


class CertificateNotInForce(Conflict):
    """The holder's certificate is revoked, suspended or over."""

    code = "ca.holder_not_in_force"
    zh = "证书 {certificate} 当前状态为 {state}，不能为其出具属性证书：请先办理有效的证书。"
    en = "Certificate {certificate} is {state}, so no attributes are stated for it: get one that is in force first."


class BadLifetime(Invalid):
    """A validity that is not allowed."""

    code = "ca.bad_attribute_lifetime"
    zh = "属性证书有效期 {hours} 小时有误：应为 1 至 {most} 小时。"
    en = "A validity of {hours} hours is not allowed for an attribute certificate: ask for 1 to {most}."


class BadTarget(Invalid):
    """A target that cannot be written."""

    code = "ca.bad_target"
    zh = "使用方“{target}”有误：请写网址（https://…）、urn: 名称或域名，最多 {most} 个。"
    en = "The target “{target}” is wrong: write an address (https://…), a urn: name or a host name, {most} at most."


class NothingInForce(Conflict):
    """What would be stated ends at once."""

    code = "ca.nothing_in_force"
    zh = "{person} 在岗位 {post} 的任职或授权即将终止（{ends}），已无可出具的内容：请稍后按新的授权重新申请。"
    en = "The appointment of {person} to {post}, or a grant, ends at once ({ends}), so there is nothing to state: ask again by what is in force then."


class AttributeLintFailed(Untrue):
    """What would be signed breaks a rule; it was not signed."""

    code = "ca.attribute_lint_failed"
    status = 500
    zh = "待签的属性证书不合规则，未签名：{findings}。"
    en = "The attribute certificate to be signed breaks rules and was not signed: {findings}."


class UnknownAttributeCertificate(NotFound):
    """No attribute certificate of this name, or not for this person to see."""

    code = "ca.unknown_attribute_certificate"
    zh = "没有属性证书 {certificate}：请核对序列号或 SHA-256 指纹。"
    en = "There is no attribute certificate {certificate}: check the serial number or SHA-256 fingerprint."


class AttributeCertificateOver(Conflict):
    """Revoked or expired already."""

    code = "ca.attribute_certificate_over"
    zh = "属性证书 {serial} 已于 {at} 失效，无需再撤销。"
    en = "Attribute certificate {serial} was over at {at}; there is nothing left to revoke."


class NotRevocable(Conflict):
    """A short-lived one, which names no list."""

    code = "ca.attribute_certificate_not_listed"
    zh = "属性证书 {serial} 为短期证书，不设撤销列表，将于 {not_after} 自行到期：如须立即阻止使用，请撤销持有者的证书 {certificate}。"
    en = "Attribute certificate {serial} is short-lived and names no revocation list; it ends by itself at {not_after}: to stop its use now, revoke the holder's certificate {certificate}."


class UnknownAttributeAuthority(NotFound):
    """No attribute authority of this label."""

    code = "ca.unknown_attribute_authority"
    zh = "没有属性权威“{authority}”：请核对列表地址。"
    en = "There is no attribute authority {authority}: check the list's address."
