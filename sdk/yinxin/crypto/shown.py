"""Which texts are drawn: every character of them, or it shapes how the letter before it is drawn.

Python tells it by the Unicode of its version. Han characters that came later are people's names too (GB 18030-2022 with its
amendment). What is not drawn itself is a part of names in other scripts: where it shapes nothing it only hides.
"""

import unicodedata

#: Han that Python 3.11's Unicode 14 does not know: extensions I (made for names in China) and H
_LATER_HAN = (range(0x2EBF0, 0x2EE5E), range(0x31350, 0x323B0))
_NON_JOINER, _JOINER, _MONGOLIAN_SEPARATOR = "\u200c", "\u200d", "\u180e"
_MONGOLIAN_VARIANTS = frozenset("\u180b\u180c\u180d\u180f")
#: canonical combining class of what joins two consonants, a virama (RFC 5892 A.1)
_VIRAMA = 9
#: Arabic letters of Uyghur, Kazakh and Kirgiz among others, those that no letter joins, and those that do not join the next one
#: (Unicode, ArabicShaping.txt: joining types U, and R)
_ARABIC = range(0x0620, 0x0700)
_ALONE = frozenset((0x0621, 0x0674))
_AT_END = frozenset(
    (*range(0x0622, 0x0626), 0x0627, 0x0629, *range(0x062F, 0x0633), 0x0648, *range(0x0671, 0x0674))
) | frozenset(
    (*range(0x0675, 0x0678), *range(0x0688, 0x069A), 0x06C0, *range(0x06C3, 0x06CC), 0x06CD, 0x06CF)
) | frozenset((0x06D2, 0x06D3, 0x06D5, 0x06EE, 0x06EF))  # fmt: skip


def is_shown(text: str) -> bool:
    """Whether every character is drawn, or shapes the one before it."""
    if text.isprintable():
        return True
    return all(each.isprintable() or _is_han(each) or shapes(text, at) for at, each in enumerate(text))


def shapes(text: str, at: int) -> bool:
    """Whether the character there is not drawn, but shapes how the letter before it is.

    Joiners by RFC 5892 A.1 and A.2; variants and the vowel's separator of Mongolian by the Unicode Standard 13.5.
    """
    character, before = text[at], text[at - 1 : at]
    after = next((each for each in text[at + 1 :] if unicodedata.category(each) != "Mn"), "")
    if character in _MONGOLIAN_VARIANTS:
        return _is_mongolian(before)
    if character == _MONGOLIAN_SEPARATOR:
        return _is_mongolian(before) and _is_mongolian(after)
    if character not in (_NON_JOINER, _JOINER) or not before:
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    letter = next((each for each in reversed(text[:at]) if unicodedata.category(each) != "Mn"), "")
    apart = _is_joined(letter) and ord(letter) not in _AT_END and _is_joined(after)
    return character == _NON_JOINER and apart


def _is_han(character: str) -> bool:
    return any(ord(character) in each for each in _LATER_HAN)


def _is_mongolian(character: str) -> bool:
    return _is_letter(character) and unicodedata.name(character, "").startswith("MONGOLIAN")


def _is_joined(character: str) -> bool:
    """Whether a letter is written in one stroke with those beside it."""
    arabic = _is_letter(character) and ord(character) in _ARABIC and ord(character) not in _ALONE
    return arabic or _is_mongolian(character)


def _is_letter(character: str) -> bool:
    return character != "" and unicodedata.category(character) == "Lo"
