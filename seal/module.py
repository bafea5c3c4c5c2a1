"""The registration of seals."""

from pathlib import Path

from seal.change import DESTROYING, RESUMING
from seal.make import KIND as MAKING
from seal.service import Seals
from seal.settings import SealSettings
from yinxin.module import Module, Verb
from yinxin.text import Text

MODULE: Module[Seals] = Module(
    name="seal",
    title=Text("印章", "Seals"),
    settings=SealSettings,
    verbs=(
        Verb("seal.make", Text("制作印章", "make a seal")),
        Verb("seal.suspend", Text("停用印章", "suspend a seal")),
        Verb("seal.resume", Text("恢复使用印章", "put a seal back in use")),
        Verb("seal.destroy", Text("注销印章", "destroy a seal")),
        Verb("seal.hand-over", Text("移交印章保管", "hand a seal over to another keeper")),
        Verb("seal.use", Text("登记用印", "begin a use of a seal")),
        Verb("seal.sign", Text("用印签名", "sign as a seal")),
        Verb("seal.finish-use", Text("完成用印", "finish a use of a seal")),
        Verb("seal.read", Text("查看印章登记簿", "see the registers of seals")),
    ),
    models=("seal.models",),
    commands="seal.cli:group",
    routes=("seal.api:routes",),
    policies=Path(__file__).parent / "policies",
    proposals=(MAKING, DESTROYING, RESUMING),
)
