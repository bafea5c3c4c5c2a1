"""Every command that answers can answer a machine, and says of each option what it is for."""

from collections.abc import Iterator

import click
import pytest

from ops.cli.main import root

#: what has no answer but a file, or one that is for people or machines as it stands
WITHOUT = {
    "demo",
    "serve",
    "up",
    "errors",
    "settings",
    "audit witness draft",
    "audit witness policy",
    "authz policy show",
    "ca pair envelope",
    "ca pair open",
    "ca pair request",
    "calendar notice",
}


def commands(
    command: click.Command, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """This command and all below it, by the words that call them."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, context, (*path, name))


@pytest.fixture(scope="module")
def every() -> dict[str, click.Command]:
    return dict(commands(root, click.Context(root)))


def test_every_command_takes_json_or_is_known_to_have_no_answer(every: dict[str, click.Command]) -> None:
    without = {
        name
        for name, command in every.items()
        if not isinstance(command, click.Group)
        and not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == WITHOUT


def test_every_option_says_what_it_is_for(every: dict[str, click.Command]) -> None:
    silent = [
        f"{name} {parameter.opts[0]}"
        for name, command in every.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []
