"""One by one, so that what cannot be done for one key keeps no other key from it."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from yinxin.errors import YinxinError

T = TypeVar("T")

_log = logging.getLogger("yinxin.kms")


def apart(found: Iterable[T], act: Callable[[T], object], told: Callable[[T], str]) -> int:
    """Do it for each; how many it was done for. What the first that failed raised is raised once all were tried."""
    done, failed = 0, None
    for each in found:
        try:
            act(each)
        except YinxinError as error:
            _log.warning("%s: %s", told(each), error.text("en"))
            failed = failed or error
        else:
            done += 1
    if failed is not None:
        raise failed
    return done
