"""`yinxin ca ceremony …`: rehearse, approve, hold."""

from pathlib import Path
from typing import Any

import click

from ca.ceremony.approval import file_of
from ca.ceremony.files import write_once
from ca.ceremony.kinds import Plan, read_plan
from ca.ceremony.rehearse import rehearse
from ca.command import authority_of
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, holding, print_facts
from yinxin.crypto.certificates import Certificate

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_EMBEDDED = Path(__file__).parent.parent / "plans" / "embedded.toml"


@click.group(
    "ceremony",
    invoke_without_command=True,
    help="按经审阅、批准的计划举行仪式；中断后重新执行即可 / hold a reviewed and approved plan; run again if cut off",
)
@click.option("--plan", type=_file, default=_EMBEDDED, show_default="embedded")
@click.option("--dry-run", is_flag=True, help="只演练，不写入 / rehearse, write nothing")
@as_json_option
@click.pass_context
def group(context: click.Context, *, plan: Path, dry_run: bool, as_json: bool) -> None:
    """Rehearse or hold a ceremony."""
    if context.invoked_subcommand is not None:
        return
    authority, read = authority_of(context), read_plan(plan)
    folder = context.obj.directory().root
    answer: dict[str, Any] = {"plan": read.digest, "kind": read.kind, "dry_run": dry_run}
    if dry_run:
        made = rehearse(authority.ctx, authority.keys, read, folder=folder, beside=plan.parent)
        answer |= {"certificates": _told(made), "trust": {}, "files": {}}
    else:
        done = authority.conduct(acting(context), read, plan, folder)
        answer |= {
            "certificates": _told(done.certificates),
            "trust": {name: str(path) for name, path in done.trust.items()},
            "files": {name: str(path) for name, path in done.files.items()},
            "approved_by": [each.person for each in done.approvals],
        }
    print_facts(answer, as_json=as_json)


@group.command(
    help="演练后批准计划，批准写在计划旁边 / rehearse and approve a plan; the approval goes beside it"
)
@click.option("--plan", type=_file, required=True)
@as_json_option
@click.pass_context
def approve(context: click.Context, *, plan: Path, as_json: bool) -> None:
    """Approve a plan as the holder of the certificate given."""
    authority, read = authority_of(context), read_plan(plan)
    actor = acting(context)
    folder = context.obj.directory().root
    made = rehearse(authority.ctx, authority.keys, read, folder=folder, beside=plan.parent)
    out = file_of(plan, actor.id)
    write_once(out, authority.approve(actor, holding(context), read))
    answer = {"plan": read.digest, "kind": read.kind, "title": _title(read), "approved_by": actor.id}
    print_facts(answer | {"certificates": _told(made), "approval": str(out)}, as_json=as_json)


def _title(plan: Plan) -> str:
    return getattr(plan, "title", plan.kind)


def _told(made: dict[str, Certificate]) -> dict[str, dict[str, str]]:
    return {
        label: {
            "serial": f"{each.serial:x}",
            "subject": each.subject.text,
            "fingerprint": each.fingerprint,
            "not_after": rfc3339(each.not_after),
        }
        for label, each in made.items()
    }
