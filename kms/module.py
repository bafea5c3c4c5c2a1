"""The key centre's registration."""

from pathlib import Path

from kms.initialise import TOKENS
from kms.service import KeyCentre
from kms.settings import KmsSettings
from yinxin.module import Module, Verb
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
        Verb("kms.create", Text("创建密钥", "create a key")),
        Verb("kms.sign", Text("使用密钥签名", "sign with a key")),
        Verb("kms.list", Text("查看密钥登记簿", "see the register of keys")),
        Verb("kms.read", Text("取得公钥", "get a public key")),
    ),
    models=("kms.models",),
    commands="kms.cli:group",
    routes=("kms.api:routes",),
    health=KeyCentre.health,
    policies=Path(__file__).parent / "policies",
    backup=_backup,
)
