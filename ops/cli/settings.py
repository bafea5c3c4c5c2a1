"""`yinxin settings`: every setting with its default; docs/settings.md is its output."""

import click

from ops.settings import Configuration
from yinxin.settings import describe


@click.command()
def settings() -> None:
    """配置项一览(Markdown)/ The table of settings, in Markdown."""
    click.echo("| key | default | meaning |\n| --- | --- | --- |")
    for key, text, default in describe(Configuration):
        click.echo(f"| `{key}` | `{default!r}` | {text} |")
