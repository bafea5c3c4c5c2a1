"""`yinxin audit …`: thin commands over the log."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from audit import ask
from audit.archive.cli import archive
from audit.command import log_of
from audit.entries import Filters
from audit.export import octets
from audit.forward.cli import forward
from audit.options import InstantType, filter_options, out_option, span_options, suite_option
from audit.personal.cli import erasure, extract, hold
from audit.printed import entry_fields, entry_line
from audit.question.cli import group as questions
from audit.renewal.cli import keep_, kept_, record_, renew_
from audit.report.cli import group as reports
from audit.service import Log
from audit.stretch import prove_for
from audit.witness.cli import group as witness_commands
from audit.words import part_of_object, part_of_person
from yinxin.act import Actor, Outcome
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.crypto.suite import INTL
from yinxin.crypto.suite import suite as suite_named
from yinxin.evidence import Question
from yinxin.evidence.page import build as build_page
from yinxin.evidence.standalone import build
from yinxin.tables import Format


def tail(log: Log, actor: Actor, filters: Filters, count: int) -> list[dict[str, Any]]:
    """The newest matching entries, oldest first, as they are printed."""
    return [entry_fields(entry) for entry in reversed(ask.entries_for(log, actor, filters, limit=count))]


def show(log: Log, actor: Actor, event: str) -> dict[str, Any]:
    """One entry."""
    return entry_fields(ask.entry_for(log, actor, event))


def export(log: Log, actor: Actor, event: str, suite: str, out: Path) -> dict[str, Any]:
    """Write the proof of one entry to `out`; says what it proves."""
    proof = ask.export_for(log, actor, event, suite_named(suite))
    checkpoint = proof.verify(log.verifiers.values(), log.witnesses.keys(suite_named(suite)))
    out.write_bytes(proof.encode())
    return {
        "file": str(out),
        "index": proof.index,
        "size": checkpoint.size,
        "key": log.verifiers[suite_named(suite).hash.name].encode(),
    }


@click.group("audit", help="审计日志 / the audit log")
def group() -> None:
    """The group of commands."""


group.add_command(questions)
group.add_command(witness_commands)
group.add_command(forward)
group.add_command(reports)
group.add_command(archive)
group.add_command(extract)
group.add_command(renew_)
group.add_command(keep_)
group.add_command(kept_)
group.add_command(record_)
group.add_command(erasure)
group.add_command(hold)


@group.command("tail", help="最近的记录 / the newest entries")
@click.option(
    "-n", "--count", type=click.IntRange(1, 1000), default=20, show_default=True, help="条数 / how many"
)
@click.option(
    "--verb", help="操作，如 ca.issue；以点结尾表示整个模块 / act; with a dot at its end, a whole module"
)
@click.option("--subject", help="对象 / what was acted on")
@click.option("--actor", help="操作人编号 / who acted")
@as_json_option
@click.pass_context
def tail_(
    context: click.Context,
    *,
    count: int,
    verb: str | None,
    subject: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Print the newest entries that match."""
    filters = Filters(verb=verb, subject=subject, actor=actor)
    for entry in tail(log_of(context), acting(context), filters, count):
        click.echo(json.dumps(entry, ensure_ascii=False) if as_json else entry_line(entry))


@group.command("find", help="查找记录：可组合任意条件 / find entries by any of these together")
@filter_options
@click.option(
    "-n", "--count", type=click.IntRange(1, 1000), default=50, show_default=True, help="条数 / how many"
)
@click.option("--before", type=int, help="只看此序号之前的 / only entries below this index")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="写入文件：全部记录 / all of them, to a file",
)
@click.option(
    "--format",
    "written",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="文件格式；jsonl 即日志原文 / the file's format; jsonl are the leaves",
)
@as_json_option
@click.pass_context
def find_(
    context: click.Context,
    *,
    filters: Filters,
    count: int,
    before: int | None,
    out: Path | None,
    written: Format,
    as_json: bool,
) -> None:
    """Print the newest matching entries, newest first, or write them all."""
    if out is not None:
        with out.open("wb") as file:
            file.writelines(octets(ask.every_for(log_of(context), acting(context), filters), written))
        print_facts({"file": str(out)}, as_json=as_json)
        return
    for entry in ask.entries_for(log_of(context), acting(context), filters, before=before, limit=count):
        fields = entry_fields(entry)
        click.echo(json.dumps(fields, ensure_ascii=False) if as_json else entry_line(fields))


@group.command("timeline", help="某人或某一对象的全部记录 / everything of a person or a thing")
@click.argument("kind", type=click.Choice(["person", "object"]))
@click.argument("name")
@span_options
@as_json_option
@click.pass_context
def timeline_(
    context: click.Context,
    *,
    kind: str,
    name: str,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Print the story, oldest first; it may be long."""
    filters = Filters(person=name) if kind == "person" else Filters(object=name)
    log = log_of(context)
    found = list(ask.every_for(log, acting(context), filters.within(since, until)))
    part = part_of_person if kind == "person" else part_of_object
    for entry in reversed(found):
        fields = entry_fields(entry) | {"part": part(entry, name).value}
        click.echo(
            json.dumps(fields, ensure_ascii=False) if as_json else f"{fields['part']:<8}{entry_line(fields)}"
        )


@group.command("reindex", help="由日志重建索引 / make the index anew from the log")
@as_json_option
@click.pass_context
def reindex_(context: click.Context, *, as_json: bool) -> None:
    """Make the index anew; the log itself is only read."""
    print_facts({"entries": ask.reindex_for(log_of(context), acting(context))}, as_json=as_json)


@group.command("show", help="一条记录 / one entry")
@click.argument("entry")
@as_json_option
@click.pass_context
def show_(context: click.Context, entry: str, *, as_json: bool) -> None:
    """Print one entry whole."""
    found = show(log_of(context), acting(context), entry)
    click.echo(json.dumps(found, ensure_ascii=False, indent=None if as_json else 2))


@group.command("check", help="重新计算并核验整个日志 / recompute and check the whole log")
@as_json_option
@click.pass_context
def check_(context: click.Context, *, as_json: bool) -> None:
    """Check the log; what does not hold leaves as an error that names it."""
    report = ask.check_for(log_of(context), acting(context)).fields()
    if as_json:
        print_json(report)
        return
    click.echo(
        f"日志完整：{report['size']} 条记录，{report['checkpoints']} 个检查点，{report['cosignatures']} 份联署，{report['stamps']} 个时间戳"
    )
    click.echo(
        f"the log is whole: {report['size']} entries, {report['checkpoints']} checkpoints, {report['cosignatures']} cosignatures, {report['stamps']} timestamps"
    )
    click.echo(
        f"个人信息：{report['opened']} 项内容与承诺相符，{report['erased']} 项已依法删除 / personal fields: {report['opened']} as committed to, {report['erased']} erased by law"
    )
    for name, root in report["roots"].items():
        click.echo(f"  {name}: {root}")
    for source, number in report["sources"].items():
        click.echo(f"  {source}: {number}")


@group.command(
    "export", help="导出一条记录的证明，可离线核验 / export the proof of one entry, checkable offline"
)
@click.argument("entry")
@out_option
@suite_option
@as_json_option
@click.pass_context
def export_(context: click.Context, entry: str, *, out: Path, suite: str, as_json: bool) -> None:
    """Write the proof file."""
    done = export(log_of(context), acting(context), entry, suite, out)
    if as_json:
        print_json(done)
        return
    click.echo(
        f"{done['file']}：第 {done['index']} 条，日志共 {done['size']} 条 / entry {done['index']} of {done['size']}"
    )
    click.echo(f"公钥 / key: {done['key']}")


@group.command(
    "verifier",
    help="取得单文件核验程序，只需 Python 或浏览器 / the verifier as one file that needs nothing but Python, or a browser",
)
@out_option
@click.option(
    "--page", is_flag=True, help="网页，由浏览器从 U 盘打开 / the page that a browser opens from a stick"
)
@as_json_option
def verifier_(*, out: Path, page: bool, as_json: bool) -> None:
    """Write the stand-alone verifier of what the log proves; it is the same for everybody, and reads no log."""
    data = build_page() if page else build()
    out.write_bytes(data)
    digest = INTL.hash.digest(data).hex()
    if as_json:
        print_json({"file": str(out), "sha256": digest})
    else:
        click.echo(f"{out}: SHA-256 {digest}")


@group.command(
    "prove", help="证明一段时间内办了什么、没办什么 / prove what was done, and what was not, in a time"
)
@click.option("--since", type=InstantType(), required=True, help="起（RFC 3339） / its beginning")
@click.option("--until", type=InstantType(), required=True, help="止 / its end")
@click.option("--subject", help="对象 / what was acted on")
@click.option(
    "--verb",
    "verbs",
    multiple=True,
    help="操作，可多次给出；以点结尾表示整个模块 / act, as often as needed; with a dot at its end, a whole module",
)
@click.option("--actor", help="操作人编号 / who acted")
@click.option("--outcome", type=click.Choice([each.value for each in Outcome]), help="结果 / the outcome")
@click.option("--none", is_flag=True, help="证明没有这样的记录 / prove that there is none")
@click.option(
    "--anybody",
    is_flag=True,
    help="名录中没有该操作人也照办 / the actor is meant, though the directory does not know it",
)
@suite_option
@out_option
@as_json_option
@click.pass_context
def prove_(
    context: click.Context, /, *, suite: str, out: Path, anybody: bool, as_json: bool, **asked: Any
) -> None:
    """Write a stretch of the log that answers a question; `yinxin verify` checks it."""
    question = Question(verbs=tuple(asked.pop("verbs")), **asked)
    stretch = prove_for(log_of(context), acting(context), question, suite_named(suite), anybody=anybody)
    out.write_bytes(stretch.encode())
    if as_json:
        print_json({"file": str(out), "entries": len(stretch.entries)})
        return
    click.echo(f"{out}：{len(stretch.entries)} 条记录 / {len(stretch.entries)} entries")
