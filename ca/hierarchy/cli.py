"""`yinxin ca authority …`: the hierarchy as it stands."""

from typing import Any

import click

from ca.command import authority_of
from yinxin.command import acting, as_json_option, print_json


@click.group("authority", help="签发机构 / authorities")
def group() -> None:
    """The group of commands."""


@group.command("list", help="全部签发机构及其各代 / every authority and its generations")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print the tree."""
    rows = authority_of(context).hierarchy(acting(context))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        name = "  " * row["depth"] + row["name"]
        click.echo(
            f"{name:<32} {row['generation']:>2}  {row['state']:<10} {row['not_after'] or '-':<20} {row['subject']}"
        )


@group.command(help="一个签发机构及其全部证书 / one authority and all its certificates")
@click.argument("name")
@as_json_option
@click.pass_context
def show(context: click.Context, *, name: str, as_json: bool) -> None:
    """Print one authority."""
    facts = authority_of(context).authority(acting(context), name)
    if as_json:
        print_json(facts)
        return
    certificates: list[dict[str, Any]] = facts.pop("certificates")
    for field, value in facts.items():
        click.echo(f"{field}: {'-' if value is None else value}")
    for each in certificates:
        ended = f"  revoked {each['revoked_at']}" if each["revoked_at"] else ""
        click.echo(f"  {each['use']:<12} {each['serial']}  {each['not_after']}  {each['issuer']}{ended}")
