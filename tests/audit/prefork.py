"""A process that a fault will meet, many times over at the price of one start: python -m tests.audit.prefork.

Everything is imported once. Each line of input is the arguments of `tests.audit.faulty`, after a file for what it says and a pipe
that it waits on; its child is told by number, and once it is over, by how it ended.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

from .faulty import main

#: prctl(2): let any process trace this one, where Yama would keep it to ancestors
_PR_SET_PTRACER = 0x59616D61


def serve() -> None:
    """Fork for each line; only a child returns."""
    for line in sys.stdin:
        said, pipe, *arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1))
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
            Path(pipe).read_bytes()
            main(*arguments)
            return
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    os._exit(0)


if __name__ == "__main__":
    serve()
