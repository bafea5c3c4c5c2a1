"""The desk of whoever is signed in, as the pages are handed it."""

from collections.abc import Callable

from apps.document.desk import Desk
from yinxin.web import Caller

Desks = Callable[[Caller], Desk]
