"""`yinxin ca blocklist …`: keys that are never certified again."""

import re
from pathlib import Path
from typing import Any

import click

from ca.command import authority_of
from ca.errors import NoKeyInFile
from ca.keycheck.blocked import spki_digest
from ca.keycheck.blocklist import REASONS, describe
from ca.keycheck.read import key_in
from ca.service import Authority
from yinxin.command import acting, as_json_option, print_facts, print_json

_PAGE = 200
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("blocklist", help="密钥禁用名单 / keys that are never certified again")
def group() -> None:
    """The group of commands."""


@group.command(
    help="禁用一个密钥；--revoke-all 撤销其全部有效证书 / block a key; --revoke-all revokes every valid certificate of it"
)
@click.option("--serial", help="按证书的序列号或指纹 / by serial number or fingerprint of a certificate here")
@click.option(
    "--file",
    "file",
    type=_file,
    help="PEM 文件：证书、请求、公钥，或作为证明的私钥 / PEM: certificate, request, public key, or the private key as proof",
)
@click.option("--digest", help="SubjectPublicKeyInfo 的 SHA-256 / SHA-256 of the SubjectPublicKeyInfo")
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    default="keyCompromise",
    show_default=True,
    help="禁用的原因，也是撤销其证书的原因 / why it is blocked, and why its certificates are revoked",
)
@click.option("--note", default="", help="备注 / remark")
@click.option(
    "--revoke-all", is_flag=True, help="撤销该密钥的全部有效证书 / revoke every valid certificate of the key"
)
@as_json_option
@click.pass_context
def add(context: click.Context, /, *, revoke_all: bool, as_json: bool, **asked: Any) -> None:
    """Block a key, and on request revoke what it still has."""
    authority, actor = authority_of(context), acting(context)
    digest = _digest(authority, context, asked["serial"], asked["file"], asked["digest"])
    added = authority.blocklist.add(actor, digest, asked["reason"], asked["note"][:200])
    answer: dict[str, Any] = {"key": digest, "added": added}
    failed = False
    if revoke_all:
        swept = authority.blocklist.revoke_all(actor, digest)
        answer |= {
            "revoked": list(swept.revoked),
            "failed": {serial: str(error) for serial, error in swept.failed},
        }
        failed = bool(swept.failed)
    print_facts(answer, as_json=as_json)
    if failed:
        context.exit(75)


@group.command(help="取消禁用 / take a key off the list")
@click.argument("digest")
@as_json_option
@click.pass_context
def remove(context: click.Context, *, digest: str, as_json: bool) -> None:
    """Take a key off the list."""
    authority_of(context).blocklist.remove(acting(context), digest.lower())
    print_facts({"key": digest.lower(), "removed": True}, as_json=as_json)


@group.command("import", help="导入已知弱密钥名单 / import a list of known weak keys")
@click.argument("file", type=_file)
@click.option("--note", default="", help="来源 / where it is from")
@as_json_option
@click.pass_context
def import_(context: click.Context, *, file: Path, note: str, as_json: bool) -> None:
    """Import a file: one digest a line, of a SubjectPublicKeyInfo or as in Debian's openssl-blacklist."""
    added = authority_of(context).blocklist.load(acting(context), file, note[:200])
    print_facts({"file": str(file), "added": added}, as_json=as_json)


@group.command("list", help="列出名单 / show the list")
@click.option("--digest", default="", help="只查一个密钥 / one key only")
@click.option("--after", default="", help="从此项之后 / from the one after this")
@click.option(
    "--limit", type=click.IntRange(1, 10000), default=_PAGE, show_default=True, help="条数 / how many"
)
@as_json_option
@click.pass_context
def list_(context: click.Context, *, digest: str, after: str, limit: int, as_json: bool) -> None:
    """Show the list, or look one key up."""
    authority, actor = authority_of(context), acting(context)
    found = authority.blocklist.search(actor, after=after, limit=limit)
    rows = [describe(each) for each in ([authority.blocklist.find(digest.lower())] if digest else found)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['key']:<64}  {row['reason']:<14} {row['since']}  {row['by']}  {row['note']}")


def _digest(
    authority: Authority, context: click.Context, serial: str | None, file: Path | None, digest: str | None
) -> str:
    given = [each for each in (serial, file, digest) if each is not None]
    if len(given) != 1:
        raise click.UsageError("--serial、--file、--digest 三者取一 / give one of --serial, --file, --digest")
    if serial is not None:
        return authority.show(acting(context), serial).spki_digest
    if file is not None:
        return spki_digest(key_in(file.read_bytes(), file.name))
    text = (digest or "").strip().lower().replace(":", "")
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise NoKeyInFile(file="--digest")
    return text
