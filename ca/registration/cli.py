"""`yinxin ca registration …`: applications for certificates."""

from pathlib import Path
from typing import Any

import click

from ca.bulk.keys import placeholder
from ca.command import authority_of
from ca.registration.find import Wanted, describe
from ca.registration.models import RegistrationRow, State
from ca.registration.service import Registrations
from ca.registration.vet import Check
from ca.request import Holder, IssueRequest
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.renewal import renewal_statement

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_which = click.argument("registration")


@click.group("registration", help="证书申请 / applications for certificates")
def group() -> None:
    """The group of commands."""


@group.command(help="申请证书；省略持有者即为本人 / apply; without a holder, for oneself")
@click.option("--profile", required=True, help="证书模板 / the profile")
@click.option("--csr", type=_file, required=True, help="PKCS#10，PEM 或 DER / PEM or DER")
@click.option("--holder", help="机关、系统或人员的标识 / identifier of an organ, service or person")
@click.option(
    "--kind",
    type=click.Choice(["organ", "service", "person"]),
    default="service",
    show_default=True,
    help="持有者的种类 / kind of holder",
)
@click.option("--post", help="代为申请时该人员的岗位 / the person's post, when an officer applies for her")
@click.option("--days", type=click.IntRange(1, 36525), help="有效天数 / validity in days")
@click.option("--reference", help="引用号，重复使用得到同一申请 / the same one gives the same application")
@click.option("--pair", is_flag=True, help="申请双证书：签名与加密 / a pair: to sign with and to encrypt to")
@as_json_option
@click.pass_context
def submit(context: click.Context, /, *, csr: Path, pair: bool, as_json: bool, **asked: Any) -> None:
    """Submit an application."""
    actor = acting(context)
    holder = (
        Holder(asked["kind"], asked["holder"], asked["post"], actor.organ)
        if asked["holder"]
        else Holder("person", actor.id, actor.post)
    )
    reference = asked["reference"] or f"cli/{authority_of(context).ctx.store.identifier()}"
    request = IssueRequest(reference, asked["profile"], csr.read_bytes(), holder, asked["days"])
    _say(_registrations(context).submit(actor, request, pair=pair), as_json=as_json)


@group.command("list", help="列出证书申请 / list applications")
@click.option("--organ", help="该机关及其下级，省略则为本机关 / this organ and those below; else your own")
@click.option(
    "--state",
    type=click.Choice([each.value for each in State]),
    help="只看此状态的 / only those in this state",
)
@click.option("--mine", is_flag=True, help="只列自己提交的 / only your own")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, organ: str | None, state: str | None, mine: bool, as_json: bool) -> None:
    """List applications."""
    actor = acting(context)
    wanted = Wanted(organ, State(state) if state else None, actor.id if mine else None)
    rows: list[RegistrationRow] = []
    while page := _registrations(context).search(actor, wanted, after=rows[-1].id if rows else ""):
        rows += page
    if as_json:
        print_json([describe(row) for row in rows])
        return
    for row in rows:
        click.echo(
            f"{row.id}  {row.state:<9} {row.profile:<15} {row.holder_kind}:{row.holder} {row.organ}"
            f"  ← {row.applicant}"
        )


@group.command(help="查看一份证书申请 / show one application")
@_which
@as_json_option
@click.pass_context
def show(context: click.Context, *, registration: str, as_json: bool) -> None:
    """Show one application."""
    _say(_registrations(context).show(acting(context), registration), as_json=as_json)


@group.command(
    help="取回申请所得的证书及上级证书 / fetch the certificate of an application and those above it"
)
@_which
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到此文件（PEM）/ where they go")  # fmt: skip
@as_json_option
@click.pass_context
def certificate(context: click.Context, *, registration: str, out: Path, as_json: bool) -> None:
    """Write them."""
    own, *above = _registrations(context).certificate(acting(context), registration)
    out.write_text("".join(each.pem for each in (own, *above)), "ascii")
    facts = {"serial": f"{own.serial:x}", "not_after": rfc3339(own.not_after), "out": str(out)}
    print_facts(facts, as_json=as_json)


@group.command(help="核验：写明核验了什么、结果如何 / vet: say what was checked and what was found")
@_which
@click.option(
    "--check",
    "checks",
    multiple=True,
    required=True,
    metavar="SUBJECT=FINDING",
    help="核验了什么、结果如何，可多次给出 / what was checked and what was found, as often as needed",
)
@as_json_option
@click.pass_context
def vet(context: click.Context, *, registration: str, checks: tuple[str, ...], as_json: bool) -> None:
    """Record what was checked."""
    told = [Check(*each.partition("=")[::2]) for each in checks]
    _say(_registrations(context).vet(acting(context), registration, told), as_json=as_json)


@group.command(help="批准并签发 / approve and issue")
@_which
@as_json_option
@click.pass_context
def approve(context: click.Context, *, registration: str, as_json: bool) -> None:
    """Approve an application; its certificate is issued."""
    _say(_registrations(context).approve(acting(context), registration), as_json=as_json)


@group.command(help="驳回；申请人会看到理由 / refuse; the applicant reads the reason")
@_which
@click.option("--reason", required=True, help="理由 / why")
@as_json_option
@click.pass_context
def refuse(context: click.Context, *, registration: str, reason: str, as_json: bool) -> None:
    """Refuse an application."""
    _say(_registrations(context).refuse(acting(context), registration, reason), as_json=as_json)


@group.command(help="撤回自己的申请 / withdraw your own application")
@_which
@as_json_option
@click.pass_context
def withdraw(context: click.Context, *, registration: str, as_json: bool) -> None:
    """Withdraw an application."""
    _say(_registrations(context).withdraw(acting(context), registration), as_json=as_json)


@click.command(
    help="换发自己的证书，默认更换密钥 / renew your own certificate, with a new key unless told otherwise"
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="新的 P12，口令不变 / the new P12, same password")  # fmt: skip
@click.option("--same-key", is_flag=True, help="沿用原密钥 / keep the key")
@click.option("--supersede", is_flag=True, help="随即撤销旧证书 / then revoke the old certificate")
@as_json_option
@click.pass_context
def renew(context: click.Context, *, out: Path, same_key: bool, supersede: bool, as_json: bool) -> None:
    """Renew the certificate of `--as`; cut off, it goes on with the same key."""
    authority, run = authority_of(context), context.obj
    if run.identity is None or run.password_file is None:
        raise click.UsageError("--as P12 --password-file FILE: whose certificate is renewed")
    password = run.password_file.read_text("utf-8").strip()
    old = Identity.load_p12(run.identity, password)
    now = authority.ctx.store.clock.now()
    pending = out.with_name(f".{out.name}.pending")
    key = old.key
    if not same_key:
        if not pending.exists():
            made = PrivateKey.generate(old.certificate.public_key.suite)
            Identity(made, placeholder(made, "renewal", now)).save_p12(pending, password)
        key = Identity.load_p12(pending, password).key
    csr = CertificationRequest.build(key, {}).der
    signature = cms.sign_detached(old, renewal_statement(csr), signed_at=now)
    issued = authority.renew_own(csr, signature, supersede=supersede)
    Identity(key, issued.certificate, issued.chain).save_p12(out, password)
    pending.unlink(missing_ok=True)
    facts = {"serial": issued.serial, "not_after": rfc3339(issued.certificate.not_after), "out": str(out)}
    if as_json:
        print_json(facts)
    else:
        click.echo(str(out))


def _say(row: RegistrationRow, *, as_json: bool) -> None:
    facts = describe(row)
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        if value not in (None, []):
            click.echo(f"{name}: {value}")


def _registrations(context: click.Context) -> Registrations:
    found: Registrations = authority_of(context).registrations
    return found
