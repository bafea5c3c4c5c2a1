"""`yinxin authz organ …`."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from authz.change import DissolveOrgan, FoundOrgan, MergeOrgans, MoveOrgan, RenameOrgan, SplitOrgan
from authz.change.base import wire
from authz.command import authz_of
from authz.commands.common import INSTANT, build, make, proposable
from authz.directory import Organ, read_toml
from authz.directory.codes import LEVELS, organisation_code
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group(help="机关 / organs")
def organ() -> None:
    """The group of commands."""


@organ.command("list", help="机关名录 / the organs")
@click.option("--under", help="只列此机关及其下级 / only this organ and those below")
@as_json_option
@click.pass_context
def list_(context: click.Context, under: str | None, *, as_json: bool) -> None:
    """Print the tree, or a part of it."""
    found: list[Organ] = []
    directory = authz_of(context).directory_for(acting(context))
    while page := directory.organs(under=under, after=found[-1].id if found else ""):
        found += page
    found.sort(key=lambda organ: organ.path[::-1])
    if as_json:
        print_json([{"id": each.id, "parent": each.parent, "name": each.name.zh} for each in found])
        return
    for each in found:
        indent = "  " * (len(each.path) - 1)
        click.echo(
            f"{indent}{each.id:<24} {each.level:<10} {each.division:<12} {each.name.zh} / {each.name.en}"
        )


@organ.command(help="机关的现状或某一时刻的情况 / an organ, now or at a time")
@click.argument("id")
@click.option("--at", type=INSTANT, help="时刻 / RFC 3339 time")
@as_json_option
@click.pass_context
def show(context: click.Context, id: str, at: datetime | None, *, as_json: bool) -> None:  # noqa: A002 - the field's name
    """Print one organ with the tree above it."""
    directory = authz_of(context).directory_for(acting(context))
    found = directory.organ_at(id, at) if at else directory.organ(id)
    line = directory.line_of(id)
    more = {
        "line_above": line.above,
        "line_below": list(line.below),
        "successions": [
            {
                "predecessor": each.predecessor,
                "successor": each.successor,
                "at": wire(each.at),
                "how": each.how,
            }
            for each in directory.successions(id)
        ],
    }
    print_facts(facts(found) | (more if at is None else {}), as_json=as_json)


@organ.command(help="机关的沿革 / what an organ was, version by version")
@click.argument("id")
@as_json_option
@click.pass_context
def history(context: click.Context, id: str, *, as_json: bool) -> None:  # noqa: A002 - the field's name
    """Print every version."""
    directory = authz_of(context).directory_for(acting(context))
    print_facts({"versions": versions_of(directory.history("organ", id))}, as_json=as_json)


@organ.command(help="某时刻该机关及其下级 / the organ and all below it at a time")
@click.argument("id")
@click.option("--at", type=INSTANT, required=True, help="时刻 / RFC 3339 time")
@as_json_option
@click.pass_context
def under(context: click.Context, id: str, at: datetime, *, as_json: bool) -> None:  # noqa: A002 - the field's name
    """Print their identifiers."""
    directory = authz_of(context).directory_for(acting(context))
    print_facts({"organs": list(directory.under_at(id, at))}, as_json=as_json)


@organ.command(help="新设机关 / found an organ")
@click.argument("id")
@click.option("--parent", required=True, help="上级机关 / the organ above")
@click.option("--name-zh", required=True, help="中文名称 / Chinese name")
@click.option("--name-en", required=True, help="英文名称 / English name")
@click.option("--short-name", required=True, help="机关代字 / prefix of its document numbers")
@click.option("--level", type=click.Choice(list(LEVELS)), required=True, help="层级 / level")
@click.option("--division", required=True, help="行政区划代码 / division code")
@click.option("--uscc", help="统一社会信用代码 / unified social credit code")
@click.option("--line", help="条线 / line of business")
@proposable
@as_json_option
@click.pass_context
def found(context: click.Context, /, *, dry_run: bool, as_json: bool, **entry: Any) -> None:
    """Found it below another."""
    given = {name: value for name, value in entry.items() if value is not None}
    make(context, build(FoundOrgan, organ=given), dry_run=dry_run, as_json=as_json)


@organ.command(help="机关更名 / rename an organ")
@click.argument("organ")
@click.option("--name-zh", help="中文名称 / Chinese name")
@click.option("--name-en", help="英文名称 / English name")
@click.option("--short-name", help="机关代字 / prefix of its document numbers")
@proposable
@as_json_option
@click.pass_context
def rename(context: click.Context, /, *, dry_run: bool, as_json: bool, **names: Any) -> None:
    """Give it the names that are given."""
    make(context, build(RenameOrgan, **names), dry_run=dry_run, as_json=as_json)


_divisions_option = click.option(
    "--division",
    "divisions",
    multiple=True,
    metavar="ORGAN=CODE",
    help="新的行政区划代码 / a new division code",
)


@organ.command(help="调整隶属 / move an organ, with all below it")
@click.argument("organ")
@click.option("--to", "parent", required=True, help="新的上级 / the organ above from now on")
@_divisions_option
@proposable
@as_json_option
@click.pass_context
def move(
    context: click.Context,
    *,
    organ: str,
    parent: str,
    divisions: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Hang it below another."""
    change = build(MoveOrgan, organ=organ, parent=parent, divisions=_pairs(divisions))
    make(context, change, dry_run=dry_run, as_json=as_json)


@organ.command(help="合并机关 / merge organs")
@click.argument("organs", nargs=-1, required=True)
@click.option("--into", required=True, help="并入的机关 / the organ that goes on")
@_divisions_option
@proposable
@as_json_option
@click.pass_context
def merge(
    context: click.Context,
    *,
    organs: tuple[str, ...],
    into: str,
    divisions: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let them go up in another."""
    change = build(MergeOrgans, organs=organs, into=into, divisions=_pairs(divisions))
    make(context, change, dry_run=dry_run, as_json=as_json)


@organ.command(help="分设机关 / split an organ by a plan in TOML: `[[parts]]` with organ, posts, children")
@click.argument("organ")
@click.option("--plan", type=click.Path(path_type=Path), required=True, help="划分方案 / the plan's file")
@click.option("--ends", is_flag=True, help="原机关不再存续 / the organ is no more afterwards")
@proposable
@as_json_option
@click.pass_context
def split(
    context: click.Context, *, organ: str, plan: Path, ends: bool, dry_run: bool, as_json: bool
) -> None:
    """Found the parts and hand over."""
    change = build(SplitOrgan, organ=organ, ends=ends, **read_toml(plan))
    make(context, change, dry_run=dry_run, as_json=as_json)


@organ.command(help="撤销机关 / dissolve an organ")
@click.argument("organ")
@proposable
@as_json_option
@click.pass_context
def dissolve(context: click.Context, *, organ: str, dry_run: bool, as_json: bool) -> None:
    """End it and its posts."""
    make(context, build(DissolveOrgan, organ=organ), dry_run=dry_run, as_json=as_json)


def facts(organ: Organ) -> dict[str, Any]:
    """An organ for people and for scripts."""
    return {
        "id": organ.id,
        "name_zh": organ.name.zh,
        "name_en": organ.name.en,
        "short_name": organ.short_name,
        "level": organ.level,
        "division": organ.division,
        "uscc": organ.uscc,
        "organisation_code": organisation_code(organ.uscc) if organ.uscc else None,
        "line": organ.line,
        "status": organ.status,
        "parent": organ.parent,
        "path": list(organ.path),
    }


def versions_of(versions: Any) -> list[dict[str, Any]]:
    """Versions for people and for scripts."""
    return [
        {
            "since": wire(each.since),
            "until": wire(each.until),
            "ended_by": each.verb,
            "entry": each.entry,
            **each.state,
        }
        for each in versions
    ]


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    return dict(each.partition("=")[::2] for each in given)
