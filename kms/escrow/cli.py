"""`yinxin kms recovery …`: encryption keys in escrow, and how several people give one back."""

from pathlib import Path
from typing import Any

import click

from kms.escrow.recovery import Basis, Wish
from kms.service import KeyCentre
from yinxin.authz import PLATFORM
from yinxin.command import acting, as_json_option, print_facts, print_json, service
from yinxin.crypto.certificates import Certificate


@click.group("recovery", help="加密密钥的托管与恢复 / escrowed encryption keys and their recovery")
def group() -> None:
    """The group of commands."""


@group.command(help="列出一个持有者的加密密钥 / list a holder's encryption keys")
@click.argument("holder")
@click.option("--organ", required=True, help="持有者所在机关 / the holder's organ")
@as_json_option
@click.pass_context
def keys(context: click.Context, *, holder: str, organ: str, as_json: bool) -> None:
    """List the encryption keys of a holder."""
    found = [each.fields() for each in _centre(context).escrow.keys_of(acting(context), holder, organ)]
    if as_json:
        print_json(found)
        return
    for row in found:
        click.echo(f"{row['id']}  {row['standing']:<8} {row['algorithm']:<10} {row['given']}  {row['key']}")


@group.command(help="申请恢复；须由其他岗位批准 / ask for a recovery; others must approve")
@click.argument("key")
@click.option("--basis", type=click.Choice([str(each) for each in Basis]), required=True)
@click.option("--reason", required=True, help="依据与事由，记入日志 / what it rests on; recorded")
@click.option(
    "--recipient",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="接收者的证书，PEM 或 DER / certificate of whoever shall have it",
)
@as_json_option
@click.pass_context
def request(
    context: click.Context, *, key: str, basis: str, reason: str, recipient: Path, as_json: bool
) -> None:
    """Ask for a recovery."""
    centre, actor = _centre(context), acting(context)
    wish = Wish(key, Basis(basis), reason, Certificate.load(recipient.read_bytes()))
    print_facts({"recovery": centre.escrow.request(actor, wish)}, as_json=as_json)


@group.command(help="批准 / approve")
@click.argument("recovery")
@as_json_option
@click.pass_context
def approve(context: click.Context, *, recovery: str, as_json: bool) -> None:
    """Approve a recovery."""
    print_facts(_centre(context).escrow.approve(acting(context), recovery).fields(), as_json=as_json)


@group.command(help="拒绝；一人拒绝即告终止 / refuse; one refusal ends it")
@click.argument("recovery")
@as_json_option
@click.pass_context
def refuse(context: click.Context, *, recovery: str, as_json: bool) -> None:
    """Refuse a recovery."""
    print_facts(_centre(context).escrow.refuse(acting(context), recovery).fields(), as_json=as_json)


@group.command("list", help="恢复登记 / the register of recoveries")
@click.option("--organ", help="该机关及其下级，省略则为本机关 / this organ and those below; else your own")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, organ: str | None, as_json: bool) -> None:
    """List the recoveries of an organ and those below it."""
    escrow, actor = _centre(context).escrow, acting(context)
    where = organ or actor.organ or PLATFORM
    rows: list[dict[str, Any]] = []
    while page := escrow.recoveries(actor, where, after=rows[-1]["id"] if rows else ""):
        rows += [each.fields() for each in page]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        given = f"{len(row['approved_by'])}/{row['needed']}"
        click.echo(
            f"{row['id']}  {row['state']:<9} {given}  {row['basis']:<8} {row['requested_by']}  {row['reason']}"
        )


def _centre(context: click.Context) -> KeyCentre:
    centre: KeyCentre = service(context, "kms")
    return centre
