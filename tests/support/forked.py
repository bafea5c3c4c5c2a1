"""Processes that tests kill: forks of one that has imported everything and opened nothing, so that none costs a start-up.

There is one such parent for a worker, whoever of the tests begins it, and it imports one list. Whatever is run in it stands
in one of these modules; never fork after the HSM library was opened.
"""

import multiprocessing
from collections.abc import Callable

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "tests.audit.process",
        "tests.audit.test_writers",
        "tests.ca.crasher",
        "tests.ca.racer",
        "tests.ca.test_answers",
        "tests.ca.test_bulk",
        "tests.crash.driver",
        "tests.exchange.driver",
        "tests.exchange.family",
    ]
)


def run(task: Callable[..., None], *arguments: object, seconds: float = 120) -> int:
    """The exit code of a process of its own that did `task`: 0, 1 when it raised, or the negative signal."""
    process = PROCESSES.Process(target=task, args=arguments)
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"{task.__name__} hangs")
    return process.exitcode
