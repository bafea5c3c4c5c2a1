"""`yinxin authz client …`: the systems that rely on our sign-in."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from authz.oidc.clients import Client, Registration, check
from authz.oidc.errors import BadClient
from yinxin.command import acting, as_json_option, print_json, service
from yinxin.faults import first_fault

if TYPE_CHECKING:
    from authz.oidc.clients import Clients


@click.group("client", help="接入系统（单点登录） / clients of the sign-on")
def client() -> None:
    """The group of commands."""


@client.command("register", help="按登记文件登记 / register what a file says")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="只检查文件 / only check the file")
@as_json_option
@click.pass_context
def register(context: click.Context, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Register it; the secret is printed once and kept nowhere."""
    wanted = _read(file)
    if dry_run:
        check(wanted)
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
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print them by identifier; ended ones too."""
    found: list[Client] = []
    clients = _clients(context)
    while page := clients.list_for(acting(context), after=found[-1].id if found else ""):
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
@click.pass_context
def end(context: click.Context, client_id: str) -> None:
    """End it and everything granted to it."""
    _clients(context).end(acting(context), client_id)
    click.echo(f"已停用 / ended {client_id}")


def _read(file: Path) -> Registration:
    try:
        return Registration.model_validate(tomllib.loads(file.read_text("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadClient(field=str(file), reason=str(error)) from error
    except ValidationError as error:
        place, reason = first_fault(error)
        raise BadClient(field=".".join(map(str, place)), reason=reason) from error


def _clients(context: click.Context) -> "Clients":
    clients: Clients = service(context, "authz").oidc.clients
    return clients
