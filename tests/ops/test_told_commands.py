"""Every command that README and manuals show is there, with those options and no argument missing or too many.

Nothing is run: click's own parser of the command reads the line, as it would before running it.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from ops.cli.main import root

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    {
        file
        for pattern in ("*.md", "docs/**/*.md", "[a-z]*/README.md", "apps/*/README.md", "sdk/**/README.md")
        for file in ROOT.glob(pattern)
    }
    - {ROOT / "CHANGELOG.md"}  # what was, under the names of then
)

_FENCE = re.compile(r"^[ >]*```.*?^[ >]*```", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^[ >$]*(?:\./)?(yinxin +[a-z].*)$")
_INLINE = re.compile(r"`(?:\./)?(yinxin\s+[a-z][^`]*)`")
#: what follows is another command of the shell's, or where the output goes
_SHELL = {"|", "||", "&&", ";", "&", ">", ">>", "<"}
#: what `./yinxin` does before there is a Python to ask, and the module that architecture and README call future
_ELSEWHERE = {"test", "backup"}


class Told(NamedTuple):
    """One command as a page shows it."""

    page: str
    text: str
    #: a line to be typed; what stands inside a sentence may leave out arguments
    whole: bool


def told(page: Path) -> Iterator[Told]:
    """The commands of a page: in fences and in indented blocks, and those inside sentences."""
    name = str(page.relative_to(ROOT))
    text = page.read_text("utf-8")
    blocks = [block.group() for block in _FENCE.finditer(text)]
    prose = _FENCE.sub("", text)
    blocks += re.findall(r"^ {4}(?:\./)?yinxin .*(?:\\\n.*)*$", prose, re.MULTILINE)
    for block in blocks:
        for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines():
            if found := _LINE.match(line):
                yield Told(name, found[1], whole=True)
    for found in _INLINE.finditer(prose):
        yield Told(name, re.sub(r"\s+", " ", found[1]), whole=False)


def words(text: str) -> list[str]:
    """What follows `yinxin`, without the marks of what may be left out."""
    return shlex.split(re.sub(r"\[(--[^]]*)\]", r"\1", text), comments=True)[1:]


def fault(told: Told) -> str | None:
    """What is wrong with a command, or None."""
    line = words(told.text)
    end = next((place for place, word in enumerate(line) if word in _SHELL), len(line))
    rest, behind = line[:end], line[end + 1 : end + 2]
    if rest[0] in _ELSEWHERE:
        return None
    command: click.Command = root
    context = click.Context(root, info_name="yinxin")
    while isinstance(command, click.Group) and rest[:1] != ["…"]:
        if not rest or (rest[0].startswith("-") and command.invoke_without_command):
            break
        if "|" in rest[0]:  # `organ|post …`: each of them
            each = (told._replace(text=told.text.replace(rest[0], one, 1)) for one in rest[0].split("|"))
            return next(filter(None, map(fault, each)), None)
        below = command.get_command(context, rest[0])
        if below is None:
            return f"{context.command_path} has no {rest[0]}"
        if behind and command.get_command(context, behind[0]):  # `list | end ID`
            return f"whoever types it pipes into {behind[0]}, which is no program"
        command, rest = below, rest[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    return _refused(command, context, rest) if told.whole else _unknown(command, context, rest)


def _unknown(command: click.Command, context: click.Context, rest: list[str]) -> str | None:
    known = {name for each in command.get_params(context) for name in (*each.opts, *each.secondary_opts)}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{context.command_path} has no {unknown[0]}" if unknown else None


def _refused(command: click.Command, context: click.Context, rest: list[str]) -> str | None:
    if not rest and isinstance(command, click.Group) and not command.invoke_without_command:
        return f"{context.command_path} alone does nothing"
    try:
        given, left, _ = command.make_parser(context).parse_args(rest)
    except click.UsageError as error:
        return error.format_message()
    if "…" in (*left, *given.values()):
        return None
    if left:
        return f"too much: {left}"
    missing = [
        each.name for each in command.get_params(context) if each.required and not given.get(each.name or "")
    ]
    return f"{context.command_path} lacks {missing}" if missing else None


def test_what_a_page_tells_to_type_is_there():
    assert [
        f"{each.page}: {each.text}: {why}" for page in PAGES for each in told(page) if (why := fault(each))
    ] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("yinxin audit rapport list", "has no rapport"),
        ("yinxin audit", "alone does nothing"),
        ("yinxin audit find --colour red", "No such option"),
        ("yinxin audit report make", "lacks"),
        ("yinxin audit report show ID more", "too much"),
        ("yinxin authz client list | end ID", "no program"),
        ("yinxin authz organ|pots …", "has no pots"),
    ],
)
def test_what_is_not_there_is_found(line, said):
    assert said in (fault(Told("a page", line, whole=True)) or "")


def test_both_forms_of_showing_a_command_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.ops.test_told_commands.ROOT", tmp_path)
    (tmp_path / "page.md").write_text(
        "`yinxin audit\nask` in words\n\n```sh\n./yinxin ca issue \\\n    --out F  # why\n```\n\n    yinxin up\n"
    )
    assert {(each.text, each.whole) for each in told(tmp_path / "page.md")} == {
        ("yinxin audit ask", False),
        ("yinxin ca issue --out F  # why", True),
        ("yinxin up", True),
    }
