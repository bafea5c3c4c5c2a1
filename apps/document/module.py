"""How official documents register themselves."""

from datetime import timedelta
from pathlib import Path

from apps.document.grading import lapse
from apps.document.index import catch_up
from apps.document.intake.states import LIFE as INTAKE_LIFE
from apps.document.metrics import METRICS
from apps.document.service import Documents
from apps.document.settings import DocumentSettings
from apps.document.sites.advise import VERB as ADVISE
from apps.document.sites.report import VERB as REPORT
from apps.document.states import COPIES, LAPSE, LIFE
from apps.document.template.records import LIFE as TEMPLATE_LIFE
from yinxin.module import Job, Module, Verb
from yinxin.text import Text

MODULE: Module[Documents] = Module(
    name="document",
    title=Text("公文", "Official documents"),
    settings=DocumentSettings,
    verbs=(
        *LIFE.verbs,
        *INTAKE_LIFE.verbs,
        *TEMPLATE_LIFE.verbs,
        *COPIES.verbs,
        Verb(REPORT, Text("向发文站点回报外来公文", "tell another site what became of its document")),
        Verb(
            ADVISE,
            Text("向外站通知密级变更和答复", "tell another site of a decision on secrecy, or of an answer"),
        ),
        Verb(LAPSE, Text("保密期限届满解密", "declassify when the period is over")),
    ),
    models=(
        "apps.document.models",
        "apps.document.intake.models",
        "apps.document.joint.models",
        "apps.document.numbered.models",
        "apps.document.sites.models",
        "apps.document.manuscript.models",
        "apps.document.template.models",
        "yinxin.comment.models",
        "yinxin.flow.models",
        "yinxin.grade.models",
        "yinxin.distribution.models",
        "yinxin.search.models",
    ),
    routes=("apps.document.api:routes", "apps.document.pages:pages"),
    jobs=(
        Job("document.carry", timedelta(seconds=2), Documents.carry),
        Job("document.index", timedelta(hours=1), lambda service: catch_up(service.store)),
        Job("document.recount", timedelta(hours=1), Documents.recount),
        Job("document.manuscripts", timedelta(days=1), Documents.sweep),
        Job("document.lapse", timedelta(hours=1), lambda service: lapse(service.store)),
    ),
    health=Documents.health,
    policies=Path(__file__).parent / "policies",
    metrics=METRICS,
)
