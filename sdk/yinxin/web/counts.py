"""How many requests this process answered, how, and in what time: counted in memory, told to monitoring.

A request is counted by its face, the beginning of its address (`api/kms`, `documents`, `ocsp`), and by the status of its answer.
Nothing of who asked or for what is kept. Counting costs a few microseconds and takes no lock for longer than an addition.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from yinxin.client.transports import INSIDE
from yinxin.metrics import Figure, Sample
from yinxin.text import Text

#: upper bounds of the classes of time, in seconds
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: the face of addresses that nobody serves
OTHER = "other"

ANSWERS = Figure(
    "yinxin_http_answers",
    Text("本进程应答的请求数，按入口与状态码", "requests that this process answered, by face and status"),
    ("face", "status"),
    "counter",
)
SECONDS = Figure(
    "yinxin_http_answer_seconds",
    Text(
        "自读完请求头至应答开始的秒数，按入口", "time from the request's head to the beginning of the answer"
    ),
    ("face",),
    "histogram",
)


class Counts:
    """The numbers of one process. Shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], int] = {}
        self._classes: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def answered(self, face: str, status: str) -> None:
        """Count an answer that took no time worth measuring: it was there already."""
        key = (face, status)
        with self._lock:
            self._answers[key] = self._answers.get(key, 0) + 1

    def timed(self, face: str, status: str, seconds: float) -> None:
        """Count an answer that took so long."""
        place, key = bisect_left(BOUNDS, seconds), (face, status)
        with self._lock:
            self._answers[key] = self._answers.get(key, 0) + 1
            classes = self._classes.get(face)
            if classes is None:
                classes = self._classes[face] = [0] * (len(BOUNDS) + 1)
            classes[place] += 1
            self._seconds[face] = self._seconds.get(face, 0.0) + seconds

    def samples(self) -> Iterator[Sample]:
        """What was counted until now."""
        with self._lock:
            answers = dict(self._answers)
            classes = {face: list(found) for face, found in self._classes.items()}
            seconds = dict(self._seconds)
        for key, number in sorted(answers.items()):
            yield ANSWERS.at(number, *key)
        for face, found in sorted(classes.items()):
            below = 0
            for bound, number in zip((*map(str, BOUNDS), "+Inf"), found, strict=True):
                below += number
                yield Sample(SECONDS, below, (face,), "_bucket", (("le", bound),))
            yield Sample(SECONDS, below, (face,), "_count")
            yield Sample(SECONDS, seconds[face], (face,), "_sum")


def face_of(path: str) -> str:
    """The beginning of an address: its first part, or the first two of the API's."""
    parts = path.split("/", 3)
    first = parts[1] if len(parts) > 1 else ""
    return f"api/{parts[2]}" if first == "api" and len(parts) > 2 else first or "/"


class CountingLayer:
    """WSGI layer outside all others. `faces` are those of the addresses that are served; calls of the process to itself are not counted."""

    def __init__(self, app: Any, counts: Counts, faces: Callable[[], frozenset[str]]) -> None:
        self._app = app
        self._counts = counts
        self._faces = faces
        self._known: frozenset[str] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes]
        if INSIDE in environ:
            answer = self._app(environ, start_response)
            return answer
        began, said = time.perf_counter(), ["500"]

        def told(status: str, *more: Any) -> Any:
            said[0] = status[:3]
            return start_response(status, *more)

        face = face_of(environ.get("PATH_INFO", ""))
        if self._known is None:
            self._known = self._faces()
        try:
            answer = self._app(environ, told)
        finally:
            known = face if face in self._known else OTHER
            self._counts.timed(known, said[0], time.perf_counter() - began)
        return answer
