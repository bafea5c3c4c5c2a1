"""How attachments register themselves."""

from datetime import timedelta
from pathlib import Path

from yinxin.attachment.check import CHECK
from yinxin.attachment.receive import UPLOAD
from yinxin.attachment.service import Attachments
from yinxin.attachment.settings import AttachmentSettings
from yinxin.attachment.sweep import DISCARD
from yinxin.module import Job, Module, Verb
from yinxin.text import Text

MODULE: Module[Attachments] = Module(
    name="attachment",
    title=Text("附件", "Attachments"),
    settings=AttachmentSettings,
    verbs=(
        Verb(UPLOAD, Text("上传文件", "send a file")),
        Verb(DISCARD, Text("清除无人引用的文件", "discard a file that nothing refers to")),
        Verb(CHECK, Text("核对附件存储", "check the store of attachments")),
    ),
    models=("yinxin.attachment.models",),
    commands="yinxin.attachment.cli:group",
    routes=("yinxin.attachment.api:routes",),
    jobs=(Job("attachment.sweep", timedelta(hours=1), Attachments.sweep),),
    health=Attachments.health,
    policies=Path(__file__).parent / "policies",
    backup=lambda service: (service.folder.root,) if service.folder.root.is_dir() else (),
)
