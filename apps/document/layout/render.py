"""From elements to a laid-out document."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from apps.document.layout.characters import check_text
from apps.document.layout.errors import FormUnsupported, FormWrong
from apps.document.layout.faces import Typefaces, require
from apps.document.layout.kinds import KINDS, Direction, Kind
from apps.document.layout.marks import Placed
from apps.document.layout.model import Block, Elements, Form, Heading, Paragraph, SealBox
from apps.document.layout.pages import paginate
from apps.document.layout.rules import check

DEFAULT_FACES = Typefaces()
_OF_KIND = {Kind.ORDER: Form.ORDER, Kind.MINUTES: Form.MINUTES, Kind.LETTER: Form.LETTER}


@dataclass(frozen=True)
class Layout:
    """A laid-out document: placed once, drawn as PDF/A-3b and as OFD."""

    placed: Placed = field(repr=False)
    elements: Elements = field(repr=False)
    faces: Typefaces = field(repr=False)

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return len(self.placed.pages)

    @property
    def seals(self) -> tuple[SealBox, ...]:
        """The places kept for seals, the main organ's first; none when unsealed."""
        return self.placed.seals

    @property
    def seal(self) -> SealBox | None:
        """The place kept for the main organ's seal."""
        return self.placed.seals[0] if self.placed.seals else None

    @cached_property
    def pdf(self) -> bytes:
        """The PDF/A-3b file."""
        # Imported here: the engine takes half a second to load
        from apps.document.layout.paint import paint

        return paint(self.placed.pages, self.faces, self.elements)

    def svg(self, *, alone: bool = True) -> tuple[str, ...]:
        """Each page as SVG, for a screen; those that do not stand alone are without the outlines of their characters."""
        from apps.document.layout.paint_svg import paint_svg

        return tuple(
            paint_svg(page, self.faces, f"{number} / {self.pages}", alone=alone)
            for number, page in enumerate(self.placed.pages, start=1)
        )

    @cached_property
    def ofd(self) -> bytes:
        """The OFD file (GB/T 33190-2016)."""
        from apps.document.layout.paint_ofd import paint_ofd

        return paint_ofd(self.placed.pages, self.faces, self.elements)


def form_of(elements: Elements) -> Form:
    """The form that the elements ask for.

    Orders, minutes and letters have their own; documents that go up or name a signer take the upward one, others the standard.
    """
    if elements.kind in _OF_KIND:
        return _OF_KIND[elements.kind]
    upward = KINDS[elements.kind].direction is Direction.UP or bool(elements.signers)
    return Form.UPWARD if upward else Form.STANDARD


def render(
    elements: Elements,
    *,
    form: Form | str | None = None,
    faces: Typefaces = DEFAULT_FACES,
    seal_mm: float = 42.0,
) -> Layout:
    """Lay out an official document by GB/T 9704-2012, to be drawn as PDF/A-3b and as OFD.

    Steps: the rules of writing are checked; every character is checked to be printable; pages are filled. The same elements and faces give the same bytes. `form` is by default what `form_of` says; `seal_mm` is
    the side of the seal's picture. Raises a leaf of `RuleBroken`, `FormUnsupported`, `FormWrong`,
    `ControlCharacter`, `UnprintableCharacter`, `DoesNotFit` or `TypefaceMissing`.
    """
    chosen = _form(elements, form)
    check(elements)
    text = list(_all_text(elements))
    for name, value in text:
        check_text(name, value)
    require(faces, "".join(value for _, value in text))
    return Layout(paginate(faces, elements, chosen, seal_mm), elements, faces)


def lay_out(elements: Elements, *, faces: Typefaces = DEFAULT_FACES, seal_mm: float = 42.0) -> Layout:
    """As `render`, for a text that is still being written: no rule of writing is held against it.

    Its characters have to be printable. Raises `DoesNotFit`, `UnprintableCharacter` or `TypefaceMissing`.
    """
    return Layout(paginate(faces, elements, form_of(elements), seal_mm), elements, faces)


def _form(elements: Elements, asked: Form | str | None) -> Form:
    """The form that is asked for, if a document of this kind may take it: 函 is sent in the standard form as well."""
    right = form_of(elements)
    if asked is None:
        return right
    if asked not in list(Form):
        raise FormUnsupported(form=str(asked), supported=", ".join(Form))
    form = Form(asked)
    own = {each for each in (right, form) if each in (Form.UPWARD, Form.ORDER, Form.MINUTES)}
    if form is not right and own and not (form is Form.UPWARD and elements.signers):
        raise FormWrong(kind=KINDS[elements.kind].zh, right=right.value, form=form.value)
    return form


def _all_text(elements: Elements) -> Iterator[tuple[str, str]]:
    """Every text of the document that a person wrote, with the name of its element."""
    yield "发文机关标志 organ_mark", elements.organ_mark
    yield "发文字号 number", str(elements.number)
    yield "标题 title", elements.title
    yield "主送机关 main_recipients", "\n".join(elements.main_recipients)
    yield "正文 body", "\n".join(_blocks(elements.body))
    yield "发文机关署名 signing_organ", elements.signing_organ
    yield "签发人 signers", "\n".join((*elements.signers, *elements.signer_titles))
    yield "联合发文机关 joint", "\n".join(elements.joint)
    yield "附注 notes", elements.notes or ""
    yield "抄送机关 copies_to", "\n".join(elements.copies_to)
    yield "印发机关 printing_organ", elements.printing_organ or ""
    for number, attachment in enumerate(elements.attachments, start=1):
        yield f"附件{number} attachments", "\n".join([attachment.title, *_blocks(attachment.blocks)])


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph(text=text):
                yield text
            case Heading(text=text, rest=rest):
                yield text + rest
            case _:
                yield from (cell for row in block.rows for cell in row)
