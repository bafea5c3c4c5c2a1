"""`yinxin authz scim …`: systems that read and feed the directory."""

from typing import TYPE_CHECKING, Any, cast

import click

from authz.command import authz_of
from authz.oidc.clients import Client, Registration
from authz.scim.push.cli import push, receiver
from yinxin.authz import LEVELS, Level
from yinxin.command import acting, as_json_option, print_json
from yinxin.wire import Words

if TYPE_CHECKING:
    from authz.oidc.clients import Authentication, Clients


#: what a system of the directory may be registered for, beside others of its service tokens
_SCOPES = ("scim.read", "scim.write", "scim.clearance")


@click.group("scim", help="供其他系统使用的名录（SCIM） / the directory for other systems")
def scim() -> None:
    """The group of commands."""


scim.add_command(receiver)
scim.add_command(push)


@scim.group("client", help="读取或维护名录的系统 / systems that read or feed the directory")
def client() -> None:
    """The group of commands."""


@client.command("register", help="登记系统 / register a system")
@click.argument("client_id")
@click.option(
    "--organ", required=True, help="所属机关：可见范围为该机关及其下级 / it sees this organ and those below"
)
@click.option("--name-zh", required=True, help="名称 / its name in Chinese")
@click.option("--name-en", required=True, help="英文名称 / its name in English")
@click.option("--write", is_flag=True, help="可以维护名录 / it may feed the directory")
@click.option("--read-clearance", is_flag=True, help="可以读取涉密等级 / it may read clearances")
@click.option(
    "--clearance",
    type=click.Choice(LEVELS),
    default="internal",
    show_default=True,
    help="系统自身的涉密等级 / how secret what it handles may be",
)
@click.option(
    "--certificate", help="证书 SHA-256（改用双向 TLS） / SHA-256 of its certificate, instead of a secret"
)
@click.option("--dry-run", is_flag=True, help="只检查，不登记 / only check it")
@as_json_option
@click.pass_context
def register(
    context: click.Context, /, client_id: str, *, dry_run: bool, as_json: bool, **given: Any
) -> None:
    """Register it; the secret is printed once and kept nowhere."""
    wanted = _registration(client_id, **given)
    if dry_run:
        _clients(context).check(wanted)
        _tell({"client": wanted.id, "scopes": list(wanted.scopes), "dry_run": True}, as_json=as_json)
        return
    secret = _clients(context).register(acting(context), wanted)
    _tell({"client": wanted.id, "scopes": list(wanted.scopes), "secret": secret}, as_json=as_json)


@client.command("list", help="清单 / all of them")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print those that may read or feed the directory, by identifier; ended ones too."""
    clients, found = _clients(context), list[Client]()
    while page := clients.list_for(acting(context), after=found[-1].id if found else ""):
        found += page
    systems = [each for each in found if {*_SCOPES} & set(each.registration.scopes)]
    if as_json:
        print_json([each.registration.model_dump(mode="json") | {"ended": each.ended} for each in systems])
        return
    for each in systems:
        word = "已停用 / ended" if each.ended else " ".join(each.registration.scopes)
        click.echo(f"{each.id:<28} {each.registration.organ:<20} {word:<34} {each.registration.name.zh}")


def _registration(
    client_id: str,
    *,
    organ: str,
    name_zh: str,
    name_en: str,
    write: bool,
    read_clearance: bool,
    clearance: str,
    certificate: str | None,
) -> Registration:
    asked = dict(zip(_SCOPES, (True, write, read_clearance), strict=True))
    way: Authentication = "tls_client_auth" if certificate else "secret"
    return Registration(
        id=client_id,
        name=Words(zh=name_zh, en=name_en),
        organ=organ,
        authentication=way,
        grants=("client_credentials",),
        scopes=tuple(each for each, wanted in asked.items() if wanted),
        certificate=certificate,
        clearance=cast("Level", clearance),
    )


def _tell(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    if facts.get("dry_run"):
        click.echo(f"登记内容无误，未作更改 / {facts['client']} is in order; nothing was changed")
        return
    click.echo(f"已登记 / registered {facts['client']}: {', '.join(facts['scopes'])}")
    if facts["secret"]:
        click.echo(f"口令，只显示这一次 / secret, shown this once: {facts['secret']}")


def _clients(context: click.Context) -> "Clients":
    return authz_of(context).oidc.clients
