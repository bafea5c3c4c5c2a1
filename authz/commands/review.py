"""`yinxin authz review …`."""

import csv
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from authz.change.base import wire
from authz.commands.common import INSTANT, authz_of, dry_run_option
from authz.review.matrix import COLUMNS, conflicts, matrix
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group(help="复核 / reviews of appointments, unused accounts, who holds what")
def review() -> None:
    """The group of commands."""


@review.command(help="对机关及其下级的全部任职发起复核 / review every appointment at or below an organ")
@click.argument("organ")
@click.option("--until", "deadline", type=INSTANT, required=True, help="期限 / the deadline")
@dry_run_option
@as_json_option
@click.pass_context
def begin(context: click.Context, *, organ: str, deadline: datetime, dry_run: bool, as_json: bool) -> None:
    """Begin it, or say how many it would be."""
    reviews, actor = authz_of(context).reviews, acting(context)
    if dry_run:
        print_facts({"would_review": reviews.scope(actor, organ, deadline)}, as_json=as_json)
        return
    print_facts(_facts(reviews.begin(actor, organ, deadline)), as_json=as_json)


@review.command("list", help="复核一览 / the reviews")
@click.option("--under", help="只列此机关及其下级 / only of this organ and those below")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, under: str | None, as_json: bool) -> None:
    """Print them."""
    authz = authz_of(context)
    authz.directory_for(acting(context))
    found = authz.reviews.campaigns(under=under, limit=1000)
    print_facts({"reviews": [_facts(each) for each in found]}, as_json=as_json)


@review.command(help="一次复核的任职 / the appointments of a review")
@click.argument("review")
@click.option("--undecided", is_flag=True, help="只列未决的 / only those nobody decided")
@as_json_option
@click.pass_context
def show(context: click.Context, *, review: str, undecided: bool, as_json: bool) -> None:
    """Print them."""
    authz = authz_of(context)
    authz.directory_for(acting(context))
    items = authz.reviews.items(review, undecided=undecided, limit=100_000)
    facts = _facts(authz.reviews.show(review)) | {"appointments": [_facts(each) for each in items]}
    print_facts(facts, as_json=as_json)


@review.command(help="确认或终止一项任职 / confirm an appointment, or end it")
@click.argument("review")
@click.argument("person")
@click.argument("post")
@click.option("--end", is_flag=True, help="终止而非确认 / end it instead of confirming it")
@as_json_option
@click.pass_context
def decide(context: click.Context, *, review: str, person: str, post: str, end: bool, as_json: bool) -> None:
    """Decide one."""
    outcome: Any = "ended" if end else "confirmed"
    item = authz_of(context).reviews.decide(acting(context), review, person, post, outcome)
    print_facts(_facts(item), as_json=as_json)


@review.command(help="多日未登录的在岗人员 / people in posts who have not signed in for days")
@click.option("--days", type=click.IntRange(1, 3660), default=90, show_default=True, help="天数 / days")
@as_json_option
@click.pass_context
def dormant(context: click.Context, *, days: int, as_json: bool) -> None:
    """Print them."""
    authz = authz_of(context)
    authz.directory_for(acting(context))
    found = authz.reviews.dormant(days, limit=100_000)
    print_facts({"dormant": [{"person": who, "signed_in": wire(at)} for who, at in found]}, as_json=as_json)


@review.command("conflicts", help="三员冲突（应当为空）/ people with more than one of the three powers: none")
@as_json_option
@click.pass_context
def conflicts_command(context: click.Context, *, as_json: bool) -> None:
    """Print them; exit 1 when there are any."""
    authz = authz_of(context)
    authz.directory_for(acting(context))
    found = conflicts(authz.store)
    print_facts({"conflicts": found}, as_json=as_json)
    context.exit(1 if found else 0)


@review.command("matrix", help="谁任何职、有何角色 / who holds what, with which roles; CSV unless --json")
@click.argument("organ")
@as_json_option
@click.pass_context
def matrix_command(context: click.Context, *, organ: str, as_json: bool) -> None:
    """Print a line for each appointment in force."""
    authz = authz_of(context)
    authz.directory_for(acting(context)).organ(organ)
    rows = matrix(authz.store, organ)
    if as_json:
        print_json(list(rows))
        return
    writer = csv.DictWriter(sys.stdout, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)


def _facts(each: Any) -> dict[str, Any]:
    return {name: wire(value) for name, value in asdict(each).items()}
