"""Where a question's terms stand in a text, for readers: the passage around the first, each one marked."""

import unicodedata
from collections.abc import Sequence

#: characters of a passage, and of what stands before its first mark
LENGTH, BEFORE = 90, 20

#: text, and whether it is one of the terms
Marked = list[tuple[str, bool]]


def marked(text: str, terms: Sequence[str]) -> Marked:
    """The whole text with its terms marked."""
    plain = _alike(text)
    spans: list[tuple[int, int]] = []
    for term in terms:
        at = plain.find(term)
        while at >= 0:
            spans.append((at, at + len(term)))
            at = plain.find(term, at + len(term))
    parts: Marked = []
    end = 0
    for begun, stop in sorted(spans):
        start = max(begun, end)
        if stop > start:
            parts += [(text[end:start], False), (text[start:stop], True)]
            end = stop
    return [part for part in (*parts, (text[end:], False)) if part[0]]


def passage(text: str, terms: Sequence[str]) -> Marked:
    """The text around the first term in it, marked; empty when none occurs."""
    plain = _alike(text)
    found = [at for term in terms if (at := plain.find(term)) >= 0]
    if not found:
        return []
    start = max(min(found) - BEFORE, 0)
    end = min(start + LENGTH, len(text))
    parts = marked(text[start:end], terms)
    if start > 0:
        parts.insert(0, ("…", False))
    if end < len(text):
        parts.append(("…", False))
    return parts


def _alike(text: str) -> str:
    """As terms are spelt, character for character, so that a place in it is a place in the text."""
    out = []
    for each in text:
        one = unicodedata.normalize("NFKC", each).casefold()
        out.append(one if len(one) == 1 else each)
    return "".join(out)
