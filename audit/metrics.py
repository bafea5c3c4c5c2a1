"""What monitoring is told of the log."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from audit.checkpoint import signed_size
from audit.models import StampRow
from audit.tally import tally
from audit.tree import TREES, log_size
from yinxin.metrics import Figure, Metrics, Sample
from yinxin.store import OutboxRow
from yinxin.text import Text

if TYPE_CHECKING:
    from audit.service import Log

RECORDS = Figure(
    "yinxin_audit_records",
    Text(
        "日志中的记录数，按操作与结果；签名、签发与拒绝都在其中",
        "records in the log, by verb and outcome: signatures, issuances and refusals among them",
    ),
    ("verb", "outcome"),
    "counter",
)
ENTRIES = Figure("yinxin_audit_log_entries", Text("日志条目数", "entries in the log"))
SIGNED = Figure(
    "yinxin_audit_log_signed_entries",
    Text("最新检查点覆盖的条目数", "entries that the newest checkpoint covers"),
)
WAITING = Figure(
    "yinxin_audit_log_waiting_records", Text("等待入日志的记录数", "records that wait to be entered")
)
LAG = Figure(
    "yinxin_audit_log_lag_seconds",
    Text(
        "最早一条等待入日志或签名的记录已等待的秒数",
        "for how long the oldest record has waited to be entered and signed",
    ),
)
FAILING = Figure(
    "yinxin_audit_log_failing_steps",
    Text(
        "记录日志时正在失败的步骤数；大于 0 时各项操作停止",
        "steps of recording that fail; acts are refused while there is one",
    ),
)
STAMP = Figure(
    "yinxin_audit_log_stamp_age_seconds",
    Text("最新时间戳的年龄，按树", "age of the newest timestamp, by tree"),
    ("tree",),
)
WITNESSED = Figure(
    "yinxin_audit_witness_age_seconds",
    Text("见证方最近一次联署距今的秒数", "time since a witness last cosigned"),
    ("tree", "witness"),
)
BEHIND = Figure(
    "yinxin_audit_witness_lag_entries",
    Text("见证方尚未联署的条目数", "signed entries that a witness has not cosigned"),
    ("tree", "witness"),
)
CONTRADICTIONS = Figure(
    "yinxin_audit_witness_contradictions", Text("见证方指出的分叉或回滚", "witnesses that contradict the log")
)
COPIES = Figure(
    "yinxin_audit_copies_in_trouble",
    Text("外发副本出了问题的接收方数", "receivers of copies outward that are in trouble"),
)


def _records(log: "Log") -> Iterator[Sample]:
    with log.store.read() as session:
        found = tally(session)
    for key, number in sorted(found.items()):
        yield RECORDS.at(number, *key)


def _state(log: "Log") -> Iterator[Sample]:
    now = log.store.clock.now()
    with log.store.read() as session:
        yield ENTRIES.at(log_size(session))
        yield SIGNED.at(signed_size(session))
        yield WAITING.at(session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) or 0)
        since, _overdue = log.behind(session)
        yield LAG.at(0.0 if since is None else max(0.0, (now - since).total_seconds()))
        yield FAILING.at(len(log.failures()))
        for suite in TREES:
            of_tree = sa.select(sa.func.max(StampRow.at)).where(StampRow.tree == suite.hash.name)
            if (at := session.scalar(of_tree)) is not None:
                yield STAMP.at((now - at).total_seconds(), suite.hash.name)


def _witnesses(log: "Log") -> Iterator[Sample]:
    now = log.store.clock.now()
    with log.store.read() as session:
        signed = signed_size(session)
    for each in log.witnesses.standing():
        if each.at is not None:
            yield WITNESSED.at((now - each.at).total_seconds(), each.tree, each.name)
        yield BEHIND.at(max(0, signed - (each.size or 0)), each.tree, each.name)
    yield CONTRADICTIONS.at(len(log.witnesses.contradictions()))


def _copies(log: "Log") -> Iterator[Sample]:
    yield COPIES.at(len(log.forward.trouble()))


METRICS: "tuple[Metrics[Log], ...]" = (
    Metrics("audit.records", (RECORDS,), _records),
    Metrics("audit.log", (ENTRIES, SIGNED, WAITING, LAG, FAILING, STAMP), _state),
    Metrics("audit.witnesses", (WITNESSED, BEHIND, CONTRADICTIONS), _witnesses),
    Metrics("audit.copies", (COPIES,), _copies),
)
