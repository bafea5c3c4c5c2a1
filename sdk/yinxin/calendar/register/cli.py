"""`yinxin calendar …`: the working-day calendar, and how deadlines are counted by it."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from yinxin.calendar import Day, notice, read
from yinxin.calendar.register.errors import YearUnknown
from yinxin.calendar.register.proposal import PUBLISH
from yinxin.calendar.register.service import Calendars, Version
from yinxin.calendar.register.shown import due_out, year_out
from yinxin.calendar.register.words import KINDS
from yinxin.calendar.wire import DayOut
from yinxin.clock import parse_rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json, service
from yinxin.deadline import Period, Stop, Term, Unit


@click.group("calendar", help="工作日历与期限 / working-day calendars and deadlines")
def group() -> None:
    """The group of commands."""


@group.command("list", help="已公布的年份 / the years that are published")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print what is in force, a line each."""
    for each in _calendars(context).in_force():
        fields = _fields(each)
        if as_json:
            print_json(fields)
        else:
            click.echo(f"{fields['year']}  v{each.version}  {fields['in_force_from']}  {fields['document']}")


@group.command(help="一年的安排；--days 列出每一天 / a year's arrangement; with --days every day of it")
@click.argument("year", type=int)
@click.option("--version", type=int, help="某一版本 / a version of it, in force or not")
@click.option("--days", is_flag=True, help="每天一行 / a line for every day")
@as_json_option
@click.pass_context
def show(context: click.Context, *, year: int, version: int | None, days: bool, as_json: bool) -> None:
    """Print it; the lines of `days` are of the calendar in force, whatever is known of the year."""
    calendars = _calendars(context)
    if days:
        for each in calendars.calendar().days(date(year, 1, 1), date(year, 12, 31)):
            if as_json:
                print_json(DayOut.of(each).model_dump(mode="json"))
            else:
                click.echo(_line(each))
        return
    found = calendars.version(year, version)
    if as_json:
        print_json(year_out(found).model_dump(mode="json"))
        return
    print_facts(_fields(found), as_json=False)
    for holiday in found.arrangement.holidays:
        work = f"  调休上班 / worked: {', '.join(map(str, holiday.work))}" if holiday.work else ""
        click.echo(f"{holiday.first} – {holiday.last}  {holiday.zh} / {holiday.en}{work}")


@group.command(help="一年的各个版本 / the versions of a year")
@click.argument("year", type=int)
@as_json_option
@click.pass_context
def versions(context: click.Context, *, year: int, as_json: bool) -> None:
    """Print every version, newest first."""
    for each in _calendars(context).versions(year):
        fields = _fields(each)
        if as_json:
            print_json(fields)
        else:
            until = fields["in_force_until"] or "现行 / in force"
            click.echo(
                f"v{each.version}  {fields['in_force_from']} – {until}  {each.proposal}  {each.sha256[:16]}"
            )


@group.command(
    "notice",
    help="输出随软件附带的某年安排，供核对后提出 / print a year's arrangement as it came with the software",
)
@click.argument("year", type=int)
def notice_(year: int) -> None:
    """Print the file (TOML): hold it against the State Council's notice before it is proposed."""
    found = notice(year)
    if found is None:
        raise YearUnknown(year=year, version="-")
    click.echo(found, nl=False)


@group.command(help="提出公布一年的安排 / propose a year's arrangement")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--reason", required=True, help="事由 / the reason")
@click.option("--basis", required=True, help="依据 / the legal basis")
@click.option("--dry-run", is_flag=True, help="只检查 / check only")
@as_json_option
@click.pass_context
def propose(
    context: click.Context, *, file: Path, reason: str, basis: str, dry_run: bool, as_json: bool
) -> None:
    """Propose the file (TOML) in place of what is in force of its year."""
    calendars = _calendars(context)
    arrangement = read(file.read_bytes())
    newest = next(iter(calendars.versions(arrangement.year)), None)
    content = PUBLISH.content(arrangement=arrangement, replaces=newest.version if newest else 0)
    told: dict[str, Any]
    if dry_run:
        calendars.check(content.arrangement, content.replaces)
        described = PUBLISH.describe(calendars, content)
        told = {"sound": True, "describes": [f"{each.zh} / {each.en}" for each in described]}
    else:
        proposals = service(context, "authz").proposals
        made = proposals.propose(acting(context), PUBLISH.name, content, reason=reason, basis=basis)
        told = {"proposal": made.row.id, "year": arrangement.year, "replaces": content.replaces}
    print_facts(told, as_json=as_json)


@group.command(
    help="计算期限 / count a deadline: START 2026-01-05T09:00:00+08:00, AMOUNT 20, UNIT working-days"
)
@click.argument("start")
@click.argument("amount", type=click.IntRange(1, 3660))
@click.argument("unit", type=click.Choice([each.value for each in Unit]))
@click.option(
    "--stop",
    "stops",
    multiple=True,
    metavar="FROM/TO",
    help="不计入的时段，起止时间写法同 START / time that is not counted; both ends are written like START",
)
@as_json_option
@click.pass_context
def deadline(
    context: click.Context, *, start: str, amount: int, unit: str, stops: tuple[str, ...], as_json: bool
) -> None:
    """Count it by the calendar in force."""
    period = Period(Term(amount, Unit(unit)), parse_rfc3339(start), tuple(map(_stop, stops)))
    print_facts(due_out(_calendars(context), period).model_dump(mode="json"), as_json=as_json)


def _fields(version: Version) -> dict[str, Any]:
    """A version without its holidays."""
    return year_out(version).model_dump(mode="json", exclude={"arrangement"})


def _line(day: Day) -> str:
    said = KINDS[day.kind]
    named = f"  {day.holiday.zh} / {day.holiday.en}" if day.holiday else ""
    return f"{day.date}  {said.zh} / {said.en}{named}{'' if day.known else '  （暂定 / provisional）'}"


def _stop(text: str) -> Stop:
    begun, _, ended = text.partition("/")
    return Stop("--stop", parse_rfc3339(begun), parse_rfc3339(ended) if ended else None)


def _calendars(context: click.Context) -> Calendars:
    found: Calendars = service(context, "calendar")
    return found
