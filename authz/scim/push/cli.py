"""`yinxin authz scim receiver …` and `push`: systems that are told of the directory."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from authz.command import authz_of
from authz.commands.registering import check_option, file_argument, say_ended
from authz.registering import registration_in
from yinxin.command import acting, as_json_option, print_facts, print_json

if TYPE_CHECKING:
    from authz.scim.push.receivers import Receivers, Standing


@click.group("receiver", help="接收名录推送的系统 / systems that are told of the directory")
def receiver() -> None:
    """The group of commands."""


@receiver.command("register", help="按登记文件登记 / register what a file says")
@file_argument
@check_option
@as_json_option
@click.pass_context
def register(context: click.Context, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Register it; it is told from the next turn on."""
    from authz.scim.push.errors import BadReceiver
    from authz.scim.push.receivers import Receiver

    wanted = registration_in(file, Receiver, BadReceiver)
    if dry_run:
        _receivers(context).check(wanted)
    else:
        _receivers(context).register(acting(context), wanted)
    print_facts({"receiver": wanted.id, "url": wanted.url, "dry_run": dry_run}, as_json=as_json)


@receiver.command("list", help="清单 / all of them")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print them by identifier, with how far each is; ended ones too."""
    found: list[Standing] = []
    while page := _receivers(context).list_for(acting(context), after=found[-1].receiver.id if found else ""):
        found += page
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    for each in found:
        word = "已停用 / ended" if each.ended else each.failure or each.swept or "-"
        click.echo(f"{each.receiver.id:<24} {each.receiver.client:<20} {each.sent:>7} {word}")


@receiver.command("end", help="停用 / end one")
@click.argument("receiver_id")
@as_json_option
@click.pass_context
def end(context: click.Context, receiver_id: str, *, as_json: bool) -> None:
    """Tell it nothing any more; what it was told it keeps."""
    _receivers(context).end(acting(context), receiver_id)
    say_ended("receiver", receiver_id, as_json=as_json)


@click.command("push", help="立即推送 / tell a receiver now")
@click.argument("receiver_id")
@click.option("--dry-run", is_flag=True, help="只计算将推送的内容 / only tell what would be sent")
@click.option("--confirm", is_flag=True, help="确认大量停用 / many may leave it at once")
@as_json_option
@click.pass_context
def push(context: click.Context, receiver_id: str, *, dry_run: bool, confirm: bool, as_json: bool) -> None:
    """A turn of one receiver, due or not; with --dry-run, of everything, and nothing is sent."""
    told = authz_of(context).scim_push_for(acting(context), receiver_id, rehearse=dry_run, confirmed=confirm)
    facts: dict[str, Any] = told.fields() | {"dry_run": dry_run}
    print_facts(facts, as_json=as_json)


def _receivers(context: click.Context) -> "Receivers":
    return authz_of(context).scim_receivers
