"""The report's pages: A4 across, Chinese first with English beside it, as PDF/A-3. Long tables are attached whole."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any
from unicodedata import east_asian_width

from yinxin.clock import UTC_PLUS_8, parse_rfc3339

#: rows laid out of one table; all of them are in the attached file
ROWS = 100
#: half ems of a column, at least and at most; headings are set larger than cells
_LEAST, _MOST, _LARGER = 5, 26, 1.25
#: half ems between columns, of a whole line, and of a column that is made no narrower
_BETWEEN, _LINE, _KEPT = 2, 200, 18
_STYLE = """
@page { size: A4 landscape; margin: 16mm 14mm 18mm;
  @bottom-left { content: "印信 Yinxin · REPORT"; font-size: 7pt; color: #555 }
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 7pt; color: #555 } }
html { font-family: "Noto Sans CJK SC", sans-serif; font-size: 8.5pt; line-height: 1.45; color: #1b1b1b }
h1 { font-size: 17pt; margin: 0; border-bottom: 2pt solid #b3141c; padding-bottom: 2mm; bookmark-level: 1 }
h1 small { font-size: 10pt; font-weight: 400; display: block }
h2 { font-size: 11pt; margin: 6mm 0 2mm; break-after: avoid; bookmark-level: 2 }
h2 small, th small { font-weight: 400; color: #444 }
th small { display: block }
.note { border-left: 2pt solid #b3141c; padding: 1mm 3mm; background: #fbf1f1; margin: 2mm 0 }
dl { display: grid; grid-template-columns: max-content auto; gap: .5mm 5mm; margin: 3mm 0 }
dt { color: #444 } dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
th, td { border: .4pt solid #999; padding: .8mm 1.2mm; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { background: #f2f2f2; font-weight: 700; overflow-wrap: normal }
thead { display: table-header-group }
tr { break-inside: avoid }
.ledger td { font-size: 7pt }
.whole { white-space: nowrap }
"""


def paint(content: Mapping[str, Any]) -> bytes:
    """The PDF of a report, unsigned."""
    from weasyprint import HTML

    with warnings.catch_warnings():
        # the engine leaves its colour profile to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        data = HTML(string="".join(_page(content)), url_fetcher=_refuse).write_pdf(pdf_variant="pdf/a-3b")
    assert isinstance(data, bytes)  # noqa: S101 - without a target the bytes are returned
    return data


def _refuse(url: str, **_: object) -> object:
    raise ValueError(f"a report fetches nothing: {url}")


def _page(content: Mapping[str, Any]) -> Iterator[str]:
    title = content["title"]
    style = _STYLE.replace("REPORT", f"{title['zh']} {content['id']}")
    yield f'<html lang="zh-CN"><head><title>{escape(title["zh"])} {escape(title["en"])}</title><style>{style}</style></head><body>'
    yield f"<h1>{escape(title['zh'])}<small>{escape(title['en'])}</small></h1>"
    purpose = content["purpose"]
    yield f"<p>{escape(purpose['zh'])}<br>{escape(purpose['en'])}</p>"
    yield _facts(
        [
            ("报告期 Period", f"{_when(content['since'])} — {_when(content['until'])}"),
            *([("关于 About", content["about"])] if content["about"] else []),
            ("编制时间 Made at", _when(content["made"])),
            ("编制人 Made by", content["by"]),
            ("报告编号 Report", content["id"]),
            ("日志 Log", content["log"]),
        ]
    )
    for note in content["notes"]:
        yield f'<p class="note">{escape(note["zh"])}<br>{escape(note["en"])}</p>'
    yield "<h2>摘要 <small>Summary</small></h2>"
    yield _facts(
        [
            (f"{each['zh']} {each['en']}" if each["zh"] != each["en"] else each["zh"], each["value"])
            for each in content["summary"]
        ]
    )
    for table in content["tables"]:
        yield from _table(table)
    yield "<h2>如何核验 <small>How to check this report</small></h2><p>"
    yield "本文件经平台签名，内附所据日志原文（entries.jsonl）及其逐条证明（proofs.json）、报告数据（report.json）和编制记录的证明（record.tlog-proof）。执行 yinxin verify 文件名，即可离线核验。<br>"
    yield "This file is signed by the platform and carries the entries it rests on (entries.jsonl), the proof of each (proofs.json), its data (report.json) and the proof of the record of its making (record.tlog-proof). Check it offline with: yinxin verify FILE.</p></body></html>"


def _facts(pairs: list[tuple[str, str]]) -> str:
    return (
        "<dl>"
        + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
        + "</dl>"
    )


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2>{escape(table['title']['zh'])} <small>{escape(table['title']['en'])}</small></h2>"
    rows = table["rows"]
    if len(rows) > ROWS:
        yield (
            f'<p class="note">此处列出前 {ROWS} 行；全部 {len(rows)} 行见附件 {table["name"]}.csv。<br>'
            f"The first {ROWS} rows are shown here; all {len(rows)} are in the attached {table['name']}.csv.</p>"
        )
    yield f'<table class="{escape(table["name"])}"><colgroup>'
    yield from (f'<col style="width: {share:.2f}%">' for share in _shares(table["columns"], rows[:ROWS]))
    yield "</colgroup><thead><tr>"
    for column in table["columns"]:
        yield f"<th>{escape(column['zh'])}<small>{escape(column['en'])}</small></th>"
    yield "</tr></thead><tbody>"
    for row in rows[:ROWS]:
        yield "<tr>" + "".join(map(_cell, row)) + "</tr>"
    yield "</tbody></table>"


def _cell(text: str) -> str:
    """A word that fits a line stays whole."""
    shown = _shown(text)
    whole = ' class="whole"' if len(shown) <= _WHOLE and " " not in shown else ""
    return f"<td{whole}>{escape(shown)}</td>"


def _shown(text: str) -> str:
    """A time stands in official time."""
    return _when(text) if _TIME.fullmatch(text) else text


#: characters of a word that is not broken
_WHOLE = 12
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def _shares(columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[str]]) -> list[float]:
    """How wide each column is, in hundredths of the whole: as its longest cell, so far as that is no sentence, and its heading.

    Said beforehand: to find it out the engine sets every cell once for each of its characters. Where a line has no room for
    all, those that hold words which stay whole keep theirs.
    """
    wanted = []
    for at, column in enumerate(columns):
        head = max(map(_width, (column["zh"], *column["en"].split())))
        longest = max((_width(_shown(row[at])) for row in rows), default=0)
        wanted.append(_BETWEEN + max(_LEAST, _LARGER * head, min(_MOST, longest)))
    narrow = sum(each for each in wanted if each <= _KEPT)
    wide = sum(wanted) - narrow
    scale = min(1, max(0.2, (_LINE - narrow) / wide)) if wide else 1
    given = [each if each <= _KEPT else each * scale for each in wanted]
    return [100 * each / sum(given) for each in given]


def _width(text: str) -> int:
    """In half ems, as a Chinese character is two."""
    return sum(1 + (east_asian_width(each) in "WF") for each in text)


def _when(text: str) -> str:
    return parse_rfc3339(text).astimezone(UTC_PLUS_8).strftime("%Y-%m-%d %H:%M:%S")
