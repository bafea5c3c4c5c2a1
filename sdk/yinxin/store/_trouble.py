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
    except OperationalError as error:
        text = str(error.orig).lower()
        if "full" in text or "no space" in text:
            raise StoreFull from error
        raise StoreUnavailable from error
    except PoolTimeout as error:
        raise StoreUnavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable from error
        raise
