"""Why a secret of the installation could not be read."""

from yinxin.errors import Misconfigured, Unavailable


class SecretFileMissing(Misconfigured):
    """There is no file with the secret, or it cannot be read."""

    code = "kms.secret_file_missing"
    status = 503
    zh = "无法读取密钥文件 {file}（{reason}）：请创建该文件，权限 0600，内容为一行文字；或修改配置中的来源。"
    en = "The secret's file {file} cannot be read ({reason}): create it, one line, mode 0600, or configure another source."


class SecretFileLoose(Misconfigured):
    """The file may be read or changed by others."""

    code = "kms.secret_file_loose"
    status = 503
    zh = "密钥文件 {file} 的权限不安全（{reason}），已拒绝使用：请执行 chmod 600 {file} 并确认属主是本服务。"
    en = "The secret's file {file} is not private ({reason}) and was not used: chmod 600 {file}, owned by this service."


# --- OpenBao, Vault --------------------------------------------------------------------------------------------


class SecretStoreUnavailable(Unavailable):
    """The server with the secrets does not answer, or not as it should."""

    code = "kms.secret_store_unavailable"
    zh = "秘密存储服务 {address} 没有正常应答（{reason}）：未做任何更改；请检查该服务与网络，恢复后会自动继续。"
    en = "The secret store {address} does not answer as it should ({reason}); nothing was done: look after it and the network, it goes on when it is back."


class SecretStoreSealed(Unavailable):
    """The server is there and sealed: its own keepers have to unseal it."""

    code = "kms.secret_store_sealed"
    zh = "秘密存储服务 {address} 处于封存状态：未做任何更改；请由其保管人解封，之后会自动继续。"
    en = "The secret store {address} is sealed; nothing was done: have its keepers unseal it, it goes on by itself."


class SecretStoreUntrusted(Misconfigured):
    """The server's certificate is not one that we know it by."""

    code = "kms.secret_store_untrusted"
    status = 503
    zh = "无法确认秘密存储服务 {address} 的身份（证书不可信），未向其发送任何秘密：请核对 secrets.openbao.ca_file 与该服务的证书。"
    en = "The secret store {address} cannot prove who it is by its certificate and was told nothing: check secrets.openbao.ca_file and the server's certificate."


class SecretLoginRefused(Misconfigured):
    """The server refuses role id and secret id."""

    code = "kms.secret_login_refused"
    status = 503
    zh = "秘密存储服务 {address} 拒绝登录（AppRole {mount}）：secret id 可能已过期、用尽或被撤销；请签发新的，写入 {file}，并核对 role id。"
    en = "The secret store {address} refuses the login (AppRole {mount}): the secret id may be expired, used up or revoked; issue a new one, write it to {file}, and check the role id."


class SecretIdSpent(Misconfigured):
    """The wrapping token gives nothing: it is expired, an earlier start unwrapped it, or somebody else did."""

    code = "kms.secret_id_spent"
    status = 503
    zh = "{file} 中的封装令牌已失效：它已过期，或本平台先前的启动已用过它；若两者都不是，则已有人先行取走 secret id，请追查并撤销该 secret id。然后签发新的封装令牌写入该文件。"
    en = "The wrapping token in {file} gives nothing: it has expired, or an earlier start of this platform used it; if neither is so, somebody else took the secret id first: inquire, and revoke that secret id. Then write a new wrapping token there."


class SecretIdSwapped(Misconfigured):
    """The wrapping token holds something, and the AppRole did not make it: somebody put it in the place of the right one."""

    code = "kms.secret_id_swapped"
    status = 503
    zh = "{file} 中的封装令牌不是 AppRole（{mount}）签发 secret id 时产生的（其来源为 {path}），未予解封：可能已有人取走原令牌并换上此令牌，请追查，撤销已签发的 secret id，再写入新的封装令牌。"
    en = "The wrapping token in {file} was not made by the AppRole {mount} when it issued a secret id (it comes from {path}) and was not unwrapped: somebody may have taken the right one and left this; inquire, revoke the secret ids issued, then write a new wrapping token."


class SecretRefused(Misconfigured):
    """The server knows us and does not let us read it."""

    code = "kms.secret_refused"
    status = 503
    zh = "秘密存储服务 {address} 不允许读取 {path}：请在该 AppRole 的策略中授予对 {path} 的 read 权限。"
    en = "The secret store {address} does not let us read {path}: grant read on {path} in the policy of the AppRole."


class SecretAbsent(Misconfigured):
    """There is no such secret in the store, or not that field of it."""

    code = "kms.secret_absent"
    status = 503
    zh = "{place} 没有可用的秘密（{reason}）：请写入该字段（一行文字），或更正 secrets.openbao 的 mount、path、fields。"
    en = "There is no usable secret at {place} ({reason}): write that field, one line of text, or correct mount, path or fields of secrets.openbao."
