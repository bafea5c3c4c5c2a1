"""Where a list's table keeps what policies ask of a thing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa


@dataclass(frozen=True)
class Columns:
    """The columns of a table whose rows are resources.

    `organ` and `level` hold the owner's identifier and the level's name; `attributes` the single-valued attributes of
    the type; `contains` tells for a set-valued one whether it holds a text. Graded data has `region`, `sharing` (both
    nullable) and `contains["shared_with"]`; a table without them holds data that is not graded.
    """

    organ: sa.ColumnElement[str]
    level: sa.ColumnElement[str]
    attributes: Mapping[str, sa.ColumnElement[object]] = field(default_factory=dict)
    contains: Mapping[str, Callable[[str], sa.ColumnElement[bool]]] = field(default_factory=dict)
    region: sa.ColumnElement[str | None] | None = None
    sharing: sa.ColumnElement[str | None] | None = None
