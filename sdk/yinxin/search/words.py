"""Text as words that both databases index alike: pairs of characters where words are not set apart, words where they are.

Chinese has no spaces, and most of its words are two characters. A run of such characters is therefore kept as every pair
of neighbours, and its last character by itself; a question is a phrase of pairs, or one character with whatever follows
it. Everything is spelt in letters and digits, five of them for a character, so that no engine's own idea of what a letter is
(SQLite's ends with Unicode 6.1, and 𬱖 is no letter to it) comes between.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

#: characters of a text that are indexed: PostgreSQL counts no further positions
MOST = 16_000
#: terms of one question
_TERMS = 12

_RUN = re.compile(r"[^\W_]+")
#: scripts that set no spaces between words: Han with its extensions, kana, bopomofo
_UNSPACED = (
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3040, 0x31BF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def folded(text: str) -> str:
    """Full width as half, capitals as small, forms of one character as one (NFKC)."""
    return unicodedata.normalize("NFKC", text).casefold()


def indexed(text: str) -> str:
    """The words of a text, with a space between."""
    return " ".join(word for run in _runs(folded(text[:MOST])) for word in _pairs(run))


def terms(question: str) -> list[str]:
    """The runs of a question, each of which must occur; empty when it asks for nothing."""
    return list(dict.fromkeys(_runs(folded(question))))[:_TERMS]


def phrase(term: str) -> tuple[list[str], bool]:
    """The words that must stand one after the other, and whether the last one may go on."""
    if not _unspaced(term[0]):
        return [_word(term)], True
    words = _pairs(term)
    return (words, True) if len(term) == 1 else (words[:-1], False)


def _runs(text: str) -> Iterator[str]:
    """Letters and digits that stand together, of one sort: spaced or not."""
    for found in _RUN.finditer(text):
        run, start = found[0], 0
        for at in range(1, len(run) + 1):
            if at == len(run) or _unspaced(run[at]) != _unspaced(run[start]):
                yield run[start:at]
                start = at


def _pairs(run: str) -> list[str]:
    if not _unspaced(run[0]):
        return [_word(run)]
    spelt = [f"x{ord(each):05x}" for each in run]
    return [*(a + b for a, b in pairwise(spelt)), spelt[-1]]


def _word(run: str) -> str:
    """A word in letters that every engine knows; a very long one by its beginning."""
    return "w" + "".join(
        each if each.isascii() and each.isalnum() else f"z{ord(each):05x}" for each in run[:60]
    )


def _unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED)
