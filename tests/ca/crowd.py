"""Requests that meet: the first is held back until all the others wait for it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from yinxin.steps import listen

from .conftest import Site


def together(
    site: Site, calls: Sequence[Callable[[], Any]], heard: Callable[[str], None] = lambda _name: None
) -> list[Any]:
    """What each call answered or raised; `heard` is told the steps of the batch that all but the first become."""
    answers: list[Any] = [None] * len(calls)
    waiting, held, gatherer = threading.Event(), threading.Event(), site.ctx.gatherer

    def reached(name: str) -> None:
        if not held.is_set():
            held.set()
            waiting.wait()
        elif name.startswith("ca.issue-many."):
            heard(name)

    def call(place: int) -> None:
        try:
            answers[place] = calls[place]()
        except Exception as error:  # noqa: BLE001 - it is looked at by the test
            answers[place] = error

    threads = [threading.Thread(target=call, args=(place,)) for place in range(len(calls))]
    listen(reached)
    try:
        threads[0].start()
        held.wait()
        for thread in threads[1:]:
            thread.start()
        while len(gatherer._waiting) < len(calls) - 1:
            threading.Event().wait(0.002)
        waiting.set()
        for thread in threads:
            thread.join()
    finally:
        listen(None)
    return answers
