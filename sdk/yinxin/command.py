"""What the modules' commands have in common. A command's context object is the run that the command line made."""

import json
from collections.abc import Mapping
from pathlib import Path
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

    def assembled(self, *, started: bool = False) -> Any:
        """The installation with the tokens in this process; not `started`, no token is opened and no key made."""
        ...

    def folder(self) -> Path:
        """The data directory; nothing in it is opened."""
        ...

    def unseal(self, key: bytes) -> None:
        """Open the installation's sealed secrets with the key that custodians who are present gave."""
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


def service_before_start(context: click.Context, module: str) -> Any:
    """The service of a module of an installation that is not started: for what is done before its first key."""
    return getattr(cast("Run", context.obj).assembled(), module)


def started_here(context: click.Context) -> Any:
    """The installation, started, with the tokens in this process even where another one serves them."""
    return cast("Run", context.obj).assembled(started=True)


def folder(context: click.Context) -> Path:
    """The data directory, for commands that open nothing in it."""
    return cast("Run", context.obj).folder()


def unsealed(context: click.Context, key: bytes) -> None:
    """Let this run go on with what custodians who are present have opened."""
    cast("Run", context.obj).unseal(key)


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
