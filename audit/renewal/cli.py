"""`yinxin audit renew`, `keep`, `kept`, `record`: proofs that are renewed, and what is in keeping."""

from pathlib import Path

import click

from audit.command import log_of
from audit.options import out_option
from audit.renewal.ask import keep_for, kept_for, record_for, renew_for
from audit.renewal.keep import BUNDLE
from audit.renewal.ledger import ARCHIVE, CHECKPOINT
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("renew", help="续期将失效的证明 / renew the proofs that end soon")
@click.option("--dry-run", is_flag=True, help="只说会做什么 / only say what would be done")
@click.option(
    "--look-in",
    "folders",
    multiple=True,
    type=_FOLDER,
    help="归档或证据包现在所在的目录 / folders that kept files were moved to",
)
@as_json_option
@click.pass_context
def renew_(context: click.Context, *, dry_run: bool, folders: tuple[Path, ...], as_json: bool) -> None:
    """Renew what is due now, as the job does by itself."""
    look_in = tuple(map(str, folders))
    done = renew_for(log_of(context), acting(context), look_in, dry_run=dry_run)
    if as_json:
        print_json(done.fields())
        return
    total = {name: sum(getattr(done, name).values()) for name in ("begun", "renewed", "rehashed")}
    click.echo(
        f"首次盖时间戳 {total['begun']} 件，时间戳续期 {total['renewed']} 件，摘要续期 {total['rehashed']} 件"
        f" / {total['begun']} begun, {total['renewed']} renewed by timestamp, {total['rehashed']} by a new hash"
    )
    for file in done.lost:
        click.echo(f"! 文件不在原处或已改动 / gone or changed: {file}")
    for name in done.broken:
        click.echo(f"! 证明不成立 / does not hold: {name}")


@click.command("keep", help="把证据包交付保管 / take a bundle of evidence into keeping")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json_option
@click.pass_context
def keep_(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Keep a copy, whose proof is renewed from now on."""
    name = keep_for(log_of(context), acting(context), file.read_bytes())
    print_facts({"kind": BUNDLE, "name": name}, as_json=as_json)


@click.command("kept", help="保管着什么 / what is in keeping")
@as_json_option
@click.pass_context
def kept_(context: click.Context, *, as_json: bool) -> None:
    """Print what is in keeping, oldest first."""
    rows = [
        {"kind": row.kind, "name": row.name, "made": rfc3339(row.made), "file": row.file}
        for row in kept_for(log_of(context), acting(context))
    ]
    if as_json:
        print_json(rows)
        return
    for each in rows:
        click.echo(f"{each['kind']} {each['name']}  {each['made'][:10]}  {each['file']}")


@click.command("record", help="导出证据记录 / take out an evidence record (RFC 4998)")
@click.argument("kind", type=click.Choice([CHECKPOINT, ARCHIVE, BUNDLE]))
@click.argument("name")
@out_option
@as_json_option
@click.pass_context
def record_(context: click.Context, kind: str, name: str, *, out: Path, as_json: bool) -> None:
    """Write the record; `yinxin verify FILE --record OUT` follows it."""
    found = record_for(log_of(context), acting(context), kind, name)
    out.write_bytes(found.encode())
    facts = {"file": str(out), "links": len(found.links), "since": rfc3339(found.links[0].token.at)}
    print_facts(facts, as_json=as_json)
