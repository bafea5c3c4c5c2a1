"""Pages of a list. A cursor is opaque to the reader and says where the next page begins; it grants nothing."""

import base64
import binascii
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from yinxin import canonical
from yinxin.canonical import NotCanonical
from yinxin.web.errors import BadCursor

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page: `next` is the cursor of the following one, absent on the last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
