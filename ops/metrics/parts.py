"""The figures of every part, asked side by side and waited for only so long.

A part that fails, or that a security module or database keeps waiting, is told as down; the others are told all the same.
It is not asked again before it has answered, so that a module that hangs holds one thread and not one for each question.
"""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from functools import partial
from typing import TYPE_CHECKING, Any

from ops.metrics.own import METRICS
from ops.modules import MODULES
from yinxin.errors import YinxinError
from yinxin.metrics import Figure, Metrics, Sample
from yinxin.text import Text

if TYPE_CHECKING:
    from ops.platform import Platform

_log = logging.getLogger("yinxin.metrics")

UP = Figure(
    "yinxin_part_up",
    Text("该部分是否在限时内给出了指标：1 是，0 否", "whether a part told its figures in time: 1 or 0"),
    ("part",),
)
TOOK = Figure(
    "yinxin_part_seconds", Text("该部分给出指标用去的秒数", "how long a part took to tell them"), ("part",)
)

#: parts that are asked at the same time: each may hold a connection to the database, and the requests need theirs
_TOGETHER = 4
#: each with the name of the module whose service it reads; the assembly's own without
PARTS: tuple[tuple[str | None, Metrics[Any]], ...] = (
    *((None, each) for each in METRICS),
    *((module.name, each) for module in MODULES for each in module.metrics),
)
#: every family that there is, in the order of the text
FIGURES: tuple[Figure, ...] = (UP, TOOK, *(figure for _, part in PARTS for figure in part.figures))


class Parts:
    """The parts of one installation in this process. Shared by threads."""

    def __init__(
        self, platform: "Platform", parts: Sequence[tuple[str | None, Metrics[Any]]] = PARTS
    ) -> None:
        self._platform = platform
        self._parts = parts
        self._pool = ThreadPoolExecutor(_TOGETHER, thread_name_prefix="metrics")
        self._asked: dict[str, Future[tuple[list[Sample], float]]] = {}
        self._asking = threading.Lock()

    def samples(self, patience: float) -> list[Sample]:
        """Of every part what it tells within so many seconds; one question at a time, whoever asks."""
        with self._asking:
            for module, part in self._parts:
                if part.part not in self._asked:
                    self._asked[part.part] = self._pool.submit(partial(self._read, module, part))
            until = time.monotonic() + patience
            return [sample for _, part in self._parts for sample in self._told(part.part, until)]

    def _told(self, part: str, until: float) -> Iterable[Sample]:
        try:
            found, took = self._asked[part].result(max(0.0, until - time.monotonic()))
        except Late:
            return [UP.at(0, part)]
        except YinxinError as error:
            _log.warning("the figures of %s: %s", part, error.code)
        except Exception:  # noqa: BLE001 - whatever is broken in one part, the others are told
            _log.exception("the figures of %s", part)
        else:
            del self._asked[part]
            return [UP.at(1, part), TOOK.at(took, part), *found]
        del self._asked[part]
        return [UP.at(0, part)]

    def _read(self, module: str | None, part: Metrics[Any]) -> tuple[list[Sample], float]:
        began = time.perf_counter()
        service = self._platform if module is None else getattr(self._platform, module)
        return list(part.read(service)), time.perf_counter() - began
