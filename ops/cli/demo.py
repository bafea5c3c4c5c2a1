"""`yinxin demo`: a miniature province from nothing, and the main job on it."""

import time
from pathlib import Path

import click

from ops.cli.context import Context
from ops.cli.progress import Progress
from yinxin.text import Text


@click.command()
@click.option(
    "--document",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="用您自己的文件（txt、md、docx）/ your own file (txt, md, docx)",
)
@click.option(
    "--kind",
    default="NOTICE",
    show_default=True,
    help="文种，如 REPORT、REQUEST、LETTER / kind of document, such as REPORT, REQUEST, LETTER",
)
@click.option("--keep", is_flag=True, help="结束后继续运行 / go on serving afterwards")
@click.option("--port", type=click.IntRange(0, 65535), help="--keep 时的 TLS 端口 / TLS port for --keep")
@click.pass_obj
def demo(context: Context, document: Path | None, kind: str, keep: bool, port: int | None) -> None:  # noqa: FBT001 - a click flag
    """一个小省份，从无到有，把主要工作做一遍 / A miniature province, from nothing, does the main job."""
    from ops.demo.found import found
    from ops.demo.story import SAMPLE, Story
    from ops.demo.summary import summary
    from ops.init import prepare

    began = time.monotonic()
    settings = prepare(context.directory(make=True), context.overrides, port)
    with Progress(context) as progress:
        progress.stage(Text("密码机令牌、日志与数据库", "token of the HSM, log and database"))
        platform = context.platform()
        found(platform, progress.stage)
        outcome = Story(platform, document or SAMPLE, kind.upper(), progress.stage).run()
        platform.audit.sequence()  # nobody may come for the records of the last acts for a long time
        platform.audit.checkpoint()
    for text in summary(platform, outcome, time.monotonic() - began):
        context.say_apart(text)
    secrets = context.release()
    if keep:
        from ops.cli.up import keep_serving

        keep_serving(context, settings, secrets)
