"""What the escrow and recovery refuse."""

from yinxin.errors import Conflict, Invalid, NotFound, Unavailable


class NotAnEncryptionKey(Invalid):
    """Only keys that decrypt are kept for others; a signing key is its holder's alone."""

    code = "kms.not_an_encryption_key"
    zh = "托管只接受加密密钥（{known}），不能是 {algorithm}：签名密钥须由持有者自行生成和保管。"
    en = "Only encryption keys ({known}) are kept in escrow, not {algorithm}: a signing key is made and kept by its holder."


class UserKeyUnknown(NotFound):
    """No encryption key of this identifier was given to anybody."""

    code = "kms.user_key_unknown"
    zh = "没有标识为 {key} 的在用或历史加密密钥：请核对证书或密钥标识。"
    en = "No encryption key {key} is in use or in the history: check the certificate or the key's identifier."


class UserKeyElsewhere(Conflict):
    """The reference stands for another holder's key."""

    code = "kms.user_key_elsewhere"
    zh = "引用号 {reference} 的加密密钥属于另一持有者或算法不同：请换一个引用号。"
    en = "The encryption key of reference {reference} is another holder's or of another algorithm: use another reference."


class RecoveryUnknown(NotFound):
    """No recovery of this number was carried out."""

    code = "kms.recovery_unknown"
    zh = "编号 {recovery} 没有已恢复的加密密钥：请核对提案编号，并确认该提案已执行。"
    en = "Nothing was recovered under {recovery}: check the proposal's number, and that it was carried out."


class NoEnveloper(Unavailable):
    """Asked before the authority above is there."""

    code = "kms.no_enveloper"
    zh = "证书机构尚未就绪，不能制作密钥信封：请稍后重试。"
    en = "The authority is not ready, and no envelope can be made: try again shortly."


class RecipientMismatch(Invalid):
    """Whoever would have the key, or the order that it rests on, does not fit this kind of recovery."""

    code = "kms.recipient_mismatch"
    zh = "恢复申请不符合该类恢复的要求（{recipient}：{reason}）：请更正接收证书或文书信息后重新提出。"
    en = "The recovery does not fit its kind ({recipient}: {reason}): correct the recipient's certificate or the order, and propose it again."


class RecoveryKindEnded(Conflict):
    """Recoveries are proposed by ground now."""

    code = "kms.recovery_kind_ended"
    zh = "密钥恢复已按理由分类：请以 {kind} 重新提出。"
    en = "Recoveries have a kind for each ground now: propose it as {kind}."
