"""The numbers of GB/T 9704-2012 (chapters 5 and 7) and GB/T 33476.2-2016. Unless a name says mm, units are points.

Every element of a page stands on one grid of 22 rows by 28 cells that fills the type area from edge to edge: the top
of the first row's characters is the upper edge, the bottom of the last row's characters the lower one.
"""

MM = 72 / 25.4
"""Points in a millimetre."""

SHEET_WIDTH, SHEET_HEIGHT = 210 * MM, 297 * MM
TOP, LEFT = 37 * MM, 28 * MM  # 天头, 订口 (5.2.1)
WIDTH, HEIGHT = 156 * MM, 225 * MM  # 版心 (5.2.1)
BOTTOM = TOP + HEIGHT

ROWS, CELLS = 22, 28  # 5.2.3
SIZE = 16.0  # 3号
TITLE_SIZE = 22.0  # 2号
SMALL_SIZE = 14.0  # 4号

PITCH = (HEIGHT - SIZE) / (ROWS - 1)
"""From row to row: 29.609 pt."""
ADVANCE = (WIDTH - SIZE) / (CELLS - 1)
"""From character to character: 15.785 pt."""
SPACING = ADVANCE - SIZE
"""Letter spacing of a full row: −0.215 pt."""

MARK_TOP = TOP + 35 * MM  # 7.2.4
MARK_HEIGHT, MARK_WIDTH = 22 * MM, 15 * MM  # largest character of the mark (7.2.4)
ORDER_MARK_TOP = TOP + 20 * MM  # 10.2
LETTER_MARK_TOP = 30 * MM  # 10.1
SEPARATOR_GAP = 4 * MM  # 7.2.7, 10.1
LETTER_RULE_WIDTH = 170 * MM  # 10.1
LETTER_FOOT = 20 * MM  # second rule above the sheet's lower edge (10.1)
LETTER_NUMBER_GAP = 7 / 8 * SIZE  # 10.1
PAGE_NUMBER_TOP = BOTTOM + 7 * MM  # 7.5
THICK, THIN = 0.35 * MM, 0.25 * MM  # rules of the record (7.4.1)

RED = "#e60012"
BLACK = "#000"


def row_top(row: float) -> float:
    """Upper edge of the characters of a row counted from 0, from the sheet's top."""
    return TOP + row * PITCH
