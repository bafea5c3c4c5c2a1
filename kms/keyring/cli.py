"""`yinxin kms key …`: service keys, made, looked at and used."""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import click

from authz.command import propose
from kms.command import centre_of
from kms.keyring.create import ServiceKeyRequest
from kms.keyring.destroy import DESTROY
from kms.keyring.key import ServiceKey
from kms.keyring.service import Keyring
from kms.keyring.use import Item
from kms.keyring.wire import LONGEST
from kms.models import Place
from yinxin import files
from yinxin.authz import PLATFORM
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.crypto.key_import import METHODS
from yinxin.crypto.operations import KINDS, Operation

_name = click.argument("name")
_in = click.option("--in", "given", type=click.File("rb"), default="-", help="输入文件，默认标准输入 / file, else standard input")  # fmt: skip
_context = click.option(
    "--context", "binding", default="", help="上下文，解密时须相同 / context, the same again to decrypt"
)
_version = click.option("--version", type=click.IntRange(1), help="版本，默认最新 / version, else the newest")


@click.group("key", help="服务密钥 / service keys, which systems use without holding them")
def group() -> None:
    """The group of commands."""


# --- keys ---


@group.command(
    help="创建服务密钥（重复执行不会重复创建） / make a service key; repeating it makes no second one"
)
@_name
@click.option("--owner", default=PLATFORM, show_default=True, help="所属机关 / the owning organ")
@click.option("--purpose", required=True, help="用途代码 / what it is for, such as records.field-encryption")
@click.option("--algorithm", type=click.Choice(list(KINDS)), required=True, help="算法 / the algorithm")
@click.option(
    "--operation",
    "operations",
    multiple=True,
    type=click.Choice([each.value for each in Operation]),
    help="允许的操作，可多次给出；省略为该算法的全部 / operations it may be used for, as often as needed; else all that the algorithm has",
)
@click.option(
    "--place",
    type=click.Choice([each.value for each in Place]),
    default=Place.WRAPPED.value,
    show_default=True,
    help="存放处：密码机内，或由密码机封装后在库外 / where it lies: in the security module, or outside, wrapped by it",
)
@as_json_option
@click.pass_context
def create(context: click.Context, /, *, name: str, place: str, as_json: bool, **given: Any) -> None:
    """Make a service key, if the actor may."""
    wanted = ServiceKeyRequest(name, place=Place(place), **given)
    _told(_keyring(context).create(acting(context), wanted), as_json=as_json)


@group.command("list", help="列出一个机关的服务密钥 / list an organ's service keys")
@click.option("--owner", default=PLATFORM, show_default=True, help="所属机关 / the owning organ")
@click.option(
    "--algorithm",
    type=click.Choice(list(KINDS)),
    default=None,
    help="只看此算法 / only keys of this algorithm",
)
@as_json_option
@click.pass_context
def list_(context: click.Context, *, owner: str, algorithm: str | None, as_json: bool) -> None:
    """Print an organ's keys, if the actor may see them."""
    found = _keyring(context).keys_of(acting(context), owner, algorithm=algorithm or "")
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        click.echo(
            f"{each.name:<48} {each.kind.name:<18} {each.condition:<9} {each.latest:>4} {each.purpose}"
        )


@group.command(help="查看服务密钥及其版本 / show a service key and its versions")
@_name
@as_json_option
@click.pass_context
def show(context: click.Context, *, name: str, as_json: bool) -> None:
    """Print one key."""
    keyring, actor = _keyring(context), acting(context)
    versions = [
        {
            "version": each.number,
            "created": rfc3339(each.created),
            "imported": each.imported,
            "encryptions": encryptions,
            "public_key": b64encode(each.spki).decode() if each.spki else None,
        }
        for each, encryptions in keyring.versions(actor, name)
    ]
    print_facts(keyring.show(actor, name).fields() | {"versions": versions}, as_json=as_json)


@group.command(help="轮换：增加一个新版本 / rotate: add a new version")
@_name
@as_json_option
@click.pass_context
def rotate(context: click.Context, *, name: str, as_json: bool) -> None:
    """Rotate a key, if the actor may."""
    _told(_keyring(context).rotate(acting(context), name), as_json=as_json)


@group.command(help="调整最低版本 / set the least versions that decrypt and that encrypt")
@_name
@click.option(
    "--min-decrypt",
    type=click.IntRange(1),
    required=True,
    help="可解密、可验证的最低版本 / the least version that decrypts and verifies",
)
@click.option(
    "--min-encrypt",
    type=click.IntRange(1),
    required=True,
    help="可加密、可签名的最低版本 / the least version that encrypts and signs",
)
@as_json_option
@click.pass_context
def limit(context: click.Context, *, name: str, min_decrypt: int, min_encrypt: int, as_json: bool) -> None:
    """Take old versions out of use, if the actor may."""
    _told(_keyring(context).limit(acting(context), name, min_decrypt, min_encrypt), as_json=as_json)


@group.command(
    "import",
    help="导入：先取公钥，再交回用它封装的密钥 / bring in a key that was made elsewhere, wrapped for us",
)
@_name
@click.option("--owner", default=PLATFORM, show_default=True, help="所属机关 / the owning organ")
@click.option("--purpose", required=True, help="用途代码 / what it is for")
@click.option("--algorithm", type=click.Choice(list(KINDS)), required=True, help="算法 / the algorithm")
@click.option(
    "--operation",
    "operations",
    multiple=True,
    type=click.Choice([each.value for each in Operation]),
    help="允许的操作，可多次给出；省略为该算法的全部 / operations it may be used for, as often as needed; else all that the algorithm has",
)
@click.option(
    "--method",
    type=click.Choice(list(METHODS)),
    default="ml-kem-768-hpke",
    show_default=True,
    help="封装方法 / how it will be wrapped",
)
@as_json_option
@click.pass_context
def import_(context: click.Context, /, *, name: str, method: str, as_json: bool, **given: Any) -> None:
    """Print the import's identifier and public key."""
    begun = _keyring(context).begin_import(acting(context), ServiceKeyRequest(name, **given), method)
    told = {"import": begun.id, "method": method, "expires": rfc3339(begun.expires)}
    print_facts(told | {"public_key": b64encode(begun.spki).decode("ascii")}, as_json=as_json)


@group.command("import-finish", help="交回封装的密钥 / hand in the wrapped key")
@click.argument("import_id")
@_in
@as_json_option
@click.pass_context
def import_finish(context: click.Context, *, import_id: str, given: Any, as_json: bool) -> None:
    """Make the service key of it."""
    _told(_keyring(context).finish_import(acting(context), import_id, given.read(LONGEST)), as_json=as_json)


@group.command(help="提出销毁，供其他岗位批准 / propose to destroy a service key, for others to approve")
@_name
@click.option("--reason", required=True, help="事由 / reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def destroy(context: click.Context, *, name: str, reason: str, basis: str, as_json: bool) -> None:
    """Propose the destruction."""
    propose(context, DESTROY, {"name": name}, reason=reason, basis=basis, as_json=as_json)


@group.command(help="撤回待执行的销毁 / call off a destruction that waits")
@_name
@as_json_option
@click.pass_context
def keep(context: click.Context, *, name: str, as_json: bool) -> None:
    """Keep the key, if the actor may."""
    _told(_keyring(context).keep(acting(context), name), as_json=as_json)


# --- use ---


@group.command(help="加密 / encrypt")
@_name
@_in
@_context
@_version
@as_json_option
@click.pass_context
def encrypt(context: click.Context, /, *, name: str, as_json: bool, **given: Any) -> None:
    """Print the ciphertext."""
    done = _keyring(context).use(acting(context), name, "encrypt", _item(**given))
    _ciphertext(done.ciphertext, done.version, as_json=as_json)


@group.command(help="解密，明文写入文件 / decrypt; the plaintext goes to a file")
@_name
@_in
@_context
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="明文写入此文件（0600） / the plaintext goes to this file (0600)",
)
@as_json_option
@click.pass_context
def decrypt(context: click.Context, /, *, name: str, out: Path, as_json: bool, **given: Any) -> None:
    """Write the plaintext, readable by its owner only."""
    done = _keyring(context).use(acting(context), name, "decrypt", _opening(**given))
    files.replace(out, done.octets, mode=0o600)
    print_facts({"version": done.version, "out": str(out), "size": len(done.octets)}, as_json=as_json)


@group.command(help="将密文重新加密到最新版本 / rewrap a ciphertext to the newest version")
@_name
@_in
@_context
@as_json_option
@click.pass_context
def rewrap(context: click.Context, /, *, name: str, as_json: bool, **given: Any) -> None:
    """Print the new ciphertext."""
    done = _keyring(context).use(acting(context), name, "rewrap", _opening(**given))
    _ciphertext(done.ciphertext, done.version, as_json=as_json)


@group.command(
    "data-key", help="生成数据密钥；给出 --out 时另写明文 / make a data key; with --out its plaintext too"
)
@_name
@_context
@click.option(
    "--size",
    type=click.Choice(["16", "32", "64"]),
    default="32",
    show_default=True,
    help="数据密钥的字节数 / octets of the data key",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="数据密钥明文写入此文件（0600） / the plaintext data key goes to this file (0600)",
)
@as_json_option
@click.pass_context
def data_key(
    context: click.Context, /, *, name: str, binding: str, size: str, out: Path | None, as_json: bool
) -> None:
    """Print the wrapped data key."""
    item = Item(context=binding.encode(), size=int(size), plain=out is not None)
    done = _keyring(context).use(acting(context), name, "data-key", item)
    if out is not None:
        files.replace(out, done.octets, mode=0o600)
    _ciphertext(done.ciphertext, done.version, as_json=as_json)


@group.command(help="签名 / sign")
@_name
@_in
@_version
@as_json_option
@click.pass_context
def sign(context: click.Context, /, *, name: str, as_json: bool, **given: Any) -> None:
    """Print the signature in base64."""
    done = _keyring(context).use(acting(context), name, "sign", _item(**given))
    _octets("signature", done.octets, done.version, as_json=as_json)


@group.command(help="计算消息鉴别码 / make a MAC")
@_name
@_in
@_version
@as_json_option
@click.pass_context
def mac(context: click.Context, /, *, name: str, as_json: bool, **given: Any) -> None:
    """Print the MAC in base64."""
    done = _keyring(context).use(acting(context), name, "mac", _item(**given))
    _octets("mac", done.octets, done.version, as_json=as_json)


@group.command(help="验证签名或消息鉴别码 / verify a signature or a MAC")
@_name
@_in
@_version
@click.option("--signature", help="签名，base64 / signature")
@click.option("--mac", help="消息鉴别码，base64 / MAC")
@as_json_option
@click.pass_context
def verify(
    context: click.Context,
    /,
    *,
    name: str,
    signature: str | None,
    mac: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Say that it holds; fail when it does not."""
    if (signature is None) == (mac is None):
        raise click.UsageError("--signature 与 --mac 须且只须给出一项 / give either --signature or --mac")
    operation = "verify" if mac is None else "verify-mac"
    try:
        octets = b64decode(signature or mac or "", validate=True)
    except ValueError as error:
        raise click.UsageError("不是 base64 / this is not base64") from error
    done = _keyring(context).use(acting(context), name, operation, _item(**given, checked=octets))
    print_facts({"version": done.version, "holds": True}, as_json=as_json)


@group.command(help="随机数 / random octets")
@click.argument("size", type=click.IntRange(1, 4096), default=32)
@as_json_option
@click.pass_context
def random(context: click.Context, *, size: int, as_json: bool) -> None:
    """Print random octets in base64."""
    made = _keyring(context).random(acting(context), size)
    _octets("octets", made, None, as_json=as_json)


def _keyring(context: click.Context) -> Keyring:
    return centre_of(context).keyring


def _item(given: Any, version: int | None, binding: str = "", checked: bytes = b"") -> Item:
    data = given.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise click.UsageError(
            f"输入至多 {LONGEST} 字节，请用数据密钥 / at most {LONGEST} octets: use a data key"
        )
    return Item(data=data, context=binding.encode(), given=checked, version=version)


def _opening(given: Any, binding: str) -> Item:
    return Item(ciphertext=given.read().decode("ascii", "replace").strip(), context=binding.encode())


def _told(key: ServiceKey, *, as_json: bool) -> None:
    print_facts(key.fields(), as_json=as_json)


def _ciphertext(text: str, version: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"ciphertext": text, "version": version})
    else:
        click.echo(text)


def _octets(name: str, octets: bytes, version: int | None, *, as_json: bool) -> None:
    text = b64encode(octets).decode("ascii")
    if as_json:
        print_json({f"{name}_base64": text} | ({"version": version} if version else {}))
    else:
        click.echo(text)
