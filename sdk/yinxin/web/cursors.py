"""Pages of a list. A cursor is opaque to the reader and says where the next page begins; it grants nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from pydantic import Field

from yinxin import canonical
from yinxin.canonical import NotCanonical
from yinxin.web.errors import BadCursor
from yinxin.wire import Model

T = TypeVar("T")
Row = TypeVar("Row")
Key = TypeVar("Key", str, int)


class Paged(Model):
    """Which page of a list: the base of every listing's query."""

    after: str | None = Field(default=None, max_length=200)
    """Cursor of the page before: its `next`."""
    limit: int = Field(default=50, ge=1, le=200)
    """Most items on the page."""

    def begin(self, kind: type[Key]) -> Key | None:
        """The position after which the page begins; None for the first page. Raises BadCursor."""
        if self.after is None:
            return None
        begin: Key = position(self.after, kind)[0]
        return begin


class Page(Model, Generic[T]):
    """One page: `next` is the cursor of the following one, absent on the last."""

    items: list[T]
    next: str | None = None


def cursor(*position: str | int) -> str:
    """The cursor that names `position`: the sort key of the last item given."""
    return base64.urlsafe_b64encode(canonical.encode(list(position))).rstrip(b"=").decode()


def position(text: str, *kinds: type[str] | type[int]) -> tuple[Any, ...]:
    """Read a cursor back into values of `kinds`; raises BadCursor for anything `cursor` would not write."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = canonical.decode(data)
    except (binascii.Error, ValueError, NotCanonical) as error:
        raise BadCursor from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise BadCursor
    return tuple(values)


def page_of(
    rows: Sequence[Row], limit: int, *, key: Callable[[Row], str | int], show: Callable[[Row], T]
) -> Page[T]:
    """The page of `rows`, of which one more was asked for than it holds, to know whether another follows.

    `key` is a row's position in the list, `show` its form on the wire.
    """
    page = rows[:limit]
    following = cursor(key(page[-1])) if len(rows) > limit else None
    return Page(items=[show(row) for row in page], next=following)
