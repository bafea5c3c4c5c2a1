"""Every test that a page of assurance names exists, and every promise there names one."""

import ast
import fnmatch
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ops.bench import BENCHMARKS
from tests.support.product import ROOT

PAGES = sorted((ROOT / "docs").glob("*/assurance.md"))
_CODE = re.compile(r"`([^`]+)`")
_TEST = re.compile(
    r"(?:(?P<file>(?:[\w/]+/)?test_\w+\.py)|(?:…(?=::|\[)))?(?:::)?(?P<name>(?<=::)\w+…?|…\w+…?)?(?:\[[\w-]+\])?"
)
_BENCH = "./yinxin bench "


@cache
def functions(file: Path) -> frozenset[str]:
    """The tests in a file."""
    tree = ast.parse(file.read_text("utf-8"))
    found = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def is_test(token: str) -> bool:
    """Whether it means to name one: a file, or with `…` what is left out of a name."""
    return "test_" in token or token.startswith("…")


def faults(page: str, folder: str) -> Iterator[str]:
    """What a page names that is not there, and rows that name nothing.

    A bare file name is one of `folder`, `…` the file that its column named last; elsewhere in a name `…` stands for what is
    left out of it.
    """
    files: dict[int, Path] = {}
    below = False
    for line in page.splitlines():
        tokens = [
            (column, each) for column, cell in enumerate(line.split("|")) for each in _CODE.findall(cell)
        ]
        shown = [pair for pair in tokens if is_test(pair[1])]
        for column, token in shown:
            found = _TEST.fullmatch(token)
            if found is None:
                yield f"{token} is no test's name"
                continue
            if found["file"]:
                given = Path(found["file"])
                files[column] = given if given.parts[0] == "tests" else Path(folder) / given
            yield from missing(files.get(column, Path()), found["name"])
        measured = [each.removeprefix(_BENCH) for _, each in tokens if each.startswith(_BENCH)]
        for each in measured:
            if not fnmatch.filter(BENCHMARKS, each.replace("…", "*")):
                yield f"there is no bench {each}"
        # the rows of a table, not its head
        if below and line.startswith("| ") and not shown and not measured:
            yield f"nothing shows: {line}"
        below = line.startswith("| ---") or (below and line.startswith("|"))


def missing(file: Path, name: str | None) -> Iterator[str]:
    """The file or the test in it, if it is not there."""
    if not (ROOT / file).is_file():
        yield f"{file} is not there"
    elif name and not fnmatch.filter(functions(ROOT / file), name.replace("…", "*")):
        yield f"{file} has no {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.parent.name))
def test_what_shows_a_promise_is_there(page: Path) -> None:
    assert list(faults(page.read_text("utf-8"), f"tests/{page.parent.name}")) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("| it holds | `test_hold.py` |", "tests/ca/test_hold.py is not there"),
        ("| it holds | `tests/ca/test_issue.py::test_hold` |", "tests/ca/test_issue.py has no test_hold"),
        ("| it holds | `test_issue.py::test_a_serial_column_is_unique`, `…::test_b` |", "tests/ca/test_issue.py has no test_b"),
        ("| it holds | `test_issue.py::a serial` |", "test_issue.py::a serial is no test's name"),
        ("| it holds | `test_issue.py::test_a_ser…`, `…_unique`, `…::test_a_serial_column_is_unique[any]` |", None),
        ("| it holds | `test_issue.py`, `…_that_nobody_wrote` |", "tests/ca/test_issue.py has no …_that_nobody_wrote"),
        ("| it holds | by experience |", "nothing shows: | it holds | by experience |"),
        ("| it is fast | `./yinxin bench lint`, `./yinxin bench kms-…` |", None),
        ("| it is fast | `./yinxin bench hope` |", "there is no bench hope"),
        ("| it holds | `test_issue.py::test_a_serial_column_is_unique` |", None),
    ],
)  # fmt: skip
def test_what_is_not_there_is_found(line: str, fault: str | None) -> None:
    assert list(faults(f"| promise | test |\n| --- | --- |\n{line}", "tests/ca")) == (
        [fault] if fault else []
    )


def test_every_page_is_read() -> None:
    assert {page.parent.name for page in PAGES} >= {"audit", "ca", "kms"}
