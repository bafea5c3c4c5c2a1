"""`yinxin sign` and `yinxin sign-in`: signatures made on the holder's own side, with her own PKCS#12 file."""

import base64
from pathlib import Path

import click

from ops.cli.context import Context
from yinxin.authz import sign_in_statement
from yinxin.clock import SystemClock
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.errors import Invalid
from yinxin.statement import Statement
from yinxin.text import Text


class IdentityMissing(Invalid):
    """No certificate to sign with."""

    code = "ops.identity_missing"
    zh = "没有指定签名用的证书；请加上 --as FILE.p12 --password-file FILE。"
    en = "No certificate to sign with; add --as FILE.p12 --password-file FILE."


def identity(context: Context) -> Identity:
    """The holder's key and certificate; raises IdentityMissing, or CannotOpenKeyFile."""
    if context.identity is None or context.password_file is None:
        raise IdentityMissing
    return Identity.load_p12(context.identity, context.password_file.read_text("utf-8").strip())


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), help="签名写到此文件 / where the signature goes")
@click.pass_obj
def sign(context: Context, file: Path, out: Path | None) -> None:
    """签署一份待签声明 / Sign a statement; it is shown before it is signed."""
    data = file.read_bytes()
    declared = Statement.decode(data)
    context.say(
        Text(
            f"将签署：{declared.type} {declared.subject}",
            f"About to sign: {declared.type} {declared.subject}",
        )
    )
    click.echo(
        f"  {declared.person} · {declared.post} · {declared.organ} · {dict(declared.content)}", err=True
    )
    _give(cms.sign_detached(identity(context), data, signed_at=SystemClock().now()), out)


@click.command("sign-in")
@click.option("--challenge", required=True, help="登录页上的挑战码 / the challenge on the sign-in page")
@click.option(
    "--origin", required=True, help="浏览器地址栏里的网址 / the address in the browser, https://host:port"
)
@click.option("--out", type=click.Path(path_type=Path), help="签名写到此文件 / where the signature goes")
@click.pass_obj
def sign_in(context: Context, challenge: str, origin: str, out: Path | None) -> None:
    """签署登录挑战 / Sign a sign-in challenge."""
    statement = sign_in_statement(challenge, origin)
    _give(cms.sign_detached(identity(context), statement, signed_at=SystemClock().now()), out)


def _give(signature: bytes, out: Path | None) -> None:
    text = base64.b64encode(signature).decode()
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", "ascii")
