"""`yinxin audit …`: thin commands over the log."""

import json
from pathlib import Path
from typing import Any

import click

from audit import ask
from audit.entries import Entry, Filters
from audit.service import Log
from audit.tree import TREES
from yinxin.act import Actor
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_json, service
from yinxin.crypto.suite import suite as suite_named


def tail(log: Log, actor: Actor, filters: Filters, count: int) -> list[dict[str, Any]]:
    """The newest matching entries, oldest first, as they are printed."""
    return [_fields(entry) for entry in reversed(ask.entries_for(log, actor, filters, limit=count))]


def show(log: Log, actor: Actor, event: str) -> dict[str, Any]:
    """One entry."""
    return _fields(ask.entry_for(log, actor, event))


def export(log: Log, actor: Actor, event: str, suite: str, out: Path) -> dict[str, Any]:
    """Write the proof of one entry to `out`; says what it proves."""
    proof = ask.export_for(log, actor, event, suite_named(suite))
    checkpoint = proof.verify(log.verifiers.values())
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
    for entry in tail(_log(context), acting(context), filters, count):
        click.echo(json.dumps(entry, ensure_ascii=False) if as_json else _line(entry))


@group.command("show", help="一条记录 / one entry")
@click.argument("entry")
@as_json_option
@click.pass_context
def show_(context: click.Context, entry: str, *, as_json: bool) -> None:
    """Print one entry whole."""
    found = show(_log(context), acting(context), entry)
    click.echo(json.dumps(found, ensure_ascii=False, indent=None if as_json else 2))


@group.command("check", help="重新计算并核验整个日志 / recompute and check the whole log")
@as_json_option
@click.pass_context
def check_(context: click.Context, *, as_json: bool) -> None:
    """Check the log; what does not hold leaves as an error that names it."""
    report = ask.check_for(_log(context), acting(context)).fields()
    if as_json:
        print_json(report)
        return
    click.echo(f"日志完整：{report['size']} 条记录，{report['checkpoints']} 个检查点")
    click.echo(f"the log is whole: {report['size']} entries, {report['checkpoints']} checkpoints")
    for name, root in report["roots"].items():
        click.echo(f"  {name}: {root}")


@group.command(
    "export", help="导出一条记录的证明，可离线核验 / export the proof of one entry, checkable offline"
)
@click.argument("entry")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="文件 / the file")
@click.option(
    "--suite",
    type=click.Choice([each.name for each in TREES]),
    default=TREES[0].name,
    help="套件 / the suite",
)
@as_json_option
@click.pass_context
def export_(context: click.Context, entry: str, *, out: Path, suite: str, as_json: bool) -> None:
    """Write the proof file."""
    done = export(_log(context), acting(context), entry, suite, out)
    if as_json:
        print_json(done)
        return
    click.echo(
        f"{done['file']}：第 {done['index']} 条，日志共 {done['size']} 条 / entry {done['index']} of {done['size']}"
    )
    click.echo(f"公钥 / key: {done['key']}")


def _log(context: click.Context) -> Log:
    log: Log = service(context, "audit")
    return log


def _fields(entry: Entry) -> dict[str, Any]:
    return {"index": entry.index, "time": rfc3339(entry.time), "event": entry.fields()}


def _line(entry: dict[str, Any]) -> str:
    event = entry["event"]
    error = f" {event['error']}" if "error" in event else ""
    return (
        f"{entry['index']:>8} {entry['time'][:19]}Z {event['outcome']:<8} {event['verb']:<24} "
        f"{event['subject']} {event['actor']['id']}{error} {event['id']}"
    )
