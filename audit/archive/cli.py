"""`yinxin audit archive …`: what is past its period, sealing it, and proving from a sealed file."""

from pathlib import Path
from typing import Any

import click

from audit import ask
from audit.archive.ask import archives_for, proved_for, verified_for
from audit.archive.models import ArchiveRow
from audit.command import log_of
from audit.options import out_option, suite_option
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.crypto.suite import suite as suite_named
from yinxin.tlog import Checkpoint

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("archive", help="归档 / sealed archives")
def archive() -> None:
    """The group of commands."""


@archive.command("list", help="已封存的归档 / the archives that were sealed")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print every archive, oldest first."""
    rows = [_fields(row) for row in archives_for(log_of(context), acting(context))]
    if as_json:
        print_json(rows)
        return
    for each in rows:
        click.echo(
            f"{each['archive']}  {each['made'][:10]}  {each['count']}: {each['first']}-{each['last']}  {each['digest']}"
        )


@archive.command("make", help="封存过了保存期的记录 / seal what is past its period")
@click.option(
    "--out",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="目录 / the folder",
)
@as_json_option
@click.pass_context
def make_(context: click.Context, *, out: Path, as_json: bool) -> None:
    """Make one archive; run it again until nothing is due."""
    print_facts(ask.archive_for(log_of(context), acting(context), out), as_json=as_json)


@archive.command("verify", help="核验归档文件 / check an archive file")
@click.argument("file", type=_FILE)
@as_json_option
@click.pass_context
def verify_(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Hold the file against the log's keys, and against the seal that the log keeps of it."""
    found = verified_for(log_of(context), acting(context), file.read_bytes())
    print_facts(_fields(found.row) | {"opened": found.opened, "erased": found.erased}, as_json=as_json)


@archive.command(
    "prove", help="从归档文件导出一条记录的证明 / take the proof of one entry out of an archive file"
)
@click.argument("file", type=_FILE)
@click.argument("entry")
@out_option
@suite_option
@as_json_option
@click.pass_context
def prove_(context: click.Context, file: Path, entry: str, *, out: Path, suite: str, as_json: bool) -> None:
    """Write the proof file; it is checked like any other."""
    proof = proved_for(log_of(context), acting(context), file.read_bytes(), entry, suite_named(suite))
    out.write_bytes(proof.encode())
    size = Checkpoint.parse(proof.checkpoint.text).size
    print_facts({"file": str(out), "index": proof.index, "size": size}, as_json=as_json)


def _fields(row: ArchiveRow) -> dict[str, Any]:
    return {
        "archive": row.name,
        "made": rfc3339(row.made),
        "count": row.count,
        "first": row.first,
        "last": row.last,
        "digest": row.digest.hex(),
    }
