"""What the authority's commands have in common."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

import click

from ca.revoke import REASONS
from ca.service import Authority
from yinxin.command import print_json, service
from yinxin.tables import Format, lines

reason_option = click.option(
    "--reason",
    type=click.Choice([str(each) for each in REASONS]),
    required=True,
    help="撤销原因（RFC 5280 5.3.1） / reason of revocation",
)
export_option = click.option(
    "--export", type=click.Choice(get_args(Format)), help="逐行输出 / print every column, line by line"
)


def authority_of(context: click.Context) -> Authority:
    """The authority of the installation that a command is run on."""
    authority: Authority = service(context, "ca")
    return authority


def print_rows(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    line: Callable[[Mapping[str, Any]], str],
    *,
    export: Format | None,
    as_json: bool,
) -> None:
    """A list of certificates: every column of each where they are exported, JSON, or a `line` of each for people."""
    if export is not None:
        for each in lines(rows, columns, export):
            click.echo(each, nl=False)
    elif as_json:
        print_json(list(rows))
    else:
        found = False
        for row in rows:
            found = True
            click.echo(line(row))
        if not found:
            click.echo("没有找到证书 / no certificate found", err=True)
