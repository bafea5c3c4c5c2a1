"""An engine in processes of its own: as many at once as there are processes, and none waits for a token that hangs.

PKCS#11 lets one thread into a library that was initialised without locking, as python-pkcs11 does, so what is to run
at the same time runs in several processes. A call that outlasts its deadline costs its process, which is ended and
started anew: what a library does with a token that does not answer cannot be stopped otherwise.
"""

import json
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kms.engine.calls import Calls
from kms.engine.messages import question, value_of
from kms.engine.worker import PIN_WANTED, receive, send, tell_pin
from kms.errors import HsmGone, HsmSlow, OpenedBeforeFork
from kms.secrets import Secret
from kms.settings import KmsSettings

#: making an RSA-4096 key takes an HSM this many times as long as anything else may take
MAKING = 10

#: seconds that a process may take to start, on a machine that does other things as well
_STARTING = 60
#: not `-m`: the module is imported with this package already
_MAIN = "from kms.engine.worker import main; main()"


@dataclass
class _Worker:
    """One process, and our end of its socket."""

    process: subprocess.Popen[bytes]
    connection: socket.socket

    def end(self) -> None:
        """End it now: it holds nothing that is not in the token."""
        self.connection.close()
        self.process.kill()
        self.process.wait()


class ProcessEngine(Calls):
    """`kms.engine.Engine` in `number` processes, started when they are first needed. Safe to share between threads."""

    def __init__(self, settings: KmsSettings, folder: Path, pin: Callable[[], Secret], number: int) -> None:
        """As `LocalEngine`; `settings.deadline` is the longest that a call may take.

        The PIN is read here, wherever it stands, and handed to a process that wants it.
        """
        self.label = settings.token
        self._settings = settings
        self._pin = pin
        self._told = json.dumps(
            {"settings": settings.model_dump(mode="json"), "folder": str(folder)}
        ).encode()
        self._number = number
        self._process = os.getpid()
        self._free: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(number):
            self._free.put(None)

    def call(self, operation: str, *arguments: Any) -> Any:
        """Ask one of the processes; raises HsmSlow, HsmGone, or as `LocalEngine`."""
        if self._process != os.getpid():
            raise OpenedBeforeFork(token=self.label, process=os.getpid())
        asked = question(operation, arguments)
        deadline = self._settings.deadline * (MAKING if operation.startswith("make_") else 1)
        try:
            worker = self._free.get(timeout=deadline)
        except queue.Empty:
            raise HsmSlow(token=self.label, seconds=deadline) from None
        try:
            # a process that was killed in between is replaced, and asked the same again: every operation may be repeated
            for last in (False, True):
                if worker is None:
                    worker = self._start()
                try:
                    return value_of(self._ask(worker, asked, deadline))
                except TimeoutError:
                    worker.end()
                    worker = None
                    raise HsmSlow(token=self.label, seconds=deadline) from None
                except (EOFError, OSError) as error:
                    worker.end()
                    worker = None
                    if last:
                        raise HsmGone(token=self.label, reason=type(error).__name__) from None
            raise AssertionError("the last try returns or raises")
        finally:
            self._free.put(worker)

    def workers(self) -> list[int]:
        """The numbers of the processes that are waiting for work."""
        return [each.process.pid for each in list(self._free.queue) if each is not None]

    def close(self) -> None:
        """End the processes; those in the middle of a call are waited for."""
        if self._process != os.getpid():
            raise OpenedBeforeFork(token=self.label, process=os.getpid())
        held = [self._free.get() for _ in range(self._number)]
        for each in held:
            if each is not None:
                each.end()
            self._free.put(None)

    def _ask(self, worker: _Worker, asked: bytes, deadline: float) -> bytes:
        worker.connection.settimeout(deadline)
        send(worker.connection, asked)
        while (told := receive(worker.connection)) == PIN_WANTED:
            send(worker.connection, tell_pin(self._pin))
        return told

    def _start(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-X", "utf8", "-c", _MAIN, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                close_fds=True,
            )
        worker = _Worker(process, ours)
        ours.settimeout(_STARTING)
        with suppress(OSError, EOFError):  # one that has ended already is noticed by the first call
            send(ours, self._told)
            receive(ours)  # that it is ready: its start is not to be taken for the token's slowness
        return worker
