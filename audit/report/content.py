"""The report as it is recorded: canonical JSON and the files it names."""

from typing import Any

from audit.report.gather import Gathered
from audit.report.kind import Kind
from audit.report.models import ReportRow
from audit.service import Log
from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.evidence.compare import digests
from yinxin.report import ENTRIES, TYPE
from yinxin.tables import lines
from yinxin.text import Text


def files_of(gathered: Gathered) -> dict[str, bytes]:
    """The entries as they stand in the log, and each table as CSV: with a byte order mark, safe from formulas."""
    files = {ENTRIES: b"".join(entry.data + b"\n" for entry in gathered.entries)}
    for table in gathered.tables:
        names = [column.name for column in table.columns]
        rows = (dict(zip(names, row, strict=True)) for row in table.rows)
        files[f"{table.name}.csv"] = b"\xef\xbb\xbf" + "".join(lines(rows, names, "csv")).encode()
    return files


def content_of(log: Log, row: ReportRow, kind: Kind, gathered: Gathered, files: dict[str, bytes]) -> bytes:
    """Everything that the report says, in its one spelling."""
    content: dict[str, Any] = {
        "v": 1,
        "type": TYPE,
        "id": row.id,
        "kind": kind.name,
        "title": _words(kind.title),
        "purpose": _words(kind.purpose),
        "about": row.about,
        "since": rfc3339(row.since),
        "until": rfc3339(row.until),
        "made": rfc3339(row.made),
        "by": row.by,
        "schedule": row.schedule,
        "log": log.settings.origin,
        "notes": [_words(each) for each in gathered.notes],
        "summary": [{**_words(text), "value": value} for text, value in gathered.summary],
        "tables": [
            {
                "name": table.name,
                "title": _words(table.title),
                "columns": [{"name": each.name, **_words(each.text)} for each in table.columns],
                "rows": [list(each) for each in table.rows],
            }
            for table in gathered.tables
        ],
        "entries": len(gathered.entries),
        "indexes": [entry.index for entry in gathered.entries],
        "files": {name: digests(data) for name, data in files.items()},
    }
    return canonical.encode(content)


def _words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
