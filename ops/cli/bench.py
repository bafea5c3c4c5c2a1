"""`yinxin bench`: performance, as ratios."""

import click

from ops.cli.context import Context


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="每行一个 JSON / one JSON object a line")
@click.pass_obj
def bench(context: Context, names: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - a click flag
    """性能：每个数字旁边是同一次运行中测得的对照 / Each figure beside its peer or limit, measured in the same run."""
    from ops.bench import BENCHMARKS

    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise click.UsageError(f"unknown benchmark {unknown[0]}; known: {', '.join(BENCHMARKS)}")
    for name in names or BENCHMARKS:
        for result in BENCHMARKS[name]():
            if as_json:
                context.answer(result.fields())
                continue
            click.echo(f"{result.name:14} {result.value:10.1f} {result.unit}")
            for peer, value in result.against.items():
                click.echo(f"{'':14} {value:10.1f} {peer}   × {result.value / value:.3f}")
            click.echo(f"{'':14} ({result.includes})")
