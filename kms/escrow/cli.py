"""`yinxin kms recover …`: encryption keys in escrow, how several people give one back, and the register of it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from authz.command import propose as proposing
from kms.command import centre_of
from kms.escrow.grounds import KIND, Ground
from kms.escrow.register import Entry
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.crypto.certificates import Certificate

_in = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("recover", help="加密密钥的托管与恢复 / escrowed encryption keys and their recovery")
def group() -> None:
    """The group of commands."""


@group.command(help="列出一个持有者的加密密钥 / list a holder's encryption keys")
@click.argument("holder")
@click.option("--organ", required=True, help="持有者所在机关 / the holder's organ")
@as_json_option
@click.pass_context
def keys(context: click.Context, *, holder: str, organ: str, as_json: bool) -> None:
    """List the encryption keys of a holder."""
    found = [each.fields() for each in centre_of(context).escrow.keys_of(acting(context), holder, organ)]
    if as_json:
        print_json(found)
        return
    for row in found:
        click.echo(f"{row['id']}  {row['standing']:<8} {row['algorithm']:<10} {row['given']}  {row['key']}")


@group.command(help="提出恢复，供其他岗位批准 / propose a recovery, for others to approve")
@click.argument("key")
@click.option(
    "--ground",
    type=click.Choice([str(each) for each in Ground]),
    required=True,
    help="理由类别 / whose wish it is",
)
@click.option("--reason", required=True, help="事由 / reason")
@click.option("--basis", default="", help="法律依据（持有者本人恢复可省略） / legal basis")
@click.option(
    "--recipient", type=_in, required=True, help="接收者的证书 / certificate of whoever shall have it"
)
@click.option("--dialect", default="", help="信封格式 / form of the envelope")
@click.option("--post", help="organ：需要密钥的岗位或机关 / the post or organ that needs it")
@click.option("--authority", help="judicial：作出决定的机关 / the court or authority")
@click.option("--document", help="judicial：文书编号 / number of its order")
@click.option("--dated", type=click.DateTime(["%Y-%m-%d"]), help="judicial：文书日期 / date of the order")
@click.option("--scope", help="judicial：范围 / what may be opened")
@click.option(
    "--withheld-until", help="judicial：此前不告知持有者（RFC 3339） / the holder is not told before"
)
@click.option("--withheld-basis", help="judicial：不告知的依据 / the law that forbids telling her")
@as_json_option
@click.pass_context
def propose(
    context: click.Context, /, *, key: str, reason: str, basis: str, as_json: bool, **given: Any
) -> None:
    """Propose a recovery."""
    content = {
        "key": key,
        "recipient_pem": Certificate.load(given.pop("recipient").read_bytes()).pem,
        "dialect": given.pop("dialect"),
    }
    kind = KIND[Ground(given.pop("ground"))]
    dated: datetime | None = given.pop("dated")
    content |= {name: value for name, value in given.items() if value}
    content |= {"dated": dated.date().isoformat()} if dated else {}
    proposing(context, kind, content, reason=reason, basis=basis, as_json=as_json)


@group.command(help="取出已执行的恢复的密钥信封 / fetch the envelope of a recovery that was carried out")
@click.argument("proposal")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="信封写入此文件 / the envelope goes to this file",
)
@as_json_option
@click.pass_context
def fetch(context: click.Context, *, proposal: str, out: Path, as_json: bool) -> None:
    """Write the envelope."""
    envelope = centre_of(context).escrow.recovered(acting(context), proposal)
    out.write_bytes(envelope)
    print_facts({"file": str(out), "size": len(envelope)}, as_json=as_json)


@group.command(help="恢复登记簿：本机关及下级，或自己的密钥 / the register of recoveries")
@click.option("--own", is_flag=True, help="只看自己的密钥 / those of one's own keys")
@click.option("--after", default="", help="从此提案之前 / from the one before this proposal")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="条数 / how many")
@as_json_option
@click.pass_context
def register(context: click.Context, *, own: bool, after: str, limit: int, as_json: bool) -> None:
    """List recoveries, the newest first."""
    escrow, actor = centre_of(context).escrow, acting(context)
    listing = escrow.own_register if own else escrow.register_for
    found: list[Entry] = listing(actor, after=after, limit=limit)
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        click.echo(
            f"{each.proposal}  {each.ground:<8} {each.state:<9} {each.holder or '-':<20} {each.organ:<20} {each.reason}"
        )
