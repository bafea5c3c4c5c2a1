"""`yinxin kms pool | library`: encryption keys made ahead, in use, and kept."""

import click

from kms.command import centre_of
from kms.escrow.models import Standing
from kms.escrow.service import Escrow, Look
from yinxin.command import acting, as_json_option, print_json


@click.command(help="备用加密密钥的存量 / how many encryption keys are on standby")
@as_json_option
@click.pass_context
def pool(context: click.Context, *, as_json: bool) -> None:
    """Print the level of each pool; exit 1 when one is low."""
    found = _of(context).pools_for(acting(context))
    if as_json:
        print_json([each.fields() for each in found])
    else:
        for each in found:
            levels = f"存量 level {each.level:>7}  低于此不足 low {each.low:>7}  应备 kept {each.high:>7}"
            click.echo(f"{each.algorithm:<12} {levels}  {each.state}")
    context.exit(1 if any(each.state == "low" for each in found) else 0)


@click.command(help="备用、在用、历史三库中的加密密钥 / the encryption keys of the three libraries")
@click.option(
    "--standing", type=click.Choice([each.value for each in Standing]), help="哪个库 / which library"
)
@click.option("--algorithm", default="", help="算法 / algorithm")
@click.option("--holder", default="", help="持有者 / the holder")
@click.option("--organ", default="", help="机关 / the organ")
@click.option(
    "--certificate", default="", help="加密证书的序列号 / serial number of the encryption certificate"
)
@click.option("--after", default="", help="从此标识之后 / from the one after this identifier")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="条数 / how many")
@as_json_option
@click.pass_context
def library(
    context: click.Context,
    *,
    standing: str | None,
    algorithm: str,
    holder: str,
    organ: str,
    certificate: str,
    after: str,
    limit: int,
    as_json: bool,
) -> None:
    """List keys of the libraries."""
    wanted = Look(standing or "", algorithm, holder, organ, certificate)
    found = _of(context).library_for(acting(context), wanted, after=after, limit=limit)
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        told = each.fields()
        click.echo(
            f"{told['id']}  {told['standing']:<8} {told['algorithm']:<11} {told['holder'] or '-':<24} {told['certificate'] or '-'}"
        )


COMMANDS = (pool, library)


def _of(context: click.Context) -> Escrow:
    return centre_of(context).escrow
