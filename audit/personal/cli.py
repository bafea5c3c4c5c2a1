"""`yinxin audit extract`, `erasure …`, `hold …`: extracts with fields withheld; what was erased and what is kept, and why."""

from dataclasses import fields
from pathlib import Path

import click

from audit.command import log_of
from audit.entries import Filters
from audit.options import filter_options, out_option, suite_option
from audit.personal.erasures import erasures_for
from audit.personal.extract import extract_for
from audit.personal.holds import holds_for
from audit.personal.proposals import GROUNDS
from yinxin.command import acting, as_json_option, print_json
from yinxin.crypto.suite import suite as suite_named
from yinxin.personal import FIELDS


@click.command(
    "extract",
    help="导出摘录：可核验，指定的个人信息不开示 / an extract that verifies, with personal fields withheld",
)
@click.argument("entry", required=False)
@filter_options
@click.option("--question", help="已保存的查询 / a saved question")
@click.option(
    "--withhold",
    multiple=True,
    metavar="FIELD",
    help=f"不开示的个人信息，可多次给出 / personal fields not opened, as often as needed: {', '.join(FIELDS)}",
)
@suite_option
@out_option
@as_json_option
@click.pass_context
def extract(
    context: click.Context,
    *,
    entry: str | None,
    filters: Filters,
    question: str | None,
    withhold: tuple[str, ...],
    suite: str,
    out: Path,
    as_json: bool,
) -> None:
    """Write an extract of one entry, or of all that match; `yinxin verify` checks it."""
    given = any(getattr(filters, each.name) is not None for each in fields(filters)) or question is not None
    if given == (entry is not None):
        raise click.UsageError(
            "请给出一条记录的编号，或查询条件 / name one entry, or what entries must match"
        )
    made = extract_for(
        log_of(context),
        acting(context),
        entry or filters,
        withhold,
        question=question,
        suite=suite_named(suite),
    )
    out.write_bytes(made.encode())
    withheld = dict(sorted(made.withheld().items()))
    if as_json:
        print_json({"file": str(out), "entries": len(made.entries), "withheld": withheld})
        return
    click.echo(f"{out}：{len(made.entries)} 条记录 / {len(made.entries)} entries")
    for name, count in withheld.items():
        click.echo(f"  未开示 / not opened: {FIELDS[name].zh} / {FIELDS[name].en} ({count})")


@click.group("erasure", help="个人信息删除记录 / what personal data was erased")
def erasure() -> None:
    """The group of commands."""


@erasure.command("list", help="列出已执行的删除，新的在前 / erasures, newest first")
@click.option(
    "-n", "--count", type=click.IntRange(1, 1000), default=50, show_default=True, help="条数 / how many"
)
@click.option("--before", help="只看此提案之前的 / only those before this proposal")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, count: int, before: str | None, as_json: bool) -> None:
    """Print what was erased, whose, on what ground."""
    for each in erasures_for(log_of(context), acting(context), before=before, limit=count):
        if as_json:
            print_json(each.told())
        else:
            ground = GROUNDS[each.ground]
            click.echo(
                f"{each.proposal}  {each.at:%Y-%m-%d}  {each.person or '-'}  {each.fields}  {ground.zh} / {ground.en}  {each.basis}"
            )


@click.group("hold", help="个人信息保全 / orders to keep personal data")
def hold() -> None:
    """The group of commands."""


@hold.command("list", help="列出保全与解除，新的在前 / orders to keep data and their ends, newest first")
@click.option(
    "-n", "--count", type=click.IntRange(1, 1000), default=50, show_default=True, help="条数 / how many"
)
@click.option("--before", help="只看此提案之前的 / only those before this proposal")
@click.option("--standing", is_flag=True, help="只看现在有效的保全 / only those by which data is kept now")
@as_json_option
@click.pass_context
def list_holds(
    context: click.Context, *, count: int, before: str | None, standing: bool, as_json: bool
) -> None:
    """Print whose data is kept, since when, on what basis."""
    found = holds_for(log_of(context), acting(context), standing=standing, before=before, limit=count)
    for each in found:
        if as_json:
            print_json(each.told())
            continue
        what = "保全 / kept" if each.held else "解除保全 / no longer kept"
        mark = "*" if each.standing else " "
        whose = each.person or "所有人 / everybody"
        click.echo(f"{mark} {each.proposal}  {each.since:%Y-%m-%d}  {whose}  {what}  {each.basis}")
