"""`yinxin kms kmip …`: the systems that keep their keys here by KMIP."""

from typing import Any

import click

from authz.command import propose
from kms.command import centre_of
from kms.kmip.certify import CERTIFY
from kms.kmip.client import KmipClient, certificate_of
from kms.kmip.kept import spelt
from kms.kmip.recover import RECOVER
from kms.kmip.service import Kmip
from yinxin.authz import PLATFORM
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json

_id = click.argument("client")
_certificate = click.option(
    "--certificate",
    type=click.File("rb"),
    required=True,
    help="该系统的客户端证书（PEM 或 DER） / the system's client certificate, PEM or DER",
)
_reason = click.option("--reason", required=True, help="事由 / reason")
_basis = click.option("--basis", default="", help="法律依据 / legal basis")
#: octets of a certificate file at most
_LONGEST = 1 << 16


@click.group("kmip", help="KMIP 客户端：存储与数据库 / KMIP clients: storage and databases")
def group() -> None:
    """The group of commands."""


@group.command(help="登记 KMIP 客户端 / register a KMIP client")
@_id
@click.option("--organ", default=PLATFORM, show_default=True, help="所属机关 / the organ that runs it")
@_certificate
@as_json_option
@click.pass_context
def register(context: click.Context, *, client: str, organ: str, certificate: Any, as_json: bool) -> None:
    """Let a system come, if the actor may."""
    given = certificate.read(_LONGEST)
    _told(_kmip(context).register(acting(context), client, organ, given), as_json=as_json)


@group.command(
    help="提出登记另一份证书（更换证书或集群） / propose another certificate, for a renewal or a cluster"
)
@_id
@_certificate
@_reason
@_basis
@as_json_option
@click.pass_context
def certify(
    context: click.Context, *, client: str, certificate: Any, reason: str, basis: str, as_json: bool
) -> None:
    """Propose that the system be known by one certificate more."""
    given = certificate_of(certificate.read(_LONGEST)).pem
    propose(
        context,
        CERTIFY,
        {"client": client, "certificate": given},
        reason=reason,
        basis=basis,
        as_json=as_json,
    )


@group.command(help="终止登记，已存对象保留 / end the registration; what it keeps stays")
@_id
@as_json_option
@click.pass_context
def end(context: click.Context, *, client: str, as_json: bool) -> None:
    """Let the system come no more, if the actor may."""
    _told(_kmip(context).end(acting(context), client), as_json=as_json)


@group.command("list", help="列出一个机关的 KMIP 客户端 / list an organ's KMIP clients")
@click.option("--organ", default=PLATFORM, show_default=True, help="所属机关 / the organ")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, organ: str, as_json: bool) -> None:
    """Print an organ's clients, if the actor may see them."""
    found = _kmip(context).clients_of(acting(context), organ)
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        state = "ended" if each.ended else "registered"
        click.echo(f"{each.id:<40} {state:<10} {len(each.certificates):>3} {each.organ}")


@group.command(help="查看客户端及其证书 / show a client and its certificates")
@_id
@as_json_option
@click.pass_context
def show(context: click.Context, *, client: str, as_json: bool) -> None:
    """Print one client."""
    _told(_kmip(context).show(acting(context), client), as_json=as_json)


@group.command(
    help="列出客户端存放的对象（状态、算法、已销毁者可恢复至、名称），不含密钥 / list what a client keeps here, without the keys: state, algorithm, until when a destroyed one is recoverable, names"
)
@_id
@as_json_option
@click.pass_context
def objects(context: click.Context, *, client: str, as_json: bool) -> None:
    """Print a client's objects, if the actor may see them."""
    found = _kmip(context).objects_of(acting(context), client)
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        kind = f"{each.algorithm or each.kind} {each.length}"
        until = rfc3339(each.recoverable) if each.recoverable else "-"
        click.echo(f"{each.id} {spelt(each.state.name):<22} {kind:<18} {until:<27} {', '.join(each.names)}")


@group.command(help="提出恢复经 KMIP 销毁的密钥 / propose to bring back a key that was destroyed by KMIP")
@click.argument("object_id")
@_reason
@_basis
@as_json_option
@click.pass_context
def recover(context: click.Context, *, object_id: str, reason: str, basis: str, as_json: bool) -> None:
    """Propose the recovery."""
    propose(context, RECOVER, {"object": object_id}, reason=reason, basis=basis, as_json=as_json)


def _kmip(context: click.Context) -> Kmip:
    return centre_of(context).kmip


def _told(client: KmipClient, *, as_json: bool) -> None:
    print_facts(client.fields(), as_json=as_json)
