"""Options that the commands of the log share: filters, the suite of a tree, the file that is written."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from audit.entries import Filters
from audit.tree import TREES
from yinxin.act import Outcome
from yinxin.clock import BadInstant, parse_rfc3339

F = Callable[..., Any]

#: of which tree; the command gets the suite's name
suite_option = click.option(
    "--suite",
    type=click.Choice([each.name for each in TREES]),
    default=TREES[0].name,
    help="套件 / the suite",
)
#: where what was asked for is written
out_option = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="文件 / the file"
)


class InstantType(click.ParamType[datetime]):
    """An RFC 3339 instant."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it; a wrong one is told with the option's name."""
        try:
            return value if isinstance(value, datetime) else parse_rfc3339(str(value))
        except BadInstant as error:
            self.fail(f"{error.text('zh')} / {error.text('en')}", param, ctx)


_SPAN = (
    click.option("--since", type=InstantType(), help="自此时刻起（RFC 3339） / from this instant on"),
    click.option("--until", type=InstantType(), help="此时刻之前 / before this instant"),
)
_FILTERS = (
    click.option("--actor", help="操作者 / who acted"),
    click.option("--person", help="操作者或被操作的人 / who acted or was acted on"),
    click.option("--post", help="操作者所在岗位 / the actor's post"),
    click.option("--organ", help="操作者所属机关 / the actor's organ"),
    click.option("--under", help="该机关及其下级 / that organ and all below it"),
    click.option("--subject", help="操作的对象 / what was acted on"),
    click.option("--object", help="操作的或涉及的对象 / what was acted on or is named"),
    click.option("--kind", help="对象的种类，如 certificate / kind of what was acted on"),
    click.option(
        "--verb", help="操作，如 ca.issue；以点结尾表示整个模块 / act; with a dot at its end, a whole module"
    ),
    click.option("--outcome", type=click.Choice([each.value for each in Outcome]), help="结果 / outcome"),
    click.option("--error", help="拒绝原因代码 / code of the refusal"),
    click.option("--request", help="关联号 / the request it was part of"),
    *_SPAN,
)


def span_options(command: F) -> F:
    """`--since` and `--until`."""
    return _with(_SPAN, command)


def filter_options(command: F) -> F:
    """Every filter; the command gets them as `filters`."""
    names = [each.name for each in fields(Filters)]

    @wraps(command)
    def gathered(*given: Any, **named: Any) -> Any:
        filters = Filters(**{name: named.pop(name) for name in names})
        return command(*given, filters=filters, **named)

    return _with(_FILTERS, gathered)


def _with(options: tuple[F, ...], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command
