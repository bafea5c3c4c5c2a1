"""What people's signing keys refuse."""

from yinxin.errors import Conflict, Invalid, NotFound, NotPermitted, Untrue


class HolderKeyUnknown(NotFound):
    """There is no such key."""

    code = "kms.holder_key_unknown"
    zh = "没有编号 {key} 的个人签名密钥：请核对编号，可用 yinxin kms holder list 查看。"
    en = "There is no holder key {key}: check it with yinxin kms holder list."


class HolderKeyExists(Conflict):
    """A person has one key of a suite at a time."""

    code = "kms.holder_key_exists"
    zh = "您已有一个 {suite} 算法的个人签名密钥 {key}：请使用它；口令已忘记或已锁定的，先停用它，再建新的。"
    en = "You have a holder key of the suite {suite} already, {key}: use it, or end it first when its PIN is forgotten or locked."


class HolderKeyEnded(Conflict):
    """The key's secret is gone for good."""

    code = "kms.holder_key_ended"
    status = 410
    zh = "个人签名密钥 {key} 已停用，其私钥已销毁，不能再签名：请建立新的密钥并申请证书。"
    en = "The holder key {key} has ended and its secret is destroyed: make a new key and have it certified."


class HolderKeyMoved(Conflict):
    """The PIN was changed, or the key ended, while this was under way."""

    code = "kms.holder_key_moved"
    zh = "个人签名密钥 {key} 的口令刚刚已更改，或密钥已停用，本次未做任何事：请用现行口令重试。"
    en = "The PIN of the holder key {key} was changed, or the key ended, just now; nothing was done: try again with the present PIN."


class HolderKeyLocked(Conflict):
    """Too many tries in one way that did not open it. Nobody can undo that: whoever could, could sign in her name.

    The other way, where there is one, has tries of its own.
    """

    code = "kms.holder_key_locked"
    status = 423
    zh = "个人签名密钥 {key} 的{way}已连续 {attempts} 次未能解锁，现已锁定，任何人都不能解除：{remedy}。"
    en = "The {way} of the holder key {key} did not open it in {attempts} tries and is locked, for everybody and for good: {remedy}."


class WrongHolderPin(Untrue):
    """The PIN does not open the key. The try is counted."""

    code = "kms.wrong_holder_pin"
    zh = "个人签名密钥 {key} 的口令不对，还可再试 {left} 次；次数用完后口令锁定，不能恢复。"
    en = "That is not the PIN of the holder key {key}; {left} tries are left, and then the PIN is locked for good."


class BadHolderPin(Invalid):
    """A new PIN that is guessed too easily."""

    code = "kms.bad_holder_pin"
    zh = "新口令不合规定（{reason}）：请另选一个，且不要与其他地方的口令相同。"
    en = "The new PIN is not allowed ({reason}): choose another, and one that is used nowhere else."


class NotAPerson(NotPermitted):
    """Services and the platform itself have no holder keys."""

    code = "kms.not_a_person"
    zh = "个人签名密钥只属于在岗人员，{actor} 不是：系统请使用服务密钥。"
    en = "Holder keys are people's in a post, and {actor} is none: a system uses a service key."


class WrongHolderPasskey(Untrue):
    """What the passkey answered does not hold, or was for something else. Nothing was tried."""

    code = "kms.wrong_holder_passkey"
    zh = "通行密钥未能为个人签名密钥 {key} 作答：{reason}"
    en = "The passkey did not answer for the holder key {key}: {reason}"


class NoPasskeySecret(Invalid):
    """The authenticator or the browser has no PRF extension, or did not use it."""

    code = "kms.no_passkey_secret"
    zh = "这个通行密钥或浏览器不支持 PRF 扩展，不能用来打开签名密钥：请改用口令。"
    en = "This passkey or browser has no PRF extension, and opens no signing key: use the PIN."


class PasskeyNotAdded(Conflict):
    """The key does not open by this passkey."""

    code = "kms.passkey_not_added"
    zh = "个人签名密钥 {key} 没有添加这个通行密钥：请先用口令添加，或改用口令签名。"
    en = (
        "This passkey was not added to the holder key {key}: add it with the PIN first, or sign with the PIN."
    )


class HolderPasskeyKnown(Conflict):
    """A key opens by one passkey at a time."""

    code = "kms.holder_passkey_known"
    zh = "个人签名密钥 {key} 已添加了一个通行密钥：请先删除它，再添加新的。"
    en = "A passkey is added to the holder key {key} already: remove it first."
