"""What the keyring refuses."""

from yinxin.errors import Conflict, Invalid, NotFound, Untrue


class ServiceKeyUnknown(NotFound):
    """No service key has this name."""

    code = "kms.service_key_unknown"
    zh = "没有名为 {name} 的服务密钥：请核对名称，可用 yinxin kms key list 查看。"
    en = "There is no service key {name}: check the name with yinxin kms key list."


class ServiceKeyTaken(Conflict):
    """The name stands for another key, perhaps one that was destroyed."""

    code = "kms.service_key_taken"
    zh = "名称 {name} 已属于一个 {field} 不同的服务密钥（销毁后也不再用）：请换一个名称。"
    en = "The name {name} belongs to a service key with another {field}, and is not given twice: choose another name."


class BadServiceKey(Invalid):
    """A service key was asked for with a field that is not allowed."""

    code = "kms.bad_service_key"
    zh = "服务密钥的 {field} 不合规定（{reason}）：请更正后重试。"
    en = "The service key's {field} is not allowed ({reason}): correct it and try again."


class ServiceKeyEnding(Conflict):
    """The key is to be destroyed, and nobody uses it until that is called off."""

    code = "kms.service_key_ending"
    zh = "服务密钥 {name} 定于 {at} 销毁，现已停用：仍需要它的，请在此之前由安全管理员撤回销毁。"
    en = "The service key {name} is to be destroyed at {at} and is not used any more: have a security officer call it off before."


class ServiceKeyDestroyed(Conflict):
    """The key's secrets are gone for good."""

    code = "kms.service_key_destroyed"
    status = 410
    zh = "服务密钥 {name} 已销毁，不能再使用，也无法恢复。"
    en = "The service key {name} has been destroyed: it cannot be used, and nothing brings it back."


class NotEnding(Conflict):
    """There is no destruction to call off."""

    code = "kms.service_key_not_ending"
    zh = "服务密钥 {name} 没有待执行的销毁：请查看其当前状态。"
    en = "No destruction of the service key {name} is waiting: look at its state."


class ImportUnknown(NotFound):
    """There is no such import, or no longer."""

    code = "kms.import_unknown"
    zh = "没有编号 {reference} 的待导入密钥（可能已导入或已过期）：请重新开始导入。"
    en = "No import {reference} is open; it was used, or has expired: begin another."


class ImportNotOpened(Untrue):
    """What was sent does not open with the import's key, or holds another kind of key. The import stays open."""

    code = "kms.import_not_opened"
    zh = "导入服务密钥 {name} 的内容不是按 {method} 封装的 {algorithm} 密钥：请核对导入公钥、封装方式和密钥格式。"
    en = "What was sent for the service key {name} is no {algorithm} key wrapped by {method}: check the import's public key, the method and the key."


class OperationNotAllowed(Conflict):
    """The key was not made for this."""

    code = "kms.operation_not_allowed"
    zh = "服务密钥 {name}（{algorithm}）不用于 {operation}，只用于 {allowed}：请选用合适的密钥。"
    en = "The service key {name} ({algorithm}) is not for {operation}, but for {allowed}: use a key that is."


class VersionUnknown(NotFound):
    """The key has no such version."""

    code = "kms.version_unknown"
    zh = "服务密钥 {name} 没有第 {version} 版，最新为第 {latest} 版：请核对版本。"
    en = "The service key {name} has no version {version}, the newest is {latest}: check the version."


class VersionTooOld(Conflict):
    """The version is below the least that may still be used so."""

    code = "kms.version_too_old"
    zh = "服务密钥 {name} 第 {version} 版已不再使用，最低为第 {least} 版：请用新版本，或请安全管理员调整最低版本。"
    en = "Version {version} of the service key {name} is out of use, the least is {least}: use a newer one, or have the minimum changed."


class VersionUsedUp(Conflict):
    """One more encryption would be more than random nonces bear."""

    code = "kms.version_used_up"
    zh = "服务密钥 {name} 第 {version} 版的加密次数已到上限 {most}：请轮换密钥后重试。"
    en = "Version {version} of the service key {name} has made all of its {most} encryptions: rotate the key and try again."


class BadCiphertext(Invalid):
    """What was to be opened has not the form of a ciphertext."""

    code = "kms.bad_ciphertext"
    zh = "不是本服务的密文（以 yx:v1: 开头的文本）：请提交加密时得到的完整文本。"
    en = "This is no ciphertext of this service (yx:v1:name:version:base64): send the whole text that encrypting gave."


class CiphertextElsewhere(Invalid):
    """The ciphertext names another key."""

    code = "kms.ciphertext_elsewhere"
    zh = "密文属于服务密钥 {other}，不是 {name}：请用加密时的密钥。"
    en = "The ciphertext is one of the service key {other}, not of {name}: use the key that encrypted it."


class CiphertextNotOpened(Untrue):
    """It does not open with this key and context. Which octet is wrong nobody is told."""

    code = "kms.ciphertext_not_opened"
    zh = "密文无法用服务密钥 {name} 打开：内容已被改动，或上下文与加密时不同。"
    en = "The ciphertext does not open with the service key {name}: it was changed, or the context is not that of its encryption."


class PlaintextTooLong(Invalid):
    """An RSA key encrypts few octets."""

    code = "kms.plaintext_too_long"
    zh = "明文 {size} 字节，服务密钥 {name}（{algorithm}）至多加密 {most} 字节：请用数据密钥加密内容。"
    en = "The plaintext has {size} octets; the service key {name} ({algorithm}) encrypts {most} at most: use a data key."


class NoDigestHere(Invalid):
    """The algorithm signs messages, or digests of another size."""

    code = "kms.no_digest_here"
    zh = "服务密钥 {name}（{algorithm}）不能对该摘要签名：请提交消息本身，或按该算法计算的摘要。"
    en = "The service key {name} ({algorithm}) does not sign this digest: send the message, or the digest of that algorithm."


class ServiceKeyMoved(Conflict):
    """Somebody else changed it meanwhile."""

    code = "kms.service_key_moved"
    zh = "服务密钥 {name} 刚刚已被他人变更（现为第 {latest} 版）：请查看后再决定。"
    en = "The service key {name} was changed by somebody else just now (version {latest}): look at it, then decide again."
