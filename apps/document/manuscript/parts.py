"""A text's parts in the order in which they are read, to be compared."""

from apps.document.comparison import Part
from apps.document.layout.model import Block, Heading, Table
from apps.document.manuscript.text import composed
from yinxin.manuscripts import TextIn


def parts_of(text: TextIn) -> list[Part]:
    """The parts of a text as it would be saved; recipients and the like are none of it."""
    draft = composed(text).draft
    found = [Part("title", draft.title), *_blocks(draft.blocks)]
    for each in draft.attachments:
        found += [Part("annex", each.title), *_blocks(each.blocks)]
    return [*found, Part("notes", draft.notes)] if draft.notes else found


def _blocks(blocks: tuple[Block, ...]) -> list[Part]:
    found: list[Part] = []
    for block in blocks:
        if isinstance(block, Table):
            found += [Part("row", "　|　".join(row)) for row in block.rows]
        elif isinstance(block, Heading):
            found.append(Part(f"h{block.level}", block.text + block.rest))
        else:
            found.append(Part("p", block.text))
    return found
