"""`yinxin metrics`: every figure that monitoring is told; the list in docs/metrics.md is its output."""

import click

from ops.metrics.parts import FIGURES

_HEAD = """| figure | kind | labels | 指标 | meaning |
| --- | --- | --- | --- | --- |"""


def table() -> str:
    """The list in the manual."""
    rows = [
        f"| `{each.name}` | {each.kind} | {' '.join(f'`{label}`' for label in each.labels)} | {each.text.zh} | {each.text.en} |"
        for each in FIGURES
    ]
    return "\n".join((_HEAD, *rows))


@click.command()
def metrics() -> None:
    """监控指标一览（Markdown）/ The list of figures for monitoring, in Markdown."""
    click.echo(table())
