"""`yinxin sign` and `yinxin sign-in`: signatures made on the holder's own side, with her PKCS#12 file or her token."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ops.cli.context import Context
from yinxin import canonical
from yinxin.authz import sign_in_statement
from yinxin.client import Client
from yinxin.client.signing import sign_file
from yinxin.clock import SystemClock
from yinxin.command import as_json_option
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.crypto.own_token import identity_on
from yinxin.crypto.suite import INTL
from yinxin.errors import Invalid, YinxinError
from yinxin.statement import Statement
from yinxin.text import Text

_path = click.Path(path_type=Path)


class IdentityMissing(Invalid):
    """No certificate to sign with."""

    code = "ops.identity_missing"
    zh = "没有指定签名用的证书；请加上 --as FILE.p12 --password-file FILE，或 --library FILE --token LABEL。"
    en = "No certificate to sign with; add --as FILE.p12 --password-file FILE, or --library FILE --token LABEL."


class NotToBeShown(Invalid):
    """What is to be signed as a statement is none, so it cannot be shown first."""

    code = "ops.no_statement"
    zh = "{file} 不是平台给出的签署声明。签署文件请加 --form cms 或 --form asice；签署声明请重新下载。"
    en = "{file} is no statement of the platform's. To sign a file, add --form cms or --form asice; to sign a statement, download it again."


class StatementAsFile(Invalid):
    """What is to be signed as a file is something that a signature gives another meaning."""

    code = "ops.statement_as_file"
    zh = "{file} 是一份声明或登录挑战，签了就是同意其中的内容，不能当作普通文件签署：请不加 --form 重新执行，先看清内容。"
    en = "{file} is a statement or a challenge: a signature over it agrees to what it says, so it is not signed as a file. Run this without --form, and read it first."


def identity(context: Context) -> Identity:
    """The holder's key and certificate; raises IdentityMissing, or CannotOpenKeyFile."""
    if context.identity is None or context.password_file is None:
        raise IdentityMissing
    return Identity.load_p12(context.identity, context.password_file.read_text("utf-8").strip())


@contextmanager
def _own(
    context: Context, *, library: Path | None, token: str | None, label: str | None, pin_file: Path | None
) -> Iterator[Identity]:
    """From the token where one is named, else from the PKCS#12 file."""
    if library is None and token is None:
        yield identity(context)
        return
    if library is None or token is None:
        raise IdentityMissing
    if pin_file is not None:
        pin = pin_file.read_text("utf-8").removesuffix("\n")
    else:
        pin = str(click.prompt("令牌口令 / PIN of the token", hide_input=True, err=True))
    with identity_on(str(library), token, pin, label=label) as found:
        yield found


def _with_token(command: Any) -> Any:
    for option in (
        click.option(
            "--pin-file",
            type=_path,
            help="令牌口令所在文件，省略则当场输入 / file with the token's PIN; else asked for",
        ),
        click.option(
            "--label",
            help="令牌上证书的标签，只有一张时可省略 / label of the certificate, where there are several",
        ),
        click.option("--token", help="自己的令牌的名称 / label of one's own token"),
        click.option("--library", type=_path, help="令牌的 PKCS#11 库 / the token's PKCS#11 library"),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=_path, help="签名写到此文件 / where the signature goes")
@click.option(
    "--form",
    type=click.Choice(["statement", "cms", "asice"]),
    default="statement",
    show_default=True,
    help="签声明；签文件（分离式 CMS）；签文件并附证书状态和时间戳（.asice，可离线核验）/ a statement; a file, detached; a file with time and state, for offline verification",
)
@click.option("--url", help="asice：平台网址 / for asice: the platform's address")
@click.option(
    "--trust", type=_path, help="asice：信任的 TLS 根证书（PEM）/ for asice: the TLS anchors believed"
)
@_with_token
@as_json_option
@click.pass_obj
def sign(
    context: Context,
    /,
    *,
    file: Path,
    out: Path | None,
    form: str,
    url: str | None,
    trust: Path | None,
    as_json: bool,
    **own: Any,
) -> None:
    """签署声明或文件 / Sign a statement, which is shown first, or a file."""
    data = file.read_bytes()
    if form == "asice" and (url is None or out is None):
        raise click.UsageError("--form asice 须给出 --url 和 --out / --form asice takes --url and --out")
    if form == "statement":
        _show(context, file, data)
    else:
        _check(file, data)
        digest = INTL.hash.digest(data).hex()
        text = Text(
            f"将签署文件 {file.name}（SHA-256 {digest}）",
            f"About to sign the file {file.name} (SHA-256 {digest})",
        )
        click.echo(context.words(text), err=True)
    now = SystemClock().now()
    with _own(context, **own) as holder:
        if form != "asice":
            signature = cms.sign_detached(holder, data, signed_at=now)
            if form == "cms" and out is not None:
                _write(signature, out, as_json=as_json, context=context)
            else:
                _give(signature, out, as_json=as_json, context=context)
            return
        with Client(url or "", trust=trust) as client:
            made = sign_file(client.ca, holder, file.name, data, at=now)
    assert out is not None  # noqa: S101 - asked for above
    _write(made, out, as_json=as_json, context=context)


@click.command("sign-in")
@click.option("--challenge", required=True, help="登录页上的挑战码 / the challenge on the sign-in page")
@click.option(
    "--origin", required=True, help="浏览器地址栏里的网址 / the address in the browser, https://host:port"
)
@click.option("--out", type=_path, help="签名写到此文件 / where the signature goes")
@_with_token
@as_json_option
@click.pass_obj
def sign_in(
    context: Context, /, *, challenge: str, origin: str, out: Path | None, as_json: bool, **own: Any
) -> None:
    """签署登录挑战 / Sign a sign-in challenge."""
    statement = sign_in_statement(challenge, origin)
    with _own(context, **own) as holder:
        signature = cms.sign_detached(holder, statement, signed_at=SystemClock().now())
    _give(signature, out, as_json=as_json, context=context)


def _show(context: Context, file: Path, data: bytes) -> None:
    """Print what a signature would agree to; raises NotToBeShown."""
    try:
        declared = Statement.decode(data)
    except Invalid as error:
        raise NotToBeShown(file=file.name) from error
    text = Text(
        f"将签署：{declared.type} {declared.subject}", f"About to sign: {declared.type} {declared.subject}"
    )
    # where standard output is for a machine or the signature, a person still reads this
    click.echo(context.words(text), err=True)
    click.echo(
        f"  {declared.person} · {declared.post} · {declared.organ} · {dict(declared.content)}", err=True
    )


def _check(file: Path, data: bytes) -> None:
    """Raise StatementAsFile for canonical JSON that says what it is: what the platform has people sign."""
    try:
        body = canonical.decode(data)
    except YinxinError:
        return
    if isinstance(body, dict) and "type" in body:
        raise StatementAsFile(file=file.name)


def _write(octets: bytes, out: Path, *, as_json: bool, context: Context) -> None:
    """Into a file that other programs read, as it is: DER, or the container."""
    out.write_bytes(octets)
    if as_json:
        context.answer({"out": str(out), "sha256": INTL.hash.digest(octets).hex()})
    else:
        click.echo(str(out))


def _give(signature: bytes, out: Path | None, *, as_json: bool, context: Context) -> None:
    """In base64, as the pages take it."""
    text = base64.b64encode(signature).decode()
    if out is not None:
        out.write_text(text + "\n", "ascii")
    if as_json:
        context.answer({"out": str(out)} if out is not None else {"signature_base64": text})
    elif out is None:
        click.echo(text)
