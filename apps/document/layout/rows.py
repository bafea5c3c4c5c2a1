"""The body of a document as rows of the grid: title, recipients, paragraphs, tables, note of attachments."""

from collections.abc import Iterable, Sequence

from apps.document.layout.faces import Role, Typefaces
from apps.document.layout.grid import ADVANCE, SIZE
from apps.document.layout.lines import Line, Measure, Span, break_lines, width_of
from apps.document.layout.model import Attachment, Block, Elements, Heading, Paragraph, Table
from apps.document.layout.table import TableRow, table_rows
from apps.document.layout.title import title_lines

INDENT = 2 * ADVANCE
RECIPIENTS = "/main_recipients"
"""Where the content names them."""

Row = Line | tuple[Line, ...] | TableRow | None
"""What stands on one row of the grid: a line, several beside each other, a table's; None is a blank row."""

ATTENDANCE = ("出席：", "请假：", "列席：")
"""What begins the lists of people at the end of minutes (10.3)."""

_HEADING_ROLE = {1: Role.BOLD, 2: Role.KAI, 3: Role.BODY, 4: Role.BODY}  # 7.3.3


def body_rows(faces: Typefaces, blocks: Iterable[Block], within: str = "/body") -> list[Row]:
    """Rows of the blocks that stand under the JSON pointer `within`."""
    rows: list[Row] = []
    for index, block in enumerate(blocks):
        source = f"{within}/{index}"
        match block:
            case Paragraph(text=text):
                rows += _paragraph(faces, (Span(text),), source)
            case Heading(level=level, text=text, rest=rest):
                rows += _paragraph(faces, (Span(text, _HEADING_ROLE[level]), Span(rest)), source)
            case Table():
                rows += table_rows(faces, block, source)
    return rows


def _paragraph(faces: Typefaces, spans: Sequence[Span], source: str) -> list[Line]:
    return break_lines(faces, [span for span in spans if span.text], Measure(first=INDENT), source)


def recipient_rows(faces: Typefaces, elements: Elements) -> list[Row]:
    """主送机关: flush left, closed by a full-width colon (7.3.2)."""
    return [*break_lines(faces, (Span("，".join(elements.main_recipients) + "："),), Measure(), RECIPIENTS)]


def attendance(blocks: Sequence[Block]) -> tuple[tuple[Block, ...], tuple[Paragraph, ...]]:
    """The body of minutes, and the lists of people at its end."""
    end = len(blocks)
    while end and isinstance(last := blocks[end - 1], Paragraph) and last.text.startswith(ATTENDANCE):
        end -= 1
    return tuple(blocks[:end]), tuple(each for each in blocks[end:] if isinstance(each, Paragraph))


def attendance_rows(faces: Typefaces, people: Sequence[Paragraph], before: int) -> list[Row]:
    """出席, 请假, 列席: a blank row, two cells in, the label in 黑体, other lines under the first name (10.3).

    `before` is how many blocks stand before them in the body.
    """
    rows: list[Row] = [None] if people else []
    for index, each in enumerate(people, start=before):
        label, names = (
            Span(each.text[: len(ATTENDANCE[0])], Role.BOLD),
            each.text[len(ATTENDANCE[0]) :].strip(),
        )
        left = INDENT + len(label.text) * ADVANCE
        rows += break_lines(faces, (label, Span(names)), Measure(first=INDENT, left=left), f"/body/{index}")
    return rows


def attachment_note(faces: Typefaces, attachments: Sequence[Attachment]) -> list[Row]:
    """附件说明: a blank row, then `附件：1.名称`, names aligned, no closing mark (7.3.4)."""
    rows: list[Row] = [None] if attachments else []
    label = "附件："
    left = INDENT + width_of(faces, (Span(label),)) + ADVANCE - SIZE
    for number, attachment in enumerate(attachments, start=1):
        mark = f"{number}." if len(attachments) > 1 else ""
        lead = label if number == 1 else ""
        first = INDENT if lead else left
        hang = left + width_of(faces, (Span(mark),)) if mark else left
        own = lead + mark
        measure = Measure(first=first, left=hang)
        source = f"/attachments/{number - 1}/title"
        rows += break_lines(faces, (Span(own + attachment.title),), measure, source, -len(own))
    return rows


def attachment_rows(faces: Typefaces, attachment: Attachment, label: str, source: str) -> list[Row]:
    """附件: label in 黑体 on the first row, title centred on the third, body below a blank row (7.3.9)."""
    mark = Line((Span(label, Role.BOLD),))
    title = title_lines(faces, attachment.title, f"{source}/title")
    return [mark, None, *title, None, *body_rows(faces, attachment.blocks, f"{source}/body")]
