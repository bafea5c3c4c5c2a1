"""What the commands that change the directory have in common."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
from pydantic import ValidationError

from authz.change import Change, Differences
from authz.change.base import wire
from authz.change.proposal import ProposedChange
from authz.command import authz_of, propose
from authz.errors import BadField
from yinxin.clock import parse_rfc3339
from yinxin.command import acting, print_json
from yinxin.faults import first_fault

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="只显示将有的变化，不作更改 / show what would change, and change nothing"
)


_REASON, _BASIS = "authz.reason", "authz.basis"


def _remember(key: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def remember(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value:
            context.meta[key] = value

    return remember


def proposable(command: Any) -> Any:
    """The options of a change that takes several people: with a reason it is proposed."""
    reason = click.option(
        "--reason",
        expose_value=False,
        callback=_remember(_REASON),
        help="事由：作为提案提出 / why: propose the change",
    )
    basis = click.option(
        "--basis", expose_value=False, callback=_remember(_BASIS), help="法律依据 / its legal basis"
    )
    return reason(basis(dry_run_option(command)))


class InstantType(click.ParamType[datetime]):
    """An RFC 3339 instant."""

    name = "time"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> datetime:
        """The instant; raises BadInstant."""
        del parameter, context
        return value if isinstance(value, datetime) else parse_rfc3339(value)


INSTANT = InstantType()


def build(kind: type[Change], **values: Any) -> Change:
    """A change of what was given; raises BadField naming what is wrong."""
    try:
        return kind.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        place, reason = first_fault(error)
        raise BadField(row=kind.verb, field=".".join(map(str, place)) or "*", reason=reason) from error


def make(context: click.Context, change: Change, *, dry_run: bool, as_json: bool) -> None:
    """Make, propose or rehearse the change and say what differs; with a reason given, what nobody makes alone is proposed."""
    authz, actor = authz_of(context), acting(context)
    changes = authz.changes
    reason, basis = context.meta.get(_REASON, ""), context.meta.get(_BASIS, "")
    if reason and not dry_run:
        content = ProposedChange.model_validate({"change": change})
        propose(context, "authz.change-directory", content, reason=reason, basis=basis, as_json=as_json)
        return
    differences = changes.rehearse(actor, change) if dry_run else changes.make(actor, change)
    if as_json:
        print_json({"verb": change.verb, "dry_run": dry_run, "differences": told(differences)})
        return
    click.echo("将有的变化 / would change" if dry_run else "已更改 / changed")
    for each in told(differences):
        click.echo(
            f"  {each['subject']}  {each['field']}: {_plain(each['before'])} → {_plain(each['after'])}"
        )


def told(differences: Differences) -> list[dict[str, Any]]:
    """The differences for a machine."""
    return [
        {
            "subject": each.subject,
            "field": each.field,
            "before": wire(each.before),
            "after": wire(each.after),
        }
        for each in differences
    ]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
