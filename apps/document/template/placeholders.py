"""What a text leaves to be filled in: words in 【】."""

import re

from yinxin.manuscripts import TextIn

PLACEHOLDER = re.compile(r"【[^【】\n]{1,40}】")


def left(text: TextIn) -> set[str]:
    """The placeholders that stand in the text, with their brackets."""
    parts = [text.title, text.notes]
    for block in text.blocks:
        parts += [block.text, *(cell for row in block.rows for cell in row)]
    return {found for part in parts for found in PLACEHOLDER.findall(part)}
