"""When two texts in names are one text: string preparation as RFC 5280 7.1 asks for it (RFC 4518).

Done: characters that nobody sees are dropped, every kind of space is one space, outer spaces go and inner runs count
once, case is folded, forms are made one (NFKC). Not done: bidirectional checks, spaces before combining marks; and the
tables are those of this Python's Unicode, not of Unicode 3.2. A text with characters that RFC 4518 prohibits is equal
to itself alone.
"""

import unicodedata
from functools import lru_cache

#: dropped though no control or format character (RFC 4518 2.2): joiners, variation selectors, the object's place
_DROPPED = frozenset("\u034f\u1806\ufffc") | {
    chr(c) for c in (*range(0x180B, 0x180E), *range(0xFE00, 0xFE10))
}
_SPACES = frozenset("\t\n\v\f\r\x85")
#: surrogates, private use, not assigned (RFC 4518 2.4)
_PROHIBITED = frozenset({"Cs", "Co", "Cn"})


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """The text that stands for every text equal to this one."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    mapped = [_map(character) for character in text]
    if None in mapped:
        return f"\0{text}"
    joined = "".join(each or "" for each in mapped)
    folded = unicodedata.normalize("NFKC", joined).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())  # folding may undo a form (RFC 3454 B.2)


def _map(character: str) -> str | None:
    category = unicodedata.category(character)
    if category in _PROHIBITED or character == "\ufffd":
        return None
    if character in _SPACES or category in ("Zs", "Zl", "Zp"):
        return " "
    return "" if category in ("Cc", "Cf") or character in _DROPPED else character
