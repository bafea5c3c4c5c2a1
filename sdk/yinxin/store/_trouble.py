"""Database trouble as errors of the tree."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from yinxin.store.errors import StoreFull, StoreUnavailable


@contextmanager
def translated() -> Iterator[None]:
    """Database trouble leaves as an error of the tree; constraint violations stay what they are."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        trouble = trouble_of(error)
        if trouble is None:
            raise
        raise trouble from error


def trouble_of(error: Exception) -> StoreFull | StoreUnavailable | None:
    """What an error of the engine's says of the database; None of any other, a constraint violation say."""
    if isinstance(error, OperationalError):
        text = str(error.orig).lower()
        return StoreFull() if "full" in text or "no space" in text else StoreUnavailable()
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return StoreUnavailable() if lost or isinstance(error, PoolTimeout) else None
