"""`yinxin authz client …`: the systems that rely on our sign-in."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz.command import authz_of
from authz.commands.registering import check_option, file_argument, say_ended
from authz.oidc.clients import Client, Registration
from authz.oidc.errors import BadClient
from authz.registering import registration_in
from yinxin.command import acting, as_json_option, print_json

if TYPE_CHECKING:
    from authz.oidc.clients import Clients


@click.group("client", help="接入系统（单点登录） / clients of the sign-on")
def client() -> None:
    """The group of commands."""


@client.command("register", help="按登记文件登记 / register what a file says")
@file_argument
@check_option
@as_json_option
@click.pass_context
def register(context: click.Context, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Register it; the secret is printed once and kept nowhere."""
    wanted = registration_in(file, Registration, BadClient)
    if dry_run:
        _clients(context).check(wanted)
        if as_json:
            print_json({"client": wanted.id, "dry_run": True})
        else:
            click.echo(f"登记文件无误，未作更改 / {file} is in order; nothing was changed")
        return
    secret = _clients(context).register(acting(context), wanted)
    if as_json:
        print_json({"client": wanted.id, "secret": secret})
        return
    click.echo(f"已登记 / registered {wanted.id}")
    if secret:
        click.echo(f"口令，只显示这一次 / secret, shown this once: {secret}")


@client.command("list", help="清单 / all of them")
@click.option(
    "--under", help="此机关及其下级，默认本机关 / this organ and those below; the own one if left out"
)
@as_json_option
@click.pass_context
def list_(context: click.Context, *, under: str | None, as_json: bool) -> None:
    """Print them by identifier; ended ones too."""
    found: list[Client] = []
    clients = _clients(context)
    while page := clients.list_for(acting(context), under=under, after=found[-1].id if found else ""):
        found += page
    if as_json:
        print_json([each.registration.model_dump(mode="json") | {"ended": each.ended} for each in found])
        return
    for each in found:
        word = "已停用 / ended" if each.ended else each.registration.authentication
        click.echo(f"{each.id:<28} {each.registration.organ:<20} {word:<18} {each.registration.name.zh}")


@client.command("secret", help="更换口令 / a new secret")
@click.argument("client_id")
@as_json_option
@click.pass_context
def secret(context: click.Context, client_id: str, *, as_json: bool) -> None:
    """Print the new secret, once; the old one is worth nothing from now on."""
    made = _clients(context).renew_secret(acting(context), client_id)
    if as_json:
        print_json({"client": client_id, "secret": made})
        return
    click.echo(made)


@client.command("end", help="停用 / end one")
@click.argument("client_id")
@as_json_option
@click.pass_context
def end(context: click.Context, client_id: str, *, as_json: bool) -> None:
    """End it and everything granted to it."""
    _clients(context).end(acting(context), client_id)
    say_ended("client", client_id, as_json=as_json)


def _clients(context: click.Context) -> "Clients":
    return authz_of(context).oidc.clients
