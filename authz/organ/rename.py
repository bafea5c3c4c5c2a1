"""A new name for an organ; what it was called stays on record."""

from datetime import datetime

from authz.directory.active import active
from authz.directory.past import Difference, alter
from yinxin.store import Act


def rename(
    act: Act,
    organ: str,
    at: datetime,
    *,
    name_zh: str | None = None,
    name_en: str | None = None,
    short_name: str | None = None,
) -> tuple[Difference, ...]:
    """Give the names that are given; the others stay. Raises UnknownOrgan, OrganEnded."""
    given = {"name_zh": name_zh, "name_en": name_en, "short_name": short_name}
    row = active(act.session, organ)
    return alter(act, row, at, **{name: value for name, value in given.items() if value is not None})
