"""`yinxin errors`: the table of errors, generated from the tree; docs/errors.md is its output."""

import importlib
import pkgutil

import click

from ops.modules import MODULES
from yinxin.errors import registered


def load_all() -> None:
    """Import every module of the house, so that every error is known."""
    for name in ("yinxin", "apps", "ops", *(module.name for module in MODULES if module.name != "document")):
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__") and ".migrations" not in found.name:
                importlib.import_module(found.name)


@click.command()
def errors() -> None:
    """错误一览(Markdown)/ The table of errors, in Markdown."""
    load_all()
    click.echo("| code | HTTP | exit | again? | 中文 | English |\n| --- | --- | --- | --- | --- | --- |")
    for code, kind in registered().items():
        again = "yes" if kind.retryable else ""
        click.echo(f"| `{code}` | {kind.status} | {kind.exit} | {again} | {kind.zh} | {kind.en} |")
