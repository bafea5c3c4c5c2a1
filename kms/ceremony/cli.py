"""`yinxin kms ceremony …`: rehearse, prepare the first tokens and keys; propose and hold what several people approve."""

import sys
from pathlib import Path
from typing import Any

import click

from authz.command import propose as proposing
from kms.ceremony.conduct import conduct
from kms.ceremony.errors import KeyPlanRefused
from kms.ceremony.plan import PreparePlan, ReplacePlan, read_plan
from kms.ceremony.proposal import NAME
from kms.ceremony.rehearse import rehearse
from kms.ceremony.replace import check_replacing
from kms.ceremony.vault import TypedPin
from yinxin.act import SYSTEM
from yinxin.command import acting, as_json_option, print_facts, service_before_start, started_here
from yinxin.text import Text

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_EMBEDDED = Path(__file__).parent.parent / "plans" / "embedded.toml"


@click.group(
    "ceremony",
    invoke_without_command=True,
    help="演练仪式，或首次准备令牌和密钥；替换令牌经提案批准后执行 / rehearse, or prepare the first tokens and keys; replacing a token goes by proposal",
)
@click.option(
    "--plan", type=_file, default=_EMBEDDED, show_default="embedded", help="经审阅的计划 / the reviewed plan"
)
@click.option("--dry-run", is_flag=True, help="只演练，不写入 / rehearse, write nothing")
@as_json_option
@click.pass_context
def group(context: click.Context, *, plan: Path, dry_run: bool, as_json: bool) -> None:
    """Rehearse a ceremony, or prepare tokens and keys of an installation that has none."""
    if context.invoked_subcommand is not None:
        return
    read = read_plan(plan)
    centre = service_before_start(context, "kms")
    answer: dict[str, Any] = {"plan": read.digest, "kind": read.kind, "dry_run": dry_run}
    if isinstance(read, ReplacePlan):
        if not dry_run:
            raise click.UsageError(
                "替换令牌须经提案批准：kms ceremony propose / replacing a token goes by kms ceremony propose"
            )
        check_replacing(centre, read)
    elif dry_run:
        answer["keys"] = rehearse(centre.settings, read)
    else:
        # nobody holds a certificate before the first keys are made
        pin = _pin() if read.vault is not None else None
        answer |= conduct(centre, SYSTEM, read, pin=pin).fields()
    print_facts(answer, as_json=as_json)


@group.command(help="提出替换令牌的仪式，供他人批准 / propose to replace a token, for others to approve")
@click.option("--plan", type=_file, required=True, help="经审阅的计划 / the reviewed plan")
@click.option("--reason", required=True, help="事由 / reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def propose(context: click.Context, *, plan: Path, reason: str, basis: str, as_json: bool) -> None:
    """Propose a ceremony with its plan."""
    read = read_plan(plan)
    if isinstance(read, PreparePlan):
        wanted = Text("首次仪式无须提案", "the first ceremony needs no proposal")
        raise KeyPlanRefused(field="kind", reason=wanted)
    content = {"plan": read.model_dump(mode="json")}
    proposing(context, NAME, content, reason=reason, basis=basis, as_json=as_json, plan=read.digest)


@group.command(help="携保险令牌执行已批准的仪式 / hold an approved ceremony, with the vault token at hand")
@click.argument("proposal")
@as_json_option
@click.pass_context
def hold(context: click.Context, *, proposal: str, as_json: bool) -> None:
    """Hold an approved ceremony on the machine that has the tokens."""
    platform = started_here(context)
    actor, centre = acting(context), platform.kms
    centre.vault_pin = _pin()
    try:
        shown = platform.authz.proposals.execute(actor, proposal)
    finally:
        centre.vault_pin = None
    print_facts(
        {"proposal": shown.row.id, "state": shown.row.state, **(shown.row.outcome or {})}, as_json=as_json
    )


def _pin() -> TypedPin:
    """The vault's PIN, from a terminal that does not show it or from one line of standard input."""
    if sys.stdin.isatty():
        return TypedPin(
            str(click.prompt("保险令牌的口令 / PIN of the vault token", hide_input=True)).encode()
        )
    line = sys.stdin.readline().strip()
    if not line:
        raise click.UsageError("标准输入中没有口令 / standard input holds no PIN")
    return TypedPin(line.encode())
