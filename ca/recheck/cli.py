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
    """Check everything, tell what is wrong; the exit status says whether anything is that a rule did not come after."""
    authority = authority_of(context)
    actor = acting(context)
    authority.may_read(actor)
    checked = 0 if report else authority.recheck.run(actor)
    found, facts = authority.recheck.found(), authority.recheck.facts()
    later = sum(each.is_later for each in found)
    if as_json:
        print_json({"checked": checked, "found": [asdict(each) for each in found], **facts})
    else:
        for each in found:
            click.echo(f"{each.subject}\t{each.first_seen}\t{each.faults}")
        click.echo(
            _looked(None if report else checked, facts.get("recheck.certificates"), len(found) - later)
        )
        if later:
            click.echo(
                f"另有 {later} 张证书早于其不符合的规则，续期时按提示改正名称"
                f" / {later} more are older than a rule that they break: put the names right when they are renewed"
            )
    if len(found) > later:
        context.exit(RecheckFound.exit)


def _looked(checked: int | None, ended: str | None, wrong: int) -> str:
    """What was looked at: now, or in the last pass, where there was one."""
    if checked is not None:
        return f"已检查 {checked}，有问题 {wrong} / {checked} checked, {wrong} at fault"
    if ended is None:
        return (
            f"尚未完成过一轮复查，已发现有问题 {wrong} / no pass has ended yet, {wrong} found at fault so far"
        )
    return f"最近一轮复查于 {ended} 结束，有问题 {wrong} / the last pass ended {ended}, {wrong} at fault"
