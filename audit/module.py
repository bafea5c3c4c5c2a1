"""The log's registration."""

from datetime import timedelta
from pathlib import Path

from audit.archive.proposals import RETAIN
from audit.archive.tend import tend
from audit.forward import reconcile
from audit.metrics import METRICS
from audit.personal.erase import scrub
from audit.personal.proposals import ERASE, HOLD
from audit.renewal.renew import renew
from audit.report.schedule import make_due
from audit.service import Log
from audit.settings import AuditSettings
from audit.state.rows import RESTATE, TAKE_STOCK
from audit.tally import catch_up
from audit.witness.proposals import SET_QUORUM, STOP_WITNESSING, WITNESS_LOG
from yinxin.module import Job, Module, Verb
from yinxin.text import Text


def _backup(log: Log) -> tuple[Path, ...]:
    folders = (log.cosigner.folder, log.kept)
    return (log.checkpoint_file, *(each for each in folders if each.is_dir()))


MODULE: Module[Log] = Module(
    name="audit",
    title=Text("审计", "Audit"),
    settings=AuditSettings,
    verbs=(
        Verb("audit.read", Text("查阅审计记录", "Read audit entries")),
        Verb("audit.export", Text("导出审计证明", "Export an audit proof")),
        Verb("audit.extract", Text("导出审计摘录", "Export an extract of the log")),
        Verb("audit.check", Text("核验审计日志", "Check the audit log")),
        Verb(TAKE_STOCK, Text("登记既有数据行", "Record the rows that are there")),
        Verb(RESTATE, Text("登记升级所改的数据行", "Record the rows that an upgrade changed")),
        Verb("audit.reindex", Text("重建审计索引", "Make the log's index anew")),
        Verb("audit.keep-question", Text("保存审计查询", "Keep a question to the log")),
        Verb("audit.share-question", Text("共享审计查询", "Share a question to the log")),
        Verb("audit.delete-question", Text("删除审计查询", "Delete a question to the log")),
        Verb("audit.prove-stretch", Text("证明一段时间内的全部记录", "Prove every entry of a time")),
        Verb("audit.read-witnesses", Text("查看见证情况", "See how witnessing stands")),
        Verb("audit.ask-witnesses", Text("请见证方联署", "Ask the witnesses")),
        Verb("audit.export-checkpoint", Text("导出检查点供见证", "Export a checkpoint for a witness")),
        Verb("audit.cosign", Text("联署他方日志的检查点", "Cosign another log's checkpoint")),
        Verb("audit.import-cosignatures", Text("导入见证方的联署", "Import a witness's cosignatures")),
        Verb("audit.find-contradiction", Text("见证方发现日志分叉或回滚", "A witness contradicts the log")),
        Verb("audit.suspect-log", Text("所见证的日志没有延续", "A witnessed log does not continue")),
        Verb("audit.renew", Text("续期证明", "Renew proofs")),
        Verb("audit.keep", Text("接收证据包保管", "Take evidence into keeping")),
        Verb("audit.export-record", Text("导出证据记录", "Export an evidence record")),
        Verb("audit.archive", Text("封存归档审计记录", "Seal audit entries into an archive")),
        Verb("audit.read-copies", Text("查看外发副本情况", "See how copies outward stand")),
        Verb("audit.reconcile", Text("核对审计副本", "Reconcile audit copies")),
        Verb("audit.copies-alarm", Text("审计副本告警", "Alarm about audit copies")),
        Verb("audit.make-report", Text("编制审计报告", "Make an audit report")),
        Verb("audit.sign-report", Text("签署审计报告", "Sign an audit report")),
        Verb("audit.read-report", Text("查阅审计报告", "Read an audit report")),
        Verb("audit.schedule-report", Text("设定定期报告", "Schedule a report")),
        Verb("audit.end-schedule", Text("停止定期报告", "End a schedule of reports")),
    ),
    models=(
        "audit.models",
        "audit.tally",
        "audit.index.models",
        "audit.question.models",
        "audit.report.models",
        "audit.witness.models",
        "audit.forward.models",
        "audit.archive.models",
        "audit.personal.models",
        "audit.renewal.models",
    ),
    commands="audit.cli:group",
    routes=(
        "audit.api:routes",
        "audit.question.api:routes",
        "audit.personal.api:routes",
        "audit.personal.pages:routes",
        "audit.pages:routes",
        "audit.witness.api:routes",
        "audit.witness.face:routes",
        "audit.report.api:routes",
        "audit.report.pages:routes",
    ),
    jobs=(
        Job("audit.sequence", timedelta(seconds=1), Log.sequence),
        Job("audit.checkpoint", timedelta(seconds=1), Log.checkpoint),
        Job("audit.reports", timedelta(minutes=1), make_due),
        Job("audit.index", timedelta(seconds=5), lambda log: log.index.catch_up()),
        Job("audit.tally", timedelta(seconds=10), lambda log: catch_up(log.store)),
        Job("audit.stamp", timedelta(minutes=5), lambda log: log.stamps.run()),
        Job("audit.archive", timedelta(days=1), tend),
        Job("audit.renew", timedelta(hours=6), renew),
        Job("audit.witness", timedelta(seconds=5), lambda log: log.witnesses.tick()),
        Job("audit.forward", timedelta(seconds=1), lambda log: log.forward.tick()),
        Job("audit.scrub", timedelta(hours=1), lambda log: scrub(log.store.engine)),
        Job("audit.reconcile", timedelta(days=1), lambda log: reconcile.daily(log.forward)),
    ),
    health=Log.health,
    metrics=METRICS,
    policies=Path(__file__).parent / "policies",
    backup=_backup,
    proposals=(SET_QUORUM, WITNESS_LOG, STOP_WITNESSING, RETAIN, ERASE, HOLD),
)
