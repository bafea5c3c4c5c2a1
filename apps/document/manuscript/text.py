"""Between the text as an editor has it, the file that is kept of it, and the content of a document."""

from collections.abc import Iterable

from apps.document import content
from apps.document.layout.blocks import Composed, Piece, compose, pieces
from apps.document.layout.model import Draft
from apps.document.layout.read_blocks import BLOCKS, pieces_of
from yinxin.manuscripts import BlockIn, TextIn

_LONGEST_NAME = 60


def composed(text: TextIn) -> Composed:
    """The text with its headings numbered, and where each part of it was written."""
    return compose(text.title, pieces_of(text), text.notes)


def text_of(data: bytes) -> TextIn:
    """The text of a content, to be edited."""
    return text_of_draft(content.draft_of(data))


def text_of_draft(draft: Draft) -> TextIn:
    """The text of a draft, to be edited."""
    return TextIn(title=draft.title, blocks=tuple(blocks(pieces(draft))), notes=draft.notes or "")


def blocks(found: Iterable[Piece]) -> Iterable[BlockIn]:
    """Pieces on the wire."""
    return (BlockIn(kind=each.kind, text=each.text, rows=each.rows) for each in found)


def file_of(text: TextIn) -> tuple[str, bytes]:
    """The text as a file of its own: its name and content, as `read_draft` takes it."""
    name = "".join(c for c in text.title if c.isprintable() and c not in '/\\:*?"<>|').strip()
    return f"{name[:_LONGEST_NAME] or '公文'}{BLOCKS}", text.model_dump_json().encode()
