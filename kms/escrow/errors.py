"""What the escrow and recovery refuse."""

from yinxin.errors import Conflict, Invalid, NotFound, NotPermitted


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
    """No such recovery."""

    code = "kms.recovery_unknown"
    zh = "没有密钥恢复申请 {recovery}：请核对编号。"
    en = "There is no recovery {recovery}: check its number."


class RecoveryClosed(Conflict):
    """Refused, expired or delivered: nothing can be decided any more."""

    code = "kms.recovery_closed"
    zh = "密钥恢复申请 {recovery} 已结束（{state}），不能再办理；如仍需恢复，请重新申请。"
    en = "Recovery {recovery} has ended ({state}); if the key is still needed, ask again."


class RecoveryNotApproved(Conflict):
    """Too few have approved."""

    code = "kms.recovery_not_approved"
    zh = "密钥恢复申请 {recovery} 需要 {needed} 人批准，目前 {given} 人：请等待其他岗位批准。"
    en = "Recovery {recovery} needs the approval of {needed} people and has {given}: wait for the others."


class NotAlone(NotPermitted):
    """Whoever asks does not approve, and nobody and no post approves twice."""

    code = "kms.recovery_not_alone"
    zh = "不能由 {person}（{post}）批准密钥恢复申请 {recovery}：{reason}。请由另一岗位的人员批准。"
    en = "{person} ({post}) cannot approve recovery {recovery}: {reason}. Somebody in another post must."


class BadRecovery(Invalid):
    """A recovery that cannot be asked for so."""

    code = "kms.bad_recovery"
    zh = "密钥恢复申请有误（{field}：{reason}）：请更正后重新提交。"
    en = "The recovery cannot be asked for so ({field}: {reason}): correct it and submit again."
