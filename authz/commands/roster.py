"""`yinxin authz import …`."""

from pathlib import Path

import click

from authz.command import authz_of
from authz.commands.common import dry_run_option
from authz.roster import RosterContent
from authz.roster.errors import RosterFaulty
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.command(
    "import",
    help="由 organs.csv、posts.csv、people.csv、appointments.csv 导入名录：先试算，再提案，获批后执行 / import tables: rehearsed, proposed, carried out when approved",
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--reason", help="事由：作为提案提出 / why: propose the import")
@click.option("--basis", default="", help="法律依据 / its legal basis")
@click.option("--proposal", help="执行已获批的提案 / carry out this approved proposal")
@dry_run_option
@as_json_option
@click.pass_context
def import_(
    context: click.Context,
    *,
    folder: Path,
    reason: str | None,
    basis: str,
    proposal: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Rehearse, propose or carry out."""
    authz, actor = authz_of(context), acting(context)
    if proposal is not None:
        with authz.roster.offered(folder):
            shown = authz.proposals.execute(actor, proposal)
        print_facts({"proposal": shown.row.id, "state": shown.state.value}, as_json=as_json)
        return
    report = authz.roster.rehearse(actor, folder)
    if dry_run or reason is None:
        if as_json:
            print_json(report.fields())
        else:
            _tell(report.fields())
        context.exit(RosterFaulty.exit if report.faults else 0)
    report.require_sound()
    content = RosterContent(digest=report.digest, counts=report.counts)
    shown = authz.proposals.propose(actor, "authz.import-directory", content, reason=reason, basis=basis)
    print_facts({"proposal": shown.row.id, "digest": report.digest, "needed": shown.needed}, as_json=as_json)


def _tell(report: dict[str, object]) -> None:
    click.echo(f"摘要 / digest: {report['digest']}")
    for each in report["findings"]:  # type: ignore[attr-defined]
        click.echo(f"{each['file']}:{each['line']} {each['field']}: {each['zh']} / {each['en']}")
    if report["faults"]:
        click.echo(
            f"共 {report['faults']} 处错误，未导入 / {report['faults']} faults, nothing would be imported"
        )
    for table, counts in report["counts"].items():  # type: ignore[attr-defined]
        click.echo(f"{table}: {counts}")
    for each in report["differences"]:  # type: ignore[attr-defined]
        click.echo(f"  {each['subject']} {each['field']}: {each['before']} → {each['after']}")
