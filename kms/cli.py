"""`yinxin kms …`: thin commands over the key centre."""

from typing import Any

import click

from kms import probe as probing
from kms.ceremony.cli import group as ceremony_commands
from kms.command import centre_of
from kms.create import request_key
from kms.custodians.cli import group as custodian_commands
from kms.escrow.cli import group as recovery_commands
from kms.escrow.pool_cli import COMMANDS as LIBRARY_COMMANDS
from kms.generation.cli import COMMANDS as GENERATION_COMMANDS
from kms.holder.cli import group as holder_commands
from kms.keyring.cli import group as key_commands
from kms.kmip.cli import group as kmip_commands
from kms.models import Purpose
from yinxin.authz import PLATFORM
from yinxin.command import acting, as_json_option, print_json


@click.group("kms", help="密钥管理中心 / the key centre")
def group() -> None:
    """The group of commands."""


@group.command(help="密码机状态 / the state of the security module")
@as_json_option
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Say how the token is; exit 1 when it is not well."""
    health = centre_of(context).health()
    if as_json:
        print_json({"ok": health.ok, **health.facts})
    else:
        click.echo(f"{health.text.zh}\n{health.text.en}")
        for name, value in health.facts.items():
            if name not in ("tokens", "wrapped"):
                click.echo(f"  {name}: {', '.join(value) if isinstance(value, list) else value}")
        for token in health.facts.get("tokens", ()):
            _say_token(token)
    context.exit(0 if health.ok else 1)


@group.command(help="测试 PKCS#11 库能承受的并发 / how much parallel use the PKCS#11 library bears")
@as_json_option
@click.pass_context
def probe(context: click.Context, *, as_json: bool) -> None:
    """Try the library in processes of their own; it may well fail there."""
    centre = centre_of(context)
    centre.engine.close()  # the platform's own session must not stand in the way
    found = probing.probe(centre.settings, centre.folder, centre.secrets)
    if as_json:
        print_json(probing.fields(found))
        return
    for each in found:
        click.echo(f"  {each.way:24} {each.failure or f'{each.rate}/s'}")


@group.command("list", help="列出密钥 / list the keys")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print the register, if the actor may see it."""
    keys = centre_of(context).register_for(acting(context))
    if as_json:
        print_json([key.fields() for key in keys])
        return
    for key in keys:
        click.echo(
            f"{key.label:<32} {key.purpose:<9} {key.algorithm:<10} {key.place:<8} {key.state:<8} {key.owner}"
        )


@group.command(help="创建密钥（重复执行不会重复创建） / create a key; repeating it creates no second one")
@click.argument("label")
@click.option(
    "--purpose",
    type=click.Choice([each.value for each in Purpose]),
    required=True,
    help="用途；只有 evidence 由人直接创建 / what it is for; people make evidence keys alone",
)
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
    key = centre_of(context).create_for(acting(context), wanted)
    if as_json:
        print_json(key.fields())
    else:
        click.echo(f"{key.label} {key.algorithm} {key.place}: {key.state}")


group.add_command(ceremony_commands)
group.add_command(recovery_commands)
for each in (*GENERATION_COMMANDS, *LIBRARY_COMMANDS, key_commands, holder_commands, kmip_commands):
    group.add_command(each)
group.add_command(custodian_commands)


def _say_token(token: dict[str, Any]) -> None:
    """One token of the centre, in a line."""
    state = token["error"] or ("使用中 in use" if token["in_use"] else "待命 standing by")
    click.echo(f"  token {token['number']}: {token['label']} {token.get('serial', '')} {state}")
    for kind in ("native", "beside"):
        click.echo(f"    {kind}: {', '.join(token.get(kind, ())) or '-'}")
