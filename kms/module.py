"""The key centre's registration."""

from datetime import timedelta
from pathlib import Path

from kms.ceremony.proposal import CEREMONY
from kms.escrow.grounds import RECOVERIES
from kms.escrow.service import FILLING
from kms.folder import MIRROR, TOKENS, VAULT_RECEIVER
from kms.generation.proposal import DESTROY
from kms.keyring.destroy import KIND as DESTROY_SERVICE_KEY
from kms.kmip.certify import KIND as CERTIFY_KMIP_CLIENT
from kms.kmip.recover import KIND as RECOVER_KMIP_OBJECT
from kms.metrics import METRICS
from kms.report import KEYS
from kms.service import KeyCentre
from kms.settings import KmsSettings
from yinxin.module import Job, Module, Verb
from yinxin.text import Text


def _backup(centre: KeyCentre) -> tuple[Path, ...]:
    """The tokens, the vault's public key, and what custodians have sealed.

    PINs in files stay out: whoever finds the backup must not open it.
    """
    places = (centre.folder / each for each in (TOKENS, Path(MIRROR, TOKENS), VAULT_RECEIVER))
    return (*(each for each in places if each.exists()), *centre.secrets.backup())


MODULE: Module[KeyCentre] = Module(
    name="kms",
    title=Text("密钥管理中心", "key centre"),
    settings=KmsSettings,
    verbs=(
        Verb("kms.initialise", Text("初始化密码机令牌", "initialise the token")),
        Verb("kms.fail-over", Text("镜像令牌失效或恢复", "a token of the mirror fails or is back")),
        Verb("kms.ceremony", Text("密钥管理中心的仪式", "a ceremony of the key centre")),
        Verb("kms.register-vault", Text("登记保险令牌", "register the vault token")),
        Verb("kms.keep-copy", Text("为保险令牌保存密钥副本", "keep a copy of a key for the vault token")),
        Verb("kms.drop-copy", Text("删除密钥副本", "drop the copy of a key")),
        Verb("kms.call-engine", Text("调用密码机引擎", "call the engine of the key centre")),
        Verb("kms.create", Text("创建密钥", "create a key"), fresh=True),
        Verb("kms.sign", Text("使用密钥签名", "sign with a key"), personal=("note",)),
        Verb("kms.list", Text("查看密钥登记簿", "see the register of keys")),
        Verb("kms.read", Text("取得公钥", "get a public key")),
        Verb("kms.make-user-keys", Text("预生成加密密钥", "make encryption keys ahead")),
        Verb("kms.give-user-key", Text("为持有者托管加密密钥", "put a holder's encryption key in escrow")),
        Verb("kms.archive-user-key", Text("加密密钥转入历史库", "put an encryption key into the history")),
        Verb("kms.deliver-recovery", Text("交付恢复的加密密钥", "deliver a recovered encryption key")),
        Verb(
            "kms.rotate", Text("启用新一代密钥加密密钥", "begin a generation of the wrapping key"), fresh=True
        ),
        Verb("kms.rewrap", Text("以新密钥重新加密", "rewrap under the new key")),
        Verb("kms.retire-generation", Text("停用旧的密钥加密密钥", "retire an old wrapping key")),
        Verb("kms.destroy-generation", Text("销毁密钥加密密钥", "destroy a wrapping key")),
        Verb("kms.make-custodians", Text("建立保管人份额", "make custodians' shares"), fresh=True),
        Verb("kms.renew-custodians", Text("更换保管人份额", "renew custodians' shares"), fresh=True),
        Verb("kms.enter-share", Text("输入保管人份额", "enter a custodian's share")),
        Verb("kms.unseal", Text("解封平台的秘密", "open the sealed secrets")),
        Verb("kms.read-recovery", Text("查看托管的加密密钥", "see the encryption keys in escrow")),
        Verb("kms.create-service-key", Text("创建服务密钥", "create a service key"), fresh=True),
        Verb("kms.rotate-service-key", Text("轮换服务密钥", "rotate a service key")),
        Verb("kms.limit-service-key", Text("调整服务密钥的最低版本", "set a service key's minimum versions")),
        Verb("kms.import-service-key", Text("导入服务密钥", "bring in a service key"), fresh=True),
        Verb("kms.destroy-service-key", Text("销毁服务密钥", "destroy a service key")),
        Verb("kms.keep-service-key", Text("撤回服务密钥的销毁", "call off the destruction of a service key")),
        Verb("kms.read-service-keys", Text("查看服务密钥", "see service keys")),
        Verb("kms.encrypt", Text("使用密钥加密", "encrypt with a key")),
        Verb("kms.decrypt", Text("使用密钥解密", "decrypt with a key")),
        Verb(
            "kms.rewrap-ciphertext",
            Text("将密文重新加密到最新版本", "rewrap a ciphertext to the newest version"),
        ),
        Verb("kms.make-data-key", Text("生成数据密钥", "make a data key")),
        Verb("kms.verify", Text("使用密钥验证签名", "verify a signature with a key")),
        Verb("kms.mac", Text("使用密钥计算消息鉴别码", "make a MAC with a key")),
        Verb("kms.verify-mac", Text("使用密钥核对消息鉴别码", "verify a MAC with a key")),
        Verb("kms.give-random", Text("提供随机数", "give random octets")),
        Verb("kms.register-kmip-client", Text("登记 KMIP 客户端", "register a KMIP client"), fresh=True),
        Verb(
            "kms.certify-kmip-client",
            Text("登记 KMIP 客户端的另一份证书", "register another certificate of a KMIP client"),
        ),
        Verb("kms.end-kmip-client", Text("终止 KMIP 客户端的登记", "end the registration of a KMIP client")),
        Verb("kms.read-kmip-clients", Text("查看 KMIP 客户端", "see KMIP clients")),
        Verb("kms.call-kmip", Text("经 KMIP 调用", "call by KMIP")),
        Verb("kms.read-kmip-object", Text("查找、查看 KMIP 对象", "locate and look at KMIP objects")),
        Verb("kms.create-kmip-object", Text("生成 KMIP 对象", "make a KMIP object")),
        Verb("kms.register-kmip-object", Text("存入 KMIP 对象", "bring in a KMIP object")),
        Verb("kms.get-kmip-object", Text("取得 KMIP 对象的密钥", "get the key of a KMIP object")),
        Verb(
            "kms.change-kmip-attributes",
            Text("变更 KMIP 对象的属性", "change the attributes of a KMIP object"),
        ),
        Verb("kms.activate-kmip-object", Text("激活 KMIP 对象", "activate a KMIP object")),
        Verb("kms.revoke-kmip-object", Text("撤销 KMIP 对象", "revoke a KMIP object")),
        Verb("kms.destroy-kmip-object", Text("销毁 KMIP 对象", "destroy a KMIP object")),
        Verb("kms.recover-kmip-object", Text("恢复经 KMIP 销毁的密钥", "bring back a key destroyed by KMIP")),
        Verb("kms.wipe-kmip-object", Text("清除 KMIP 对象的密钥", "overwrite the key of a KMIP object")),
        Verb("kms.create-holder-key", Text("建立个人签名密钥", "make a holder key"), fresh=True),
        Verb("kms.sign-as-holder", Text("以个人签名密钥签名", "sign with one's holder key")),
        Verb("kms.change-holder-pin", Text("更改个人签名密钥的口令", "change the PIN of a holder key")),
        Verb(
            "kms.add-holder-passkey",
            Text("为个人签名密钥添加通行密钥", "add a passkey to a holder key"),
            fresh=True,
        ),
        Verb(
            "kms.remove-holder-passkey",
            Text("删除个人签名密钥的通行密钥", "remove a passkey from a holder key"),
        ),
        Verb("kms.end-holder-key", Text("停用个人签名密钥", "end a holder key")),
        Verb("kms.read-holder-keys", Text("查看个人签名密钥", "see holder keys")),
    ),
    models=(
        "kms.models",
        "kms.ceremony.models",
        "kms.escrow.models",
        "kms.keyring.models",
        "kms.kmip.models",
        "kms.holder.models",
    ),
    commands="kms.cli:group",
    routes=(
        "kms.api:routes",
        "kms.escrow.api:routes",
        "kms.generation.api:routes",
        "kms.keyring.api:routes",
        "kms.kmip.api:routes",
        "kms.holder.api:routes",
    ),
    jobs=(
        Job("kms.watch-tokens", timedelta(seconds=15), KeyCentre.watch),
        Job(FILLING, timedelta(minutes=1), lambda centre: centre.escrow.fill()),
        Job("kms.archive", timedelta(hours=1), lambda centre: centre.escrow.archive()),
        Job("kms.rewrap", timedelta(seconds=10), lambda centre: centre.generations.rewrap()),
        Job("kms.keep-secrets", timedelta(minutes=1), lambda centre: centre.secrets.keep()),
        Job("kms.destroy-service-keys", timedelta(minutes=1), lambda centre: centre.keyring.end_due()),
        Job("kms.wipe-kmip-objects", timedelta(minutes=1), lambda centre: centre.kmip.wipe_due()),
        Job("kms.rotate-service-keys", timedelta(minutes=10), lambda centre: centre.keyring.rotate_due()),
    ),
    health=KeyCentre.health,
    metrics=METRICS,
    policies=Path(__file__).parent / "policies",
    backup=_backup,
    proposals=(*RECOVERIES, DESTROY, DESTROY_SERVICE_KEY, CEREMONY, CERTIFY_KMIP_CLIENT, RECOVER_KMIP_OBJECT),
    reports=(KEYS,),
    wrapped=(
        "kms.generation.held:KEYS",
        "kms.escrow.keys:HELD",
        "kms.keyring.key:HELD",
        "kms.keyring.bring:HELD",
        "kms.kmip.material:HELD",
        "kms.holder.key:HELD",
    ),
)
