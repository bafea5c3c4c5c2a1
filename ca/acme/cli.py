"""`yinxin ca acme …`: what an officer does about ACME beside granting credentials."""

import click

from ca.command import authority_of
from yinxin.command import acting, as_json_option, print_facts


@click.group("acme", help="ACME 证书自动化 / certificates by ACME")
def group() -> None:
    """The group of commands."""


@group.command(help="要求客户端立即换发一张证书 / have a certificate renewed now by its client")
@click.option("--serial", required=True, help="序列号或 SHA-256 指纹 / serial number or SHA-256 fingerprint")
@click.option("--url", help="说明页地址 / address of a page that says why")
@as_json_option
@click.pass_context
def renew(context: click.Context, *, serial: str, url: str | None, as_json: bool) -> None:
    """Mark a certificate for renewal."""
    authority = authority_of(context)
    marked = authority.renew(acting(context), serial, url)
    print_facts({"serial": marked}, as_json=as_json)
