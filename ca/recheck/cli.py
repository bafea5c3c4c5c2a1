"""`yinxin ca recheck`: everything stored is checked again, now."""

from dataclasses import asdict

import click

from ca.command import authority_of
from ca.errors import RecheckFound
from yinxin.command import acting, as_json_option, print_json


@click.command("recheck", help="重新检查全部证书与撤销列表 / check every stored certificate and list again")
@click.option("--report", is_flag=True, help="只看已有结果 / only show what was found before")
@as_json_option
@click.pass_context
def recheck(context: click.Context, *, report: bool, as_json: bool) -> None:
    """Check everything, tell what is wrong; the exit status says whether anything is."""
    authority = authority_of(context)
    actor = acting(context)
    authority.may_read(actor)
    checked = 0 if report else authority.recheck.run(actor)
    found = authority.recheck.found()
    if as_json:
        print_json(
            {"checked": checked, "found": [asdict(each) for each in found], **authority.recheck.facts()}
        )
    else:
        for each in found:
            click.echo(f"{each.subject}\t{each.first_seen}\t{each.faults}")
        click.echo(f"已检查 {checked}，有问题 {len(found)} / {checked} checked, {len(found)} at fault")
    if found:
        context.exit(RecheckFound.exit)
