"""The numbers and marks that Word shows before a paragraph but does not keep in its text (ECMA-376 part 1, 17.9)."""

import re

from docx.document import Document as DocxDocument
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph as DocxParagraph

from apps.document.layout.numbering import to_chinese
from apps.document.layout.read_markdown import BULLET

_CHINESE = {
    "chineseCounting",
    "chineseCountingThousand",
    "japaneseCounting",
    "ideographDigital",
    "taiwaneseCounting",
}
_LETTERS = {"lowerLetter": "a", "upperLetter": "A"}
_PLACE = re.compile(r"%([1-9])")


class Numbers:
    """Counts a document's numbered paragraphs in their order; every paragraph is to be asked for once."""

    def __init__(self, document: DocxDocument) -> None:
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        part = next(
            (r.target_part for r in document.part.rels.values() if r.reltype.endswith("/numbering")), None
        )
        if part is not None:
            self._load(part.element)

    def _load(self, root: object) -> None:
        for abstract in root.iter(qn("w:abstractNum")):  # type: ignore[attr-defined]  # lxml has no types here
            for level in abstract.iter(qn("w:lvl")):
                values = {child.tag: child.get(qn("w:val")) for child in level}
                self._levels[abstract.get(qn("w:abstractNumId")), int(level.get(qn("w:ilvl")))] = (
                    values.get(qn("w:numFmt")) or "decimal",
                    values.get(qn("w:lvlText")) or "",
                    int(values.get(qn("w:start")) or 1),
                )
        for num in root.iter(qn("w:num")):  # type: ignore[attr-defined]
            self._abstract[num.get(qn("w:numId"))] = num.find(qn("w:abstractNumId")).get(qn("w:val"))

    def mark(self, paragraph: DocxParagraph) -> str:
        """The mark before this paragraph, empty when it has none."""
        place = self._place(paragraph)
        if place is None:
            return ""
        abstract, depth = place
        kind, text, start = self._levels.get((abstract, depth), ("none", "", 1))
        counts = self._counts.setdefault(abstract, {})
        counts[depth] = counts.get(depth, start - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        if kind in ("bullet", "none"):
            return BULLET if kind == "bullet" else ""
        return _PLACE.sub(lambda match: self._number(abstract, int(match[1]) - 1), text)

    def _number(self, abstract: str, depth: int) -> str:
        kind, _, start = self._levels.get((abstract, depth), ("decimal", "", 1))
        number = self._counts[abstract].get(depth, start)
        if kind in _CHINESE:
            return to_chinese(number)
        if kind in _LETTERS and number <= 26:
            return chr(ord(_LETTERS[kind]) + number - 1)
        return str(number)

    def _place(self, paragraph: DocxParagraph) -> tuple[str, int] | None:
        """Numbering definition and depth of a paragraph, its own or its style's."""
        elements = [paragraph._p.pPr]  # noqa: SLF001  numbering is not in python-docx's public interface
        style = paragraph.style
        while style is not None:
            elements.append(style.element.find(qn("w:pPr")))
            style = style.base_style
        for element in elements:
            found = element.find(qn("w:numPr")) if element is not None else None
            if found is not None:
                number, depth = found.find(qn("w:numId")), found.find(qn("w:ilvl"))
                key = number.get(qn("w:val")) if number is not None else "0"
                level = int(depth.get(qn("w:val"))) if depth is not None else 0
                return (self._abstract[key], level) if key in self._abstract else None
        return None
