"""`yinxin authz proposal …`: propose, look, approve by signature, refuse, withdraw, carry out."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from authz.command import authz_of
from authz.proposal.errors import BadProposal
from authz.proposal.find import Filter, Shown
from authz.proposal.models import State
from authz.proposal.service import Proposals
from yinxin import files
from yinxin.command import acting, as_json_option, holding, print_json
from yinxin.crypto import cms

_in = click.Path(exists=True, dir_okay=False, path_type=Path)
_out = click.Path(dir_okay=False, path_type=Path)


@click.group("proposal", help="须由多人办理的事项 / what several people do together")
def group() -> None:
    """The group of commands."""


@group.command(help="提案的种类 / the kinds of proposals")
@as_json_option
@click.pass_context
def kinds(context: click.Context, *, as_json: bool) -> None:
    """Print the kinds, and who proposes and approves them."""
    known = _proposals(context).kinds
    if as_json:
        print_json(
            [
                {
                    "name": each.name,
                    "title": {"zh": each.title.zh, "en": each.title.en},
                    "proposers": sorted(each.proposers),
                    "approvers": sorted(each.approvers),
                    "executors": sorted(each.executors),
                }
                for each in known
            ]
        )
        return
    for each in known:
        told = f"{', '.join(sorted(each.proposers))} → {', '.join(sorted(each.approvers))}"
        click.echo(f"{each.name:<24} {each.title.zh} / {each.title.en}  [{told}]")


@group.command("list", help="提案清单，新的在前 / the proposals, newest first")
@click.option("--kind", default="", help="种类 / kind")
@click.option(
    "--state",
    type=click.Choice([str(each) for each in State]),
    help="只看此状态的 / only those in this state",
)
@click.option("--organ", default="", help="所涉机关 / the organ it concerns")
@click.option("--proposer", default="", help="提案人 / who proposed it")
@as_json_option
@click.pass_context
def list_(
    context: click.Context, *, kind: str, state: str | None, organ: str, proposer: str, as_json: bool
) -> None:
    """List what the acting person may see."""
    wanted = Filter(kind, State(state) if state else None, organ, proposer)
    rows = list(_proposals(context).every(acting(context), wanted))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        given = f"{row['given']}/{row['needed']}"
        click.echo(
            f"{row['id']}  {row['state']:<9} {given}  {row['kind']:<22} {row['organ']:<18} {row['proposer']}"
        )


@group.command(help="查看一件提案：依据、内容、批准情况 / one proposal with everything about it")
@click.argument("proposal")
@as_json_option
@click.pass_context
def show(context: click.Context, *, proposal: str, as_json: bool) -> None:
    """Show one proposal."""
    _told(_proposals(context).show(acting(context), proposal), as_json=as_json)


@group.command(help="提出提案 / propose")
@click.argument("kind")
@click.option(
    "--content", type=_in, required=True, help="内容，TOML 或 JSON / what is proposed, TOML or JSON"
)
@click.option("--reason", default="", help="事由 / reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def propose(
    context: click.Context, *, kind: str, content: Path, reason: str, basis: str, as_json: bool
) -> None:
    """Propose what stands in a file."""
    given = _read(content)
    shown = _proposals(context).propose(acting(context), kind, given, reason=reason, basis=basis)
    _told(shown, as_json=as_json)


@group.command(
    help="签署批准；--out 只写批准文件，另行提交 / approve by signature; with --out into a file to be submitted"
)
@click.argument("proposal")
@click.option("--out", type=_out, help="批准文件 / the approval's file")
@as_json_option
@click.pass_context
def approve(context: click.Context, *, proposal: str, out: Path | None, as_json: bool) -> None:
    """Approve as the holder of the certificate given."""
    proposals, actor, identity = _proposals(context), acting(context), holding(context)
    if out is not None:
        files.replace(out, proposals.sign(actor, identity, proposal), mode=0o644)
        click.echo(json.dumps({"approval": str(out)}) if as_json else str(out))
        return
    signed = proposals.statement(actor, proposal)
    signature = cms.sign_detached(identity, signed, signed_at=None)
    _told(proposals.approve(actor, proposal, signed, signature), as_json=as_json)


@group.command(help="提交他人签署的批准文件 / hand in an approval's file")
@click.argument("proposal")
@click.argument("file", type=_in)
@as_json_option
@click.pass_context
def submit(context: click.Context, *, proposal: str, file: Path, as_json: bool) -> None:
    """Hand in an approval that somebody signed elsewhere."""
    _told(_proposals(context).submit(acting(context), proposal, file.read_bytes()), as_json=as_json)


@group.command(help="否决；一人否决即告终止 / refuse; one refusal ends it")
@click.argument("proposal")
@click.option("--reason", required=True, help="理由 / why")
@as_json_option
@click.pass_context
def refuse(context: click.Context, *, proposal: str, reason: str, as_json: bool) -> None:
    """Refuse a proposal."""
    _told(_proposals(context).refuse(acting(context), proposal, reason), as_json=as_json)


def _simple(name: str, help_: str, act: Callable[[Proposals], Callable[[Any, str], Shown]]) -> None:
    @group.command(name, help=help_)
    @click.argument("proposal")
    @as_json_option
    @click.pass_context
    def command(context: click.Context, *, proposal: str, as_json: bool) -> None:
        _told(act(_proposals(context))(acting(context), proposal), as_json=as_json)


_simple("withdraw", "撤回自己的提案 / withdraw your own proposal", lambda proposals: proposals.withdraw)
_simple(
    "execute",
    "执行已批准的提案；中断后再次执行即可 / carry out what was approved; run again if cut off",
    lambda proposals: proposals.execute,
)


def _read(file: Path) -> Any:
    """The content of a file: JSON if it is called so, else TOML; raises BadProposal."""
    text = file.read_text("utf-8")
    try:
        return json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise BadProposal(field=file.name, reason=str(error)) from error


def _told(shown: Shown, *, as_json: bool) -> None:
    fields = shown.fields()
    if as_json:
        print_json(fields)
        return
    click.echo(f"{fields['id']}  {fields['state']}  {shown.title.zh} / {shown.title.en}")
    click.echo(f"digest: {fields['digest']}")
    proposer = fields["proposer"]
    click.echo(f"提案人 / proposed by: {proposer['person']} ({proposer['post']}) {fields['created']}")
    for label, text in (("事由 / reason", fields["reason"]), ("法律依据 / basis", fields["basis"])):
        if text:
            click.echo(f"{label}: {text}")
    for each in shown.described:
        click.echo(f"· {each.zh} / {each.en}")
    if shown.trouble is not None:
        click.echo(f"! {shown.trouble.text('zh')} / {shown.trouble.text('en')}")
    click.echo(f"批准 / approvals: {len(shown.approvals)}/{shown.needed}")
    for approval in shown.approvals:
        click.echo(f"  {approval['person']} ({approval['post']}) {approval['at']}")
    if shown.may_approve:
        waiting = ", ".join(person for person, _ in shown.may_approve)
        click.echo(f"尚可批准 / may approve: {waiting}")
    if fields["note"]:
        click.echo(f"{fields['moved_by']}: {fields['note']}")


def _proposals(context: click.Context) -> Proposals:
    return authz_of(context).proposals
