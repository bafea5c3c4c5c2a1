"""The English catalogue of a package: every msgid its pages and code use, translated, and compiled.

`python -m yinxin.web.catalogue DIR …` adds new msgids to DIR/locale/en (empty, for a person to fill in), drops those
no longer used, and compiles; it fails while a translation is missing. `check` says the same without writing.
"""

import re
import sys
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

_SOURCES = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
_PLACEHOLDER = re.compile(r"%\((\w+)\)")
_TWICE = re.compile(r"(.{12,}?)\s*\1", re.DOTALL)
_HEADER = "# English words of the pages; the msgid is the Chinese source text.\n"


class Untranslated(Exception):
    """The catalogue does not fit the pages; `problems` says how, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def used(package: Path) -> set[str]:
    """Every msgid in the Python files and templates below `package`."""
    found: set[str] = set()
    for _, _, message, _, _ in extract_from_dir(str(package), method_map=_SOURCES):
        found.add(message if isinstance(message, str) else message[0])
    return found


def check(package: Path) -> None:
    """Raise Untranslated unless every msgid has its translation, said once, and the compiled file is fresh."""
    wanted = used(package)
    if not wanted:
        return
    have = _translations(_read(package))
    problems = [f"{package}: no translation of {text!r}" for text in sorted(wanted) if not have.get(text)]
    problems += [f"{package}: no longer used: {text!r}" for text in sorted(set(have) - wanted)]
    problems += [
        f"{package}: other placeholders in the translation of {text!r}"
        for text, translation in have.items()
        if translation and set(_PLACEHOLDER.findall(text)) != set(_PLACEHOLDER.findall(translation))
    ]
    # what a merge of two versions leaves; it reads like a stutter and passes every other check
    problems += [
        f"{package}: the translation of {text!r} says everything twice"
        for text, translation in have.items()
        if _TWICE.fullmatch(translation)
    ]
    if not problems and _compiled(package) != have:
        problems.append(f"{_folder(package)}/messages.mo is not compiled from messages.po")
    if problems:
        raise Untranslated(problems)


def update(package: Path) -> None:
    """Bring messages.po and messages.mo up to date; what is new has an empty translation."""
    old = _translations(_read(package))
    catalogue = Catalog(locale="en", fuzzy=False)
    for text in sorted(used(package)):
        catalogue.add(text, old.get(text, ""))
    _folder(package).mkdir(parents=True, exist_ok=True)
    out = BytesIO()
    write_po(out, catalogue, width=110, omit_header=True)
    header = _HEADER + 'msgid ""\nmsgstr "Language: en\\nContent-Type: text/plain; charset=utf-8\\n"\n\n'
    (_folder(package) / "messages.po").write_bytes(header.encode() + out.getvalue())
    if _compiled(package) != _translations(_read(package)):
        with (_folder(package) / "messages.mo").open("wb") as file:
            write_mo(file, _read(package))


def _folder(package: Path) -> Path:
    return package / "locale" / "en" / "LC_MESSAGES"


def _read(package: Path) -> Catalog:
    source = _folder(package) / "messages.po"
    if not source.exists():
        return Catalog(locale="en", fuzzy=False)
    with source.open("rb") as file:
        return read_po(file, locale="en")


def _compiled(package: Path) -> dict[str, str]:
    """What the compiled file says; its bytes also hold dates and versions, which mean nothing."""
    compiled = _folder(package) / "messages.mo"
    if not compiled.exists():
        return {}
    with compiled.open("rb") as file:
        return _translations(read_mo(file))


def _translations(catalogue: Catalog) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def main(packages: list[str]) -> int:
    """Update every package named; 1 while something is untranslated."""
    status = 0
    for package in map(Path, packages):
        update(package)
        try:
            check(package)
        except Untranslated as error:
            sys.stderr.write(f"{error}\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
