"""PKCS#11 libraries in this process: who is in one, and who initialised it.

C_Initialize and C_Finalize are the process's, not a session's (PKCS#11 v3.1, 5.4), and python-pkcs11 initialises without locking:
two threads inside a library at once crash. So one user at a time is in it, and another's turn begins by letting the one before go.
"""

import os
from functools import cache
from threading import Lock
from typing import Protocol


class Holder(Protocol):
    """Whoever initialised a library, and opens it again when it is next needed."""

    def let_go(self) -> None:
        """Finalise the library; asked by whoever is alone in it."""
        ...


class Library:
    """A PKCS#11 library in this process."""

    def __init__(self) -> None:
        #: held by whoever is in it
        self.lock = Lock()
        #: who initialised it last, until that one lets it go: kept here, as whoever forgets to close it leaves it initialised
        self.holder: Holder | None = None
        #: whether somebody is in it for longer than a call
        self.taken = False
        #: whether another process opened it, of which this one is a fork: its sessions are not ours to use, nor to end
        self.inherited = False

    def forked(self) -> None:
        """Begin anew in a child, in which no other thread goes on."""
        self.inherited = self.inherited or self.holder is not None or self.lock.locked()
        self.lock, self.holder, self.taken = Lock(), None, False


_LIBRARIES: dict[str, Library] = {}


@cache
def library_at(path: str) -> Library:
    """The library of this path, however it is spelt."""
    return _LIBRARIES.setdefault(os.path.realpath(path), Library())


def _forked() -> None:
    for each in _LIBRARIES.values():
        each.forked()


os.register_at_fork(after_in_child=_forked)
