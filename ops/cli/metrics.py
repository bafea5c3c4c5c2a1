"""`yinxin metrics`: every figure that monitoring is told; the list in docs/metrics.md is its output."""

import json

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
@click.option("--json", "as_json", is_flag=True, help="机器可读 / For machines.")
def metrics(*, as_json: bool) -> None:
    """监控指标一览（Markdown）/ The list of figures for monitoring, in Markdown."""
    if not as_json:
        click.echo(table())
        return
    told = [
        {"name": each.name, "kind": each.kind, "labels": each.labels, "zh": each.text.zh, "en": each.text.en}
        for each in FIGURES
    ]
    click.echo(json.dumps(told, ensure_ascii=False))
