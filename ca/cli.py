"""`yinxin ca …`: thin commands over the certificate authority."""

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, get_args

import click

from ca.acme.cli import group as acme_commands
from ca.attribute.cli import group as attribute_commands
from ca.bulk.cli import enrol
from ca.ceremony.cli import group as ceremony_commands
from ca.command import authority_of, export_option, print_rows, reason_option
from ca.enrolment.cli import group as credential_commands
from ca.errors import WrongCount
from ca.hierarchy.cli import group as authority_commands
from ca.inventory import COLUMNS, Filter, Sort, Standing, describe, normal
from ca.keycheck.cli import group as blocklist_commands
from ca.pair.cli import group as pair_commands
from ca.profile.cli import group as profile_commands
from ca.recheck.cli import recheck
from ca.registration.cli import group as registration_commands
from ca.registration.cli import renew
from ca.request import Holder, IssueRequest
from ca.revoke_many import Target
from ca.suspend import Hold
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.crypto.pem import encode
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertificateList
from yinxin.tables import Format

_day = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_out = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="写入文件 / write to this file"
)


def _about_one(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command about one certificate, whose number is the argument or is given by --serial."""
    option = click.option("--serial", help="序列号或 SHA-256 指纹 / serial number or SHA-256 fingerprint")
    return click.argument("number", metavar="[SERIAL]", required=False)(option(command))


def _the_one(number: str | None, serial: str | None) -> str:
    """The certificate that was named, one way or the other; raises UsageError."""
    if (number is None) == (serial is None):
        raise click.UsageError(
            "请给出一个序列号（参数或 --serial） / give one serial number, as the argument or by --serial"
        )
    return number or serial or ""


@click.group("ca", help="数字认证中心 / the certificate authority")
def group() -> None:
    """The group of commands."""


@group.command(help="签发证书 / issue a certificate")
@click.option("--profile", required=True, help="证书模板 / the profile")
@click.option("--csr", type=_file, required=True, help="PKCS#10，PEM 或 DER / PEM or DER")
@click.option(
    "--holder", help="持有者标识，省略则取请求中的通用名称 / its identifier; else the name in the request"
)
@click.option(
    "--kind",
    type=click.Choice(["person", "organ", "service"]),
    default="service",
    show_default=True,
    help="持有者的种类 / kind of holder",
)
@click.option("--post", help="任职岗位（个人证书）/ post of a person")
@click.option("--organ", help="运行该系统的机关，省略则为本机关 / organ that runs a service; else your own")
@click.option("--days", type=click.IntRange(1, 36525), help="有效天数 / validity in days")
@click.option("--reference", help="引用号，重复使用得到同一证书 / the same one gives the same certificate")
@_out
@as_json_option
@click.pass_context
def issue(context: click.Context, /, *, csr: Path, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Issue to a CSR and print or write the chain without its root."""
    authority, actor = authority_of(context), acting(context)
    holder = asked["holder"] or CertificationRequest.load(csr.read_bytes()).subject.common_name
    organ = asked["organ"] or (actor.organ if asked["kind"] == "service" else None)
    issued = authority.issue(
        actor,
        IssueRequest(
            reference=asked["reference"] or f"cli/{authority.ctx.store.identifier()}",
            profile=asked["profile"],
            csr=csr.read_bytes(),
            holder=Holder(asked["kind"], holder, asked["post"], organ),
            days=asked["days"],
        ),
    )
    pem = "".join(each.pem for each in (issued.certificate, *issued.chain[:-1]))
    if out is not None:
        out.write_text(pem, "utf-8")
    facts = {"serial": issued.serial, "subject": issued.certificate.subject.text, "out": str(out or "")}
    print_json(facts | {"pem": pem}) if as_json else click.echo(str(out) if out else pem)


@group.command(
    help="撤销证书：一张，或某人、某机关、某密钥的全部 / revoke one certificate, or all of a person, organ or key"
)
@_about_one
@click.option("--person", help="某人的全部证书 / all of a person")
@click.option("--organ", help="该机关及其下级的全部证书 / all of an organ and those below")
@click.option("--key", help="公钥的 SHA-256 / all with this key, by its SHA-256")
@reason_option
@click.option("--dry-run", is_flag=True, help="只列出将撤销的 / list what would be revoked")
@click.option("--yes", "expected", type=click.IntRange(1), help="确认的张数 / their number, to confirm")
@as_json_option
@click.pass_context
def revoke(context: click.Context, /, *, number: str | None, serial: str | None, reason: str, dry_run: bool, expected: int | None, as_json: bool, **of: str | None) -> None:  # fmt: skip
    """Revoke, at once and for good."""
    authority, actor = authority_of(context), acting(context)
    if sum(each is not None for each in (number, serial, *of.values())) != 1:
        raise click.UsageError(
            "请只给出一项：序列号（参数或 --serial）、--person、--organ 或 --key"
            " / give exactly one: a serial number (the argument or --serial), --person, --organ or --key"
        )
    if (serial := number or serial) is not None:
        if dry_run:
            print_facts(
                describe(authority.show(actor, serial), authority.ctx.store.clock.now()), as_json=as_json
            )
            return
        done = authority.revoke(actor, serial, reason)
        facts = {"serial": done.serial, "revoked_at": rfc3339(done.revoked_at), "reason": done.reason}
        print_facts(facts | {"crl_number": done.crl_number}, as_json=as_json)
        return
    target = Target(**of)
    if dry_run or expected is None:
        rows = authority.targeted(actor, target)
        print_facts({"would_revoke": len(rows), "serials": [row.serial for row in rows]}, as_json=as_json)
        if not rows and not as_json:  # a slip of the pen, at night, must not look like a thing that is done
            click.echo(
                "没有符合条件的有效证书：请核对标识 / no certificate in force matches: check the identifier",
                err=True,
            )
        if not dry_run:
            raise WrongCount(found=len(rows), expected=0)
        return
    revoked, failed = authority.revoke_many(actor, target, reason, expected)
    told = {
        "revoked": [each.serial for each in revoked],
        "failed": {name: str(error) for name, error in failed},
    }
    print_facts(told, as_json=as_json)
    if failed:
        raise failed[0][1]


@group.command(help="即将到期的证书 / certificates that end soon")
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=30,
    show_default=True,
    help="多少天内到期 / which end within so many days",
)
@click.option("--organ", help="该机关及其下级 / this organ and those below")
@as_json_option
@click.pass_context
def expiring(context: click.Context, *, days: int, organ: str | None, as_json: bool) -> None:
    """List certificates in force by their end."""
    authority = authority_of(context)
    now = authority.ctx.store.clock.now()
    wanted = Filter(organ=organ, state="issued", ends_to=now + timedelta(days=days), sort="not_after")
    rows = [describe(row, now) for row in authority.every(acting(context), wanted)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(f"{days} 天内没有证书到期 / no certificate ends within {days} days", err=True)
    for row in rows:
        click.echo(f"{row['not_after']}  {row['serial']}  {row['profile']:<15} {row['subject']}")


@group.command(help="暂停证书，可恢复 / suspend a certificate until it is resumed or revoked")
@_about_one
@as_json_option
@click.pass_context
def suspend(context: click.Context, *, number: str | None, serial: str | None, as_json: bool) -> None:
    """Suspend, at once."""
    _held(authority_of(context).suspend(acting(context), _the_one(number, serial)), as_json=as_json)


@group.command(help="恢复被暂停的证书 / lift a certificate's suspension")
@_about_one
@as_json_option
@click.pass_context
def resume(context: click.Context, *, number: str | None, serial: str | None, as_json: bool) -> None:
    """Lift a hold."""
    _held(authority_of(context).resume(acting(context), _the_one(number, serial)), as_json=as_json)


@group.command(help="查看一张证书 / show one certificate")
@_about_one
@as_json_option
@click.pass_context
def show(context: click.Context, *, number: str | None, serial: str | None, as_json: bool) -> None:
    """Show an issuance, with its certificate once there is one."""
    authority = authority_of(context)
    row = authority.show(acting(context), _the_one(number, serial))
    facts: dict[str, Any] = describe(row, authority.ctx.store.clock.now())
    print_facts(facts | ({"pem": encode("CERTIFICATE", row.der)} if row.der else {}), as_json=as_json)


def _hexadecimal(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is not None and not set(normal(given)) <= set("0123456789abcdef"):
        raise click.BadParameter("序列号应为十六进制数字 / a serial number is hexadecimal")
    return given


@group.command("list", help="查询证书，可导出 / search certificates, or export them")
@click.option("--holder", help="持有者标识 / identifier of the holder")
@click.option("--organ", help="该机关及其下级 / this organ and those below")
@click.option("--profile", help="只看此模板的 / only those of this profile")
@click.option("--authority", help="签发机构 / authority that issued")
@click.option(
    "--state", type=click.Choice(get_args(Standing)), help="只看此状态的 / only those in this state"
)
@click.option("--name", help="名称的一部分（姓名、域名）/ part of a name in it")
@click.option("--serial", callback=_hexadecimal, help="序列号开头 / how the serial number begins")
@click.option("--key", help="公钥的 SHA-256 / SHA-256 of the public key")
@click.option("--ends-before", "ends_to", type=_day, help="在此之前到期 / ends before this day")
@click.option("--ends-after", "ends_from", type=_day, help="在此之后到期 / ends after this day")
@click.option(
    "--sort", type=click.Choice(get_args(Sort)), default="serial", show_default=True, help="排序 / the order"
)
@export_option
@as_json_option
@click.pass_context
def list_(context: click.Context, /, *, export: Format | None, as_json: bool, **wanted: Any) -> None:
    """List what the actor may see."""
    authority = authority_of(context)
    now = authority.ctx.store.clock.now()
    instants = {name: wanted[name] and wanted[name].replace(tzinfo=UTC) for name in ("ends_from", "ends_to")}
    rows = (describe(row, now) for row in authority.every(acting(context), Filter(**(wanted | instants))))
    print_rows(rows, COLUMNS, _line, export=export, as_json=as_json)


@group.command(help="取撤销列表 / fetch a revocation list")
@click.argument("authority_name", metavar="AUTHORITY")
@_out
@as_json_option
@click.pass_context
def crl(context: click.Context, *, authority_name: str, out: Path | None, as_json: bool) -> None:
    """Print the list in force as PEM, or write it as DER; as JSON with its number, times and serial numbers."""
    encoded = authority_of(context).crl(authority_name)
    if out is not None:
        out.write_bytes(encoded)
    if as_json:
        print_json(_list_facts(CertificateList(encoded)) | {"out": str(out or "")})
    elif out is None:
        click.echo(encode("X509 CRL", encoded), nl=False)


@group.command(help="全部证书的清单（CSV）/ all certificates as CSV")
@click.option("--organ", help="该机关及其下级 / this organ and those below")
@as_json_option
@click.pass_context
def report(context: click.Context, *, organ: str | None, as_json: bool) -> None:
    """Print one line for each issuance the actor may see."""
    authority = authority_of(context)
    now = authority.ctx.store.clock.now()
    rows = (describe(row, now) for row in authority.every(acting(context), Filter(organ=organ)))
    print_rows(rows, COLUMNS, _line, export=None if as_json else "csv", as_json=as_json)


group.add_command(acme_commands)
group.add_command(ceremony_commands)
group.add_command(authority_commands)
group.add_command(credential_commands)
group.add_command(pair_commands)
group.add_command(attribute_commands)
group.add_command(profile_commands)
group.add_command(registration_commands)
group.add_command(renew)
group.add_command(blocklist_commands)
group.add_command(enrol)
group.add_command(recheck)


def _line(row: Mapping[str, Any]) -> str:
    return f"{row['serial']}  {row['state']:<9} {row['profile']:<15} {row['not_after']}  {row['subject']}"


def _list_facts(given: CertificateList) -> dict[str, Any]:
    return {
        "number": given.number,
        "issuer": given.issuer.text,
        "this_update": rfc3339(given.this_update),
        "next_update": rfc3339(given.next_update),
        "serials": [f"{each:x}" for each in sorted(given.serials)],
        "pem": encode("X509 CRL", given.der),
    }


def _held(hold: Hold, *, as_json: bool) -> None:
    ended = rfc3339(hold.ended) if hold.ended else None
    facts = {"serial": hold.serial, "began": rfc3339(hold.began), "ended": ended}
    print_facts(facts | {"crl_number": hold.crl_number}, as_json=as_json)
