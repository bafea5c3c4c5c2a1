"""From elements to a laid-out document."""

from collections.abc import Iterable, Iterator

from apps.document.layout.characters import check_text
from apps.document.layout.errors import FormUnsupported, FormWrong
from apps.document.layout.faces import Typefaces, require
from apps.document.layout.kinds import KINDS, Direction
from apps.document.layout.model import Block, Elements, Form, Heading, Layout, Paragraph
from apps.document.layout.pages import paginate
from apps.document.layout.rules import check

SUPPORTED = (Form.STANDARD, Form.UPWARD, Form.LETTER)
DEFAULT_FACES = Typefaces()


def form_of(elements: Elements) -> Form:
    """The form that the elements ask for: upward for documents that go up or name a signer, else the standard one."""
    upward = KINDS[elements.kind].direction is Direction.UP or bool(elements.signers)
    return Form.UPWARD if upward else Form.STANDARD


def render(
    elements: Elements,
    *,
    form: Form | str | None = None,
    faces: Typefaces = DEFAULT_FACES,
    seal_mm: float = 42.0,
) -> Layout:
    """Lay out an official document by GB/T 9704-2012 as PDF/A-3b.

    Steps: the rules of writing are checked; every character is checked to be printable; pages are filled; the file is
    painted. The same elements and faces give the same bytes. `form` is by default what `form_of` says; `seal_mm` is
    the side of the seal's picture. Raises a leaf of `RuleBroken`, `FormUnsupported`, `FormWrong`,
    `ControlCharacter`, `UnprintableCharacter`, `DoesNotFit` or `TypefaceMissing`.
    """
    chosen = _form(elements, form)
    check(elements)
    text = list(_all_text(elements))
    for name, value in text:
        check_text(name, value)
    require(faces, "".join(value for _, value in text))
    paged = paginate(faces, elements, chosen, seal_mm)
    # Imported here: the engine takes half a second to load
    from apps.document.layout.paint import paint

    return Layout(paint(paged.pages, faces, elements), len(paged.pages), paged.seal)


def _form(elements: Elements, asked: Form | str | None) -> Form:
    right = form_of(elements)
    supported = ", ".join(SUPPORTED)
    if asked is None:
        return right
    if asked not in SUPPORTED:
        raise FormUnsupported(form=str(asked), supported=supported)
    form = Form(asked)
    if (form is Form.UPWARD) != (right is Form.UPWARD) and not (form is Form.UPWARD and elements.signers):
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
    yield "签发人 signers", "\n".join(elements.signers)
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
