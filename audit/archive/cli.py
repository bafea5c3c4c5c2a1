"""`yinxin audit archive …`: what is past its period, sealing it, and proving from a sealed file."""

from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from audit import ask
from audit.archive.errors import BadArchive
from audit.archive.file import Archive
from audit.archive.models import ArchiveRow
from audit.archive.seal import headers_of, seal_text, verify_seal
from audit.options import out_option, suite_option
from audit.personal.check import hold_archived
from audit.service import Log
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json, service
from yinxin.crypto.suite import INTL
from yinxin.crypto.suite import suite as suite_named
from yinxin.text import Text
from yinxin.tlog import Note, NoteVerifier

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("archive", help="归档 / sealed archives")
def archive() -> None:
    """The group of commands."""


@archive.command("list", help="已封存的归档 / the archives that were sealed")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print every archive, oldest first."""
    with _log(context).store.read() as session:
        rows = [_fields(row) for row in session.scalars(sa.select(ArchiveRow).order_by(ArchiveRow.made))]
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
    print_facts(ask.archive_for(_log(context), acting(context), out), as_json=as_json)


@archive.command("verify", help="核验归档文件 / check an archive file")
@click.argument("file", type=_FILE)
@as_json_option
@click.pass_context
def verify_(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Hold the file against the log's keys, and against the seal that the log keeps of it."""
    log, content = _log(context), file.read_bytes()
    found = Archive.decode(content)
    found.verify(log.verifiers)
    with log.store.read() as session:
        row = session.get(ArchiveRow, found.name)
        headers = headers_of(session, found.name)
    if row is None:
        raise BadArchive(part=Text("日志没有封存这个归档", "the log sealed no such archive"))
    digest = INTL.hash.digest(content)
    if row.digest != digest or headers != found.headers():
        raise BadArchive(part=Text("与日志封存的不同", "the log sealed another"))
    keys = [NoteVerifier(log.settings.origin, each.public_key) for each in log.verifiers.values()]
    verify_seal(
        seal_text(log.settings.origin, row.name, row.size, headers, digest), Note.decode(row.note), keys
    )
    with log.store.read() as session:
        opened, erased = hold_archived(session, found.entries)
    print_facts(_fields(row) | {"opened": opened, "erased": erased}, as_json=as_json)


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
    log = _log(context)
    proof = Archive.decode(file.read_bytes()).prove(entry, suite_named(suite))
    checkpoint = proof.verify(log.verifiers.values())
    out.write_bytes(proof.encode())
    print_facts({"file": str(out), "index": proof.index, "size": checkpoint.size}, as_json=as_json)


def _fields(row: ArchiveRow) -> dict[str, Any]:
    return {
        "archive": row.name,
        "made": rfc3339(row.made),
        "count": row.count,
        "first": row.first,
        "last": row.last,
        "digest": row.digest.hex(),
    }


def _log(context: click.Context) -> Log:
    log: Log = service(context, "audit")
    return log
