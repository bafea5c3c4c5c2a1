"""`yinxin kms recovery …`: encryption keys in escrow, and how several people give one back."""

from pathlib import Path
from typing import Any

import click

from authz.proposal.service import Proposals
from kms.escrow.recovery import NAME, Basis
from kms.service import KeyCentre
from yinxin.command import acting, as_json_option, print_facts, print_json, service
from yinxin.crypto.certificates import Certificate

_in = click.Path(exists=True, dir_okay=False, path_type=Path)


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


@group.command(help="提出恢复，供其他岗位批准 / propose a recovery, for others to approve")
@click.argument("key")
@click.option(
    "--basis", type=click.Choice([str(each) for each in Basis]), required=True, help="类别 / on what it rests"
)
@click.option("--reason", required=True, help="事由 / reason")
@click.option("--legal-basis", default="", help="法律依据 / legal basis")
@click.option(
    "--recipient", type=_in, required=True, help="接收者的证书 / certificate of whoever shall have it"
)
@click.option("--dialect", default="", help="信封格式 / form of the envelope")
@as_json_option
@click.pass_context
def propose(
    context: click.Context, /, *, key: str, reason: str, legal_basis: str, as_json: bool, **given: Any
) -> None:
    """Propose a recovery."""
    content = {
        "key": key,
        "basis": given["basis"],
        "recipient_pem": Certificate.load(given["recipient"].read_bytes()).pem,
        "dialect": given["dialect"],
    }
    proposals: Proposals = service(context, "authz").proposals
    shown = proposals.propose(acting(context), NAME, content, reason=reason, basis=legal_basis)
    told = {"proposal": shown.row.id, "digest": shown.row.digest, "needed": shown.needed}
    print_facts(told | {"expires": shown.fields()["expires"]}, as_json=as_json)


@group.command(help="取出已执行的恢复的密钥信封 / fetch the envelope of a recovery that was carried out")
@click.argument("proposal")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.pass_context
def fetch(context: click.Context, *, proposal: str, out: Path) -> None:
    """Write the envelope."""
    out.write_bytes(_centre(context).escrow.recovered(acting(context), proposal))
    click.echo(str(out))


def _centre(context: click.Context) -> KeyCentre:
    centre: KeyCentre = service(context, "kms")
    return centre
