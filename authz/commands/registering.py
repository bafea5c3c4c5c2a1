"""What the commands that register outside systems have in common."""

from pathlib import Path

import click

from yinxin.command import print_json

file_argument = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
check_option = click.option("--dry-run", is_flag=True, help="只检查文件 / only check the file")


def say_ended(kind: str, name: str, *, as_json: bool) -> None:
    """Say that the system of this name is registered no longer."""
    if as_json:
        print_json({kind: name, "ended": True})
        return
    click.echo(f"已停用 / ended {name}")
