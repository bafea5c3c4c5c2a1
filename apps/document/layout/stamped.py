"""What a numbered print of a classified document shows beside its pages: the copy number, and a line at the foot of each."""

from dataclasses import dataclass

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


def stamped(elements: Elements, foot: str, faces: Typefaces = DEFAULT_FACES) -> Stamped:
    """The number of `elements` at its place on its form (GB/T 9704-2012, 7.2.1), and `foot` on both pages."""
    from apps.document.layout.paint import paint

    whole = Page()
    put_head(whole, faces, elements, form_of(elements))
    text = f"{elements.copy_number:06d}"
    number = next(
        each
        for each in whole.marks
        if isinstance(each, Text) and "".join(span.text for span in each.spans) == text
    )
    size = _FOOT_SIZE
    spans = (Span(foot, Role.BODY),)
    wide = width_of(faces, spans, size=size, spacing=0.0)
    size = min(size, size * WIDTH / wide)
    line = Text(spans, LEFT, _FOOT_TOP, size, 0.0, _GREY)
    pages = (Page([number, line]), Page([line]))
    right = number.left + width_of(faces, number.spans) + 1
    return Stamped(
        paint(pages, faces, elements), (number.left - 1, number.top - 1, right, number.top + SIZE + 1)
    )
