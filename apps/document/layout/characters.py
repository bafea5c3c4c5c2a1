"""Which characters may stand in an official document."""

import unicodedata

from apps.document.layout.errors import ControlCharacter

REFUSED = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
"""Categories of Unicode whose characters are not seen."""


def check_text(field: str, text: str) -> None:
    """Raise `ControlCharacter` for control, invisible formatting (bidirectional overrides too) and private characters.

    What is not seen must not be signed; a private-use character is another glyph on every machine. Line feeds pass.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        for character in line:
            if unicodedata.category(character) in REFUSED:
                raise ControlCharacter(field=field, line=number, point=f"U+{ord(character):04X}")


def clean(text: str) -> str:
    """White space of any kind is one space, none at the ends; letters in composed form."""
    return unicodedata.normalize("NFC", " ".join(text.split()))
