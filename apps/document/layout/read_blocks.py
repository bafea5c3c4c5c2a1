"""The editor's own form: a text as blocks (`yinxin.manuscripts.TextIn`) in JSON. Nothing of it is guessed."""

from pydantic import ValidationError

from apps.document.layout.blocks import Piece, compose, demand_whole
from apps.document.layout.characters import check_text
from apps.document.layout.errors import DraftUnreadable
from apps.document.layout.model import Draft
from yinxin.manuscripts import TextIn

BLOCKS = ".json"
"""How the name of such a file ends."""


def draft_of_blocks(data: bytes, filename: str) -> Draft:
    """Read it; raises `DraftUnreadable`, `ControlCharacter` or `ElementMissing`."""
    try:
        text = TextIn.model_validate_json(data)
    except ValidationError as cause:
        where = "/".join(str(part) for part in cause.errors()[0]["loc"])
        raise DraftUnreadable(filename=filename, reason=f"JSON {where}".strip()) from cause
    check_text("标题 title", text.title)
    check_text("附注 notes", text.notes)
    for number, block in enumerate(text.blocks, start=1):
        for value in (block.text, *(cell for row in block.rows for cell in row)):
            check_text(f"第 {number} 段 paragraph {number}", value)
    draft = compose(text.title, pieces_of(text), text.notes).draft
    demand_whole(draft)
    return draft


def pieces_of(text: TextIn) -> list[Piece]:
    """The blocks as the room has them."""
    return [Piece(each.kind, each.text, each.rows) for each in text.blocks]
