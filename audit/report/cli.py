"""`yinxin audit report …`: kinds, making, reading, schedules."""

from datetime import datetime
from pathlib import Path

import click

from audit.command import log_of
from audit.options import InstantType
from audit.report.kinds import KINDS
from audit.report.make import PDF, Wanted, file_for, make_for, names_of, report_for, reports_for
from audit.report.schedule import EVERY, Every, begin_for, end_for, schedules_for
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group("report", help="审计报告 / audit reports")
def group() -> None:
    """The group of commands."""


@group.command("kinds", help="报告种类 / kinds of report")
@as_json_option
def kinds_(*, as_json: bool) -> None:
    """Print them."""
    for each in KINDS.values():
        if as_json:
            print_json({"name": each.name, "zh": each.title.zh, "en": each.title.en, "about": each.about})
        else:
            click.echo(f"{each.name:<16} {each.title.zh} / {each.title.en}")


@group.command("list", help="已编制的报告，新的在前 / reports made, newest first")
@click.option("--kind", type=click.Choice(list(KINDS)), help="种类 / the kind")
@click.option(
    "-n", "--count", type=click.IntRange(1, 1000), default=50, show_default=True, help="条数 / how many"
)
@as_json_option
@click.pass_context
def list_(context: click.Context, *, kind: str | None, count: int, as_json: bool) -> None:
    """Print them, a line each."""
    for each in reports_for(log_of(context), acting(context), kind=kind, limit=count):
        fields = each.fields()
        if as_json:
            print_json(fields)
        else:
            click.echo(
                f"{each.id}  {each.kind.name:<16} {fields['since'][:10]} – {fields['until'][:10]}  {each.entries}"
            )


@group.command("make", help="编制一份报告 / make a report")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--since", type=InstantType(), required=True, help="起始（RFC 3339） / its beginning")
@click.option("--until", type=InstantType(), help="截止，省略为现在 / its end; now if left out")
@click.option("--about", help="卷宗的人员或对象 / the person or thing of a dossier")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="签名的 PDF 写入此文件 / write the signed PDF here",
)
@as_json_option
@click.pass_context
def make_(
    context: click.Context,
    *,
    kind: str,
    since: datetime,
    until: datetime | None,
    about: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make it; the PDF is signed by the platform."""
    log, actor = log_of(context), acting(context)
    made = make_for(log, actor, Wanted(kind, since, until or log.store.clock.now(), about))
    if out is not None:
        out.write_bytes(file_for(log, actor, made.id, PDF)[1])
    print_facts(made.fields() | ({"file": str(out)} if out else {}), as_json=as_json)


@group.command("show", help="一份报告，或其中一个文件 / a report, or one file of it")
@click.argument("report")
@click.option("--file", "name", help="文件名 / the file's name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写入此文件 / write it here")
@as_json_option
@click.pass_context
def show_(context: click.Context, *, report: str, name: str | None, out: Path | None, as_json: bool) -> None:
    """Print what it says, or give one of its files."""
    log, actor = log_of(context), acting(context)
    if name is not None or out is not None:
        _, data = file_for(log, actor, report, name or PDF)
        if out is None:
            click.echo(data, nl=False)
        else:
            out.write_bytes(data)
        return
    made, content = report_for(log, actor, report)
    if as_json:
        print_json({**made.fields(), "content": content, "files": list(names_of(log, made.id))})
        return
    click.echo(f"{made.kind.title.zh} / {made.kind.title.en}")
    for note in content["notes"]:
        click.echo(f"! {note['zh']} / {note['en']}")
    for each in content["summary"]:
        click.echo(f"{each['zh']} / {each['en']}: {each['value']}")
    click.echo(" ".join(names_of(log, made.id)))


@group.group("schedule", help="定期报告 / reports made for each period")
def schedule() -> None:
    """The group of commands."""


@schedule.command("list", help="列出 / list them")
@as_json_option
@click.pass_context
def schedules_(context: click.Context, *, as_json: bool) -> None:
    """Print those in force."""
    for each in schedules_for(log_of(context), acting(context)):
        fields = {
            "id": each.id,
            "kind": each.kind,
            "about": each.about,
            "every": each.every,
            "owner": each.owner,
        }
        if as_json:
            print_json(fields)
        else:
            click.echo(f"{each.id}  {each.kind:<16} {each.every}  {each.about or ''}")


@schedule.command("begin", help="自本期起每期编制 / make one for each period from the present one on")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("every", type=click.Choice(EVERY))
@click.option("--about", help="卷宗的人员或对象 / the person or thing of a dossier")
@as_json_option
@click.pass_context
def begin_(context: click.Context, *, kind: str, every: Every, about: str | None, as_json: bool) -> None:
    """Begin."""
    begun = begin_for(log_of(context), acting(context), kind, every, about)
    print_facts({"id": begun.id, "begin": rfc3339(begun.begin)}, as_json=as_json)


@schedule.command("end", help="停止 / make no more")
@click.argument("schedule")
@as_json_option
@click.pass_context
def end_(context: click.Context, *, schedule: str, as_json: bool) -> None:
    """End it."""
    end_for(log_of(context), acting(context), schedule)
    if as_json:
        print_json({"schedule": schedule, "ended": True})
    else:
        click.echo(f"已停止 / ended {schedule}")
