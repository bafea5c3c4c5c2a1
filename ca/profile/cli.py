"""`yinxin ca profile …`: which profiles there are, what they say, and what they said before."""

import json
from typing import Any

import click

from ca.command import authority_of
from ca.profile.versions import difference, version, versions
from ca.service import Authority
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group("profile", help="证书模板 / certificate profiles")
def group() -> None:
    """The group of commands."""


@group.command("list", help="列出模板；--all 含曾用版本 / list profiles; --all with versions once used")
@click.option("--all", "every", is_flag=True, help="含曾用版本 / with versions that were used before")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, every: bool, as_json: bool) -> None:
    """List the profiles in force, and on request every version that was ever used."""
    ctx = _allowed(context).ctx
    rows = [
        each.fields() | {"own": each.in_force and each.profile in ctx.profiles.own}
        for each in versions(ctx)
        if every or each.in_force
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        title = ctx.profiles[row["profile"]].text.zh if row["profile"] in ctx.profiles else ""
        mark = "*" if row["in_force"] else " "
        click.echo(f"{mark} {row['profile']:<18} {row['hash'][:12]}  {row['issuances']:>8}  {title}")


@group.command(help="显示一个模板 / show what a profile says")
@click.argument("name")
@click.option(
    "--version",
    "hash_",
    default="",
    help="版本哈希的开头，省略则为现行版本 / beginning of a hash; else the one in force",
)
@as_json_option
@click.pass_context
def show(context: click.Context, *, name: str, hash_: str, as_json: bool) -> None:
    """Show one version of a profile, with every field."""
    profile = version(_allowed(context).ctx, name, hash_)
    said = {"hash": profile.hash, **profile.model_dump(mode="json")}
    print_facts(said, as_json=as_json)


@group.command(help="比较两个版本 / compare two versions")
@click.argument("name")
@click.argument("old")
@click.argument("new", default="")
@as_json_option
@click.pass_context
def diff(context: click.Context, *, name: str, old: str, new: str, as_json: bool) -> None:
    """Compare a version with another one, or with the one in force."""
    ctx = _allowed(context).ctx
    found = difference(version(ctx, name, old), version(ctx, name, new))
    if as_json:
        print_json({field: {"old": before, "new": after} for field, (before, after) in found.items()})
        return
    for field, (before, after) in found.items():
        click.echo(f"- {field}: {_plain(before)}\n+ {field}: {_plain(after)}")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _allowed(context: click.Context) -> Authority:
    authority = authority_of(context)
    authority.may_read(acting(context))
    return authority
