"""`yinxin kms …`: thin commands over the key centre."""

import click

from kms.create import request_key
from kms.escrow.cli import group as recovery_commands
from kms.models import Purpose
from kms.service import KeyCentre
from yinxin.authz import PLATFORM
from yinxin.command import acting, as_json_option, print_json, service


@click.group("kms", help="密钥管理中心 / the key centre")
def group() -> None:
    """The group of commands."""


@group.command(help="密码机状态 / the state of the security module")
@as_json_option
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Say how the token is; exit 1 when it is not well."""
    health = _centre(context).health()
    if as_json:
        print_json({"ok": health.ok, **health.facts})
    else:
        click.echo(f"{health.text.zh}\n{health.text.en}")
        for name, value in health.facts.items():
            click.echo(f"  {name}: {', '.join(value) if isinstance(value, list) else value}")
    context.exit(0 if health.ok else 1)


@group.command("list", help="列出密钥 / list the keys")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print the register, if the actor may see it."""
    keys = _centre(context).register_for(acting(context))
    if as_json:
        print_json([key.fields() for key in keys])
        return
    for key in keys:
        click.echo(
            f"{key.label:<32} {key.purpose:<9} {key.algorithm:<10} {key.place:<8} {key.state:<8} {key.owner}"
        )


@group.command(help="创建密钥（重复执行不会重复创建） / create a key; repeating it creates no second one")
@click.argument("label")
@click.option("--purpose", type=click.Choice([each.value for each in Purpose]), required=True)
@click.option("--suite", help="套件 intl 或 sm / suite, intl or sm")
@click.option("--algorithm", help="算法，代替套件 / algorithm, in place of a suite")
@click.option("--owner", default=PLATFORM, show_default=True, help="所属机关 / the owning organ")
@as_json_option
@click.pass_context
def create(
    context: click.Context,
    label: str,
    *,
    purpose: str,
    suite: str | None,
    algorithm: str | None,
    owner: str,
    as_json: bool,
) -> None:
    """Make a key, if the actor may."""
    wanted = request_key(label, purpose, suite=suite, algorithm=algorithm, owner=owner)
    key = _centre(context).create_for(acting(context), wanted)
    if as_json:
        print_json(key.fields())
    else:
        click.echo(f"{key.label} {key.algorithm} {key.place}: {key.state}")


group.add_command(recovery_commands)


def _centre(context: click.Context) -> KeyCentre:
    centre: KeyCentre = service(context, "kms")
    return centre
