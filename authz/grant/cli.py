"""`yinxin authz grant …`: what was opened to whom."""

from datetime import datetime, timedelta
from typing import Any

import click

from authz.command import authz_of, propose
from authz.grant.records import Grant, Wanted
from yinxin.authz import PLATFORM
from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json


def grant_fields(grant: Grant, now: datetime) -> dict[str, Any]:
    """A grant, for people and for scripts."""
    return {
        **grant.link(),
        "state": grant.state(now),
        "valid_from": rfc3339(grant.valid_from),
        "valid_to": rfc3339(grant.valid_to),
        "source": grant.source,
        "granted_by": grant.granted_by,
        "granted_at": rfc3339(grant.granted_at),
        "proposal": grant.proposal,
        "revoked_at": rfc3339(grant.revoked_at) if grant.revoked_at else None,
        "revoked_by": grant.revoked_by,
        "revoked_because": grant.revoked_because,
    }


@click.group("grant", help="授权 / grants")
def group() -> None:
    """The group of commands."""


@group.command(help="可以授予的模板 / what can be granted")
@as_json_option
@click.pass_context
def templates(context: click.Context, *, as_json: bool) -> None:
    """Print the templates of the policies in force."""
    found = authz_of(context).decisions.policies.templates
    told = [
        {"id": each.id, "zh": each.text.zh, "en": each.text.en, "actions": sorted(each.actions)}
        for each in found.values()
    ]
    if as_json:
        print_json(told)
        return
    for each in told:
        click.echo(f"{each['id']:<32} {each['zh']} / {each['en']} [{', '.join(each['actions'])}]")


@group.command("list", help="授权登记 / the register of grants")
@click.option(
    "--under", default=PLATFORM, show_default=True, help="此机关及其下级 / this organ and those below"
)
@click.option("--holder", help="被授权者（person:ID 等）/ the holder (person:ID …)")
@click.option("--template", help="模板 / the template")
@click.option("--in-force", is_flag=True, help="仅现行的 / only those in force now")
@as_json_option
@click.pass_context
def list_(
    context: click.Context,
    *,
    under: str,
    holder: str | None,
    template: str | None,
    in_force: bool,
    as_json: bool,
) -> None:
    """Print the grants over a part of the tree."""
    authz, actor = authz_of(context), acting(context)
    now = authz.store.clock.now()
    found: list[Grant] = []
    while page := authz.grants.listed_for(
        actor,
        under=under,
        holding=holder,
        template=template,
        at=now if in_force else None,
        after=found[-1].id if found else "",
    ):
        found += page
    if as_json:
        print_json([grant_fields(each, now) for each in found])
        return
    for each in found:
        click.echo(
            f"{each.id} {each.state(now):<9} {each.template:<28} {each.holder:<28} {each.resource or each.organ:<20} "
            f"{rfc3339(each.valid_from)} – {rfc3339(each.valid_to)} {each.source}"
        )


@group.command(help="一项授权 / one grant")
@click.argument("grant")
@as_json_option
@click.pass_context
def show(context: click.Context, grant: str, *, as_json: bool) -> None:
    """Print it."""
    authz = authz_of(context)
    found = authz.grants.grant_for(acting(context), grant)
    print_facts(grant_fields(found, authz.store.clock.now()), as_json=as_json)


@group.command(help="提出授权 / propose a grant")
@click.argument("template")
@click.option("--to", "holder", required=True, help="person:ID、post:ID、organ:ID、client:ID")
@click.option("--over", "organ", required=True, help="范围：机关及其下级 / the organ, with those below it")
@click.option(
    "--only", "resource", help="仅此一项，如 ServiceKey:NAME / this thing alone, such as ServiceKey:NAME"
)
@click.option("--from", "starts", help="起（RFC 3339，默认现在）/ from (now)")
@click.option("--until", help="止（RFC 3339）/ until")
@click.option(
    "--days", type=click.IntRange(1, 3660), help="天数，与 --until 二选一 / days, instead of --until"
)
@click.option(
    "--source", required=True, help="来源（文号、批示等）/ its source: a document's number, an instruction"
)
@click.option("--reason", default="", help="事由（默认为来源）/ the reason (the source)")
@click.option("--basis", default="", help="法律依据 / legal basis")
@click.option("--dry-run", is_flag=True, help="只检查 / check only")
@as_json_option
@click.pass_context
def give(
    context: click.Context,
    template: str,
    *,
    holder: str,
    organ: str,
    resource: str | None,
    starts: str | None,
    until: str | None,
    days: int | None,
    source: str,
    reason: str,
    basis: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Propose that a template be opened; it is in force once enough people have approved and somebody carries it out."""
    if (until is None) == (days is None):
        raise click.UsageError("--until 与 --days 须且只须给出一个 / give --until or --days, and not both")
    authz = authz_of(context)
    begins = parse_rfc3339(starts) if starts else authz.store.clock.now()
    ends = parse_rfc3339(until) if until else begins + timedelta(days=days or 0)
    wanted = Wanted(template, holder, organ, begins, ends, source, resource)
    authz.grants.sound(wanted)
    if dry_run:
        print_facts(wanted.fields(), as_json=as_json)
        return
    why = reason or source
    propose(context, "authz.grant", wanted.fields(), reason=why, basis=basis, as_json=as_json)


@group.command(help="撤销授权，立即生效 / revoke a grant, at once")
@click.argument("grant")
@click.option("--reason", required=True, help="事由 / the reason")
@as_json_option
@click.pass_context
def revoke(context: click.Context, grant: str, *, reason: str, as_json: bool) -> None:
    """End a grant now."""
    authz = authz_of(context)
    found = authz.grants.revoke(acting(context), grant, reason)
    print_facts(grant_fields(found, authz.store.clock.now()), as_json=as_json)
