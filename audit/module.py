"""The log's registration."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from audit.service import Log
from audit.settings import AuditSettings
from yinxin.module import Job, Module, Verb
from yinxin.text import Text

if TYPE_CHECKING:
    from flask import Blueprint


def _sequence(log: Log) -> None:
    log.sequence()


def _checkpoint(log: Log) -> None:
    log.checkpoint()


def _backup(log: Log) -> tuple[Path, ...]:
    return (log.checkpoint_file,)


def _routes(log: Log) -> "tuple[Blueprint, ...]":
    from audit.api import routes

    return tuple(api.blueprint for api in routes(log))


MODULE: Module[Log] = Module(
    name="audit",
    title=Text("审计", "Audit"),
    settings=AuditSettings,
    verbs=(
        Verb("audit.read", Text("查阅审计记录", "Read audit entries")),
        Verb("audit.export", Text("导出审计证明", "Export an audit proof")),
        Verb("audit.check", Text("核验审计日志", "Check the audit log")),
    ),
    models="audit.models",
    commands="audit.cli:group",
    routes=_routes,
    jobs=(
        Job("audit.sequence", timedelta(seconds=1), _sequence),
        Job("audit.checkpoint", timedelta(seconds=1), _checkpoint),
    ),
    health=Log.health,
    policies=Path(__file__).parent / "policies",
    backup=_backup,
)
