"""The key centre's registration."""

from datetime import timedelta
from pathlib import Path

from kms.escrow.recovery import RECOVER
from kms.initialise import TOKENS
from kms.service import KeyCentre
from kms.settings import KmsSettings
from yinxin.module import Job, Module, Verb
from yinxin.text import Text


def _backup(centre: KeyCentre) -> tuple[Path, ...]:
    """The token. Its PINs stay out of the same backup: whoever finds it must not be able to open it."""
    tokens = centre.folder / TOKENS
    return (tokens,) if tokens.is_dir() else ()


MODULE: Module[KeyCentre] = Module(
    name="kms",
    title=Text("密钥管理中心", "key centre"),
    settings=KmsSettings,
    verbs=(
        Verb("kms.initialise", Text("初始化密码机令牌", "initialise the token")),
        Verb("kms.create", Text("创建密钥", "create a key"), fresh=True),
        Verb("kms.sign", Text("使用密钥签名", "sign with a key")),
        Verb("kms.list", Text("查看密钥登记簿", "see the register of keys")),
        Verb("kms.read", Text("取得公钥", "get a public key")),
        Verb("kms.make-user-keys", Text("预生成加密密钥", "make encryption keys ahead")),
        Verb("kms.give-user-key", Text("为持有者托管加密密钥", "put a holder's encryption key in escrow")),
        Verb("kms.deliver-recovery", Text("交付恢复的加密密钥", "deliver a recovered encryption key")),
        Verb("kms.read-recovery", Text("查看托管的加密密钥", "see the encryption keys in escrow")),
    ),
    models=("kms.models", "kms.escrow.models"),
    commands="kms.cli:group",
    routes=("kms.api:routes", "kms.escrow.api:routes"),
    jobs=(Job("kms.fill-pool", timedelta(minutes=1), lambda centre: centre.escrow.fill()),),
    health=KeyCentre.health,
    policies=Path(__file__).parent / "policies",
    backup=_backup,
    proposals=(RECOVER,),
)
