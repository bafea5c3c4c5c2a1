"""A process of its own, for crash and concurrency tests: python -m tests.audit.process URL FOLDER crash STEP | sequence ROUNDS."""

import os
import signal
import sys
from pathlib import Path

from yinxin import steps

from .site import Site


def main(url: str, folder: str, what: str, argument: str) -> None:
    site = Site(url, Path(folder))
    if what == "crash":

        def die(name: str) -> None:
            if name == argument:
                os.kill(os.getpid(), signal.SIGKILL)

        steps.listen(die)
        site.log.start()
        site.log.sequence()
        site.log.checkpoint()
        return
    print("ready", flush=True)
    sys.stdin.readline()
    entered = 0
    for _ in range(int(argument)):
        entered += site.log.sequence()
        site.log.checkpoint()
    print(entered, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
