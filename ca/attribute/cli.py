"""`yinxin ca attribute-certificate …`: posts, roles and grants of somebody, as a signed object."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click

from ca.attribute.request import AttributeRequest
from ca.attribute.service import COLUMNS, AttributeFilter, Standing, describe, told
from ca.command import authority_of, export_option, print_rows, reason_option
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.tables import Format

_out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="写入文件（PEM，含离线核验所需的证书和列表）/ write to this file, with all that offline verification needs",
)


@click.group("attribute-certificate", help="属性证书：岗位、角色、授权的签名证明 / attribute certificates")
def group() -> None:
    """The group of commands."""


@group.command(help="为某人的签名证书出具属性证书 / issue one for somebody's signing certificate")
@click.option(
    "--certificate", required=True, help="持有者的签名证书：序列号或指纹 / the holder's, by serial number"
)
@click.option("--hours", type=click.IntRange(1, 8784), help="有效小时数 / validity in hours")
@click.option(
    "--for", "targets", multiple=True, help="只供此使用方：网址或域名，可重复 / meant for this verifier only"
)
@click.option("--for-group", "groups", multiple=True, help="只供此组使用方 / meant for this group only")
@click.option("--digest", is_flag=True, help="同时绑定证书内容的摘要 / bind the certificate's octets as well")
@click.option(
    "--suite", default="", help="签名套件，省略则随持有者的密钥 / suite; else that of the holder's key"
)
@click.option("--reference", help="引用号，重复使用得到同一份 / the same one gives the same")
@_out
@as_json_option
@click.pass_context
def issue(context: click.Context, /, *, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Issue one, and print or write it with everything that offline verification needs."""
    authority, actor = authority_of(context), acting(context)
    reference = asked.pop("reference") or f"cli/{authority.ctx.store.identifier()}"
    row = authority.attributes.issue(actor, AttributeRequest.of(reference, **asked))
    text = authority.attributes.bundle(row)
    if out is not None:
        out.write_text(text, "utf-8")
    facts = describe(row, authority.ctx.store.clock.now()) | {"out": str(out or "")}
    print_json(facts | {"claims": told(row), "pem": text}) if as_json else click.echo(
        str(out) if out else text
    )


@group.command(help="查看一份，可另存 / show one, or write it again")
@click.argument("serial")
@_out
@as_json_option
@click.pass_context
def show(context: click.Context, *, serial: str, out: Path | None, as_json: bool) -> None:
    """Show one by serial number or fingerprint, and what it states."""
    authority = authority_of(context)
    row = authority.attributes.show(acting(context), serial)
    facts: dict[str, Any] = describe(row, authority.ctx.store.clock.now()) | {"claims": told(row)}
    if out is not None:
        out.write_text(authority.attributes.bundle(row), "utf-8")
        facts["out"] = str(out)
    print_facts(facts, as_json=as_json)


@group.command("list", help="查询，可导出 / search, or export")
@click.option("--person", help="某人的 / of a person")
@click.option("--organ", help="该机关及其下级 / this organ and those below")
@click.option("--certificate", help="持有者证书的序列号 / serial number of the holder's certificate")
@click.option(
    "--state", type=click.Choice(get_args(Standing)), help="只看此状态的 / only those in this state"
)
@export_option
@as_json_option
@click.pass_context
def list_(context: click.Context, /, *, export: Format | None, as_json: bool, **wanted: Any) -> None:
    """List what the actor may see."""
    authority = authority_of(context)
    now = authority.ctx.store.clock.now()
    found = authority.attributes.every(acting(context), AttributeFilter(**wanted))
    rows = (describe(row, now) for row in found)
    print_rows(rows, COLUMNS, _line, export=export, as_json=as_json)


@group.command(help="撤销，立即生效 / revoke, at once")
@click.argument("serial")
@reason_option
@as_json_option
@click.pass_context
def revoke(context: click.Context, *, serial: str, reason: str, as_json: bool) -> None:
    """Take one back."""
    done = authority_of(context).attributes.revoke(acting(context), serial, reason)
    facts = {"serial": done.serial, "revoked_at": rfc3339(done.revoked_at), "reason": done.reason}
    print_facts(facts | {"crl_number": done.crl_number}, as_json=as_json)


def _line(row: Mapping[str, Any]) -> str:
    return f"{row['serial']}  {row['state']:<9} {row['not_after']}  {row['person']} {row['post']}"
