"""`yinxin kms holder …`: one's own signing key in the key centre."""

from pathlib import Path
from typing import Any

import click

from kms.command import centre_of
from kms.holder.lock import Unlock
from kms.holder.service import HolderKeys
from kms.holder.signer import HolderSigner
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, PQ, SM, suite

_key = click.argument("key")
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_pin_file = click.option(
    "--pin-file", type=_file, help="口令所在文件，省略则当场输入 / file with the PIN; else it is asked for"
)
_new_pin_file = click.option(
    "--new-pin-file",
    type=_file,
    help="新口令所在文件，省略则当场输入 / file with the new PIN; else asked for",
)


@click.group("holder", help="个人签名密钥 / one's own signing key, kept in the key centre")
def group() -> None:
    """The group of commands."""


@group.command(help="建立本人的签名密钥 / make a signing key of one's own")
@click.option(
    "--suite",
    "name",
    type=click.Choice([each.name for each in (INTL, SM, PQ)]),
    default=INTL.name,
    show_default=True,
    help="算法套件 / suite of algorithms",
)
@_pin_file
@as_json_option
@click.pass_context
def create(context: click.Context, *, name: str, pin_file: Path | None, as_json: bool) -> None:
    """Make it."""
    holders, actor = _holders(context), acting(context)
    made = holders.create(actor, suite(name), _pin(pin_file, twice=True))
    print_facts(made.fields(holders.most), as_json=as_json)


@group.command("list", help="列出个人签名密钥，默认本人的 / list a person's signing keys, else one's own")
@click.option("--holder", help="某人 / whose they are")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, holder: str | None, as_json: bool) -> None:
    """List them, oldest first."""
    holders, actor = _holders(context), acting(context)
    found = [each.fields(holders.most) for each in holders.keys_of(actor, holder or actor.id)]
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(
            f"{each['id']}  {each['suite']:<4} {each['state']:<10} {each['attempts_left']}  {each['created']}"
        )


@group.command(help="更改口令 / change the PIN")
@_key
@_pin_file
@_new_pin_file
@as_json_option
@click.pass_context
def pin(
    context: click.Context, *, key: str, pin_file: Path | None, new_pin_file: Path | None, as_json: bool
) -> None:
    """Change it; the old one opens the key no more."""
    holders, actor = _holders(context), acting(context)
    old = _pin(pin_file)
    holders.change_pin(actor, key, old, _pin(new_pin_file, new=True, twice=True))
    print_facts(holders.show(actor, key).fields(holders.most), as_json=as_json)


@group.command(help="为本人的签名密钥生成证书申请（PKCS#10） / a request for a certificate of the key")
@_key
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到此文件 / where it goes")  # fmt: skip
@_pin_file
@as_json_option
@click.pass_context
def csr(context: click.Context, *, key: str, out: Path, pin_file: Path | None, as_json: bool) -> None:
    """Sign a request with the key; hand it in by `yinxin ca registration submit`."""
    signer = _signer(context, key, pin_file, "ca.apply", f"holder-key:{key}")
    request = CertificationRequest.build(signer, {})
    out.write_text(request.pem, "ascii")
    print_facts({"out": str(out), "key_id": request.public_key.key_id.hex()}, as_json=as_json)


@group.command(help="以本人的签名密钥签一个文件 / sign a file with one's own key")
@_key
@click.argument("file", type=_file)
@click.option("--certificate", type=_file, required=True, help="该密钥的证书及上级证书（PEM） / the key's certificate and those above")  # fmt: skip
@click.option(
    "--purpose", default="holder.sign", show_default=True, help="用途代码，记入日志 / the act it is for"
)
@click.option(
    "--subject", required=True, help="签的是什么，如 document:42，记入日志 / what is signed; recorded"
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="签名写到此文件 / where the signature goes")  # fmt: skip
@_pin_file
@as_json_option
@click.pass_context
def sign(context: click.Context, /, *, key: str, file: Path, out: Path, as_json: bool, **asked: Any) -> None:
    """Write a detached CMS signature (DER)."""
    signer = _signer(context, key, asked["pin_file"], asked["purpose"], asked["subject"])
    own, *above = Certificate.load_many(asked["certificate"].read_bytes())
    identity = Identity(signer, own, tuple(above))
    centre = centre_of(context)
    out.write_bytes(cms.sign_detached(identity, file.read_bytes(), signed_at=centre.store.clock.now()))
    print_facts({"out": str(out), "subject": asked["subject"]}, as_json=as_json)


@group.command(help="列出签过什么，由新到旧 / what a key has signed, the newest first")
@_key
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="最多几条 / at most"
)
@as_json_option
@click.pass_context
def uses(context: click.Context, *, key: str, limit: int, as_json: bool) -> None:
    """List them."""
    found = [each.fields() for each in _holders(context).uses(acting(context), key, limit=limit)]
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(f"{each['at']}  {each['way']:<8} {each['purpose']:<24} {each['subject']}  {each['entry']}")


@group.command(help="停用并销毁个人签名密钥 / end a signing key; its secret is destroyed")
@_key
@as_json_option
@click.pass_context
def end(context: click.Context, *, key: str, as_json: bool) -> None:
    """End it."""
    holders = _holders(context)
    print_facts(holders.end(acting(context), key).fields(holders.most), as_json=as_json)


def _holders(context: click.Context) -> HolderKeys:
    return centre_of(context).holders


def _signer(
    context: click.Context, key: str, pin_file: Path | None, purpose: str, subject: str
) -> HolderSigner:
    holders, actor = _holders(context), acting(context)
    unlock = Unlock.pin(_pin(pin_file))
    return HolderSigner(holders, actor, holders.show(actor, key), unlock, purpose=purpose, subject=subject)


def _pin(file: Path | None, *, new: bool = False, twice: bool = False) -> str:
    """The PIN, from a file's first line or from who sits there; never from the command line."""
    if file is not None:
        return file.read_text("utf-8").removesuffix("\n")
    prompt = "新口令 / new PIN" if new else "口令 / PIN"
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True))
