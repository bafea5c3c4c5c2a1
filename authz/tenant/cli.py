"""`yinxin authz tenant …`: organs that run their own affairs inside this installation."""

from collections.abc import Callable

import click

from authz.command import authz_of, propose
from authz.tenant.records import MARKS, Tenant
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.quota import GIB


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
    while page := authz.tenants.listed_for(actor, ended=ended, after=found[-1].place if found else ""):
        found += page
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        more = "  ".join(f"{name} {number}" for name, number in each.more.items())
        acted = rfc3339(each.acted) if each.acted else "-"
        click.echo(f"{each.organ}  {each.name.zh}  people {each.people}  {more}  {acted}")
        _warn(each)


@group.command(help="一个租户及其额度 / one tenant and its quotas")
@click.argument("organ")
@as_json_option
@click.pass_context
def show(context: click.Context, organ: str, *, as_json: bool) -> None:
    """Print it."""
    found = authz_of(context).tenants.shown_for(acting(context), organ)
    print_facts(found.fields(), as_json=as_json)
    if not as_json:
        _warn(found)


def _warn(tenant: Tenant) -> None:
    """Say on the error stream which of its quotas are used up, or nearly."""
    for each in tenant.warned:
        said = ("额度已满", "used up") if each.state == "full" else ("额度将满", "nearly used up")
        click.echo(f"{tenant.organ} {said[0]} / {said[1]}: {each.text.zh} / {each.text.en}", err=True)


def _limits(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what a tenant may have at most."""
    for name, help_ in (
        ("--gib", "附件容量上限（GiB） / most of attached files, in GiB"),
        ("--documents", "每年公文件数上限 / most documents drafted in a calendar year"),
        ("--people", "在岗人数上限 / most people in post"),
    ):
        said = f"{help_}；不给则不限 / no limit when left out"
        command = click.option(name, type=click.IntRange(min=0), help=said)(command)
    return command


def _most(people: int | None, documents: int | None, gib: int | None) -> dict[str, int | None]:
    return {
        "most_people": people,
        "most_documents": documents,
        "most_octets": None if gib is None else gib * GIB,
    }


@group.command(help="提出设立租户 / propose that an organ become a tenant")
@click.argument("organ")
@click.option(
    "--mark",
    type=click.Choice(MARKS),
    default="indigo",
    show_default=True,
    help="页面颜色 / the colour of its pages",
)
@_limits
@click.option("--reason", required=True, help="事由 / the reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def admit(
    context: click.Context,
    organ: str,
    *,
    mark: str,
    people: int | None,
    documents: int | None,
    gib: int | None,
    reason: str,
    basis: str,
    as_json: bool,
) -> None:
    """Propose it; it is one once enough people have approved and somebody carries it out."""
    content = {"organ": organ, "mark": mark, **_most(people, documents, gib)}
    propose(context, "authz.admit-tenant", content, reason=reason, basis=basis, as_json=as_json)


@group.command(
    help="提出调整租户额度：三项一并改为所给的数值 / propose other quotas for a tenant: all three become what is given"
)
@click.argument("organ")
@_limits
@click.option("--reason", required=True, help="事由 / the reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def limit(
    context: click.Context,
    organ: str,
    *,
    people: int | None,
    documents: int | None,
    gib: int | None,
    reason: str,
    basis: str,
    as_json: bool,
) -> None:
    """Propose it; its host decides, and the tenant sees that."""
    content = {"organ": organ, **_most(people, documents, gib)}
    propose(context, "authz.limit-tenant", content, reason=reason, basis=basis, as_json=as_json)


@group.command(help="提出结束租户关系 / propose that a tenant be one no longer")
@click.argument("organ")
@click.option("--reason", required=True, help="事由 / the reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def end(context: click.Context, organ: str, *, reason: str, basis: str, as_json: bool) -> None:
    """Propose it; only the tenant's own people approve that."""
    propose(context, "authz.end-tenant", {"organ": organ}, reason=reason, basis=basis, as_json=as_json)
