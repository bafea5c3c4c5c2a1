"""版头: what stands above the title on the first page (GB/T 9704-2012, 7.2 and 10.1)."""

from math import ceil

from apps.document.layout.errors import DoesNotFit
from apps.document.layout.faces import Role, Typefaces, ink_top
from apps.document.layout.grid import (
    ADVANCE,
    LEFT,
    LETTER_FOOT,
    LETTER_MARK_TOP,
    LETTER_NUMBER_GAP,
    LETTER_RULE_WIDTH,
    MARK_HEIGHT,
    MARK_TOP,
    MARK_WIDTH,
    MM,
    ORDER_MARK_TOP,
    PITCH,
    RED,
    SEPARATOR_GAP,
    SHEET_HEIGHT,
    SHEET_WIDTH,
    SIZE,
    TOP,
    WIDTH,
    row_top,
)
from apps.document.layout.lines import Span, width_of
from apps.document.layout.marks import BASELINE, Page, Rule, Text
from apps.document.layout.model import Elements, Form

_ENDS = ("文件", "命令", "令")  # of a mark, behind the organ's name
_TALL = 1.2  # height of a mark's character over its width: within 22 mm × 15 mm
_LETTER_MARK_WIDTH = 12 * MM
_JOINT_HEIGHT = 64 * MM  # of the marks of all organs: the first page has to show body text (7.2.4)
_JOINT_GAP = 0.3  # between two marks, of a character's width
_RED_RULE = 0.5 * MM
_DOUBLE_THICK, _DOUBLE_THIN, _DOUBLE_GAP = 0.9 * MM, 0.3 * MM, 0.6 * MM


def put_head(page: Page, faces: Typefaces, elements: Elements, form: Form) -> int:
    """Put the head on the first page; the answer is the row, from 0, on which the title, or an order's text, starts."""
    if form is Form.LETTER:
        return _letter(page, faces, elements)
    if form is Form.ORDER:
        return _order(page, faces, elements)
    for row, text in enumerate(_corner(elements)):
        if text.text:
            page.add(Text((text,), LEFT, row_top(row)))
    bottom = (
        _joint_marks(page, faces, elements, MARK_TOP)
        if elements.joint
        else _mark(page, faces, elements.organ_mark, MARK_TOP, MARK_WIDTH)
    )
    row = round((bottom - TOP) / PITCH) + 2
    row = (
        _number_and_signers(page, faces, elements, row)
        if form is Form.UPWARD
        else _number(page, faces, elements, row)
    )
    rule = row_top(row) + SIZE + SEPARATOR_GAP
    page.add(Rule(LEFT, rule, WIDTH, _RED_RULE, RED))
    return _two_rows_below(rule + _RED_RULE)


def _two_rows_below(edge: float) -> int:
    """First grid row that leaves two blank lines under an edge (a quarter of a row is forgiven)."""
    return ceil((edge - TOP) / PITCH + 2 - 0.25)


def _corner(elements: Elements) -> list[Span]:
    """份号, 密级和保密期限, 紧急程度: top left, below each other in this order (7.2.1 to 7.2.3)."""
    spans = []
    if elements.copy_number is not None:
        spans.append(Span(f"{elements.copy_number:06d}"))
    elif elements.copies_numbered:
        spans.append(Span(""))  # room for it
    if elements.secrecy is not None:
        term = f"★{elements.secrecy_term}" if elements.secrecy_term else ""
        spans.append(Span(elements.secrecy.value + term, Role.BOLD))
    if elements.urgency is not None:
        spans.append(Span(elements.urgency.value, Role.BOLD))
    return spans


def _mark(page: Page, faces: Typefaces, text: str, top: float, widest: float) -> float:
    """发文机关标志: red, centred, its ink starting at `top`; the answer is where its characters end."""
    spans = (Span(text, Role.MARK),)
    size = min(widest, WIDTH / (width_of(faces, spans, size=1, spacing=0)))
    tall = min(_TALL, MARK_HEIGHT / size)
    left = (SHEET_WIDTH - width_of(faces, spans, size=size, spacing=0)) / 2
    baseline = top + ink_top(faces, Role.MARK, text) * size * tall
    page.add(Text(spans, left, baseline - BASELINE * size * tall, size, 0.0, RED, tall))
    return baseline + (1 - BASELINE) / 2 * size * tall


def _joint_marks(page: Page, faces: Typefaces, elements: Elements, top: float) -> float:
    """联合行文: every organ on a line of its own, as wide as the longest, and 文件 or 令 at the right in their middle (7.2.4)."""
    beside = next((end for end in _ENDS if elements.organ_mark.endswith(end)), "")
    names = (elements.organ_mark.removesuffix(beside), *elements.joint)
    longest = max(width_of(faces, (Span(name, Role.MARK),), size=1, spacing=0) for name in names)
    across = longest + (width_of(faces, (Span(beside, Role.MARK),), size=1, spacing=0) + 0.5 if beside else 0)
    step = _TALL + _JOINT_GAP
    size = min(MARK_WIDTH, WIDTH / across, _JOINT_HEIGHT / (len(names) * step))
    left = LEFT + (WIDTH - across * size) / 2
    baseline = top + ink_top(faces, Role.MARK, names[0]) * size * _TALL
    for number, name in enumerate(names):
        spare = longest * size - width_of(faces, (Span(name, Role.MARK),), size=size, spacing=0)
        at = baseline + number * step * size - BASELINE * size * _TALL
        spacing = spare / max(len(name) - 1, 1)
        page.add(Text((Span(name, Role.MARK),), left, at, size, spacing, RED, _TALL))
    last = baseline + (len(names) - 1) * step * size
    if beside:
        at = (baseline + last) / 2 - BASELINE * size * _TALL
        page.add(Text((Span(beside, Role.MARK),), left + (longest + 0.5) * size, at, size, 0.0, RED, _TALL))
    return last + (1 - BASELINE) / 2 * size * _TALL


def _order(page: Page, faces: Typefaces, elements: Elements) -> int:
    """命令（令）格式: marks 20 mm below the type area's edge, the order's number and its text two blank lines below each (10.2)."""
    bottom = (
        _joint_marks(page, faces, elements, ORDER_MARK_TOP)
        if elements.joint
        else _mark(page, faces, elements.organ_mark, ORDER_MARK_TOP, MARK_WIDTH)
    )
    row = ceil((bottom - TOP) / PITCH - 0.25) + 2
    spans = (Span(f"第{elements.number.ordinal}号"),)
    page.add(Text(spans, LEFT + (WIDTH - width_of(faces, spans)) / 2, row_top(row)))
    return row + 3


def _number(page: Page, faces: Typefaces, elements: Elements, row: int) -> int:
    """发文字号, centred two blank lines below the mark (7.2.5)."""
    spans = (Span(str(elements.number)),)
    width = width_of(faces, spans)
    page.add(Text(spans, LEFT + (WIDTH - width) / 2, row_top(row)))
    return row


def _number_and_signers(page: Page, faces: Typefaces, elements: Elements, row: int) -> int:
    """Upward: number at the left, signers at the right, two to a line, the last on the number's line (7.2.6)."""
    names, label = elements.signers, "签发人："
    longest = max((len(name) for name in names), default=0)
    across = min(len(names), 2)
    cells = len(label) + across * longest + (across - 1)
    left = WIDTH - (cells + 1) * ADVANCE
    last = row + ceil(len(names) / 2) - 1
    number = (Span(str(elements.number)),)
    if left < ADVANCE * 2 + width_of(faces, number) or last > row + 4:
        raise DoesNotFit(element="发文字号和签发人 number, signers", place="28 × 5")
    page.add(Text(number, LEFT + ADVANCE, row_top(last)))
    page.add(Text((Span(label),), LEFT + left, row_top(row)))
    for index, name in enumerate(names):
        place = left + (len(label) + index % 2 * (longest + 1)) * ADVANCE
        page.add(Text((Span(name, Role.KAI),), LEFT + place, row_top(row + index // 2)))
    return last


def _letter(page: Page, faces: Typefaces, elements: Elements) -> int:
    """信函格式: mark 30 mm from the sheet's edge, a red double rule below it and one at the foot (10.1)."""
    bottom = _mark(page, faces, elements.organ_mark, LETTER_MARK_TOP, _LETTER_MARK_WIDTH)
    rule = bottom + SEPARATOR_GAP
    _double(page, rule, thick_first=True)
    _double(page, SHEET_HEIGHT - LETTER_FOOT, thick_first=False)
    top = rule + _DOUBLE_THICK + _DOUBLE_GAP + _DOUBLE_THIN + LETTER_NUMBER_GAP
    number = (Span(str(elements.number)),)
    page.add(Text(number, LEFT + WIDTH - width_of(faces, number), top))
    corner = _corner(elements)
    for row, text in enumerate(corner):
        if text.text:
            page.add(Text((text,), LEFT, top + row * PITCH))
    return _two_rows_below(top + SIZE + max(len(corner) - 1, 0) * PITCH)


def _double(page: Page, top: float, *, thick_first: bool) -> None:
    left = (SHEET_WIDTH - LETTER_RULE_WIDTH) / 2
    heights = (_DOUBLE_THICK, _DOUBLE_THIN) if thick_first else (_DOUBLE_THIN, _DOUBLE_THICK)
    page.add(Rule(left, top, LETTER_RULE_WIDTH, heights[0], RED))
    page.add(Rule(left, top + heights[0] + _DOUBLE_GAP, LETTER_RULE_WIDTH, heights[1], RED))
