"""Extensions of GM/T 0015 that identify a holder: read from the table beside this file, written and checked by it.

They are never critical: a reader that does not know them passes over them (RFC 5280 4.2).
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from yinxin.crypto import der
from yinxin.crypto.oids import Extension
from yinxin.settings import Section


class Title(Section):
    """A name for readers."""

    zh: str
    en: str


class Identifier(Section):
    """One extension: its object identifier, its form, and what its text must look like."""

    title: Title
    """Name for readers."""
    oid: str = Field(pattern=r"^[0-2](\.\d+)+$")
    """Object identifier."""
    choice: int | None = Field(default=None, ge=0, le=30)
    """EXPLICIT tag around the text, where the type is a CHOICE."""
    pattern: str
    """Regular expression that the whole text matches."""

    def write(self, text: str) -> Extension:
        """The extension; the caller has held `text` to the pattern."""
        value = der.printable(text)
        return Extension(self.oid, False, value if self.choice is None else der.explicit(self.choice, value))

    def read(self, value: bytes) -> str:
        """The text of an extension's value; raises MalformedDer when it has another form or does not fit."""
        inner = value if self.choice is None else der.tagged(value, self.choice)
        text = der.content(inner, der.PRINTABLE).decode("ascii", "replace")
        der.require(self.fits(text), "not of the identifier's form")
        return text

    def fits(self, text: str) -> bool:
        """Whether a text looks like this identifier."""
        return re.fullmatch(self.pattern, text) is not None


def _table() -> Mapping[str, Identifier]:
    text = Path(__file__).with_suffix(".toml").read_text("utf-8")
    return {name: Identifier.model_validate(entry) for name, entry in tomllib.loads(text).items()}


#: by the name that profiles use
IDENTIFIERS = _table()
BY_OID = {each.oid: name for name, each in IDENTIFIERS.items()}
