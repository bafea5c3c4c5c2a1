"""What can be wrong with an attribute certificate; every leaf names the fact and the remedy."""

from yinxin.crypto.errors import Malformed
from yinxin.errors import Untrue


class MalformedAttributeCertificate(Malformed):
    """Bytes that are no attribute certificate of RFC 5755."""

    code = "crypto.malformed_attribute_certificate"
    zh = "属性证书无法读取（{reason}）：请向出具者索取完整的 PEM 或 DER 文件。"
    en = "The attribute certificate cannot be read ({reason}): ask who issued it for a whole PEM or DER file."


class AttributeCertificateInvalid(Untrue):
    """Branch: an attribute certificate that is well formed and does not hold."""


class HolderMissing(AttributeCertificateInvalid):
    """The holder's certificate is not among what the verifier was given."""

    code = "crypto.holder_missing"
    zh = "缺少属性证书 {serial} 持有者的证书（序列号 {holder}）：请一并提供该证书。"
    en = "The certificate of the holder of attribute certificate {serial} (serial number {holder}) is missing: give it as well."


class HolderDiffers(AttributeCertificateInvalid):
    """The certificate shown is not the one that the attribute certificate was issued for."""

    code = "crypto.holder_differs"
    zh = "属性证书 {serial} 不是为“{subject}”的这张证书出具的（{field} 不符）：请出示与之对应的证书。"
    en = "Attribute certificate {serial} was not issued for this certificate of {subject} ({field} differs): show the one it belongs to."


class NotAnAttributeAuthority(AttributeCertificateInvalid):
    """Signed by somebody who is not trusted to state attributes."""

    code = "crypto.not_an_attribute_authority"
    zh = "“{subject}”不是属性权威（{reason}），其出具的属性证书不可信：请核实来源。"
    en = "{subject} is no attribute authority ({reason}); what it states is not to be trusted: check where it comes from."


class AttributeNotPermitted(AttributeCertificateInvalid):
    """An attribute that the authority may not state (RFC 5755 7.4)."""

    code = "crypto.attribute_not_permitted"
    zh = "属性权威“{subject}”无权出具属性 {attribute}，该属性证书不可信：请核实来源。"
    en = "The attribute authority {subject} may not state the attribute {attribute}; its certificate is not to be trusted: check where it comes from."


class AttributeCertificateNotYetValid(AttributeCertificateInvalid):
    """Asked about before it begins."""

    code = "crypto.attribute_certificate_not_yet_valid"
    zh = "属性证书 {serial} 自 {not_before} 起有效，核验时刻为 {at}：请届时再用。"
    en = "Attribute certificate {serial} holds from {not_before}, and it is judged for {at}: use it then."


class AttributeCertificateExpired(AttributeCertificateInvalid):
    """Asked about after it ended."""

    code = "crypto.attribute_certificate_expired"
    zh = "属性证书 {serial} 已于 {not_after} 到期，核验时刻为 {at}：请持有者重新申请。"
    en = "Attribute certificate {serial} ended at {not_after}, and it is judged for {at}: have its holder ask for a new one."


class AttributeCertificateRevoked(AttributeCertificateInvalid):
    """Revoked by its authority."""

    code = "crypto.attribute_certificate_revoked"
    zh = "属性证书 {serial} 已于 {revoked_at} 撤销（{reason}），核验时刻为 {at}：其所载授权已失效。"
    en = "Attribute certificate {serial} was revoked at {revoked_at} ({reason}), and it is judged for {at}: what it states holds no more."


class AttributeStatusUnknown(AttributeCertificateInvalid):
    """It can be revoked, and no list at hand says whether it was."""

    code = "crypto.attribute_status_unknown"
    zh = "没有当时有效的撤销列表说明属性证书 {serial} 是否被撤销：请从 {place} 取得列表后再核验。"
    en = "No revocation list current then says whether attribute certificate {serial} was revoked: get one from {place} and verify again."


class WrongTarget(AttributeCertificateInvalid):
    """Meant for other verifiers (RFC 5755 4.3.2)."""

    code = "crypto.wrong_target"
    zh = "属性证书 {serial} 只供 {targets} 使用，不能在此使用：请向属性权威另行申请。"
    en = "Attribute certificate {serial} is meant for {targets} and not for use here: ask the attribute authority for another."


class UnsupportedAttributeExtension(AttributeCertificateInvalid):
    """A critical extension that this kit does not process (RFC 5755 section 5)."""

    code = "crypto.unsupported_attribute_extension"
    zh = "属性证书 {serial} 有无法处理的关键扩展 {oid}，不能采信：请用支持该扩展的软件核验。"
    en = "Attribute certificate {serial} has the critical extension {oid}, which is not processed here, so it cannot be relied on: verify it with software that does."


class ClaimOver(AttributeCertificateInvalid):
    """A stated appointment or grant that does not cover the moment it is judged for."""

    code = "crypto.claim_over"
    zh = "属性证书 {serial} 所载的 {claim} 在 {at} 不在有效期内：请持有者重新申请。"
    en = "What attribute certificate {serial} states of {claim} is not in force at {at}: have its holder ask for a new one."
