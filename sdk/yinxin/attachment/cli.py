"""`yinxin attachment …`: the store of attachments."""

import click

from yinxin.attachment.service import Attachments
from yinxin.command import acting, as_json_option, print_json, service


@click.group("attachment", help="附件存储 / the store of attachments")
def group() -> None:
    """The group of commands."""


@group.command(
    "check",
    help="逐个重算文件摘要，与记录核对；有损坏或缺失则退出码为 65 / hold every file against its record; exit 65 when one is damaged or missing",
)
@as_json_option
@click.pass_context
def check_(context: click.Context, *, as_json: bool) -> None:
    """Check every file, and name those that are not what was stored."""
    attachments: Attachments = service(context, "attachment")
    found = attachments.check(acting(context))
    faults = [{"sha256": each.sha256, "file": each.file, "what": each.what} for each in found.faults]
    if as_json:
        print_json({"files": found.files, "octets": found.octets, "faults": faults})
    else:
        click.echo(f"已核对 {found.files} 个文件，{found.octets} 字节，{len(faults)} 个有问题")
        click.echo(f"checked {found.files} files of {found.octets} octets; {len(faults)} at fault")
        for each in found.faults:
            click.echo(f"  {each.what} {each.sha256} {each.file}")
    if faults:
        context.exit(65)
