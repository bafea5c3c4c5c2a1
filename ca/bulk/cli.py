"""`yinxin ca enrol`: thousands of people from one file."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ca.bulk.errors import RowsPending, RowsRefused
from ca.bulk.lists import COLUMNS, refusal_of, told_of
from ca.bulk.models import State
from ca.bulk.read import Entry, read
from ca.bulk.run import Progress
from ca.bulk.service import Bulk
from ca.command import authority_of
from yinxin import collector
from yinxin.command import acting, as_json_option, print_json
from yinxin.errors import YinxinError
from yinxin.tables import lines


@click.command(
    "enrol", help="按 CSV 名册批量签发；中断后重新执行即可 / issue by a list; run again if cut off"
)
@click.option(
    "--csv",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="人员名单（CSV） / the list of people (CSV)",
)
@click.option("--dry-run", is_flag=True, help="只逐行检查，不作更改 / judge every row, change nothing")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="逐行结果（CSV）/ every row's fate as CSV",
)
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    help="csr 列为 p12 时，密钥文件写入此目录；仅供试用 / where keys go that the platform makes: for trials only",
)
@click.option(
    "--suite",
    type=click.Choice(["intl", "sm"]),
    default="intl",
    show_default=True,
    help="密钥与签名的套件 / suite of keys and signatures",
)
@as_json_option
@click.pass_context
def enrol(context: click.Context, /, *, file: Path, dry_run: bool, report: Path | None, keys: Path | None, suite: str, as_json: bool) -> None:  # fmt: skip
    """Judge every row, then enrol."""
    bulk, actor, table = _bulk(context), acting(context), read(file)
    if keys is None and any(entry.csr is None for entry in table.entries) and not dry_run:
        raise click.UsageError("--keys DIR is needed: some rows have csr = p12")
    if dry_run:
        rows = _judged(bulk.judge(actor, table, suite))
    else:
        collector.spare()  # there may be a hundred thousand rows
        with _progress(len(table.rows), quiet=as_json) as progress:
            batch = bulk.enrol(actor, table, progress=progress, keys=keys, suite=suite)
        rows = bulk.outcome(batch)
    told = [told_of(table, row) for row in rows]
    if report is not None:
        report.write_text("\ufeff" + "".join(lines(told, COLUMNS, "csv")), "utf-8", newline="")
    counts = Counter(str(row["state"]) for row in told)
    answer = {"file": table.digest, "dry_run": dry_run, "rows": len(told), **counts}
    if as_json:
        print_json(answer | {"refusals": [row for row in told if row["state"] == State.REFUSED]})
    else:
        _say(answer, told)
    if counts[State.PENDING] and not dry_run:
        raise RowsPending(pending=counts[State.PENDING])
    if counts[State.REFUSED]:
        raise RowsRefused(refused=counts[State.REFUSED])


def _judged(judged: Mapping[int, Entry | YinxinError]) -> Iterator[dict[str, Any]]:
    for number, row in judged.items():
        if isinstance(row, YinxinError):
            yield refusal_of(number, row)
        else:
            yield {"row": number, "state": State.PENDING.value}


def _say(answer: Mapping[str, Any], told: list[dict[str, Any]]) -> None:
    for row in told:
        if row["state"] == State.REFUSED:
            click.echo(f"{row['row']}: {row['reason_zh']} / {row['reason_en']}")
    for name, value in answer.items():
        click.echo(f"{name}: {value}")


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stdout.isatty():
        yield lambda _done: None
        return
    from rich import progress

    with progress.Progress(
        progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn()
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def _bulk(context: click.Context) -> Bulk:
    found: Bulk = authority_of(context).bulk
    return found
