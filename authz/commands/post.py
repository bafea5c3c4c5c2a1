"""`yinxin authz post …`."""

from typing import Any

import click

from authz.change import FoundPost, GiveRoles, GiveUpPost, NamePost
from authz.change.base import wire
from authz.command import authz_of
from authz.commands.common import build, make, proposable
from authz.commands.organ import versions_of
from yinxin.command import acting, as_json_option, print_facts


@click.group(help="岗位 / posts")
def post() -> None:
    """The group of commands."""


@post.command(help="岗位、角色与任职者 / a post, its roles and who holds it")
@click.argument("id")
@as_json_option
@click.pass_context
def show(context: click.Context, id: str, *, as_json: bool) -> None:  # noqa: A002 - the field's name
    """Print one post with its history."""
    directory = authz_of(context).directory_for(acting(context))
    found = directory.post(id)
    facts = {
        "id": found.id,
        "organ": found.organ,
        "name_zh": found.name.zh,
        "name_en": found.name.en,
        "roles": sorted(found.roles),
        "ended": wire(found.ended),
        "holders": [
            {"person": each.person, "kind": each.kind, "until": wire(each.valid_to)}
            for each in directory.holders(id)
        ],
        "versions": versions_of(directory.history("post", id)),
    }
    print_facts(facts, as_json=as_json)


@post.command(help="新设岗位 / found a post")
@click.argument("id")
@click.option("--organ", required=True, help="所属机关 / its organ")
@click.option("--name-zh", required=True, help="中文名称 / Chinese name")
@click.option("--name-en", required=True, help="英文名称 / English name")
@click.option("--role", "roles", multiple=True, help="角色 / a role")
@proposable
@as_json_option
@click.pass_context
def found(context: click.Context, /, *, dry_run: bool, as_json: bool, **entry: Any) -> None:
    """Found it in an organ."""
    make(context, build(FoundPost, post=entry), dry_run=dry_run, as_json=as_json)


@post.command(help="岗位更名 / rename a post")
@click.argument("post")
@click.option("--name-zh", help="中文名称 / Chinese name")
@click.option("--name-en", help="英文名称 / English name")
@proposable
@as_json_option
@click.pass_context
def rename(context: click.Context, /, *, dry_run: bool, as_json: bool, **names: Any) -> None:
    """Give it the names that are given."""
    make(context, build(NamePost, **names), dry_run=dry_run, as_json=as_json)


@post.command(help="岗位的角色恰为所列 / let a post have exactly these roles")
@click.argument("post")
@click.option("--role", "roles", multiple=True, help="角色 / a role")
@proposable
@as_json_option
@click.pass_context
def roles(context: click.Context, *, post: str, roles: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Give the roles."""
    make(context, build(GiveRoles, post=post, roles=roles), dry_run=dry_run, as_json=as_json)


@post.command("give-up", help="撤销岗位 / give up a post, and everybody's holding it")
@click.argument("post")
@proposable
@as_json_option
@click.pass_context
def give_up(context: click.Context, *, post: str, dry_run: bool, as_json: bool) -> None:
    """End it."""
    make(context, build(GiveUpPost, post=post), dry_run=dry_run, as_json=as_json)
