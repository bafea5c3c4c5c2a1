"""`yinxin ca credential …`: what a protocol's client is enrolled with."""

from datetime import timedelta
from typing import Any

import click

from ca.command import authority_of
from ca.enrolment.credential import ANY_DOMAIN, Grant, spelled
from ca.enrolment.models import Protocol
from yinxin.authz import PLATFORM
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group("credential", help="协议注册凭据 / enrolment credentials for ACME, EST, CMP and SCEP")
def group() -> None:
    """The group of commands."""


@group.command(help="发放凭据；密钥只显示这一次 / grant one; its secret is shown this once")
@click.option(
    "--protocol",
    type=click.Choice([str(each) for each in Protocol]),
    required=True,
    help="用于哪种协议 / the protocol it is for",
)
@click.option("--organ", help="所属机关，省略则为本机关 / the organ; else your own")
@click.option(
    "--profile", "profiles", multiple=True, required=True, help="可重复，第一个为默认 / may be repeated"
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    help="主机名须在此域内，可重复 / host names must lie below; may be repeated",
)
@click.option(
    "--any-domain", is_flag=True, help="不限主机名的域（记录在案） / any host name; shown and recorded"
)
@click.option(
    "--kind",
    type=click.Choice(["service", "person", "organ"]),
    default="service",
    show_default=True,
    help="持有者的种类 / kind of holder",
)
@click.option("--holder", help="持有者标识，服务可省略 / the holder; for a service, else the name asked for")
@click.option("--post", help="个人的岗位 / post of a person")
@click.option(
    "--days",
    type=click.IntRange(1, 1096),
    default=90,
    show_default=True,
    help="凭据有效天数 / days for which the credential is good",
)
@click.option(
    "--uses", type=click.IntRange(1), help="可签发张数，省略则不限 / how many certificates; else any number"
)
@as_json_option
@click.pass_context
def grant(context: click.Context, /, *, as_json: bool, **asked: Any) -> None:
    """Grant a credential."""
    if asked["any_domain"] and asked["domains"]:
        raise click.UsageError(
            "--domain 与 --any-domain 只能选一 / --domain and --any-domain exclude each other"
        )
    authority, actor = authority_of(context), acting(context)
    made, secret = authority.enrolment.grant(
        actor,
        Grant(
            protocol=Protocol(asked["protocol"]),
            organ=asked["organ"] or actor.organ or PLATFORM,
            profiles=asked["profiles"],
            expires=authority.ctx.store.clock.now() + timedelta(days=asked["days"]),
            holder_kind=asked["kind"],
            holder=asked["holder"],
            post=asked["post"],
            domains=ANY_DOMAIN if asked["any_domain"] else asked["domains"],
            uses=asked["uses"],
        ),
    )
    print_facts(made.fields() | {"secret": spelled(secret)}, as_json=as_json)


@group.command("list", help="列出凭据 / list credentials")
@click.option("--organ", help="该机关及其下级 / this organ and those below")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, organ: str | None, as_json: bool) -> None:
    """List the credentials of an organ and those below it."""
    authority, actor = authority_of(context), acting(context)
    where = organ or actor.organ or PLATFORM
    rows: list[dict[str, Any]] = []
    while page := authority.enrolment.search(actor, where, after=rows[-1]["id"] if rows else ""):
        rows += [each.fields() for each in page]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        state = f"withdrawn {row['withdrawn_at']}" if row["withdrawn_at"] else f"until {row['expires']}"
        click.echo(
            f"{row['id']}  {row['protocol']:<5} {row['organ']:<20} {','.join(row['profiles'])}  {','.join(row['domains']) or '-'}  {state}"
        )


@group.command(help="撤回凭据；已签发的证书不受影响 / withdraw one; certificates stand")
@click.argument("credential")
@as_json_option
@click.pass_context
def withdraw(context: click.Context, *, credential: str, as_json: bool) -> None:
    """Withdraw a credential."""
    authority_of(context).enrolment.withdraw(acting(context), credential)
    print_facts({"withdrawn": credential}, as_json=as_json)
