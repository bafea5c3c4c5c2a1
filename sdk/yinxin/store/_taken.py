"""What it means that another was first to something that is there once, such as a name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from yinxin.errors import YinxinError

#: a refusal, or None where what the other did is as good
Taken = Callable[[], YinxinError | None]


class Overtaken(IntegrityError):
    """What another did is taken for the own: nothing was done, and nothing refused."""


def as_good() -> None:
    """`taken` of an act for which what another has just done is as good as what it would have done itself."""


@contextmanager
def meant(taken: Taken | None) -> Iterator[None]:
    """An IntegrityError of what is inside, once that is rolled back, as what `taken` makes of it: a refusal, or Overtaken."""
    try:
        yield
    except IntegrityError as error:
        if taken is None:
            raise
        if (refusal := taken()) is not None:
            raise refusal from error
        raise Overtaken(error.statement, error.params, error.orig or error) from error
