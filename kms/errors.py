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


class HsmSlow(Unavailable):
    """The token did not answer in time; what was asked changes nothing, or is found again when it is asked anew."""

    code = "kms.hsm_slow"
    zh = "密码机令牌 {token} 在 {seconds} 秒内没有应答，本次操作已放弃：请稍后重试；若经常出现，请检查密码机或调大 kms.deadline。"
    en = "Token {token} gave no answer within {seconds} seconds and was given up: try again; if it goes on, check the module or raise kms.deadline."


class HsmFull(Misconfigured):
    """The token or its library has no room."""

    code = "kms.hsm_full"
    status = 507
    zh = "密码机令牌 {token} 的存储或内存已满（{reason}），未做任何更改：请清理令牌或扩容后再试。"
    en = "Token {token} is full ({reason}); nothing was done: make room in it, or have it enlarged, before trying again."


class TokenAmbiguous(Misconfigured):
    """Several tokens have the configured label."""

    code = "kms.token_ambiguous"
    status = 503
    zh = "有多个名为 {token} 的令牌（序列号 {serials}）：请用 kms.serial 指定其中一个。"
    en = "Several tokens are labelled {token} (serial numbers {serials}): choose one by kms.serial."


class MirrorBehind(Unavailable):
    """Keys are made in all tokens of the mirror or in none."""

    code = "kms.mirror_behind"
    zh = "镜像中的令牌 {token} 不可用（{reason}），新密钥须同时写入全部令牌，因此未创建：请恢复该令牌后重试。"
    en = "Token {token} of the mirror does not answer ({reason}) and keys are made in all tokens or in none: restore it, then try again."


class MirrorTooLate(Misconfigured):
    """A mirror was configured for an installation whose keys cannot leave their token any more."""

    code = "kms.mirror_too_late"
    zh = "令牌 {token} 尚不存在而密钥已经登记：已有密钥不可导出，无法复制到新的镜像。请从备份恢复该令牌，或去掉 kms.mirror。"
    en = "Token {token} is not there and keys are registered already: they cannot leave their token. Restore it from its backup, or take kms.mirror away."


class BadEngineMessage(Invalid):
    """Octets that are no question or answer of the engine; the two ends may be of different versions."""

    code = "kms.bad_engine_message"
    zh = "密码机引擎的消息不合规定（{reason}）：请确认密钥管理中心与调用方版本一致。"
    en = "That is no message of the key centre's engine ({reason}): see that the centre and its callers are of one version."


class EngineFault(YinxinError):
    """Something unforeseen in the engine; the log of its process says what."""

    code = "kms.engine_fault"
    zh = "密码机引擎内部出错，未给出结果：请查看密钥管理中心的运行日志。"
    en = "The engine failed and gave no result: the key centre's operational log says why."


class CentreUnreachable(Unavailable):
    """The key centre's process does not answer."""

    code = "kms.centre_unreachable"
    zh = "密钥管理中心 {address} 没有应答（{reason}），未做任何更改：请稍后重试；若持续，请检查 yinxin serve --only kms。"
    en = "The key centre {address} does not answer ({reason}); nothing was done: try again, and see that yinxin serve --only kms runs."


class NotOurService(NotPermitted):
    """Only the platform's own services call the key centre's engine."""

    code = "kms.not_our_service"
    zh = (
        "证书“{subject}”不属于获准调用密钥管理中心的服务（{reason}）：请使用 yinxin kms-services 签发的证书。"
    )
    en = "The certificate “{subject}” is of no service that may call the key centre ({reason}): use the one that yinxin kms-services issued."


class NotOffered(NotPermitted):
    """The engine does this for the key centre's own process only."""

    code = "kms.not_offered"
    zh = "密钥管理中心不向调用方提供操作“{operation}”，未做任何更改：请确认调用方与密钥管理中心版本一致；若非平台自身发出，请查明来源。"
    en = "The key centre does not offer the operation “{operation}” to its callers; nothing was done: see that both are of one version, and who asked if it was not the platform."


class KeyNotForCall(NotPermitted):
    """The register does not say of this key what the operation needs."""

    code = "kms.key_not_for_call"
    zh = "登记簿中密钥“{label}”的状态为 {state}，操作“{operation}”只允许用于状态为 {wanted} 且算法与登记相同的密钥；未做任何更改：请先按规定流程变更其状态。"
    en = "The register has the key “{label}” as {state}, and “{operation}” is for a key that is {wanted}, of the algorithm on record; nothing was done: change its state in the way laid down first."


class OpenedBeforeFork(Misconfigured):
    """A process inherited an open session; PKCS#11 does not allow its use (PKCS#11 v3.1, 5.4 C_Initialize)."""

    code = "kms.opened_before_fork"
    zh = "令牌 {token} 在进程分叉之前已打开，子进程 {process} 不得使用：请在分叉前关闭密钥管理中心，由各子进程自行打开。"
    en = "Token {token} was opened before the fork, so process {process} may not use it: close the key centre before forking."


class WrongPin(Misconfigured):
    """The token refused the PIN; it is never tried twice, because the module locks after a few tries."""

    code = "kms.wrong_pin"
    status = 503
    zh = "令牌 {token} 的口令不对：请把正确的口令写入 {place}；在其更改之前不会再次尝试，以免密码机锁定。若无人改过口令，令牌可能被重新初始化（见手册《令牌》）。"
    en = "Token {token} refused the PIN: write the right one to {place}; until it changes there it is not tried again. If nobody changed the PIN, the token may have been initialised anew (manual: Tokens)."


class PinLocked(Misconfigured):
    """The module has locked the user PIN."""

    code = "kms.pin_locked"
    status = 503
    zh = "令牌 {token} 的口令已被密码机锁定：请密码机的安全管理员用 SO 口令解锁。"
    en = (
        "The module has locked the PIN of token {token}: have its security officer unlock it with the SO PIN."
    )


class PinExpired(Misconfigured):
    """The module wants the user PIN to be changed before it logs anybody in (CKR_PIN_EXPIRED)."""

    code = "kms.pin_expired"
    status = 503
    zh = "令牌 {token} 的口令已过期，密码机要求更换：请用密码机厂商的工具更换口令，再把新口令写入其存放处。"
    en = "The PIN of token {token} has expired: change it with the tools of the module's vendor, then write the new one where it stands."


class PinNotTried(Misconfigured):
    """A try at the PIN could not be written down before it is made; uncounted tries lock modules."""

    code = "kms.pin_not_tried"
    status = 503
    zh = "未登录令牌 {token}：登录前须在 {file} 记下一次尝试，但无法写入（{reason}）；未计数的尝试可能锁定密码机。请腾出磁盘空间或改正权限后重试。"
    en = "Token {token} was not logged in to: the try has to be written to {file} first, which failed ({reason}), and tries that nobody counts can lock the module. Make room on the disk, or correct its permissions, then try again."


class TokenBlank(Misconfigured):
    """The token has no user PIN: it was initialised (C_InitToken) and its keys are gone."""

    code = "kms.token_blank"
    status = 503
    zh = "令牌 {token} 没有用户口令：它被重新初始化过，其中的密钥已不存在。重试无用；请从备份恢复令牌，或用镜像补齐（见手册《令牌》）。"
    en = "Token {token} has no user PIN: it was initialised anew and its keys are gone. Trying again does not help: restore it from its backup, or from the mirror (manual: Tokens)."


class TokenNotOurs(Misconfigured):
    """None of the keys on record is in the token: it was initialised anew, or it is another one."""

    code = "kms.token_not_ours"
    status = 503
    zh = "令牌 {token} 中没有已登记的 {number} 个密钥中的任何一个：它被重新初始化过，或是另一个令牌。不会在其中创建密钥；请从备份恢复令牌，或用镜像补齐（见手册《令牌》）。"
    en = "Token {token} holds none of the {number} keys on record: it was initialised anew, or it is another token. No key is made in it: restore the right one from its backup, or from the mirror (manual: Tokens)."


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
    zh = "密钥 {label} 的用途是 {purpose}，不对外提供签名：只有 evidence 用途的密钥可以远程使用，印章须经用印登记。"
    en = "The key {label} is for {purpose} and signs for nobody over the network: only evidence keys do, and seals are put on by beginning a use of them."


class KeyNotDeciphering(Conflict):
    """A key that opens nothing."""

    code = "kms.key_not_deciphering"
    zh = "密钥 {label} 的用途是 {purpose}，不用于解密：请选用途为 decipher 的密钥。"
    en = "Key {label} is for {purpose} and opens nothing: use one whose purpose is decipher."
