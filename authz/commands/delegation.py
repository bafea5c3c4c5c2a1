"""`yinxin authz delegation …`."""

from dataclasses import asdict
from datetime import datetime

import click
from pydantic import ValidationError

from authz.change.base import wire
from authz.command import authz_of
from authz.commands.common import INSTANT, dry_run_option
from authz.delegation import Delegation, Wish
from authz.errors import BadField
from yinxin.command import acting, as_json_option, holding, print_facts
from yinxin.crypto import cms
from yinxin.faults import first_fault
from yinxin.statement import Statement


@click.group(help="授权代行 / delegations of a post")
def delegation() -> None:
    """The group of commands."""


@delegation.command(help="授权他人在一段时间内代行本人岗位，用本人证书签署 / delegate the own post, signed")
@click.argument("delegate")
@click.option("--from", "valid_from", type=INSTANT, required=True, help="开始 / begins")
@click.option("--until", "valid_to", type=INSTANT, required=True, help="届满 / ends before this")
@click.option("--reason", required=True, help="事由 / the cause")
@click.option("--action", "actions", multiple=True, help="只限此操作，可多次给出 / only this action; repeat")
@dry_run_option
@as_json_option
@click.pass_context
def give(
    context: click.Context,
    *,
    delegate: str,
    valid_from: datetime,
    valid_to: datetime,
    reason: str,
    actions: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Sign and record it."""
    values = {"delegate": delegate, "valid_from": valid_from, "valid_to": valid_to, "reason": reason}
    try:
        wish = Wish.model_validate(values | {"actions": actions or None})
    except ValidationError as error:
        place, why = first_fault(error)
        raise BadField(row="authz.delegate", field=".".join(map(str, place)) or "*", reason=why) from error
    delegations, actor = authz_of(context).delegations, acting(context)
    statement = delegations.statement(actor, wish)
    if dry_run:
        print_facts({"would_sign": statement.decode()}, as_json=as_json)
        return
    signed = cms.sign_detached(holding(context), statement, signed_at=Statement.decode(statement).at)
    print_facts(_facts(delegations.give(actor, statement, signed)), as_json=as_json)


@delegation.command("list", help="某人给出和得到的授权代行 / the delegations somebody gave or got")
@click.argument("person")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, person: str, as_json: bool) -> None:
    """Print them."""
    authz = authz_of(context)
    authz.directory_for(acting(context)).person(person)
    found = authz.delegations.of(person)
    print_facts({"delegations": [_facts(each) for each in found]}, as_json=as_json)


@delegation.command(help="立即终止 / end one at once")
@click.argument("delegation")
@as_json_option
@click.pass_context
def end(context: click.Context, *, delegation: str, as_json: bool) -> None:
    """End it."""
    print_facts(_facts(authz_of(context).delegations.end(acting(context), delegation)), as_json=as_json)


def _facts(each: Delegation) -> dict[str, object]:
    return {name: wire(value) for name, value in asdict(each).items()}
