"""How official documents register themselves."""

from datetime import timedelta
from pathlib import Path

from apps.document.index import catch_up
from apps.document.service import Documents
from apps.document.settings import DocumentSettings
from apps.document.states import COPIES, LIFE
from yinxin.module import Job, Module
from yinxin.text import Text

MODULE: Module[Documents] = Module(
    name="document",
    title=Text("公文", "Official documents"),
    settings=DocumentSettings,
    verbs=(*LIFE.verbs, *COPIES.verbs),
    models=(
        "apps.document.models",
        "yinxin.flow.models",
        "yinxin.distribution.models",
        "yinxin.search.models",
    ),
    routes=("apps.document.api:routes", "apps.document.pages:pages"),
    jobs=(
        Job("document.index", timedelta(hours=1), lambda service: catch_up(service.store)),
        Job("document.recount", timedelta(hours=1), Documents.recount),
    ),
    policies=Path(__file__).parent / "policies",
)
