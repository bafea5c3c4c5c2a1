"""Filling pages: head, rows of the body, closing, attachments, record, page numbers."""

from collections.abc import Sequence

from apps.document.layout.closing import Closing, closing, seal_boxes
from apps.document.layout.errors import DoesNotFit
from apps.document.layout.faces import Role, Typefaces, ink_top
from apps.document.layout.grid import (
    LEFT,
    PAGE_NUMBER_TOP,
    PITCH,
    ROWS,
    SIZE,
    SMALL_SIZE,
    THIN,
    WIDTH,
    row_top,
)
from apps.document.layout.head import put_head
from apps.document.layout.lines import Span, width_of
from apps.document.layout.marks import Page, Placed, Rule, Text, on_row
from apps.document.layout.model import Elements, Form, SealBox
from apps.document.layout.record import put_record, record
from apps.document.layout.rows import (
    Row,
    attachment_note,
    attachment_rows,
    attendance,
    attendance_rows,
    body_rows,
    recipient_rows,
)
from apps.document.layout.table import TableRow
from apps.document.layout.title import title_lines

_CARRIED = 2
"""Rows of text that go to the next page with a signature that finds no room: no page says 此页无正文."""


class _Flow:
    """A cursor over the rows of pages."""

    def __init__(self) -> None:
        self.pages = [Page()]
        self.row = 0
        self._table: TableRow | None = None  # the table row last put, while its bottom rule is still to come

    def turn(self) -> None:
        """Begin a new page."""
        self._close_table()
        self.pages.append(Page())
        self.row = 0

    def put(self, rows: Sequence[Row]) -> None:
        """Put rows one below the other, turning pages; a page does not begin with a blank row."""
        for row in rows:
            needed = row.kept if isinstance(row, TableRow) else 1
            if self.row + needed > ROWS:
                self.turn()
            if row is None and self.row == 0:
                continue
            self._put_one(row)
        self._close_table()

    def after(self, rows: Sequence[Row]) -> int:
        """The row on which the cursor would stand after these rows."""
        trial = _Flow()
        trial.row = self.row
        trial.put(rows)
        return trial.row

    def _put_one(self, row: Row) -> None:
        if isinstance(row, TableRow):
            if self._table is None and not row.head:
                self._put_all(row.heads)
            self._put_table(row)
            return
        self._close_table()
        lines = () if row is None else row if isinstance(row, tuple) else (row,)
        self.pages[-1].add(*(on_row(line, self.row) for line in lines))
        self.row += 1

    def _put_all(self, rows: Sequence[TableRow]) -> None:
        for row in rows:
            self._put_table(row)

    def _put_table(self, row: TableRow) -> None:
        page, top = self.pages[-1], _table_top(self.row)
        if row.first or self._table is None:
            page.add(Rule(LEFT, top - THIN / 2, WIDTH, THIN))
        for edge in row.edges:
            page.add(Rule(LEFT + edge - THIN / 2, top, THIN, PITCH))
        for line in row.cells:
            if line is not None:
                page.add(on_row(line, self.row))
        self._table = row
        self.row += 1

    def _close_table(self) -> None:
        if self._table is not None:
            self.pages[-1].add(Rule(LEFT, _table_top(self.row) - THIN / 2, WIDTH, THIN))
            self._table = None


def _table_top(row: int) -> float:
    """A rule between two rows runs in the middle of the space between their characters."""
    return row_top(row) - (PITCH - SIZE) / 2


def paginate(faces: Typefaces, elements: Elements, form: Form, seal_mm: float) -> Placed:
    """Lay a document out on pages."""
    flow = _Flow()
    start = put_head(flow.pages[0], faces, elements, form)
    blocks, people = attendance(elements.body) if form is Form.MINUTES else (elements.body, ())
    text = body_rows(faces, blocks)
    # an order's text follows its number: it shows neither title nor recipients (10.2)
    title = [] if form is Form.ORDER else title_lines(faces, elements.title)
    named = bool(elements.main_recipients) and form is not Form.ORDER
    above: list[Row] = [] if form is Form.ORDER else [None]
    to: list[Row] = [*above, *recipient_rows(faces, elements)] if named else above
    moved = start + len(title) + len(to) >= ROWS
    to = above if moved else to
    if start + len(title) + len(to) >= ROWS:
        raise DoesNotFit(element="标题 title", place="首页须有正文 the first page shows body text")
    flow.row = start
    flow.put([*title, *to])
    after = [*attachment_note(faces, elements.attachments), *attendance_rows(faces, people, len(blocks))]
    seals = _body(flow, [*text, *after], closing(faces, elements, form), seal_mm)
    _attachments(flow, faces, elements)
    made = record(faces, elements, form, recipients_moved=moved and named)
    if made.rows:
        if flow.row + made.rows > ROWS:
            flow.turn()
            flow.pages[-1].numbered = False
        put_record(flow.pages[-1], made)
    _number(flow.pages, faces, form)
    return Placed(tuple(flow.pages), seals)


def _body(flow: _Flow, text: list[Row], end: Closing, seal_mm: float) -> tuple[SealBox, ...]:
    """Body and closing; a closing without room takes the text's last rows along to the next page."""
    if flow.after(text) + len(end.rows) > ROWS:
        carried = min(_CARRIED, len(text))
        while carried < len(text) and text[-carried] is None:
            carried += 1
        flow.put(text[:-carried])
        if flow.row != ROWS:
            flow.turn()
        text = text[-carried:]
    flow.put(text)
    if len(end.rows) + flow.row > ROWS:
        raise DoesNotFit(element="附注 notes", place=f"{ROWS} 行 rows")
    boxes = seal_boxes(end, flow.row, len(flow.pages), seal_mm)
    for each in end.signatures:
        flow.pages[-1].add(*each.marks(flow.row))
    flow.put(end.rows)
    return boxes


def _attachments(flow: _Flow, faces: Typefaces, elements: Elements) -> None:
    """Every attachment that has a text begins a page of its own."""
    for number, attachment in enumerate(elements.attachments, start=1):
        if attachment.blocks:
            flow.turn()
            label = f"附件{number}" if len(elements.attachments) > 1 else "附件"
            flow.put(attachment_rows(faces, attachment, label, f"/attachments/{number - 1}"))


def _number(pages: Sequence[Page], faces: Typefaces, form: Form) -> None:
    """— 1 —: odd pages at the right, even ones at the left, one character in; the letter form hides the first (7.5)."""
    top = PAGE_NUMBER_TOP + (ink_top(faces, Role.SONG, "—") - 0.88) * SMALL_SIZE
    for number, page in enumerate(pages, start=1):
        if not page.numbered or (form is Form.LETTER and number == 1):
            continue
        spans = (Span(f"— {number} —", Role.SONG),)
        width = width_of(faces, spans, size=SMALL_SIZE, spacing=0.0)
        left = WIDTH - SMALL_SIZE - width if number % 2 else SMALL_SIZE
        page.add(Text(spans, LEFT + left, top, SMALL_SIZE, 0.0))
