"""Whether an act is under way in these surroundings: acts do not nest, for one inside another would commit apart from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

INSIDE: ContextVar[bool] = ContextVar("inside", default=False)


@contextmanager
def inside() -> Iterator[None]:
    """An act is under way."""
    mark = INSIDE.set(True)
    try:
        yield
    finally:
        INSIDE.reset(mark)
