"""`yinxin authz tenant …`: organs that run their own affairs inside this installation."""

from typing import Any

import click

from authz.commands.common import authz_of
from authz.tenant.records import MARKS, Tenant
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group("tenant", help="租户 / tenants of this installation")
def group() -> None:
    """The group of commands."""


@group.command("list", help="租户清单与用量 / the tenants, and how much is theirs")
@click.option("--ended", is_flag=True, help="已结束的 / those that were")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, ended: bool, as_json: bool) -> None:
    """Print them, a line each."""
    authz, actor = authz_of(context), acting(context)
    found: list[Tenant] = []
    while page := authz.tenants.listed_for(actor, ended=ended, after=found[-1].organ if found else ""):
        found += page
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        more = "  ".join(f"{name} {number}" for name, number in each.more.items())
        acted = rfc3339(each.acted) if each.acted else "-"
        click.echo(f"{each.organ}  {each.name.zh}  people {each.people}  {more}  {acted}")


@group.command(help="一个租户 / one tenant")
@click.argument("organ")
@as_json_option
@click.pass_context
def show(context: click.Context, organ: str, *, as_json: bool) -> None:
    """Print it."""
    print_facts(authz_of(context).tenants.shown_for(acting(context), organ).fields(), as_json=as_json)


@group.command(help="提出设立租户 / propose that an organ become a tenant")
@click.argument("organ")
@click.option(
    "--mark",
    type=click.Choice(MARKS),
    default="indigo",
    show_default=True,
    help="页面颜色 / the colour of its pages",
)
@click.option("--reason", required=True, help="事由 / the reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def admit(context: click.Context, organ: str, *, mark: str, reason: str, basis: str, as_json: bool) -> None:
    """Propose it; it is one once enough people have approved and somebody carries it out."""
    _propose(context, "authz.admit-tenant", {"organ": organ, "mark": mark}, (reason, basis), as_json=as_json)


@group.command(help="提出结束租户关系 / propose that a tenant be one no longer")
@click.argument("organ")
@click.option("--reason", required=True, help="事由 / the reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def end(context: click.Context, organ: str, *, reason: str, basis: str, as_json: bool) -> None:
    """Propose it; only the tenant's own people approve that."""
    _propose(context, "authz.end-tenant", {"organ": organ}, (reason, basis), as_json=as_json)


def _propose(
    context: click.Context, kind: str, content: dict[str, Any], why: tuple[str, str], *, as_json: bool
) -> None:
    shown = authz_of(context).proposals.propose(acting(context), kind, content, reason=why[0], basis=why[1])
    print_facts({"proposal": shown.row.id, "needed": shown.row.needed}, as_json=as_json)
