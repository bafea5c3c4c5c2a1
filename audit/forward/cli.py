"""`yinxin audit forward …`: how far the copies are, and whether a receiver has what it acknowledged."""

from pathlib import Path
from typing import Any

import click

from audit import ask
from audit.command import log_of
from yinxin.command import acting, as_json_option, print_json


@click.group("forward", help="外发副本 / copies outward")
def forward() -> None:
    """The group of commands."""


@forward.command("status", help="各接收端收到哪里 / how far each receiver is")
@as_json_option
@click.pass_context
def status_(context: click.Context, *, as_json: bool) -> None:
    """Say how far each receiver is."""
    facts = ask.copies_for(log_of(context), acting(context))
    if as_json:
        print_json(facts)
        return
    for name, each in facts["receivers"].items():
        click.echo(f"{name}: {_words(each)}")
    if not facts["receivers"]:
        click.echo("没有配置接收端 / no receiver is configured")
    for source, loss in facts["operational"]["dropped"].items():
        click.echo(f"运行日志丢弃 / operational lines dropped: {source} {loss['dropped']} ({loss['last']})")


@forward.command("reconcile", help="用接收端的文件对账 / hold a receiver's own file against the log")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--receiver", required=True, help="接收端名称 / the receiver's name")
@click.option("--resend", is_flag=True, help="缺失的重新发送 / have what is missing sent again")
@as_json_option
@click.pass_context
def reconcile_(context: click.Context, file: Path, *, receiver: str, resend: bool, as_json: bool) -> None:
    """Compare, and say what is missing or different; that leaves as an error."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        found = ask.reconcile_for(log_of(context), acting(context), receiver, lines, resend=resend)
    if as_json:
        print_json(found.fields())
    else:
        click.echo(
            f"{receiver}: 已确认 {found.acknowledged} 条，缺 {found.missing}，不同 {found.altered + found.foreign}，重复 {found.repeated}"
        )
        click.echo(
            f"{receiver}: {found.acknowledged} acknowledged, {found.missing} missing, {found.altered + found.foreign} different, {found.repeated} repeated"
        )
        for first, last in found.ranges:
            click.echo(f"  {first}-{last}")
    found.judge()


def _words(each: dict[str, Any]) -> str:
    text = f"已确认 / acknowledged {each['acknowledged']}, 未发 / behind {each['behind']}"
    if each["error"]:
        text += f", {each['error']} ({each['failing_since']})"
    if each["differing"] is not None:
        text += f", 与日志不符 / differs from the log at {each['differing']}"
    return text
