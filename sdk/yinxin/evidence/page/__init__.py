"""The verifier that is one page: opened from a stick, without a server or a network; made one file of its parts here.

Every module becomes one function's scope of one script, after those that it takes from; so the file needs no loader and its
policy (CSP) names each script and style by its hash. What of others is in it lies in `vendor`, as published.
"""

import base64
import hashlib
import html
import re
from importlib import resources

_IMPORT = re.compile(r"^import (?:\{([^}]*)\}|\* as (\w+)) from ['\"]([^'\"]+)['\"];\n", re.MULTILINE)
_PASSED = re.compile(r"^export \{([^}]*)\} from ['\"]([^'\"]+)['\"];\n", re.MULTILINE)
_LISTED = re.compile(r"^export \{([^}]*)\};\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|let|class|(?:async )?function\*?) (\w+))", re.MULTILINE)
_PART = re.compile(r"\{\{(\w+)\}\}")
#: what would end a script's text early in a page
_ENDS = re.compile(r"</script|<!--", re.IGNORECASE)
_VENDORED = {"@noble/curves": "vendor/noble-curves", "@noble/hashes": "vendor/noble-hashes"}
#: the part of the engine that answers
_ENTRY = "engine/verify.js"


class NotOnePage(ValueError):
    """The parts of the page do not go together; whoever changes them is told how."""


def build() -> bytes:
    """The page, as it is handed out: the same octets for everybody."""
    parts = {"engine": engine(), "face": _read("face.js"), "style": _read("page.css")}
    hashes = {
        f"{name}_hash": f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for name, text in parts.items()
    }
    found = parts | hashes | {"licence": html.escape(_read("vendor/noble-curves/LICENSE").strip())}
    return _PART.sub(lambda match: found[match[1]], _read("page.html")).encode()


def engine() -> str:
    """The script that judges: `judged` of the global object, and the same as a worker's answer."""
    order: list[str] = []
    scopes: dict[str, str] = {}

    def gather(path: str) -> None:
        text = _read(path)
        for each in [match[3] for match in _IMPORT.finditer(text)] + [
            match[2] for match in _PASSED.finditer(text)
        ]:
            if _located(each, path) not in scopes:
                gather(_located(each, path))
        scopes[path] = _scope(path, text)
        order.append(path)

    gather(_ENTRY)
    script = "\n".join(('"use strict";', *(scopes[path] for path in order), _tail()))
    if _ENDS.search(script):
        raise NotOnePage("a script's text would end the script")
    return script


def _tail() -> str:
    return (
        f"globalThis.judged = {_named(_ENTRY)}.judged;\n"
        'if (typeof document === "undefined" && typeof postMessage === "function") {\n'
        "  onmessage = ({ data }) => postMessage(globalThis.judged(data));\n"
        "}\n"
    )


def _read(path: str) -> str:
    return resources.files(__name__).joinpath(path).read_text("utf-8")


def _located(wanted: str, by: str) -> str:
    """The file that a module's import names."""
    folder, _, name = wanted.rpartition("/")
    package = "/".join(folder.split("/")[:2])
    return f"{_VENDORED.get(package, by.rpartition('/')[0])}/{name}"


def _named(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))


def _scope(path: str, text: str) -> str:
    """A module as a function's scope that returns what it exports."""
    given: list[str] = []

    def taken(match: re.Match[str]) -> str:
        source = _named(_located(match[3], path))
        names = match[2] or "{" + re.sub(r"(\w+) as (\w+)", r"\1: \2", match[1]) + "}"
        return f"const {names} = {source};\n"

    def passed(match: re.Match[str]) -> str:
        source = _named(_located(match[2], path))
        given.extend(f"{name}: {source}.{name}" for name in _names(match[1]))
        return ""

    def listed(match: re.Match[str]) -> str:
        given.extend(_names(match[1]))
        return ""

    def exported(match: re.Match[str]) -> str:
        given.append(match[1])
        return ""

    body = _EXPORT.sub(exported, _LISTED.sub(listed, _PASSED.sub(passed, _IMPORT.sub(taken, text))))
    if re.search(r"^(?:import|export)\b", body, re.MULTILINE):
        raise NotOnePage(f"{path} imports or exports in a form that is not read here")
    return f"const {_named(path)} = (() => {{\n{body}return {{ {', '.join(given)} }};\n}})();"


def _names(text: str) -> list[str]:
    return [name for each in text.split(",") if (name := each.strip())]
