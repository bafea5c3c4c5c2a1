"""What a report says: the entries it rests on, in order, and what is counted and told of them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from audit.archive.models import SealedRow
from audit.entries import Entry, Filters
from audit.models import EntryRow
from audit.personal.opened import MARK
from audit.report.errors import ReportTooLarge
from audit.report.kind import COUNTED, Column, Kind, Table
from audit.report.kinds import CONTROLS
from audit.service import Log
from audit.stamp import newest_stamped
from audit.tree import TREES
from audit.words import ACTORS, OUTCOMES, verb_of
from yinxin.act import Kind as Person
from yinxin.act import Outcome
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.text import Text

#: entries of one report: what is attached, proved and laid out in a minute
MOST = 10_000
#: values told of each count; the rest is one line
_TOP = 15
_PROPOSED = (
    "authz.propose",
    "authz.approve",
    "authz.refuse-proposal",
    "authz.withdraw-proposal",
    "authz.execute",
)
_COLUMNS = (
    Column("index", Text("序号", "Index")),
    Column("time", Text("时间", "Time")),
    Column("verb", Text("操作", "Act")),
    Column("outcome", Text("结果", "Outcome")),
    Column("actor", Text("操作者", "Who acted")),
    Column("post", Text("岗位", "Post")),
    Column("organ", Text("机关", "Organ")),
    Column("subject", Text("对象", "Object")),
)
_ERROR = Column("error", Text("拒绝原因", "Refused because"))
_ENTRY = Column("entry", Text("记录号", "Entry"))


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a report says; `entries` are those it rests on, in the log's order."""

    notes: tuple[Text, ...]
    summary: tuple[tuple[Text, str], ...]
    tables: tuple[Table, ...]
    entries: tuple[Entry, ...]


def gather(log: Log, kind: Kind, since: datetime, until: datetime, about: str | None) -> Gathered:
    """Everything that the report says of [since, until); raises ReportTooLarge, IndexBehind."""
    entries = _entries(log, kind, since, until, about)
    missing = [
        source.missing
        for source in kind.sources
        if not any(name.startswith(source.prefix) for name, _ in log.around.verbs())
    ]
    added = [
        Table(name, title, tuple(Column(*each) for each in columns), tuple(rows))
        for name, title, columns, rows in log.around.tables(kind.name)
    ]
    notes = [
        *_archived(log, since, until),
        *map(_missing, missing),
        *_emptiness(kind, entries, missing),
        *_never(log, kind, about, entries),
        *_unadded(kind, added),
        *_personal(entries),
    ]
    summary = [
        (Text("所据的日志记录", "entries it rests on"), str(len(entries))),
        *_counts(log, kind, entries),
    ]
    tables = [*added, *([_ledger(log, kind, entries)] if entries else [])]
    if kind.whole:
        summary = [*_whole(log), *summary]
    if kind.controls:
        tables.append(_controls(log, since, until))
    return Gathered(tuple(notes), tuple(summary), tuple(tables), entries)


def _entries(log: Log, kind: Kind, since: datetime, until: datetime, about: str | None) -> tuple[Entry, ...]:
    found: dict[int, Entry] = {}
    for question in kind.asked(about):
        _take(found, log.every(question.within(since, until), part=log.hosts()))
    if kind.proposals:
        _take(found, _of_proposals(log, kind.proposals, since, until))
    entries = (found[index] for index in sorted(found))
    return tuple(
        each for each in entries if not kind.people or each.fields()["actor"]["kind"] == Person.PERSON
    )


def _archived(log: Log, since: datetime, until: datetime) -> Iterator[Text]:
    """That entries of the time have left for archives: a report must not look complete without them."""
    with log.store.read() as session:
        query = (
            sa.select(sa.func.count())
            .select_from(SealedRow)
            .join(EntryRow, EntryRow.index == SealedRow.index)
        )
        count = session.scalar(query.where(EntryRow.time >= since, EntryRow.time < until))
    if count:
        yield Text(
            f"期内另有 {count} 条记录已过保存期、封存在归档中，本报告不含这些记录",
            f"{count} more entries of this time are past their period and stand in sealed archives; this report does not hold them",
        )


def _personal(entries: Sequence[Entry]) -> Iterator[Text]:
    """That personal data is not in it: a report is kept for ever, what is in one could not be erased."""
    count = sum(MARK in each.data for each in entries)
    if count:
        yield Text(
            f"其中 {count} 条记录带有个人信息；报告永久保存，只含其承诺而不含内容，内容在审计记录中查看",
            f"{count} of these entries have personal data; a report is kept for ever and holds the commitments only, the values are to be seen at the entries",
        )


def _take(found: dict[int, Entry], entries: Iterable[Entry]) -> None:
    for entry in (each for each in entries if not each.sealed):
        found[entry.index] = entry
        if len(found) > MOST:
            raise ReportTooLarge(most=MOST)


def _of_proposals(log: Log, kinds: frozenset[str], since: datetime, until: datetime) -> Iterator[Entry]:
    """Entries about proposals of these kinds: the kind stands where it was proposed, at whatever time."""
    known: dict[str, bool] = {}
    for verb in _PROPOSED:
        for entry in log.every(Filters(verb=verb).within(since, until), part=log.hosts()):
            subject = entry.subject
            if subject not in known:
                proposed = log.entries(Filters(verb="authz.propose", subject=subject), limit=1)
                kind = proposed[0].fields().get("facts", {}).get("kind") if proposed else None
                known[subject] = kind in kinds
            if known[subject]:
                yield entry


def _missing(what: Text) -> Text:
    return Text(
        f"本平台目前没有这一项的数据来源：{what.zh}。以下没有列出，不等于没有发生。",
        f"The platform has no source of this yet: {what.en}. That nothing is listed does not mean that nothing happened.",
    )


def _emptiness(kind: Kind, entries: Sequence[Entry], missing: Sequence[Text]) -> list[Text]:
    if entries or missing or kind.controls:
        return []
    return [Text("报告期内没有此类记录。", "There is no entry of this kind in the period.")]


def _never(log: Log, kind: Kind, about: str | None, entries: Sequence[Entry]) -> Iterator[Text]:
    """That the log has never heard of it: an identifier that is misspelt must not read like somebody who did nothing."""
    if (
        not kind.about
        or entries
        or any(log.entries(question, limit=1, part=log.hosts()) for question in kind.asked(about))
    ):
        return
    yield Text(
        f"日志中从来没有 {about} 的任何记录：请核对标识。",
        f"The log has no entry of {about} at any time: check the identifier.",
    )


def _unadded(kind: Kind, added: Sequence[Table]) -> list[Text]:
    if not kind.added or added:
        return []
    return [
        Text(
            "本进程没有装配能说明现状的模块，只列出日志中的变更。",
            "No module that could tell how things are now is assembled here; only changes in the log are listed.",
        )
    ]


def _value(event: Mapping[str, Any], name: str) -> str:
    """A field or fact of an event as text; inner facts by their path."""
    actor = event["actor"]
    known = {
        "actor": actor["id"],
        "organ": actor.get("organ"),
        "verb": event["verb"],
        "outcome": event["outcome"],
        "error": event.get("error"),
    }
    value = known[name] if name in known else _fact(event.get("facts", {}), name)
    if name == "kind" and value is None:
        value = event["subject"].partition(":")[0]
    return _text(value)


def _fact(facts: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(facts, dict) or name not in facts:
            return None
        facts = facts[name]
    return facts


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(
            "/".join(filter(None, (each.get("person"), each.get("post"))))
            if isinstance(each, dict)
            else _text(each)
            for each in value
        )
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _counts(log: Log, kind: Kind, entries: Sequence[Entry]) -> Iterator[tuple[Text, str]]:
    events = [entry.fields() for entry in entries]
    ended = [event for event in events if event["outcome"] != Outcome.INTENT]
    for name in kind.counted:
        # an act that was begun and done is one act; what its facts say may stand in either entry
        counting = ended if name in ("verb", "actor", "organ") else events
        counted = Counter(filter(None, (_value(event, name) for event in counting)))
        for value, count in counted.most_common(_TOP):
            words = _words(log, name, value)
            yield Text(f"{COUNTED[name].zh}：{words.zh}", f"{COUNTED[name].en}: {words.en}"), str(count)
        rest = sum(counted.values()) - sum(count for _, count in counted.most_common(_TOP))
        if rest:
            yield Text(f"{COUNTED[name].zh}：其余", f"{COUNTED[name].en}: the rest"), str(rest)


def _words(log: Log, name: str, value: str) -> Text:
    if name == "verb":
        return verb_of(log.around, value)
    known = {"outcome": OUTCOMES, "actor": ACTORS}.get(name, {})
    return known.get(value, Text(value, value))


def _ledger(log: Log, kind: Kind, entries: Sequence[Entry]) -> Table:
    events = [entry.fields() for entry in entries]
    facts = [
        Column(name.replace(".", "_"), text)
        for name, text in kind.facts
        if any(_value(event, name) for event in events)
    ]
    names = {name.replace(".", "_"): name for name, _ in kind.facts}
    refused = any("error" in event for event in events)
    columns = (*_COLUMNS, *facts, *((_ERROR,) if refused else ()), _ENTRY)
    rows = []
    for entry, event in zip(entries, events, strict=True):
        actor, verb, outcome = event["actor"], verb_of(log.around, event["verb"]), OUTCOMES[event["outcome"]]
        fixed = (
            str(entry.index),
            rfc3339(entry.time),
            verb.zh if verb.zh == verb.en else f"{verb.zh} {verb.en}",
            f"{outcome.zh} {outcome.en}",
            actor["id"],
            actor.get("post") or "",
            actor.get("organ") or "",
            event["subject"],
        )
        more = tuple(_value(event, names[column.name]) for column in facts)
        rows.append((*fixed, *more, *((event.get("error", ""),) if refused else ()), entry.event))
    return Table("ledger", Text("所据的日志记录", "The entries"), columns, tuple(rows))


def _whole(log: Log) -> Iterator[tuple[Text, str]]:
    """The log recomputed now; what does not hold is said, for a report of it must be made all the same."""
    try:
        checked = log.check().fields()
        yield Text("全部重新计算", "the whole log recomputed"), "成立 holds"
        yield Text("记录数", "entries"), str(checked["size"])
        yield Text("缺号", "gaps in the numbering"), "0"
        yield Text("检查点数", "signed checkpoints"), str(checked["checkpoints"])
        for name, root in checked["roots"].items():
            yield Text(f"树根（{name}）", f"root ({name})"), root
    except YinxinError as error:
        yield Text("全部重新计算", "the whole log recomputed"), f"不成立 DOES NOT HOLD {error.code}"
        yield Text("发现", "found"), f"{error.text('zh')} {error.text('en')}"
    witnessed = log.witnesses.facts()
    if witnessed["witnessed"]:
        for tree, size in witnessed["witnessed"].items():
            yield (
                Text(f"达到见证规则的记录（{tree}）", f"entries witnessed as the policy asks ({tree})"),
                str(size),
            )
    else:
        yield Text("外部见证", "outside witnesses"), "未设定见证规则 no policy of witnesses is set"
    yield Text("见证方", "witnesses"), str(len(witnessed["witnesses"]))
    yield Text("见证方发现的矛盾", "contradictions found by witnesses"), str(len(witnessed["contradictions"]))
    with log.store.read() as session:
        for suite in TREES:
            row = newest_stamped(session, suite)
            stamped = "没有 none" if row is None else f"{row.size} {rfc3339(row.time)}"
            yield (
                Text(
                    f"最新的带时间戳检查点（{suite.hash.name}）",
                    f"newest timestamped checkpoint ({suite.hash.name})",
                ),
                stamped,
            )
    facts = log.health().facts
    yield Text("等待入日志的记录", "records waiting to be entered"), str(facts["waiting"])
    for name, key in facts["keys"].items():
        yield Text(f"日志公钥（{name}）", f"key of the log ({name})"), key


def _controls(log: Log, since: datetime, until: datetime) -> Table:
    known = [name for name, _ in log.around.verbs()]
    rows = []
    for clause, text, acts in CONTROLS:
        count = sum(_count(log, act, since, until) for act in acts)
        sourced = any(name.startswith(act) for act in acts for name in known)
        state = f"{count}" if sourced or count else "没有来源 no source"
        rows.append((clause, text.zh, text.en, ", ".join(acts), state))
    columns = (
        Column("clause", Text("条款", "Clause")),
        Column("control_zh", Text("控制点", "Control (Chinese)")),
        Column("control", Text("控制点（英文）", "Control")),
        Column("acts", Text("为证的操作", "Acts that are evidence")),
        Column("entries", Text("期内记录数", "Entries in the period")),
    )
    return Table("controls", Text("控制点与证据", "Controls and evidence"), columns, tuple(rows))


def _count(log: Log, act: str, since: datetime, until: datetime) -> int:
    """How many entries, counted one by one: a number in a report is exact."""
    return sum(1 for _ in log.every(Filters(verb=act).within(since, until)))
