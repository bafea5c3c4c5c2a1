"""`yinxin ca pair …`: a signing certificate and an encryption certificate, issued together."""

from pathlib import Path
from typing import Any

import click

from ca.command import authority_of
from ca.pair.envelope import Dialect
from ca.pair.errors import FileThere
from ca.pair.issue import PairRequest
from ca.pair.service import Pair
from ca.request import Holder
from yinxin.command import acting, as_json_option, print_facts
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedKey
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.pem import decode, encode
from yinxin.crypto.received_key import open_received
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import PQ
from yinxin.files import replace
from yinxin.text import Text

_in = click.Path(exists=True, dir_okay=False, path_type=Path)
_out = click.Path(dir_okay=False, path_type=Path)
_dialect = click.option(
    "--dialect",
    type=click.Choice([str(each) for each in Dialect]),
    help="信封格式，省略则按密钥取通常的一种 / form of the envelope; else the usual one for the key",
)


@click.group("pair", help="双证书：签名与加密 / pairs of certificates, to sign with and to encrypt to")
def group() -> None:
    """The group of commands."""


@group.command(help="签发一对证书；加密密钥由密钥管理中心产生并托管 / issue a pair")
@click.option("--csr", type=_in, required=True, help="签名密钥的 PKCS#10 / PKCS#10 of the signing key")
@click.option("--holder", required=True, help="持有者标识 / the holder's identifier")
@click.option(
    "--kind",
    type=click.Choice(["person", "organ"]),
    default="person",
    show_default=True,
    help="持有者的种类 / kind of holder",
)
@click.option("--post", help="个人的岗位 / post of a person")
@click.option("--profile", help="签名证书模板 / the signing profile")
@click.option("--days", type=click.IntRange(1, 36525), help="有效天数 / validity in days")
@click.option("--renews", help="换发哪一对（引用号）/ reference of the pair whose place it takes")
@click.option("--reference", help="引用号，重复使用得到同一对 / the same one gives the same pair")
@click.option("--out", type=_out, required=True, help="证书写入此文件 / the certificates")
@click.option(
    "--envelope", type=_out, required=True, help="加密密钥的信封写入此文件 / the encryption key's envelope"
)
@_dialect
@as_json_option
@click.pass_context
def issue(
    context: click.Context, /, *, csr: Path, out: Path, envelope: Path, as_json: bool, **asked: Any
) -> None:
    """Issue a pair, and write the certificates and the envelope with the encryption key."""
    authority, actor = authority_of(context), acting(context)
    pair = authority.pairs.issue(
        actor,
        PairRequest(
            reference=asked["reference"] or f"cli/{authority.ctx.store.identifier()}",
            profile=asked["profile"] or ("person-signing" if asked["kind"] == "person" else "organ-seal"),
            csr=csr.read_bytes(),
            holder=Holder(asked["kind"], asked["holder"], asked["post"]),
            days=asked["days"],
            renews=asked["renews"],
        ),
    )
    out.write_text(_pem(pair), "utf-8")
    sealed = authority.pairs.envelope(actor, pair.reference, _chosen(asked["dialect"]))
    envelope.write_bytes(sealed)
    print_facts(pair.fields() | {"out": str(out), "envelope": str(envelope)}, as_json=as_json)


@group.command(help="查看一对证书 / show a pair")
@click.argument("name", metavar="REFERENCE|SERIAL")
@as_json_option
@click.pass_context
def show(context: click.Context, *, name: str, as_json: bool) -> None:
    """Show a pair by its reference or the serial number of one half."""
    pair = authority_of(context).pairs.show(acting(context), name)
    print_facts(pair.fields() | ({"pem": _pem(pair)} if as_json else {}), as_json=as_json)


@group.command(help="再次取出加密密钥的信封 / fetch the encryption key's envelope again")
@click.argument("name", metavar="REFERENCE|SERIAL")
@click.option("--out", type=_out, required=True, help="信封写入此文件 / the envelope goes to this file")
@_dialect
@click.pass_context
def envelope(context: click.Context, *, name: str, out: Path, dialect: str | None) -> None:
    """Write the envelope of a pair in force."""
    out.write_bytes(authority_of(context).pairs.envelope(acting(context), name, _chosen(dialect)))
    click.echo(str(out))


@group.command(
    help="持有者生成抗量子签名密钥、传输密钥及申请 / the holder makes a signing key and a transport key of pq, and the request"
)
@click.option(
    "--algorithm",
    type=click.Choice(PQ.signing_keys),
    default=PQ.key_algorithm,
    show_default=True,
    help="签名密钥的算法 / algorithm of the signing key",
)
@click.option("--key", type=_out, required=True, help="签名密钥写入此文件 / the signing key")
@click.option("--transport", type=_out, required=True, help="传输密钥写入此文件 / the transport key")
@click.option("--csr", type=_out, required=True, help="申请写入此文件 / the request")
def request(*, algorithm: str, key: Path, transport: Path, csr: Path) -> None:
    """Make both keys on the holder's side, and the request that binds the second to the first.

    No file that exists is written over: a key that is lost so is lost for good.
    """
    for each in (key, transport, csr):
        if each.exists():
            raise FileThere(file=str(each))
    signing, receiving = PrivateKey.generate(algorithm), PrivateKey.generate(PQ.encryption_for(algorithm))
    made = CertificationRequest.build(signing, {}, transport=receiving.public_key)
    for path, private in ((key, signing), (transport, receiving)):
        replace(path, encode("PRIVATE KEY", private.pkcs8()).encode(), mode=0o600)
    replace(csr, made.pem.encode())
    click.echo(str(csr))


@group.command("open", help="持有者打开信封，得到加密密钥的 PKCS#12 / the holder opens the envelope")
@click.option(
    "--key",
    type=_in,
    required=True,
    help="签名密钥（抗量子：传输密钥），PKCS#8 PEM / the signing key; of pq, the transport key",
)
@click.option(
    "--certificates", type=_in, required=True, help="issue --out 所写的文件 / what issue --out wrote"
)
@click.option(
    "--envelope", "sealed", type=_in, required=True, help="加密密钥的信封 / the encryption key's envelope"
)
@click.option(
    "--recovered",
    type=_in,
    help="信封中是恢复的旧密钥：该密钥所属双证书的文件 / it is a recovered key: the file with the certificates of its own pair",
)
@click.option("--password", type=_in, required=True, help="口令文件 / file with the password of the PKCS#12")
@click.option("--out", type=_out, required=True, help="PKCS#12")
def open_(
    *, key: Path, certificates: Path, sealed: Path, recovered: Path | None, password: Path, out: Path
) -> None:
    """Open the envelope on the holder's side, and keep the encryption key with its certificate."""
    blocks = decode("PRIVATE KEY", key.read_bytes())
    if len(blocks) != 1:
        raise MalformedKey(reason=Text("应为一个 PEM 格式的 PRIVATE KEY", "one PEM PRIVATE KEY is expected"))
    own, given = PrivateKey.load(blocks[0]), Certificate.load_many(certificates.read_bytes())
    # who is named in it: the certificate of this key, or the transport key that its holder signed for
    named = next((each for each in given if each.public_key == own.public_key), None)
    of = Certificate.load_many(recovered.read_bytes()) if recovered is not None else given
    if len(of) < 2:
        raise click.UsageError(
            "证书文件须含签名、加密两张证书；恢复的旧密钥须给出 --recovered / the certificates of a pair are needed; for a recovered key, --recovered"
        )
    _, encryption, *chain = of
    received = open_received(sealed.read_bytes(), own, named, encryption=encryption)
    Identity(received, encryption, tuple(chain)).save_p12(out, password.read_text("utf-8").strip())
    click.echo(str(out))


def _chosen(dialect: str | None) -> Dialect | None:
    return Dialect(dialect) if dialect else None


def _pem(pair: Pair) -> str:
    return "".join(each.pem for each in (pair.signing, pair.encryption, *pair.chain[:-1]))
