"""What the key centre refuses, and what it needs that is not there."""

from yinxin.errors import (
    Conflict,
    Invalid,
    Misconfigured,
    NotFound,
    NotPermitted,
    Unavailable,
    Untrue,
    YinxinError,
)

# --- the security module ---------------------------------------------------------------------------------------


class HsmMissing(Misconfigured):
    """The PKCS#11 library, or the token in it, is not there."""

    code = "kms.hsm_missing"
    status = 503
    zh = "密码机不可用：{what}（{reason}）。未做任何更改；请安装 softhsm2 或核对配置 kms.library 与 kms.token。"
    en = "No security module: {what} ({reason}). Nothing was done; install softhsm2, or correct kms.library and kms.token."


class HsmGone(Unavailable):
    """The token answered before and does not answer now; one reopening did not help."""

    code = "kms.hsm_gone"
    zh = "密码机令牌 {token} 没有应答（{reason}），已重新连接一次仍未恢复；未做任何更改，请检查密码机后重试。"
    en = "Token {token} does not answer ({reason}), also after one reopening; nothing was done: check the module, try again."


class HsmRefused(Misconfigured):
    """The token answers, and will not do this."""

    code = "kms.hsm_refused"
    zh = "密码机令牌 {token} 拒绝该操作（{reason}）：请核对该密码机支持的算法与密钥属性。"
    en = "Token {token} refuses this ({reason}): check which algorithms and key attributes the module supports."


class OpenedBeforeFork(Misconfigured):
    """A process inherited an open session; PKCS#11 does not allow its use (PKCS#11 v3.1, 5.4 C_Initialize)."""

    code = "kms.opened_before_fork"
    zh = "令牌 {token} 在进程分叉之前已打开，子进程 {process} 不得使用：请在分叉前关闭密钥中心，由各子进程自行打开。"
    en = "Token {token} was opened before the fork, so process {process} may not use it: close the key centre before forking."


class WrongPin(Misconfigured):
    """The token refused the PIN; it is never tried twice, because the module locks after a few tries."""

    code = "kms.wrong_pin"
    status = 503
    zh = "令牌 {token} 的口令不对：请把正确的口令写入 {file}；该文件更改之前不会再次尝试，以免密码机锁定。"
    en = "Token {token} refused the PIN: write the right one to {file}; until that file changes it is not tried again."


class PinLocked(Misconfigured):
    """The module has locked the user PIN."""

    code = "kms.pin_locked"
    status = 503
    zh = "令牌 {token} 的口令已被密码机锁定：请密码机的安全管理员用 SO 口令解锁。"
    en = (
        "The module has locked the PIN of token {token}: have its security officer unlock it with the SO PIN."
    )


class PinFileMissing(Misconfigured):
    """There is no PIN file, or it cannot be read."""

    code = "kms.pin_file_missing"
    zh = "无法读取口令文件 {file}（{reason}）：请创建该文件，权限 0600，内容为令牌口令；或修改配置 kms.pin_file。"
    en = "The PIN file {file} cannot be read ({reason}): create it with mode 0600, or correct kms.pin_file."


class PinFileLoose(Misconfigured):
    """The PIN file may be read or changed by others."""

    code = "kms.pin_file_loose"
    zh = "口令文件 {file} 的权限不安全（{reason}），已拒绝使用：请执行 chmod 600 {file} 并确认属主是本服务。"
    en = "The PIN file {file} is not private ({reason}) and was not used: chmod 600 {file}, owned by this service."


class InitialisingFailed(Misconfigured):
    """`softhsm2-util` could not make the token."""

    code = "kms.initialising_failed"
    zh = "创建软件令牌失败（{reason}）：请确认已安装 softhsm2 且数据目录可写，然后重试。"
    en = "The software token could not be made ({reason}): install softhsm2, make the data folder writable, try again."


# --- keys ------------------------------------------------------------------------------------------------------


class BadKeyRequest(Invalid):
    """A key was asked for with a field that is not allowed."""

    code = "kms.bad_key_request"
    zh = "密钥参数 {field} 不合规定（{reason}）：请更正后重试。"
    en = "The key's {field} is not allowed ({reason}): correct it and try again."


class LabelTaken(Conflict):
    """A key of this label exists and is another kind of key."""

    code = "kms.label_taken"
    zh = "已有名为 {label} 的密钥，且其 {field} 不同：请换一个名称，或使用现有密钥。"
    en = "A key labelled {label} exists with another {field}: choose another label, or use that key."


class KeyUnknown(NotFound):
    """No key has this label."""

    code = "kms.key_unknown"
    zh = "没有名为 {label} 的密钥：请核对名称，可用 yinxin kms list 查看。"
    en = "There is no key labelled {label}: check the label with yinxin kms list."


class KeyNotActive(Conflict):
    """The key is still being made, or is retired."""

    code = "kms.key_not_active"
    zh = "密钥 {label} 的状态为 {state}，不能使用：未完成的请重新执行创建，停用的请改用现行密钥。"
    en = "The key {label} is {state} and cannot be used: create it again to finish it, or use its successor."


class KeyNotSigning(Invalid):
    """A key that encrypts other keys and signs nothing."""

    code = "kms.key_not_signing"
    zh = "密钥 {label}（{algorithm}）不能用于签名：请使用签名密钥。"
    en = "The key {label} ({algorithm}) does not sign: use a signing key."


class KeyLost(Misconfigured):
    """The database knows the key and the token does not hold it."""

    code = "kms.key_lost"
    status = 503
    zh = "密钥 {label} 在数据库中登记，但令牌中没有：请确认令牌与数据库出自同一次备份，再恢复令牌。"
    en = (
        "The key {label} is registered but not in the token: restore token and database from the same backup."
    )


class WrappedKeyAltered(Untrue):
    """A wrapped key that its wrapping key does not open: changed, or moved from another key's row."""

    code = "kms.wrapped_key_altered"
    status = 503
    zh = "密钥 {label} 的密文无法通过校验：数据已被改动或与其他密钥调换，未使用；请从备份恢复并追查。"
    en = "The wrapped key {label} does not authenticate: it was changed or swapped, and was not used; restore and inquire."


class FaultySignature(YinxinError):
    """The token made a signature that its own public key does not verify; it was thrown away."""

    code = "kms.faulty_signature"
    status = 503
    zh = "密钥 {label} 产生的签名未通过自检，已丢弃：密码机可能出现故障或遭受故障攻击，请停用并检查。"
    en = "The key {label} made a signature that does not verify; it was discarded: the module may be faulty or under attack."


class BadDigest(Invalid):
    """What was to be signed has not the size that the key signs."""

    code = "kms.bad_digest"
    zh = "摘要长度为 {size} 字节，密钥 {label}（{algorithm}）要求 {expected}：请按该密钥的算法计算摘要。"
    en = "The digest has {size} octets; the key {label} ({algorithm}) signs {expected}: hash with that key's algorithm."


class PurposeNotRemote(NotPermitted):
    """The purpose of this key forbids its use over the network."""

    code = "kms.purpose_not_remote"
    zh = "密钥 {label} 的用途是 {purpose}，不对外提供签名：只有 seal 与 evidence 用途的密钥可以远程使用。"
    en = "The key {label} is for {purpose} and signs for nobody over the network: only seal and evidence keys do."


class KeyNotDeciphering(Conflict):
    """A key that opens nothing."""

    code = "kms.key_not_deciphering"
    zh = "密钥 {label} 的用途是 {purpose}，不用于解密：请选用途为 decipher 的密钥。"
    en = "Key {label} is for {purpose} and opens nothing: use one whose purpose is decipher."
