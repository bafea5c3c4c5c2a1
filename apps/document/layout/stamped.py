"""What a numbered print of a classified document shows beside its pages: the copy number, and a line at the foot of each."""

from dataclasses import dataclass, replace

from apps.document.layout.faces import Role, Typefaces
from apps.document.layout.grid import BOTTOM, LEFT, MM, SIZE, WIDTH
from apps.document.layout.head import put_head
from apps.document.layout.lines import Span, width_of
from apps.document.layout.marks import Page, Text
from apps.document.layout.model import Elements
from apps.document.layout.render import DEFAULT_FACES, form_of

_FOOT_SIZE = 8.0
_FOOT_TOP = BOTTOM + 20 * MM
_GREY = "#666"


@dataclass(frozen=True, slots=True)
class Stamped:
    """Two pages to lay over others: the first with the number, the second for all that follow.

    `corner` is where the number stands: left, top, right and bottom in points from the sheet's top left.
    """

    pdf: bytes
    corner: tuple[float, float, float, float]


def stamped(elements: Elements, number: str, foot: str, faces: Typefaces = DEFAULT_FACES) -> Stamped:
    """The number of one copy at its place on the form of `elements` (GB/T 9704-2012, 7.2.1), and `foot` on both pages."""
    from apps.document.layout.paint import paint

    whole = Page()
    put_head(whole, faces, replace(elements, copy_number=1), form_of(elements))
    place = next(
        each
        for each in whole.marks
        if isinstance(each, Text) and "".join(span.text for span in each.spans) == "000001"
    )
    shown = replace(place, spans=(Span(number),))
    size = _FOOT_SIZE
    spans = (Span(foot, Role.BODY),)
    wide = width_of(faces, spans, size=size, spacing=0.0)
    size = min(size, size * WIDTH / wide)
    line = Text(spans, LEFT, _FOOT_TOP, size, 0.0, _GREY)
    pages = (Page([shown, line]), Page([line]))
    right = shown.left + width_of(faces, shown.spans) + 1
    return Stamped(
        paint(pages, faces, elements), (shown.left - 1, shown.top - 1, right, shown.top + SIZE + 1)
    )
