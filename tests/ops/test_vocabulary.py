"""One spelling of everything that the house names: verbs, steps, policies; and Chinese punctuation in Chinese sentences."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.words import KINDS
from ops.cli.main import COMMANDS
from ops.modules import MODULES
from tests.support.product import ROOT, files

VERB = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")
STEP = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*\.[0-9]-[a-z]+(-[a-z]*)*")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_verbs_are_of_their_module_and_spelt_with_dashes(module):
    for verb in module.verbs:
        assert VERB.fullmatch(verb.name), verb.name
    if module.policies is None:
        return
    actions = json.loads((module.policies / "schema.json").read_text("utf-8"))["actions"]
    asked = {name for name in actions if "." in name}
    assert asked <= {verb.name for verb in module.verbs}, (
        "a refusal is recorded under a verb that no page has words for"
    )


#: what begins like a subject and is none
NO_SUBJECTS = {"device", "page", "openbao"}
_SUBJECT = re.compile(r"([a-z][a-z-]*):")


def test_every_kind_of_subject_has_words():
    """A question about a kind that is not listed is refused (`audit.known`), so whoever records a new one names it."""
    found = set()
    for package in ("seal", "ca", "kms", "authz", "audit", "backup", "monitor", "exchange", "apps"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
                    begin = getattr(node.values[0], "value", None)
                    if isinstance(begin, str) and (kind := _SUBJECT.fullmatch(begin)):
                        found.add(kind[1])
    assert len(found) > 30
    assert found - NO_SUBJECTS <= set(KINDS)


def test_the_command_line_knows_every_modules_commands():
    assert {module.name: module.commands for module in MODULES if module.commands} == {
        name: place for name, (place, _) in COMMANDS.items() if not place.startswith("ops.")
    }


def test_steps_are_named_alike():
    found = []
    for file in files("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "step" and node.args:
                name = node.args[0]
                text = name.values[0] if isinstance(name, ast.JoinedStr) else name
                if isinstance(text, ast.Constant) and not STEP.fullmatch(str(text.value)):
                    found.append(str(text.value))
    assert found == []


# --- the glossary ---


def test_the_glossary_has_one_row_for_each_name_in_order():
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    names = [row.casefold() for row in rows if row not in {"English", "---"}]
    assert names == sorted(set(names))


# --- words among an error's facts ---

#: deeper rooms speak of octets to programmers; what stands here is told to readers
TOLD = (
    "kms",
    "ca",
    "authz",
    "audit",
    "ops",
    "sdk/yinxin/pdf",
    "sdk/yinxin/settings.py",
    "sdk/yinxin/statement.py",
)


def test_facts_that_are_words_are_in_both_languages():
    found = []
    for file in files("*.py"):
        if not str(file.relative_to(ROOT)).startswith(TOLD):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                for fact in node.exc.keywords:
                    text = "".join(
                        str(part.value) for part in ast.walk(fact.value) if isinstance(part, ast.Constant)
                    )
                    plain = isinstance(fact.value, ast.Constant | ast.JoinedStr)
                    if plain and re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", text):
                        found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {fact.arg}={text}")
    assert found == []


# --- punctuation (GB/T 15834) ---

_HAN = r"\u4e00-\u9fff”》）"
#: half-width punctuation that touches a Chinese character
_HALF = re.compile(rf"[{_HAN}][,;:?!()]|[,;:?!()][{_HAN}“《（]")


def _chinese(text: str) -> bool:
    """Whether it is a Chinese sentence with some Latin words, and not the other way round."""
    bare = re.sub(r"\{[^{}]*\}", "", text)
    return len(re.findall(r"[A-Za-z]", bare)) <= 6 * len(re.findall(r"[\u4e00-\u9fff]", bare))


def _sentences(file: Path) -> Iterator[str]:
    if file.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(file.read_text("utf-8")).readline):
            prose = token.type == tokenize.STRING and not token.string.startswith(('"""', "r", "R"))
            if prose:
                yield token.string.partition(" / ")[0]
    else:
        text = file.read_text("utf-8")
        if file.suffix == ".md":
            text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)
        yield from text.splitlines()


@pytest.mark.parametrize("pattern", ["*.py", "*.html", "*.cedar", "README.zh-CN.md"])
def test_chinese_sentences_have_chinese_punctuation(pattern):
    found = [
        f"{file.relative_to(ROOT)}: {sentence.strip()}"
        for file in (files(pattern) or [ROOT / pattern])
        for sentence in _sentences(file)
        if _HALF.search(sentence) and _chinese(sentence)
    ]
    assert found == []
