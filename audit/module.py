"""The log's registration."""

from datetime import timedelta
from pathlib import Path

from audit.service import Log
from audit.settings import AuditSettings
from yinxin.module import Job, Module, Verb
from yinxin.text import Text


def _backup(log: Log) -> tuple[Path, ...]:
    return (log.checkpoint_file,)


MODULE: Module[Log] = Module(
    name="audit",
    title=Text("审计", "Audit"),
    settings=AuditSettings,
    verbs=(
        Verb("audit.read", Text("查阅审计记录", "Read audit entries")),
        Verb("audit.export", Text("导出审计证明", "Export an audit proof")),
        Verb("audit.check", Text("核验审计日志", "Check the audit log")),
    ),
    models=("audit.models",),
    commands="audit.cli:group",
    routes=("audit.api:routes",),
    jobs=(
        Job("audit.sequence", timedelta(seconds=1), Log.sequence),
        Job("audit.checkpoint", timedelta(seconds=1), Log.checkpoint),
    ),
    health=Log.health,
    policies=Path(__file__).parent / "policies",
    backup=_backup,
)
