"""What the modules' commands have in common. A command's context object is the run that the command line made."""

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast

import click

from yinxin.act import Actor
from yinxin.crypto.keys import Identity

#: every command that answers can answer a machine
as_json_option = click.option("--json", "as_json", is_flag=True, help="输出 JSON / print JSON")


class Run(Protocol):
    """One run of the command line, as modules see it (`click.Context.obj`)."""

    def platform(self) -> Any:
        """The installation, opened on first use; its services are attributes by module name."""
        ...

    def actor(self) -> Actor:
        """Who acts, proved by a certificate."""
        ...

    def holder(self) -> Identity:
        """The key and certificate of who acts: for what she signs on her own side."""
        ...


def service(context: click.Context, module: str) -> Any:
    """The service of a module."""
    return getattr(cast("Run", context.obj).platform(), module)


def acting(context: click.Context) -> Actor:
    """Who acts on the command line."""
    return cast("Run", context.obj).actor()


def holding(context: click.Context) -> Identity:
    """The key and certificate of who acts on the command line."""
    return cast("Run", context.obj).holder()


def print_json(value: object) -> None:
    """An answer for machines: one line."""
    click.echo(json.dumps(value, ensure_ascii=False))


def print_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """An answer of several facts: for machines as `print_json`, for people a line each."""
    if as_json:
        print_json(facts)
        return
    for name, each in facts.items():
        click.echo(f"{name}: {_plain(each)}")


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else str(value)
