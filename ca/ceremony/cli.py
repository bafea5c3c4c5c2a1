"""`yinxin ca ceremony …`: rehearse, found, propose; what several people approve is held by `yinxin authz proposal execute`."""

from pathlib import Path
from typing import Any

import click

from authz.proposal.service import Proposals
from ca.ceremony.conduct import demand_unheld
from ca.ceremony.kinds import read_plan
from ca.ceremony.proposal import NAME, content_of, told
from ca.ceremony.rehearse import rehearse
from ca.command import authority_of
from yinxin.command import acting, as_json_option, print_facts, service

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_EMBEDDED = Path(__file__).parent.parent / "plans" / "embedded.toml"


@click.group(
    "ceremony",
    invoke_without_command=True,
    help="演练仪式，或首次建立体系；其他仪式经提案批准后执行 / rehearse, or found; other ceremonies go by proposal",
)
@click.option(
    "--plan",
    type=_file,
    default=_EMBEDDED,
    show_default="embedded",
    help="仪式方案（TOML） / the plan of the ceremony",
)
@click.option("--dry-run", is_flag=True, help="只演练，不写入 / rehearse, write nothing")
@as_json_option
@click.pass_context
def group(context: click.Context, *, plan: Path, dry_run: bool, as_json: bool) -> None:
    """Rehearse a ceremony, or found the hierarchies of a site that has none."""
    if context.invoked_subcommand is not None:
        return
    authority, read = authority_of(context), read_plan(plan)
    answer: dict[str, Any] = {"plan": read.digest, "kind": read.kind, "dry_run": dry_run}
    if dry_run:
        demand_unheld(authority.ctx, read)
        made = rehearse(authority.ctx, authority.keys, read, folder=authority.root, beside=plan.parent)
        answer |= {"certificates": told(made), "trust": {}, "files": {}}
    else:
        done = authority.found(acting(context), read, plan.parent)
        answer |= {
            "certificates": told(done.certificates),
            "trust": {name: str(path) for name, path in done.trust.items()},
            "files": {name: str(path) for name, path in done.files.items()},
        }
    print_facts(answer, as_json=as_json)


@group.command(
    help="演练后提出，供其他安全管理员批准 / rehearse and propose, for other security officers to approve"
)
@click.option("--plan", type=_file, required=True, help="仪式方案（TOML） / the plan of the ceremony")
@click.option("--reason", required=True, help="事由，8 至 2000 字 / reason, 8 to 2000 characters")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def propose(context: click.Context, *, plan: Path, reason: str, basis: str, as_json: bool) -> None:
    """Propose a ceremony with the plan and every file that it names."""
    authority, read = authority_of(context), read_plan(plan)
    content = content_of(read, plan.parent, authority.ctx.settings.most_request_bytes)
    proposals: Proposals = service(context, "authz").proposals
    shown = proposals.propose(acting(context), NAME, content, reason=reason, basis=basis)
    answer = {
        "proposal": shown.row.id,
        "digest": shown.row.digest,
        "plan": read.digest,
        "kind": read.kind,
        "needed": shown.needed,
        "expires": shown.fields()["expires"],
    }
    print_facts(answer, as_json=as_json)
