"""How official documents register themselves."""

from pathlib import Path

from apps.document.service import Documents
from apps.document.settings import DocumentSettings
from apps.document.states import VERBS
from yinxin.module import Module
from yinxin.text import Text

MODULE: Module[Documents] = Module(
    name="document",
    title=Text("公文", "Official documents"),
    settings=DocumentSettings,
    verbs=VERBS,
    models=("apps.document.models",),
    routes=("apps.document.api:routes", "apps.document.pages:pages"),
    policies=Path(__file__).parent / "policies",
)
