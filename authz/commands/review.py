"""`yinxin authz review …`."""

import csv
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from authz.change.base import wire
from authz.command import authz_of
from authz.commands.common import INSTANT, dry_run_option
from authz.review.matrix import COLUMNS, conflicts, matrix
from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.command import acting, as_json_option, print_facts, print_json

_UNDER = "此机关及其下级，默认本机关 / this organ and those below; the own one if left out"


def own(actor: Actor) -> str:
    """The organ of whoever acts; the platform's own where nobody's is."""
    return actor.organ or PLATFORM


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
@click.option("--under", help=_UNDER)
@as_json_option
@click.pass_context
def list_(context: click.Context, *, under: str | None, as_json: bool) -> None:
    """Print them."""
    authz, actor = authz_of(context), acting(context)
    found = authz.reviews.listed_for(actor, under or own(actor), limit=1000)
    print_facts({"reviews": [_facts(each) for each in found]}, as_json=as_json)


@review.command(help="一次复核的任职 / the appointments of a review")
@click.argument("review")
@click.option("--under", help=_UNDER)
@click.option("--undecided", is_flag=True, help="只列未决的 / only those nobody decided")
@as_json_option
@click.pass_context
def show(context: click.Context, *, review: str, under: str | None, undecided: bool, as_json: bool) -> None:
    """Print them."""
    authz, actor = authz_of(context), acting(context)
    part = under or own(actor)
    found = authz.reviews.shown_for(actor, review, part)
    items = authz.reviews.items(review, under=part, undecided=undecided, limit=100_000)
    facts = _facts(found) | {"appointments": [_facts(each) for each in items]}
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
@click.option("--under", help=_UNDER)
@as_json_option
@click.pass_context
def dormant(context: click.Context, *, days: int, under: str | None, as_json: bool) -> None:
    """Print them."""
    authz, actor = authz_of(context), acting(context)
    part = under or own(actor)
    authz.reviews.permit_reading(actor, part)
    found = authz.reviews.dormant(days, under=part, limit=100_000)
    print_facts({"dormant": [{"person": who, "signed_in": wire(at)} for who, at in found]}, as_json=as_json)


@review.command("conflicts", help="三员冲突（应当为空）/ people with more than one of the three powers: none")
@click.option("--under", help=_UNDER)
@as_json_option
@click.pass_context
def conflicts_command(context: click.Context, *, under: str | None, as_json: bool) -> None:
    """Print them; exit 1 when there are any."""
    authz, actor = authz_of(context), acting(context)
    part = under or own(actor)
    authz.reviews.permit_reading(actor, part)
    found = conflicts(authz.store, part)
    print_facts({"conflicts": found}, as_json=as_json)
    context.exit(1 if found else 0)


@review.command("matrix", help="谁任何职、有何角色 / who holds what, with which roles; CSV unless --json")
@click.argument("organ")
@as_json_option
@click.pass_context
def matrix_command(context: click.Context, *, organ: str, as_json: bool) -> None:
    """Print a line for each appointment in force."""
    authz = authz_of(context)
    authz.reviews.permit_reading(acting(context), organ)
    rows = matrix(authz.store, organ)
    if as_json:
        print_json(list(rows))
        return
    writer = csv.DictWriter(sys.stdout, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)


def _facts(each: Any) -> dict[str, Any]:
    return {name: wire(value) for name, value in asdict(each).items()}
