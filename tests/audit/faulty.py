"""A process that a fault will meet: python -m tests.audit.faulty URL FOLDER ROUNDS [MUTANT].

Acts, enters, signs; says ACK and the entry once an act is acknowledged, PUB and the size once a checkpoint is published, NO
and the reason when something was refused.
"""

import os
import sys
from pathlib import Path

from yinxin.errors import YinxinError

from .mutants import MUTANTS
from .site import Site


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def main(url: str, folder: str, rounds: str, mutant: str = "") -> None:
    if mutant:
        MUTANTS[mutant](setattr)
    site = Site(url, Path(folder))
    site.log.start()
    for number in range(int(rounds)):
        try:
            say("ACK", site.act(f"thing:{number}"))
            site.log.sequence()
            if site.log.checkpoint():
                say("PUB", site.log.proof(site.log.entries(limit=1)[0].event).index + 1)
        except YinxinError as error:
            say("NO", error.code)


if __name__ == "__main__":
    main(*sys.argv[1:])
